// tests/unit/access_core_tests.cpp - who is let into the console, and who is not.
#define BOOST_TEST_MODULE access_core_tests
#include <boost/test/unit_test.hpp>

#include <random>
#include <set>

#include "actors/console/access_core.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

/// Every run draws the same.
class seeded_random final : public random_port {
public:
  void fill(std::span<std::uint8_t> into) override {
    for (auto& byte : into) byte = static_cast<std::uint8_t>(engine_());
  }

private:
  std::mt19937 engine_{1};
};

const std::string here = "127.0.0.1:8083", origin = "http://127.0.0.1:8083";

struct console {
  explicit console(access_limits limits = {}, bool tls = false)
    : core(limits, console_authorities("127.0.0.1", 8083), tls) {}

  /// Logs in; remembers cookie and token.
  std::string log_in(access_core::time now = 0s) {
    auto login = core.log_in(core.make_login(random, now), random, now);
    BOOST_REQUIRE(login.has_value());
    csrf = login->who.csrf;
    cookie = login->set_cookie.substr(0, login->set_cookie.find(';'));
    return cookie;
  }
  access_request get() const { return {"GET", "/v1/actors", here, "", cookie, "", false}; }
  access_request post() const { return {"POST", "/v1/node/stop", here, origin, cookie, csrf, false}; }

  errc refused(const access_request& request, access_core::time now = 0s) {
    auto admitted = core.admit(request, now);
    return admitted ? errc{} : admitted.error().code;
  }

  seeded_random random;
  access_core core;
  std::string cookie, csrf;
};

constexpr errc passes{};

} // namespace

BOOST_AUTO_TEST_CASE(a_link_lets_in_once) {
  console c;
  auto token = c.core.make_login(c.random, 0s);
  BOOST_TEST(token.size() == 64u);
  auto login = c.core.log_in(token, c.random, 1s);
  BOOST_REQUIRE(login.has_value());
  for (auto part : {"lucid_session=", "; HttpOnly", "; SameSite=Strict", "; Path=/"})
    BOOST_TEST(login->set_cookie.find(part) != std::string::npos, part);
  BOOST_TEST(login->set_cookie.find("Secure") == std::string::npos);
  BOOST_TEST((c.core.log_in(token, c.random, 1s).error().code == errc::login_failed));
}

BOOST_AUTO_TEST_CASE(behind_tls_the_cookie_is_secure_and_origins_are_https) {
  console c({}, true);
  auto login = c.core.log_in(c.core.make_login(c.random, 0s), c.random, 0s);
  BOOST_TEST(login->set_cookie.find("; Secure") != std::string::npos);
  c.log_in();
  auto request = c.get();
  request.origin = "http://127.0.0.1:8083";
  BOOST_TEST((c.refused(request) == errc::permission_denied));
  request.origin = "https://127.0.0.1:8083";
  BOOST_TEST((c.refused(request) == passes));
}

BOOST_AUTO_TEST_CASE(a_link_grows_old_and_its_guesses_are_wrong) {
  console c;
  auto token = c.core.make_login(c.random, 0s);
  for (auto& wrong : {std::string(), std::string(64, '0'), token.substr(1), token + "0"})
    BOOST_TEST((c.core.log_in(wrong, c.random, 1s).error().code == errc::login_failed));
  BOOST_TEST((c.core.log_in(token, c.random, 10min).error().code == errc::login_failed));
  auto second = c.core.make_login(c.random, 0s);
  BOOST_TEST(c.core.log_in(second, c.random, 10min - 1ns).has_value());
}

BOOST_AUTO_TEST_CASE(links_are_bounded_and_the_oldest_goes) {
  console c;
  auto first = c.core.make_login(c.random, 0s);
  auto second = c.core.make_login(c.random, 0s);
  for (std::size_t i = 1; i < access_limits{}.login_count_max; ++i) c.core.make_login(c.random, 0s);
  BOOST_TEST(!c.core.log_in(first, c.random, 0s).has_value());
  BOOST_TEST(c.core.log_in(second, c.random, 0s).has_value());
}

BOOST_AUTO_TEST_CASE(the_cookie_admits_among_others_and_nothing_like_it_does) {
  console c;
  BOOST_TEST((c.refused(c.get()) == errc::login_failed));
  auto cookie = c.log_in();
  auto with = [&](std::string header) {
    auto request = c.get();
    request.cookie = header;
    return c.refused(request);
  };
  BOOST_TEST((with(cookie) == passes));
  BOOST_TEST((with("a=b; " + cookie + "; c=d") == passes));
  BOOST_TEST((with("a=b;" + cookie) == passes));
  BOOST_TEST((with("lucid_session=") == errc::login_failed));
  BOOST_TEST((with("lucid_session") == errc::login_failed));
  BOOST_TEST((with(cookie + "0") == errc::login_failed));
  BOOST_TEST((with("x" + cookie) == errc::login_failed));
  BOOST_TEST((with(cookie + "; " + cookie) == errc::login_failed));
  BOOST_TEST((with("; ; ;=;; ") == errc::login_failed));
}

BOOST_AUTO_TEST_CASE(a_session_ends_when_idle_and_when_old) {
  console c;
  c.log_in();
  BOOST_TEST((c.refused(c.get(), 29min) == passes));
  BOOST_TEST((c.refused(c.get(), 58min) == passes)); // Used in between.
  BOOST_TEST((c.refused(c.get(), 88min) == errc::login_failed));
  c.log_in(0s);
  auto now = access_core::time(0s);
  while (c.refused(c.get(), now) == passes) now += 20min;
  BOOST_TEST((now == 12h));
}

BOOST_AUTO_TEST_CASE(a_session_that_logs_out_is_gone_alone) {
  console c;
  auto first = c.log_in();
  auto second = c.log_in();
  auto me = c.core.admit(c.get(), 0s);
  BOOST_REQUIRE(me.has_value());
  BOOST_TEST(c.core.lasts(*me, 1s));
  BOOST_TEST(c.core.log_out(*me).find("Max-Age=0") != std::string::npos);
  BOOST_TEST(!c.core.lasts(*me, 1s));
  BOOST_TEST((c.refused(c.get()) == errc::login_failed));
  c.cookie = first;
  BOOST_TEST((c.refused(c.get()) == passes));
}

BOOST_AUTO_TEST_CASE(sessions_are_bounded_and_the_longest_idle_goes) {
  access_limits limits;
  limits.session_count_max = 2;
  console c(limits);
  auto first = c.log_in(0s), second = c.log_in(1s);
  c.cookie = first;
  BOOST_TEST((c.refused(c.get(), 2s) == passes));
  c.log_in(3s);
  BOOST_TEST(c.core.session_count() == 2u);
  c.cookie = second;
  BOOST_TEST((c.refused(c.get(), 3s) == errc::login_failed));
  c.cookie = first;
  BOOST_TEST((c.refused(c.get(), 3s) == passes));
}

BOOST_AUTO_TEST_CASE(another_name_for_this_machine_is_refused_before_anything_else) {
  console c;
  c.log_in();
  for (auto host : {"", "evil.example", "evil.example:8083", "127.0.0.1", "127.0.0.1:80", "localhost", "127.0.0.1:8083.evil.example",
                    "LOCALHOST:8083", "0.0.0.0:8083"}) {
    auto request = c.get();
    request.host = host;
    BOOST_TEST((c.refused(request) == errc::permission_denied), host);
    request.path = "/login";
    BOOST_TEST((c.refused(request) == errc::permission_denied), host);
  }
  auto request = c.get();
  request.host = "localhost:8083";
  BOOST_TEST((c.refused(request) == passes));
}

BOOST_AUTO_TEST_CASE(another_page_cannot_ask_in_our_name) {
  console c;
  c.log_in();
  for (auto from : {"null", "http://evil.example", "http://127.0.0.1:8084", "https://127.0.0.1:8083", "http://127.0.0.1:8083/",
                    "http://127.0.0.1"}) {
    auto request = c.post();
    request.origin = from;
    BOOST_TEST((c.refused(request) == errc::permission_denied), from);
    request = c.get();
    request.origin = from;
    BOOST_TEST((c.refused(request) == errc::permission_denied), from);
  }
}

BOOST_AUTO_TEST_CASE(a_change_needs_the_token_of_its_own_session) {
  console c;
  c.log_in();
  auto other = c.csrf;
  c.log_in();
  auto request = c.post();
  BOOST_TEST((c.refused(request) == passes));
  for (auto wrong : {std::string(), other, c.csrf.substr(1), std::string(64, 'a')}) {
    request.csrf = wrong;
    BOOST_TEST((c.refused(request) == errc::permission_denied));
  }
  request.csrf = "";
  request.method = "DELETE";
  BOOST_TEST((c.refused(request) == errc::permission_denied));
  request = c.post();
  request.path = "/login"; // An open path is open for reading alone.
  request.cookie = "";
  BOOST_TEST((c.refused(request) == errc::login_failed));
}

BOOST_AUTO_TEST_CASE(a_stream_needs_an_origin) {
  console c;
  c.log_in();
  auto request = c.get();
  request.wants_stream = true;
  BOOST_TEST((c.refused(request) == errc::permission_denied));
  request.origin = origin;
  BOOST_TEST((c.refused(request) == passes));
}

BOOST_AUTO_TEST_CASE(open_paths_are_these_alone) {
  console c;
  for (auto path : {"/", "/assets/app.js", "/login", "/healthz", "/readyz", "/metrics"})
    BOOST_TEST((c.refused({"GET", path, here, "", "", "", false}) == passes), path);
  for (auto path : {"/index.html", "/v1/me", "/metrics/", "/login/../v1/node", "/assets", ""})
    BOOST_TEST((c.refused({"GET", path, here, "", "", "", false}) == errc::login_failed), path);
}

BOOST_AUTO_TEST_CASE(no_error_repeats_a_secret) {
  console c;
  c.log_in();
  auto request = c.post();
  auto wrong = std::string("wrong-token");
  request.csrf = wrong;
  BOOST_TEST(to_string(c.core.admit(request, 0s).error()).find(wrong) == std::string::npos);
  BOOST_TEST(to_string(c.core.log_in(wrong, c.random, 0s).error()).find(wrong) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(names_follow_the_address) {
  BOOST_TEST(console_authorities("127.0.0.1", 1) == (std::vector<std::string>{"127.0.0.1:1", "localhost:1"}),
             boost::test_tools::per_element());
  BOOST_TEST(console_authorities("::1", 1) == (std::vector<std::string>{"[::1]:1", "localhost:1"}),
             boost::test_tools::per_element());
  BOOST_TEST(console_authorities("192.0.2.1", 1) == std::vector<std::string>{"192.0.2.1:1"},
             boost::test_tools::per_element());
  using list = std::vector<std::string>;
  BOOST_TEST(console_authorities("0.0.0.0", 1, {"pi.example"}) == list{"pi.example:1"}, boost::test_tools::per_element());
  BOOST_TEST(console_authorities("192.0.2.1", 443, {"pi.example"}, true) ==
               (list{"pi.example", "pi.example:443", "192.0.2.1", "192.0.2.1:443"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_policy_is_strict) {
  std::string policy;
  std::set<std::string> names;
  for (auto& [name, value] : security_headers()) {
    names.insert(name);
    if (name == "content-security-policy") policy = value;
  }
  for (auto name : {"x-content-type-options", "referrer-policy", "cross-origin-opener-policy"}) BOOST_TEST(names.count(name) == 1u);
  for (auto part : {"default-src 'none'", "script-src 'self' 'wasm-unsafe-eval';", "frame-ancestors 'none'", "base-uri 'none'"})
    BOOST_TEST(policy.find(part) != std::string::npos, part);
  for (auto part : {"unsafe-inline", " 'unsafe-eval'", "http:", "*"}) BOOST_TEST(policy.find(part) == std::string::npos, part);
}

// actors/console/access_core.cpp - links, cookies, and the checks of a request.
#include "actors/console/access_core.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "adapters/sodium/secret.hpp"

namespace lucid {
namespace {

constexpr const char* who = "console";
constexpr std::string_view cookie_name = "lucid_session";
constexpr std::size_t secret_size_bytes = 32;

std::string make_secret(random_port& random) {
  std::array<std::uint8_t, secret_size_bytes> bytes;
  random.fill(bytes);
  auto text = to_hex(bytes);
  wipe(bytes);
  return text;
}

bool is_same(std::string_view a, std::string_view b) { return equal_constant_time(as_bytes(a), as_bytes(b)); }

/// The value of our cookie in "a=b; lucid_session=...; c=d"; empty if it is not there, or there twice.
std::string_view session_cookie(std::string_view header) {
  std::string_view found;
  while (!header.empty()) {
    auto pair = header.substr(0, header.find(';'));
    header.remove_prefix(std::min(pair.size() + 1, header.size()));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    auto equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != cookie_name) continue;
    if (!found.empty()) return {};
    found = pair.substr(equals + 1);
  }
  return found;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (auto& name : names) list.append(list.empty() ? "" : ", ").append(name);
  return list;
}

bool changes_something(std::string_view method) { return method != "GET"; }

tl::unexpected<error> forbid(std::string what) { return fail(errc::permission_denied, who, std::move(what)); }

} // namespace

access_core::access_core(access_limits limits, std::vector<std::string> authorities, bool tls)
  : limits_(limits), authorities_(std::move(authorities)), tls_(tls) {
  for (auto& each : authorities_) origins_.push_back(std::string(tls ? "https://" : "http://").append(each));
}

std::string access_core::make_login(random_port& random, time now) {
  forget_old(now);
  if (links_.size() >= limits_.login_count_max) links_.erase(links_.begin());
  links_.push_back({make_secret(random), now});
  return links_.back().token;
}

outcome<console_login> access_core::log_in(std::string_view token, random_port& random, time now) {
  forget_old(now);
  auto used = std::find_if(links_.begin(), links_.end(), [&](const link& l) { return is_same(l.token, token); });
  if (used == links_.end())
    return fail(errc::login_failed, who,
                "this login link is not valid: each works once, and for ten minutes; `lucid console open` prints a new one");
  links_.erase(used);
  if (sessions_.size() >= limits_.session_count_max)
    sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(),
                                     [](const session& a, const session& b) { return a.used < b.used; }));
  sessions_.push_back({++last_number_, make_secret(random), make_secret(random), now, now});
  auto& made = sessions_.back();
  auto cookie = fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}", cookie_name, made.cookie, tls_ ? "; Secure" : "");
  return console_login{{made.number, made.csrf}, std::move(cookie)};
}

outcome<visitor> access_core::admit(const access_request& request, time now) {
  if (auto named = check_names(request); !named) return pass_on(std::move(named));
  if (is_open_path(request.path) && !changes_something(request.method)) return visitor{};
  forget_old(now);
  auto* known = find(request.cookie);
  if (!known)
    return fail(errc::login_failed, who, "nobody is logged in, or no longer; `lucid console open` prints a login link");
  if (changes_something(request.method) && !is_same(request.csrf, known->csrf))
    return forbid("the header X-Lucid-CSRF must repeat what GET /v1/me tells");
  known->used = now;
  return visitor{known->number, known->csrf};
}

std::string access_core::log_out(const visitor& gone) {
  std::erase_if(sessions_, [&](const session& s) { return s.number == gone.session; });
  return fmt::format("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{}", cookie_name, tls_ ? "; Secure" : "");
}

bool access_core::lasts(const visitor& one, time now) {
  forget_old(now);
  return std::any_of(sessions_.begin(), sessions_.end(), [&](const session& s) { return s.number == one.session; });
}

void access_core::forget_old(time now) {
  std::erase_if(links_, [&](const link& l) { return now - l.made >= limits_.login_age_max; });
  std::erase_if(sessions_, [&](const session& s) {
    return now - s.used >= limits_.session_idle_max || now - s.began >= limits_.session_age_max;
  });
}

access_core::session* access_core::find(std::string_view cookie_header) {
  auto cookie = session_cookie(cookie_header);
  for (auto& each : sessions_)
    if (is_same(each.cookie, cookie)) return &each;
  return nullptr;
}

outcome<void> access_core::check_names(const access_request& request) const {
  auto is_one_of = [](const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!is_one_of(authorities_, request.host))
    return forbid(fmt::format("the header Host must name this console: {}", list_of(authorities_)));
  // Browsers state it with every change and every WebSocket; other programs need it for a WebSocket alone.
  if (request.origin.empty() ? request.wants_stream : !is_one_of(origins_, request.origin))
    return forbid(fmt::format("the header Origin must name this console: {}", list_of(origins_)));
  return {};
}

bool is_open_path(std::string_view path) noexcept {
  return path == "/" || path.starts_with("/assets/") || path == "/login" || path == "/healthz" || path == "/readyz" ||
         path == "/metrics";
}

std::vector<std::string> console_authorities(std::string_view address, std::uint16_t port,
                                             const std::vector<std::string>& names, bool tls) {
  std::vector<std::string> hosts = names;
  bool any_address = address == "0.0.0.0" || address == "::";
  bool is_v6 = address.find(':') != std::string_view::npos;
  if (!any_address) hosts.push_back(is_v6 ? fmt::format("[{}]", address) : std::string(address));
  if (address == "::1" || address.starts_with("127.")) hosts.push_back("localhost");
  std::vector<std::string> authorities;
  for (auto& host : hosts) {
    if (port == (tls ? 443 : 80)) authorities.push_back(host);
    authorities.push_back(fmt::format("{}:{}", host, port));
  }
  return authorities;
}

unsigned access_status(errc code) noexcept { return code == errc::login_failed ? 401 : 403; }

std::vector<std::pair<std::string, std::string>> security_headers() {
  return {{"content-security-policy",
           "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; "
           "media-src 'self' blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
           "frame-ancestors 'none'"},
          {"x-content-type-options", "nosniff"},
          {"referrer-policy", "no-referrer"},
          {"cross-origin-opener-policy", "same-origin"},
          {"cross-origin-resource-policy", "same-origin"}};
}

} // namespace lucid

// tests/integration/tor_tests.cpp - a real tor in a private network: onion services, client authorisation, deaths, refusals.
#define BOOST_TEST_MODULE tor_tests
#define BOOST_TEST_NO_MAIN
#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <csignal>
#include <deque>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <sys/stat.h>
#include <thread>

#include <caf/all.hpp>

#include "actors/mesh/tor_actor.hpp"
#include "adapters/sodium/system_random.hpp"
#include "adapters/tor/control_client.hpp"
#include "adapters/tor/onion_keys.hpp"
#include "adapters/tor/tor_process.hpp"
#include "adapters/tor/tor_router.hpp"
#include "echo_listener.hpp"
#include "messages/paths.hpp"
#include "runtime/actor_system.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/reply.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/private_tor.hpp"
#include "tests/doubles/temp_folder.hpp"

using namespace lucid;
using namespace std::chrono_literals;
using lucid::testing::echo_listener;
using lucid::testing::echoed_through;
using lucid::testing::must;
using lucid::testing::private_tor;
using lucid::testing::temp_folder;

namespace {

/// One network for all cases: it takes longer to come up than they do.
struct shared_network {
  temp_folder folder;
  private_tor network{std::string(LUCID_SOURCE_DIR) + "/tests/doubles/private_tor.py", folder.path() / "net"};
};
std::unique_ptr<shared_network> shared;

/// What a router says, kept until a test asks for it.
class news_box {
public:
  onion_sink sink() {
    return [this](onion_news news) {
      std::lock_guard lock(mutex_);
      kept_.push_back(std::move(news));
      heard_.notify_all();
    };
  }

  /// Waits until something heard of type T satisfies `wanted`.
  template <class T, class F>
  std::optional<T> wait_for(std::chrono::seconds within, F wanted) {
    std::optional<T> found;
    std::unique_lock lock(mutex_);
    heard_.wait_for(lock, within, [&] {
      for (auto& news : kept_)
        if (auto* one = std::get_if<T>(&news); one && wanted(*one)) found = *one;
      return found.has_value();
    });
    return found;
  }

  bool wait_until_joined() {
    return wait_for<onion_progress>(60s, [](auto& p) { return p.percent == 100; }).has_value();
  }
  bool wait_until_uploaded(const std::string& onion) {
    return wait_for<onion_upload>(60s, [&](auto& u) { return u.stored && u.onion == onion; }).has_value();
  }
  std::optional<error> end() {
    auto gone = wait_for<onion_gone>(15s, [](auto&) { return true; });
    return gone ? std::optional(gone->why) : std::nullopt;
  }
  std::size_t gone_count() {
    std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
      std::count_if(kept_.begin(), kept_.end(), [](auto& n) { return std::holds_alternative<onion_gone>(n); }));
  }

private:
  std::mutex mutex_;
  std::condition_variable heard_;
  std::deque<onion_news> kept_;
};

/// A node's tor: its folders, its router, what it says.
struct tor_node {
  temp_folder folder;
  news_box news;
  std::unique_ptr<onion_router> router;

  tor_router_options options() const {
    tor_router_options o;
    o.state_folder = folder.path() / "tor";
    o.key_folder = folder.path() / "keys";
    o.extra_torrc = shared->network.client_torrc();
    return o;
  }
  void start() { router = must(start_tor_router(options(), news.sink())); }
  void join() {
    start();
    BOOST_REQUIRE(news.wait_until_joined());
  }
};

/// The supervised actor with a real tor, at its place in a node's tree.
struct live_tree {
  explicit live_tree(const tor_router_options& options) {
    supervisor_spec mesh{.id = "mesh", .children = {tor_child({tor_router_starter(options), {60s, 600s}})}};
    root = must(start_root(system, services, {.id = "root", .children = {nested(mesh)}}));
  }
  ~live_tree() {
    auto stopped = stop_root(root, 20s);
    root = nullptr;
    BOOST_TEST(stopped.has_value());
  }

  template <class T, class Message>
  outcome<T> ask(Message message) {
    caf::scoped_actor self(system);
    auto there = caf::actor_cast<caf::actor>(names.slot(paths::tor)->present().actor);
    if (!there) return fail(errc::unreachable, "test", "no actor");
    outcome<T> answer;
    self->request(there, 20s, message)
      .receive([&](T& value) { answer = std::move(value); },
               [&](caf::error& e) { answer = tl::unexpected(from_caf(e)); });
    return answer;
  }

  template <class F>
  std::optional<tor_status> wait_for(std::chrono::seconds within, F wanted) {
    for (auto until = std::chrono::steady_clock::now() + within; std::chrono::steady_clock::now() < until;) {
      if (auto status = ask<tor_status>(tor_status_request{}); status && wanted(*status)) return *status;
      std::this_thread::sleep_for(100ms);
    }
    return std::nullopt;
  }

  std::string field(const std::string& key) {
    auto seen = must(ask<inspection>(inspection_request{}));
    for (auto& row : seen.state)
      if (row.key == key) return row.value;
    return {};
  }

  runtime_config config{1};
  directory names;
  caf::actor_system system{config};
  system_clock_port clock;
  system_random random;
  runtime_services services{names, clock, random};
  caf::actor root;
};

/// One that has ended, and that nobody has reaped yet, lives no more: in a container there may be nobody who does.
bool process_lives(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat(std::istreambuf_iterator<char>(file), {}); // "812 (tor) S ..."
  auto state = stat.rfind(") ");
  return state != std::string::npos && stat.substr(state + 2, 1) != "Z";
}

bool ends_within(int pid, std::chrono::seconds within) {
  for (auto until = std::chrono::steady_clock::now() + within; process_lives(pid);) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(50ms);
  }
  return true;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_service_is_reached_by_an_authorised_client_alone) {
  echo_listener echo;
  tor_node server, friendly, stranger;
  server.join();
  friendly.join();
  stranger.join();
  auto onion = must(server.router->publish({{7800, echo.port()}}, {friendly.router->client_key()}));
  BOOST_TEST(is_onion_host(onion));
  BOOST_REQUIRE(server.news.wait_until_uploaded(onion));

  must(friendly.router->authorise(onion));
  BOOST_TEST(echoed_through(friendly.router->socks_address(), onion, 7800, "over Tor", 90s) == "over Tor");
  BOOST_TEST(echo.accepted() == 1u);

  // One with no key, one with a key that is not on the list.
  BOOST_TEST(echoed_through(stranger.router->socks_address(), onion, 7800, "let me in", 15s) == "");
  must(stranger.router->authorise(onion));
  BOOST_TEST(echoed_through(stranger.router->socks_address(), onion, 7800, "let me in", 15s) == "");
  BOOST_TEST(echo.accepted() == 1u);

  // Nothing but onion services.
  BOOST_TEST(echoed_through(friendly.router->socks_address(), "127.0.0.1", echo.port(), "past Tor", 15s) == "");
  BOOST_TEST(echo.accepted() == 1u);

  auto health = must(friendly.router->health());
  BOOST_TEST(health.progress.percent == 100u);
  BOOST_TEST(health.circuits);
  BOOST_TEST(health.read_bytes > 0u);
}

BOOST_AUTO_TEST_CASE(a_killed_tor_is_told_and_the_next_one_has_the_same_address) {
  echo_listener echo;
  tor_node server, client;
  server.join();
  client.join();
  auto onion = must(server.router->publish({{7800, echo.port()}}, {}));
  BOOST_REQUIRE(server.news.wait_until_uploaded(onion));
  ::kill(server.router->process_id().value(), SIGKILL);
  auto why = server.news.end();
  BOOST_REQUIRE(why);
  BOOST_TEST((why->code == errc::crashed));
  BOOST_TEST(why->what.find("SIGKILL") != std::string::npos, why->what);
  auto late = server.router->health();
  BOOST_REQUIRE(!late);
  BOOST_TEST((late.error().code == errc::unreachable));
  server.router.reset();
  BOOST_TEST(server.news.gone_count() == 1u);

  news_box second;
  server.router = must(start_tor_router(server.options(), second.sink()));
  BOOST_TEST(must(server.router->publish({{7800, echo.port()}}, {})) == onion);
  BOOST_REQUIRE(second.wait_until_uploaded(onion));
  BOOST_TEST(echoed_through(client.router->socks_address(), onion, 7800, "again", 90s) == "again");
}

BOOST_AUTO_TEST_CASE(a_rotated_service_has_a_new_address_and_keeps_the_old_one_until_it_is_withdrawn) {
  echo_listener echo;
  tor_node server;
  server.join();
  auto before = must(server.router->publish({{7800, echo.port()}}, {}));
  auto after = must(server.router->rotate({{7800, echo.port()}}, {}));
  BOOST_TEST(before != after);
  BOOST_REQUIRE(server.news.wait_until_uploaded(before));
  BOOST_REQUIRE(server.news.wait_until_uploaded(after));
  must(server.router->withdraw(before));
  BOOST_TEST(!server.router->withdraw(before)); // There is no such service any more.
  // The new key is the kept one; a changed list of ports leaves the address.
  BOOST_TEST(must(server.router->publish({{7800, echo.port()}, {7801, echo.port()}}, {})) == after);
}

BOOST_AUTO_TEST_CASE(tor_ends_with_the_object_and_with_the_process) {
  tor_node node;
  node.start();
  auto pid = node.router->process_id().value();
  BOOST_TEST(process_lives(pid));
  node.router.reset();
  BOOST_TEST(!process_lives(pid));
  BOOST_TEST(node.news.gone_count() == 0u); // Ended on purpose: no news.

  // A process that starts tor and is killed by force.
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  auto child = ::fork();
  if (child == 0) {
    auto router = start_tor_router(node.options(), [](onion_news) {});
    int told = router ? (*router)->process_id().value() : -1;
    (void)!::write(ends[1], &told, sizeof told);
    ::pause();
    ::_exit(0);
  }
  BOOST_REQUIRE(::read(ends[0], &pid, sizeof pid) == static_cast<ssize_t>(sizeof pid));
  ::close(ends[0]);
  ::close(ends[1]);
  BOOST_REQUIRE(pid > 0);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  BOOST_TEST(ends_within(pid, 5s));
}

BOOST_AUTO_TEST_CASE(a_given_tor_is_used_and_left_running) {
  tor_node node;
  auto own = must(tor_process::start({"tor", node.folder.path() / "given", shared->network.client_torrc()}, {}, {}));
  auto options = node.options();
  options.control = must(own->wait_for_control(20s));
  options.control_cookie = own->cookie_file();
  options.socks = "127.0.0.1:1";
  node.router = must(start_tor_router(options, node.news.sink()));
  BOOST_TEST(!node.router->process_id());
  BOOST_TEST(node.router->socks_address() == "127.0.0.1:1");
  auto onion = must(node.router->publish({{7800, 9}}, {}));
  node.router.reset();
  BOOST_TEST(process_lives(own->process_id()));
  // Its service went with the connection: the same address can be taken again.
  node.router = must(start_tor_router(options, node.news.sink()));
  BOOST_TEST(must(node.router->publish({{7800, 9}}, {})) == onion);
}

BOOST_AUTO_TEST_CASE(a_cookie_that_is_not_tors_is_told_clearly) {
  tor_node node;
  auto own = must(tor_process::start({"tor", node.folder.path() / "given", shared->network.client_torrc()}, {}, {}));
  auto options = node.options();
  options.control = must(own->wait_for_control(20s));
  options.control_cookie = node.folder.path() / "other";
  auto refusal = [&] {
    auto router = start_tor_router(options, node.news.sink());
    BOOST_REQUIRE(!router);
    BOOST_TEST_MESSAGE(to_string(router.error()));
    return router.error();
  };
  auto missing = refusal();
  BOOST_TEST((missing.code == errc::not_found));
  BOOST_TEST(to_string(missing).find("/other") != std::string::npos);
  std::ofstream(options.control_cookie) << std::string(32, 'x');
  auto wrong = refusal();
  BOOST_TEST((wrong.code == errc::wrong_key));
  BOOST_TEST(wrong.what.find("does not know the cookie") != std::string::npos);
  std::ofstream(options.control_cookie) << "short";
  BOOST_TEST((refusal().code == errc::wrong_key));
  options.control_cookie.clear(); // Where Tor says.
  node.router = must(start_tor_router(options, node.news.sink()));
}

BOOST_AUTO_TEST_CASE(the_actor_starts_tor_anew_when_it_is_killed_and_publishes_under_the_same_address) {
  echo_listener echo;
  tor_node client;
  client.join();
  temp_folder folder;
  auto options = client.options();
  options.state_folder = folder.path() / "tor";
  options.key_folder = folder.path() / "keys";
  live_tree tree(options);
  auto reachable = [](const tor_status& s) { return s.ready && s.reachable; };
  BOOST_REQUIRE(tree.wait_for(60s, [](auto& s) { return s.ready; }));
  auto onion = must(tree.ask<onion_service>(onion_publish_request{{{7800, echo.port()}}, {client.router->client_key()}})).onion;
  BOOST_REQUIRE(tree.wait_for(60s, reachable));
  BOOST_TEST(tree.field("joined") == "100%");
  must(client.router->authorise(onion));
  BOOST_TEST(echoed_through(client.router->socks_address(), onion, 7800, "first", 90s) == "first");

  auto killed = std::stoi(tree.field("process"));
  auto began = std::chrono::steady_clock::now();
  ::kill(killed, SIGKILL);
  BOOST_REQUIRE(ends_within(killed, 5s));
  // Its actor may not have noticed yet, and be asked for a status of before.
  auto again = tree.wait_for(60s, [&](auto& s) { return reachable(s) && tree.names.slot(paths::tor)->incarnation() == 2u; });
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  BOOST_REQUIRE(again);
  BOOST_TEST(again->onion == onion);
  BOOST_TEST(tree.field("process") != std::to_string(killed));
  BOOST_TEST(tree.names.slot(paths::tor)->incarnation() == 2u);
  // The client's tor remembers where the service was to be met before, and may not look it up anew for a quarter of an hour:
  // that is what a renewal is for. With it tor forgets the client's key, too; mesh/links and mesh/tor do the same.
  must(client.router->renew_circuits());
  std::this_thread::sleep_for(1s);
  must(client.router->authorise(onion));
  BOOST_TEST(echoed_through(client.router->socks_address(), onion, 7800, "second", 90s) == "second");
  BOOST_TEST_MESSAGE("from SIGKILL to a stored descriptor: " << took.count() << " ms");
}

BOOST_AUTO_TEST_CASE(what_hinders_a_start_is_told) {
  tor_node node;
  auto options = node.options();
  options.program = "no-such-tor";
  BOOST_TEST((start_tor_router(options, {}).error().code == errc::missing_dependency));
  options.program = "tor";
  options.extra_torrc = node.folder.path() / "extra";
  std::ofstream(options.extra_torrc) << "NoSuchOption 1\n";
  auto broken = start_tor_router(options, [](onion_news) {});
  BOOST_REQUIRE(!broken);
  BOOST_TEST((broken.error().code == errc::crashed));
  BOOST_TEST(broken.error().what.find("NoSuchOption") != std::string::npos, broken.error().what);
  options.control = "127.0.0.1:1";
  BOOST_TEST((start_tor_router(options, {}).error().code == errc::unreachable));
  for (auto bad : {"localhost:9051", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "unix:relative", "9051"}) {
    options.control = bad;
    BOOST_TEST((start_tor_router(options, {}).error().code == errc::invalid_input), bad);
  }
  options = node.options();
  ::chmod(options.key_folder.c_str(), 0755);
  BOOST_TEST((start_tor_router(options, {}).error().code == errc::permission_denied));
}

BOOST_AUTO_TEST_CASE(tors_refusals_and_wrong_names_are_told) {
  tor_node node;
  node.start();
  BOOST_TEST((node.router->authorise("short.onion").error().code == errc::invalid_input));
  BOOST_TEST((node.router->authorise(std::string(55, 'a') + "d.onion\r\nSIGNAL HALT").error().code == errc::invalid_input));
  auto wrong_checksum = node.router->authorise(std::string(55, 'a') + "d.onion");
  BOOST_REQUIRE(!wrong_checksum);
  BOOST_TEST((wrong_checksum.error().code == errc::refused));
  BOOST_TEST(wrong_checksum.error().what.find("512") != std::string::npos, wrong_checksum.error().what);
  BOOST_TEST((node.router->publish({}, {}).error().code == errc::invalid_input));
  BOOST_TEST((node.router->publish(std::vector<onion_port>(9, {1, 1}), {}).error().code == errc::invalid_input));
  must(node.router->renew_circuits());
}

BOOST_AUTO_TEST_CASE(keys_are_private_files_that_read_back) {
  temp_folder folder;
  auto keys = must(onion_keys::open(folder.path() / "keys"));
  BOOST_TEST(!must(keys.service()));
  auto first = must(keys.client()), second = must(keys.client());
  BOOST_TEST(first.secret.reveal() == second.secret.reveal());
  BOOST_TEST((first.public_key == second.public_key));
  auto file = folder.path() / "keys" / "onion_client.secret";
  struct stat about{};
  BOOST_REQUIRE(::stat(file.c_str(), &about) == 0);
  BOOST_TEST((about.st_mode & 0777) == 0600u);
  ::chmod(file.c_str(), 0640);
  BOOST_TEST((keys.client().error().code == errc::permission_denied));
  ::chmod(file.c_str(), 0600);
  for (std::string bad : {"", "x25519:", "x25519:AAAA\n", "nothing\n", "x25519:no newline"}) {
    std::ofstream(file, std::ios::trunc) << bad;
    BOOST_TEST((keys.client().error().code == errc::corrupted), bad);
  }
  std::ofstream(file, std::ios::trunc) << std::string(5000, 'x') << "\n";
  BOOST_TEST((keys.client().error().code == errc::corrupted));
  BOOST_TEST((keys.keep_service(tor_secret_text("RSA1024:AAAA")).error().code == errc::invalid_input));
  // RFC 4648's own vector, "foobar", padded with zeros to the length of a key.
  box_public_key key{'f', 'o', 'o', 'b', 'a', 'r'};
  BOOST_TEST(base32(key) == "MZXW6YTBOI" + std::string(42, 'A'));
}

int main(int count, char** words) {
  if (auto what = private_tor::missing()) {
    std::cerr << "SKIPPED: tor_tests needs " << *what << " (scripts/install_deps.sh test)\n";
    return 77;
  }
  shared = std::make_unique<shared_network>();
  std::cout << "private Tor network: " << shared->network.ready() << " s\n";
  auto failed = boost::unit_test::unit_test_main([] { return true; }, count, words);
  shared.reset();
  return failed;
}

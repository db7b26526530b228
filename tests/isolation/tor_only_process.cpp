// tests/isolation/tor_only_process.cpp - two nodes' tors, a service and a visit, all by adapters/tor: for tor_only.sh.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>

#include "adapters/tor/tor_router.hpp"
#include "tests/integration/echo_listener.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<onion_router> start(const std::filesystem::path& folder) {
  tor_router_options options;
  options.state_folder = folder / "tor";
  options.key_folder = folder / "keys";
  options.extra_torrc = std::getenv("LUCID_TOR_EXTRA_TORRC");
  auto router = start_tor_router(options, [](onion_news) {});
  if (router) return std::move(*router);
  std::cerr << to_string(router.error()) << '\n';
  std::exit(1);
}

bool wait_until_ready(onion_router& router) {
  for (auto until = std::chrono::steady_clock::now() + 90s; std::chrono::steady_clock::now() < until;) {
    if (auto health = router.health(); health && health->progress.percent == 100 && health->circuits) return true;
    std::this_thread::sleep_for(200ms);
  }
  std::cerr << "Tor was not joined\n";
  return false;
}

} // namespace

int main() {
  if (!std::getenv("LUCID_TOR_EXTRA_TORRC") || !std::getenv("LUCID_WORK")) {
    std::cerr << "run by tor_only.sh\n";
    return 2;
  }
  std::filesystem::path work = std::getenv("LUCID_WORK");
  lucid::testing::echo_listener echo;
  auto server = start(work / "server"), client = start(work / "client");
  if (!wait_until_ready(*server) || !wait_until_ready(*client)) return 1;
  auto onion = server->publish({{7800, echo.port()}}, {client->client_key()});
  auto let_in = onion ? client->authorise(*onion) : outcome<void>{};
  if (!onion || !let_in) {
    std::cerr << to_string(onion ? let_in.error() : onion.error()) << '\n';
    return 1;
  }
  auto heard = lucid::testing::echoed_through(client->socks_address(), *onion, 7800, "over Tor alone", 90s);
  std::cout << "the service " << *onion << (heard.empty() ? " was not reached" : " was reached") << '\n';
  return heard == "over Tor alone" ? 0 : 1;
}

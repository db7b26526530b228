// tests/doubles/scripted_router.hpp - a Tor that does as a test says.
//
// Fault model: it does not start; refuses services, client keys or both; loses circuits; does not answer; is gone, with
// news of that or found out at the next question.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "messages/ports/onion_router.hpp"

namespace lucid::testing {

/// What the test sets and looks at; outlives the routers made from it.
struct tor_script {
  int failing_starts = 0;
  bool refuses_services = false, refuses_keys = false, silent = false;
  bool own_process = true;
  onion_health health{{100, "Done", ""}, true, 10, 20};

  int started = 0, alive = 0;
  int key = 1;                 ///< Number of the kept key.
  std::set<std::string> services; ///< With Tor at present.
  std::set<std::string> keys;
  std::vector<onion_port> ports;
  std::vector<box_public_key> clients;
  int publications = 0, renewals = 0;
  onion_sink tell;             ///< Of the router that was started last.

  /// "aaa...ad.onion", another one for each number.
  static std::string onion(int number) {
    return std::string(55, static_cast<char>('a' + number % 26)) + "d.onion";
  }
};

class scripted_router final : public onion_router {
public:
  static onion_router_starter starter(std::shared_ptr<tor_script> script) {
    return [script](onion_sink sink) -> outcome<std::unique_ptr<onion_router>> {
      ++script->started;
      if (script->failing_starts > 0) {
        --script->failing_starts;
        return fail(errc::missing_dependency, "tor", "told not to start");
      }
      script->tell = std::move(sink);
      return std::unique_ptr<onion_router>(new scripted_router(script));
    };
  }
  ~scripted_router() override {
    --script_->alive;
    script_->services.clear();
    script_->keys.clear();
    script_->tell = {};
  }

  outcome<onion_health> health() override {
    if (script_->silent) return fail(errc::timeout, "tor", "told not to answer");
    return script_->health;
  }
  outcome<std::string> publish(const std::vector<onion_port>& ports, const std::vector<box_public_key>& clients) override {
    if (script_->refuses_services) return fail(errc::refused, "tor", "told to refuse");
    ++script_->publications;
    script_->ports = ports;
    script_->clients = clients;
    script_->services.insert(tor_script::onion(script_->key));
    return tor_script::onion(script_->key);
  }
  outcome<std::string> rotate(const std::vector<onion_port>& ports, const std::vector<box_public_key>& clients) override {
    if (!script_->refuses_services) ++script_->key;
    return publish(ports, clients);
  }
  outcome<void> withdraw(const std::string& onion) override {
    script_->services.erase(onion);
    return {};
  }
  outcome<void> authorise(const std::string& onion) override {
    if (script_->refuses_keys) return fail(errc::refused, "tor", "told to refuse");
    script_->keys.insert(onion);
    return {};
  }
  outcome<void> forget(const std::string& onion) override {
    script_->keys.erase(onion);
    return {};
  }
  outcome<void> renew_circuits() override {
    ++script_->renewals;
    script_->keys.clear(); // As Tor does.
    return {};
  }
  std::string socks_address() const override { return "127.0.0.1:9050"; }
  box_public_key client_key() const override { return {7}; }
  std::string version() const override { return "0.4.9"; }
  std::optional<int> process_id() const override { return script_->own_process ? std::optional(4711) : std::nullopt; }

private:
  explicit scripted_router(std::shared_ptr<tor_script> script) : script_(std::move(script)) { ++script_->alive; }
  std::shared_ptr<tor_script> script_;
};

} // namespace lucid::testing

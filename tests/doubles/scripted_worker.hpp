// tests/doubles/scripted_worker.hpp - a worker inside the test: says what it is told to, and fails as listed.
//
// Faults: does not start; is gone at any moment; refuses orders; sends without credit; says things out of turn.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "messages/ports/capture_worker.hpp"

namespace lucid::testing {

/// What the test sees and steers; outlives each worker.
struct worker_script {
  int failing_starts = 0;       ///< The next so many starts fail.
  bool refuses_orders = false;  ///< `send` answers `busy`.
  int start_count = 0;
  int kill_count = 0;
  worker_sink sink;             ///< Of the present worker.
  std::vector<node_message> heard;

  void say(worker_message message) const { sink(worker_news(std::move(message))); }
  void vanish(std::optional<error> failure = error{errc::crashed, "worker", "ended by SIGKILL", nullptr}) const {
    sink(worker_news(worker_gone{std::move(failure)}));
  }

  template <class Message>
  std::vector<Message> all_heard() const {
    std::vector<Message> found;
    for (const auto& m : heard)
      if (const auto* one = std::get_if<Message>(&m)) found.push_back(*one);
    return found;
  }
};

class scripted_worker final : public capture_worker {
public:
  explicit scripted_worker(std::shared_ptr<worker_script> script) : script_(std::move(script)) {}

  outcome<void> send(const node_message& message) override {
    if (script_->refuses_orders) return fail(errc::busy, "worker", "told to refuse");
    script_->heard.push_back(message);
    return {};
  }

  void kill() noexcept override {
    ++script_->kill_count;
    script_->vanish();
  }

  static capture_worker_starter starter(std::shared_ptr<worker_script> script) {
    return [script](worker_sink sink) -> outcome<std::unique_ptr<capture_worker>> {
      ++script->start_count;
      if (script->failing_starts > 0) {
        --script->failing_starts;
        return fail(errc::io_failed, "worker", "told to fail at the start");
      }
      script->sink = std::move(sink);
      return std::make_unique<scripted_worker>(script);
    };
  }

private:
  std::shared_ptr<worker_script> script_;
};

} // namespace lucid::testing

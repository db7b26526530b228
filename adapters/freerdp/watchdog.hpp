// adapters/freerdp/watchdog.hpp - ends a call into a library that takes too long. Private to this folder.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace lucid::rdp {

/// Calls `bark` once if it is still armed after the time it was armed for.
///
/// Threads: arm and disarm from one thread; `bark` runs on the watchdog's own, which sleeps while nothing is armed.
class watchdog {
public:
  explicit watchdog(std::function<void()> bark) : bark_(std::move(bark)), thread_([this] { run(); }) {}
  ~watchdog() {
    {
      std::lock_guard guard(mutex_);
      ended_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  void arm(std::chrono::milliseconds time) {
    std::lock_guard guard(mutex_);
    deadline_ = std::chrono::steady_clock::now() + time;
    // Armed and disarmed many times a second it need not be woken each time: it looks again when it had meant to.
    if (!asleep_until_ || *asleep_until_ > *deadline_) changed_.notify_one();
  }
  void disarm() {
    std::lock_guard guard(mutex_);
    deadline_.reset();
  }
  bool barked() {
    std::lock_guard guard(mutex_);
    return barked_;
  }

private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      if (!deadline_) {
        asleep_until_.reset();
        changed_.wait(lock);
        continue;
      }
      if (std::chrono::steady_clock::now() >= *deadline_) {
        deadline_.reset();
        barked_ = true;
        bark_();
        continue;
      }
      asleep_until_ = deadline_;
      changed_.wait_until(lock, *asleep_until_);
    }
  }

  std::function<void()> bark_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::chrono::steady_clock::time_point> deadline_, asleep_until_;
  bool ended_ = false, barked_ = false;
  std::thread thread_; // The last member: it uses all the others.
};

} // namespace lucid::rdp

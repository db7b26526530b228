// tests/doubles/scripted_source.hpp - a desktop inside the test: shows what it is told to, and fails as listed.
//
// Faults: cannot be opened, once or for ever, for any reason; is lost between two frames; is lost right after it was
// opened; changes its size; falls silent; ends.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "messages/ports/clock.hpp"
#include "messages/ports/frame_source.hpp"

namespace lucid::testing {

/// What the test sees and steers, while the source runs on another thread.
class source_script {
public:
  struct picture {
    std::uint32_t width = 64, height = 64;
    std::uint8_t shade = 0;
  };
  struct end {};
  using step = std::variant<picture, error, end>;

  void show(picture what) { add(what); }
  void lose(errc code = errc::unreachable) { add(error{code, "scripted source", "told to be lost", nullptr}); }
  void finish() { add(end{}); }

  /// The next `count` attempts to open fail.
  void refuse(std::size_t count, errc code = errc::unreachable) {
    std::lock_guard lock(mutex_);
    refusals_ = count;
    refusal_ = code;
  }

  /// When each attempt to open was made.
  std::vector<std::chrono::nanoseconds> opened_at() const {
    std::lock_guard lock(mutex_);
    return opened_at_;
  }

  std::size_t poll_count() const {
    std::lock_guard lock(mutex_);
    return poll_count_;
  }

private:
  friend class scripted_source;

  void add(step what) {
    std::lock_guard lock(mutex_);
    steps_.push_back(std::move(what));
    news_.notify_all();
  }

  std::optional<step> take(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    ++poll_count_;
    if (!news_.wait_for(lock, patience, [this] { return !steps_.empty(); })) return std::nullopt;
    auto first = std::move(steps_.front());
    steps_.pop_front();
    return first;
  }

  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::deque<step> steps_;
  std::size_t refusals_ = 0;
  errc refusal_ = errc::unreachable;
  std::vector<std::chrono::nanoseconds> opened_at_;
  std::size_t poll_count_ = 0;
};

class scripted_source final : public frame_source {
public:
  scripted_source(std::shared_ptr<source_script> script, const clock_port& clock) : script_(std::move(script)), clock_(clock) {}

  outcome<void> open() override {
    std::lock_guard lock(script_->mutex_);
    script_->opened_at_.push_back(clock_.monotonic());
    if (script_->refusals_ == 0) return {};
    --script_->refusals_;
    return fail(script_->refusal_, "scripted source", "told not to open");
  }

  outcome<source_poll> next(std::chrono::milliseconds patience) override {
    auto step = script_->take(patience);
    source_poll poll;
    if (!step) return poll;
    if (auto* lost = std::get_if<error>(&*step)) return tl::unexpected(*lost);
    poll.ended = std::holds_alternative<source_script::end>(*step);
    if (auto* shown = std::get_if<source_script::picture>(&*step)) poll.frame = view_of(*shown);
    return poll;
  }

  void close() noexcept override {}

private:
  frame_view view_of(const source_script::picture& what) {
    pixels_.assign(std::size_t{what.width} * what.height * 4, what.shade);
    damage_ = {0, 0, what.width, what.height};
    return {pixels_.data(), what.width * 4, what.width, what.height, clock_.wall_us(), {&damage_, 1}};
  }

  std::shared_ptr<source_script> script_;
  const clock_port& clock_;
  byte_buffer pixels_;
  damage_rect damage_;
};

} // namespace lucid::testing

// actors/worker/frame_loop.cpp - the loop of a worker that watches pictures.
#include "actors/worker/frame_loop.hpp"

#include <algorithm>
#include <ctime>

#include <nlohmann/json.hpp>

namespace lucid {
namespace {

using namespace std::chrono_literals;

/// How long the source may sleep: orders are looked at ten times a second.
constexpr auto patience_max = 100ms;
constexpr auto stats_interval = 2s;

/// A step of the wall clock that is stated: half a second is more than any scheduling delay.
constexpr std::int64_t clock_step_us_min = 500'000;

std::uint64_t processor_us() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(used.tv_nsec) / 1000;
}

std::string detail_of(const nlohmann::json& detail) {
  return detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Whether trying again may help.
bool may_recover(errc code) {
  return code == errc::unreachable || code == errc::timeout || code == errc::io_failed || code == errc::busy ||
         code == errc::truncated || code == errc::protocol_violation || code == errc::refused;
}

worker_end failed_end(const error& why) { return {to_string(why), why.code, true}; }

} // namespace

unix_time_us process_clock::wall_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::chrono::nanoseconds process_clock::monotonic() const { return std::chrono::steady_clock::now().time_since_epoch(); }

// --- voice -------------------------------------------------------------------------------------------------------

outcome<void> worker_voice::send(pipeline_output& output) {
  for (auto& event : output.events)
    if (auto sent = link_.send(std::move(event)); !sent) return sent;
  for (auto& made : output.fragments) {
    frame_count += made.frame_count;
    if (auto sent = link_.send(std::move(made)); !sent) return sent;
  }
  output.events.clear();
  output.fragments.clear();
  return {};
}

outcome<void> worker_voice::log(worker_log_level level, std::string text) {
  return link_.send(worker_log{level, std::move(text)});
}

outcome<void> worker_voice::pump(std::chrono::milliseconds patience) {
  if (auto pumped = link_.pump(patience); !pumped) return pumped;
  auto now = std::chrono::steady_clock::now();
  if (now < stats_due_) return {};
  stats_due_ = now + stats_interval;
  auto credit = static_cast<std::uint64_t>(std::max<std::int64_t>(0, link_.credit_bytes()));
  return link_.send(worker_stats{frame_count, link_.sent_bytes(), merged_count, processor_us(), credit});
}

outcome<void> worker_voice::wait_for_credit() {
  while (!link_.has_credit() && !link_.stop_wanted())
    if (auto pumped = pump(patience_max); !pumped) return pumped;
  return {};
}

// --- loop --------------------------------------------------------------------------------------------------------

frame_loop::frame_loop(worker_voice& voice, const worker_start& start, std::unique_ptr<frame_source> source,
                       bool repeatable, const clock_port& clock)
  : voice_(voice), start_(start), source_(std::move(source)), repeatable_(repeatable), clock_(clock), pipeline_(start),
    pause_(start.limits.reconnect_pause_min) {
  auto wall = clock_.wall_us();
  // A clock that was set back between two workers counts as stepped, too.
  auto now = std::max({wall, start.base_us, start.resume.recorded_until_us});
  clock_step_us_ = now - wall >= clock_step_us_min ? wall - now : 0;
  clock_offset_us_ = wall - steady_us() - clock_step_us_;
}

std::int64_t frame_loop::steady_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock_.monotonic()).count();
}

/// The wall clock, freed of steps.
unix_time_us frame_loop::now_us() const { return steady_us() + clock_offset_us_; }

outcome<worker_end> frame_loop::run() {
  auto ended = connect();
  while (ended && !*ended) {
    if (voice_.link().stop_wanted())
      ended = std::optional(worker_end{"stopped", errc::cancelled, false});
    else
      ended = step();
  }
  if (!ended) return pass_on(std::move(ended));
  auto done = finish(std::move(**ended));
  source_->close();
  return done;
}

/// The very first time somebody waits for the answer, so there is one attempt.
outcome<std::optional<worker_end>> frame_loop::connect() {
  auto opened = source_->open();
  if (opened) return std::optional<worker_end>{};
  if (start_.resume.recorded_until_us == 0) return std::optional(failed_end(opened.error()));
  return reconnect(opened.error());
}

/// Attempts and pauses are counted from the last frame on: a server that lets one in and throws one out at once
/// uses them up like one that does not answer.
outcome<std::optional<worker_end>> frame_loop::reconnect(error why) {
  auto most = start_.limits.reconnect_attempts_max;
  for (;;) {
    if (!may_recover(why.code)) return std::optional(failed_end(why));
    if (attempt_count_ >= most)
      return std::optional(failed_end({why.code, "worker",
                                       "the desktop was lost and not seen again in " + std::to_string(most) +
                                         " attempts (capture.reconnect_attempts_max)",
                                       std::make_shared<error>(why)}));
    auto line = "no connection: " + to_string(why) + "; attempt " + std::to_string(++attempt_count_) + " of " +
                std::to_string(most) + " in " + std::to_string(pause_.count()) + " ms";
    if (auto logged = voice_.log(worker_log_level::warning, std::move(line)); !logged) return pass_on(std::move(logged));
    if (auto paused = pause_before_attempt(); !paused) return pass_on(std::move(paused));
    if (voice_.link().stop_wanted()) return std::optional(worker_end{"stopped", errc::cancelled, false});
    auto opened = source_->open();
    if (opened) return std::optional<worker_end>{};
    why = opened.error();
  }
}

outcome<void> frame_loop::pause_before_attempt() {
  auto until = clock_.monotonic() + pause_;
  pause_ = std::min(pause_ * 2, start_.limits.reconnect_pause_max);
  for (auto now = clock_.monotonic(); now < until && !voice_.link().stop_wanted(); now = clock_.monotonic()) {
    auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - now);
    if (auto pumped = voice_.pump(std::min<std::chrono::milliseconds>(rest, patience_max)); !pumped) return pumped;
  }
  return {};
}

outcome<std::optional<worker_end>> frame_loop::step() {
  if (auto pumped = voice_.pump(0ms); !pumped) return pass_on(std::move(pumped));
  if (!voice_.link().has_credit()) {
    if (auto waited = starve(); !waited) return pass_on(std::move(waited));
    return std::optional<worker_end>{};
  }
  if (auto early = next_frame_due_ - clock_.monotonic(); !repeatable_ && early > 0ns) {
    auto rest = std::chrono::ceil<std::chrono::milliseconds>(early);
    if (auto pumped = voice_.pump(std::min<std::chrono::milliseconds>(rest, patience_max)); !pumped)
      return pass_on(std::move(pumped));
    return std::optional<worker_end>{};
  }
  auto poll = source_->next(patience_max);
  if (poll) return take(std::move(*poll));
  if (repeatable_ || !may_recover(poll.error().code)) return std::optional(failed_end(poll.error()));
  if (!lost_) lost_ = poll.error();
  if (last_seen_us_ == 0) last_seen_us_ = now_us();
  source_->close();
  return reconnect(poll.error());
}

/// Without credit a live source goes on merging; what that hid is counted in frames it could have shown.
outcome<void> frame_loop::starve() {
  auto from = clock_.monotonic();
  auto from_us = now_us();
  if (auto waited = voice_.wait_for_credit(); !waited) return waited;
  auto missed = static_cast<std::uint64_t>((clock_.monotonic() - from) * start_.what.frame_rate_max / 1s);
  if (repeatable_ || missed == 0) return {};
  voice_.merged_count += missed;
  output_.events.push_back({now_us(), "merged", detail_of({{"from_us", from_us}, {"to_us", now_us()}, {"frames", missed}})});
  return voice_.send(output_);
}

/// The recording's clock does not step: a wall clock that does is stated, and its steps are taken back. What the clock
/// is slewed by is followed; it is slower than frames are.
void frame_loop::correct_clock(frame_view& picture) {
  auto change_us = clock_.wall_us() - steady_us() - clock_offset_us_ - clock_step_us_;
  if (std::abs(change_us) >= clock_step_us_min) {
    clock_step_us_ += change_us;
    output_.events.push_back({now_us(), "clock_step", detail_of({{"step_us", change_us}})});
  } else {
    clock_offset_us_ += change_us;
  }
  picture.captured_us -= clock_step_us_;
}

void frame_loop::note_gap(unix_time_us until_us, pipeline_output& output) {
  if (!lost_) return;
  output.events.push_back({until_us, "gap", detail_of({{"from_us", last_seen_us_}, {"to_us", until_us},
                                                      {"reason", to_string(lost_->code)}, {"detail", to_string(*lost_)}})});
  lost_.reset();
}

outcome<std::optional<worker_end>> frame_loop::take(source_poll poll) {
  std::move(poll.events.begin(), poll.events.end(), std::back_inserter(output_.events));
  if (poll.frame) {
    if (!repeatable_) correct_clock(*poll.frame);
    note_gap(poll.frame->captured_us, output_);
    if (auto added = pipeline_.add(*poll.frame, output_); !added) return std::optional(failed_end(added.error()));
    auto distance = time(1s) / start_.what.frame_rate_max;
    next_frame_due_ = std::max(next_frame_due_, clock_.monotonic() - distance) + distance;
    attempt_count_ = 0;
    pause_ = start_.limits.reconnect_pause_min;
  }
  if (!repeatable_ && !lost_) {
    last_seen_us_ = now_us();
    if (auto ticked = pipeline_.tick(last_seen_us_, output_); !ticked) return std::optional(failed_end(ticked.error()));
  }
  if (auto sent = voice_.send(output_); !sent) return pass_on(std::move(sent));
  if (poll.ended) return std::optional(worker_end{"the source is at its end", errc::cancelled, false});
  return std::optional<worker_end>{};
}

outcome<worker_end> frame_loop::finish(worker_end end) {
  // What stood still until the end was seen until the end.
  auto shown_until = repeatable_ || lost_ || last_seen_us_ == 0 ? std::nullopt : std::optional(now_us());
  if (lost_) note_gap(now_us(), output_);
  if (auto finished = pipeline_.finish(shown_until, output_); !finished && !end.failed) end = failed_end(finished.error());
  if (auto sent = voice_.send(output_); !sent) return pass_on(std::move(sent));
  return end;
}

} // namespace lucid

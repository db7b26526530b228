// actors/capture/capture_core.cpp - the rules of capture.
#include "actors/capture/capture_core.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "messages/source_url.hpp"

namespace lucid {
namespace {

namespace act = capture_action;

constexpr std::chrono::milliseconds crash_pause_max{10'000};
constexpr std::chrono::milliseconds resend_pause{200};

bool repeatable(const std::string& source) {
  auto url = parse_source_url(source);
  return url && is_repeatable(url->kind);
}

} // namespace

std::string event_line(const source_event& event) {
  // The worker's words are checked: what is no JSON object is kept as text.
  auto detail = nlohmann::json::parse(event.detail.empty() ? "{}" : event.detail, nullptr, false);
  if (!detail.is_object()) detail = {{"text", event.detail}};
  nlohmann::json line{{"at_us", event.at_us}, {"kind", event.kind}, {"detail", std::move(detail)}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

pin_decision decide_pin(const std::optional<std::string>& pinned, const worker_certificate& shown, pin_policy policy) {
  auto is_digest = shown.fingerprint.size() == 64 && from_hex(shown.fingerprint).has_value();
  if (!is_digest) return {false, false, "the certificate of " + shown.host + " has no SHA-256 fingerprint"};
  if (!pinned && policy == pin_policy::strict)
    return {false, false, shown.host + " is not pinned, and capture.certificate_policy is \"strict\". If the fingerprint of "
                            "its certificate is " + shown.fingerprint + ", add the line \"" + shown.host + " " +
                            shown.fingerprint + "\" to the file \"pins\" in node.data_dir"};
  if (!pinned) return {true, true, "first use"};
  if (*pinned == shown.fingerprint) return {true, false, "as pinned"};
  return {false, false, "the certificate of " + shown.host + " has changed: pinned is " + *pinned + ", shown was " +
                          shown.fingerprint};
}

source_event certificate_event(const worker_certificate& shown, const pin_decision& decision, unix_time_us at_us) {
  nlohmann::json detail{{"host", shown.host},       {"fingerprint", shown.fingerprint}, {"subject", shown.subject},
                        {"issuer", shown.issuer},   {"accepted", decision.accepted},    {"reason", decision.reason}};
  return {at_us, decision.accepted ? "certificate_pinned" : "certificate_refused",
          detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

capture_core::capture_core(capture_options options, capture_request what, capture_position position, unix_time_us base_us)
  : options_(std::move(options)), what_(std::move(what)), base_us_(base_us), repeatable_(repeatable(what_.source)),
    acknowledged_(position), received_(position.source), last_sequence_(position.last_sequence) {
  // An earlier incarnation was recording: what happened since was not seen.
  if (!repeatable_ && received_.recorded_until_us != 0) gap_ = open_gap{received_.recorded_until_us, "capture restarted", {}, 0};
}

capture_steps capture_core::begin() {
  worker_start how;
  how.what = what_;
  how.resume = received_;
  how.base_us = base_us_;
  how.credit_bytes = options_.credit_bytes - std::min(options_.credit_bytes, unacknowledged_bytes_);
  how.limits = options_.limits;
  worker_runs_ = true;
  return {act::start_worker{std::move(how)}};
}

// --- fragments ---------------------------------------------------------------------------------------------------

void capture_core::number(fragment piece, std::uint64_t cost_bytes, capture_steps& steps) {
  piece.sequence = ++last_sequence_;
  if (piece.kind == fragment_kind::media) {
    received_.frame_count += piece.frame_count;
    received_.recorded_until_us = std::max(received_.recorded_until_us, piece.end_us);
    crash_count_ = 0;
  }
  auto first_media = piece.kind == fragment_kind::media && !std::exchange(delivered_, true);
  unacknowledged_bytes_ += cost_bytes;
  unacknowledged_.push_back({piece, cost_bytes});
  if (!waiting_to_resend_) steps.push_back(act::send_fragment{std::move(piece), round_});
  if (first_media) steps.push_back(act::delivering{});
}

void capture_core::number_event(const source_event& event, std::uint64_t cost_bytes, capture_steps& steps) {
  fragment piece;
  piece.on = track::events;
  piece.kind = fragment_kind::event;
  piece.frame_count = event.kind == "gap" ? 1 : 0;
  piece.start_us = piece.end_us = event.at_us;
  auto line = event_line(event);
  piece.bytes = payload(byte_buffer(line.begin(), line.end()));
  number(std::move(piece), cost_bytes, steps);
}

void capture_core::open_or_extend_gap(const source_event& told) {
  auto detail = nlohmann::json::parse(told.detail, nullptr, false);
  auto word = [&](const char* key) {
    auto found = detail.is_object() ? detail.find(key) : detail.end();
    return detail.is_object() && found != detail.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!gap_) {
    gap_.emplace();
    auto from = detail.is_object() ? detail.find("from_us") : detail.end();
    auto said = detail.is_object() && from != detail.end() && from->is_number_integer();
    gap_->from_us = said ? from->get<unix_time_us>() : told.at_us;
    gap_->reason = word("reason");
    gap_->detail = word("detail");
  }
  gap_->cost_bytes += told.detail.size();
}

void capture_core::close_gap(unix_time_us until_us, capture_steps& steps) {
  auto gap = std::exchange(gap_, std::nullopt);
  if (!gap) return;
  auto to_us = std::max(gap->from_us, until_us);
  nlohmann::json detail{{"from_us", gap->from_us}, {"to_us", to_us}, {"reason", gap->reason}};
  if (!gap->detail.empty()) detail["detail"] = gap->detail;
  number_event({to_us, "gap", detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)}, gap->cost_bytes,
               steps);
}

capture_steps capture_core::record_event(const source_event& event) {
  capture_steps steps;
  number_event(event, 0, steps);
  return steps;
}

capture_steps capture_core::worker_said(worker_message message) {
  capture_steps steps;
  if (auto* piece = std::get_if<fragment>(&message)) {
    if (piece->kind == fragment_kind::media) close_gap(piece->start_us, steps);
    auto cost_bytes = piece->bytes.size();
    number(std::move(*piece), cost_bytes, steps);
  } else if (const auto* event = std::get_if<source_event>(&message); event && event->kind == "gap") {
    open_or_extend_gap(*event);
  } else if (event) {
    number_event(*event, event->detail.size(), steps);
  } else if (auto* end = std::get_if<worker_end>(&message)) {
    end_ = capture_end{std::move(end->reason), end->code, end->failed};
  } else if (const auto* hello = std::get_if<worker_hello>(&message); hello && hello->version != worker_protocol_version) {
    end_ = capture_end{"the worker speaks version " + std::to_string(hello->version) + " of the protocol, not " +
                         std::to_string(worker_protocol_version), errc::unsupported, true};
    steps.push_back(act::kill_worker{});
  }
  if (unacknowledged_bytes_ > options_.credit_bytes + overdraft_bytes_max && !end_) {
    end_ = capture_end{"the worker sends without credit", errc::protocol_violation, true};
    steps.push_back(act::kill_worker{});
  }
  return steps;
}

capture_steps capture_core::acknowledged(std::uint64_t sequence) {
  capture_steps steps;
  std::uint64_t freed_bytes = 0;
  // Answers come in order; one that overtakes stands for all before it.
  while (!unacknowledged_.empty() && unacknowledged_.front().what.sequence <= sequence) {
    auto& first = unacknowledged_.front();
    acknowledged_.last_sequence = first.what.sequence;
    if (first.what.kind == fragment_kind::media) {
      acknowledged_.source.frame_count += first.what.frame_count;
      acknowledged_.source.recorded_until_us = std::max(acknowledged_.source.recorded_until_us, first.what.end_us);
    }
    freed_bytes += first.cost_bytes;
    unacknowledged_.pop_front();
  }
  unacknowledged_bytes_ -= freed_bytes;
  acknowledged_bytes_ += freed_bytes;
  if (freed_bytes != 0 && worker_runs_) steps.push_back(act::grant_credit{freed_bytes});
  finish_when_drained(steps);
  return steps;
}

capture_steps capture_core::send_failed(std::uint64_t round) {
  if (round != round_ || waiting_to_resend_) return {};
  ++round_;
  waiting_to_resend_ = true;
  return {act::resend_later{resend_pause}};
}

capture_steps capture_core::resend() {
  if (!std::exchange(waiting_to_resend_, false)) return {};
  capture_steps steps;
  for (const auto& waiting : unacknowledged_) steps.push_back(act::send_fragment{waiting.what, round_});
  return steps;
}

// --- the worker's life -------------------------------------------------------------------------------------------

capture_steps capture_core::lost(const std::string& reason, const error& why, unix_time_us now_us) {
  if (!repeatable_ && !gap_ && received_.recorded_until_us != 0)
    gap_ = open_gap{std::min(received_.recorded_until_us, now_us), reason, {}, 0};
  if (++crash_count_ >= options_.crash_count_max) {
    end_ = capture_end{"the worker ended " + std::to_string(crash_count_) + " times without a frame; last: " + to_string(why),
                       why.code, true};
    capture_steps steps;
    close_gap(now_us, steps);
    finish_when_drained(steps);
    return steps;
  }
  auto pause = options_.crash_pause_min;
  for (int i = 1; i < crash_count_; ++i) pause = std::min(pause * 2, crash_pause_max);
  return {act::restart_later{pause}};
}

capture_steps capture_core::worker_gone(const std::optional<error>& failure, unix_time_us now_us) {
  worker_runs_ = false;
  capture_steps steps;
  if (decided_) end_ = decided_;
  if (!end_ && stopping_) end_ = capture_end{"stopped", errc::cancelled, false};
  if (!end_) {
    auto why = failure.value_or(error{errc::crashed, "worker", "ended without a last word", nullptr});
    return lost("worker " + why.what, why, now_us);
  }
  close_gap(now_us, steps);
  finish_when_drained(steps);
  return steps;
}

capture_steps capture_core::worker_not_started(const error& why, unix_time_us now_us) {
  worker_runs_ = false;
  return lost("worker not started", why, now_us);
}

capture_steps capture_core::restart() {
  if (worker_runs_ || end_ || finished_) return {};
  ++restart_count_;
  return begin();
}

capture_steps capture_core::stop(unix_time_us now_us) {
  stopping_ = true;
  if (worker_runs_) return {act::stop_worker{}};
  if (!end_) end_ = capture_end{"stopped", errc::cancelled, false};
  capture_steps steps;
  close_gap(now_us, steps); // Between two workers: nothing more will be seen.
  finish_when_drained(steps);
  return steps;
}

void capture_core::finish_when_drained(capture_steps& steps) {
  if (finished_ || worker_runs_ || !end_ || !unacknowledged_.empty()) return;
  finished_ = true;
  steps.push_back(act::finished{*end_});
}

} // namespace lucid

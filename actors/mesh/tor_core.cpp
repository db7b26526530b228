// actors/mesh/tor_core.cpp - progress, losses, addresses.
#include "actors/mesh/tor_core.hpp"

#include <utility>

namespace lucid {
namespace {

/// What Tor says of itself, as far as it is kept.
constexpr std::size_t kept_bytes_max = 200;

} // namespace

void tor_core::move_to(std::uint32_t percent, bool circuits, time now) {
  auto was_ready = ready();
  if (percent > percent_) progress_at_ = now;
  percent_ = percent;
  circuits_ = circuits;
  if (ready()) trouble_.clear();
  if (ready() || was_ready) progress_at_ = now; // A wait begins when readiness ends.
  if (was_ready && !ready()) ++loss_count_;
}

void tor_core::heard(const onion_progress& news, time now) {
  summary_ = news.summary.substr(0, kept_bytes_max);
  if (!news.trouble.empty()) trouble_ = news.trouble.substr(0, kept_bytes_max);
  // Joined means that a first circuit was built.
  move_to(news.percent, circuits_ || (news.percent == 100 && percent_ < 100), now);
}

void tor_core::heard(const onion_circuits& news, time now) {
  move_to(percent_, news.established, now);
  if (!news.established && !news.reason.empty()) trouble_ = news.reason.substr(0, kept_bytes_max);
}

void tor_core::heard(const onion_upload& news) {
  if (onion_.empty() || news.onion != onion_) return; // A peer's, or an old one of ours.
  ++(news.stored ? stored_count_ : refused_count_);
}

void tor_core::looked(const onion_health& health, time now) {
  summary_ = health.progress.summary.substr(0, kept_bytes_max);
  move_to(health.progress.percent, health.circuits, now);
}

void tor_core::published(const std::string& onion) {
  if (onion != onion_) stored_count_ = refused_count_ = 0;
  onion_ = onion;
}

void tor_core::rotated(const std::string& onion, time now) {
  if (!onion_.empty()) old_.push_back({onion_, now + limits_.onion_overlap});
  published(onion);
}

std::vector<std::string> tor_core::expired(time now) {
  std::vector<std::string> over;
  while (!old_.empty() && (old_.front().until <= now || old_.size() > old_onions_max)) {
    over.push_back(std::move(old_.front().onion));
    old_.erase(old_.begin());
  }
  return over;
}

std::optional<error> tor_core::stuck(time now) const {
  if (ready() || now - progress_at_ < limits_.bootstrap_timeout) return std::nullopt;
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - progress_at_).count();
  auto what = "no way through Tor for " + std::to_string(seconds) + " s: " + std::to_string(percent_) + "%, " + summary_;
  if (!trouble_.empty()) what.append(" (").append(trouble_).append(")");
  return error{errc::timeout, "tor", std::move(what), nullptr};
}

} // namespace lucid

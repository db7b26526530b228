// actors/console/actor_history.cpp - samples in, samples out.
#include "actors/console/actor_history.hpp"

#include <nlohmann/json.hpp>

namespace lucid {

void actor_history::take(const std::vector<inspection>& tree, time now) {
  if (!look_times_.empty() && now - look_times_.back() < interval) return;
  look_times_.push_back(now);
  if (look_times_.size() > samples_max) look_times_.pop_front();
  ++looks_;
  for (auto& actor : tree) {
    auto known = by_path_.find(actor.path);
    if (known == by_path_.end()) {
      if (by_path_.size() >= paths_max) continue;
      known = by_path_.emplace(actor.path, track_record{}).first;
    }
    auto& [samples, look] = known->second;
    look = looks_;
    samples.push_back({actor.mailbox_length, actor.rate, actor.busy_share});
    if (samples.size() > samples_max) samples.pop_front();
  }
  std::erase_if(by_path_, [&](auto& each) { return each.second.look != looks_; });
}

/// On average over as many looks, of which the newest is the last.
double actor_history::interval_s(std::size_t sample_count) const {
  if (sample_count < 2) return std::chrono::duration<double>(interval).count();
  auto covered = look_times_.back() - look_times_[look_times_.size() - sample_count];
  return std::chrono::duration<double>(covered).count() / static_cast<double>(sample_count - 1);
}

nlohmann::json actor_history::report(const std::string& path) const {
  auto mailbox = nlohmann::json::array(), rate = mailbox, busy = mailbox;
  if (auto known = by_path_.find(path); known != by_path_.end())
    for (auto& each : known->second.samples) {
      mailbox.push_back(each.mailbox);
      rate.push_back(each.rate);
      busy.push_back(each.busy);
    }
  return {{"interval_s", interval_s(mailbox.size())}, {"mailbox", mailbox}, {"rate", rate}, {"busy", busy}};
}

} // namespace lucid

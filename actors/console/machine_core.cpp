// actors/console/machine_core.cpp - differences of two looks.
#include "actors/console/machine_core.hpp"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

namespace lucid {
namespace {

using nlohmann::json;

/// `part` of `whole`, 0 where there is no whole; three decimals.
double share(double part, double whole) {
  if (whole <= 0 || part <= 0) return 0;
  return std::round(std::min(part / whole, 1.0) * 1000) / 1000;
}

double milliseconds_of(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

} // namespace

void machine_core::take(machine_facts facts, time at) {
  before_ = std::move(now_);
  now_ = {at, std::move(facts)};
}

double machine_core::share_of(const machine_thread& thread) const {
  if (!before_) return 0;
  auto& known = before_->facts.threads;
  auto then = std::find_if(known.begin(), known.end(), [&](auto& t) { return t.id == thread.id; });
  auto spent = then == known.end() ? thread.cpu : thread.cpu - then->cpu;
  return share(milliseconds_of(spent), milliseconds_of(now_->at - before_->at));
}

json machine_core::threads() const {
  auto list = json::array();
  for (auto& thread : now_->facts.threads) list.push_back({{"name", thread.name}, {"cpu_share", share_of(thread)}});
  return list;
}

double machine_core::scheduler_share() const {
  double sum = 0;
  std::size_t count = 0;
  for (auto& thread : now_->facts.threads) {
    if (!thread.name.starts_with(scheduler_threads_)) continue;
    sum += share_of(thread);
    ++count;
  }
  return share(sum, static_cast<double>(count));
}

std::optional<bool> machine_core::is_throttled() const {
  auto& facts = now_->facts;
  if (facts.throttled_now) return facts.throttled_now;
  if (!facts.throttle_count || !before_ || !before_->facts.throttle_count) return {};
  return *facts.throttle_count > *before_->facts.throttle_count;
}

json machine_core::report() const {
  if (!now_) return json::object();
  auto& facts = now_->facts;
  auto before = before_ ? before_->facts : facts;
  std::uint64_t bound_bytes = 0;
  auto bounds = json::array(), network = json::array();
  for (auto& [what, bytes] : bounds_) {
    bound_bytes += bytes;
    bounds.push_back({{"what", what}, {"bytes", bytes}});
  }
  for (auto& [name, rx_bytes, tx_bytes] : facts.network)
    network.push_back({{"name", name}, {"rx_bytes", rx_bytes}, {"tx_bytes", tx_bytes}});
  json report{{"cpu_share", share(milliseconds_of(facts.cpu_busy - before.cpu_busy),
                                  milliseconds_of(facts.cpu_total - before.cpu_total))},
              {"cores", facts.cores},
              {"load", facts.load},
              {"resident_bytes", facts.resident_bytes},
              {"bound_bytes", bound_bytes},
              {"bounds", bounds},
              {"threads", threads()},
              {"scheduler_share", scheduler_share()},
              {"disk",
               {{"path", facts.disk.path},
                {"free_bytes", facts.disk.free_bytes},
                {"size_bytes", facts.disk.size_bytes},
                {"used_bytes", facts.disk.used_bytes}}},
              {"open_files", facts.open_files},
              {"open_files_max", facts.open_files_max},
              {"network", network}};
  if (facts.temperature_c) report["temperature_c"] = *facts.temperature_c;
  if (auto throttled = is_throttled()) report["throttled"] = *throttled;
  return report;
}

} // namespace lucid

// actors/console/flow_core.cpp - numbers out of state rows, rates, and who waits.
#include "actors/console/flow_core.hpp"

#include <array>
#include <charconv>

#include <nlohmann/json.hpp>

#include "messages/flow_fields.hpp"
#include "messages/paths.hpp"

namespace lucid {
namespace {

/// In the order in which a fragment passes them.
constexpr std::array<std::string_view, 5> roles{"capture", "journal", "chunk", "seal", "store"};

/// 0 for a row that is not there or is no number.
std::uint64_t number_in(const state_fields& state, std::string_view key) {
  for (auto& row : state) {
    if (row.key != key) continue;
    std::uint64_t value = 0;
    auto end = row.value.data() + row.value.size();
    auto [last, problem] = std::from_chars(row.value.data(), end, value);
    return problem == std::errc() && last == end ? value : 0;
  }
  return 0;
}

const inspection* find(std::span<const inspection> actors, const std::string& path) {
  for (auto& seen : actors)
    if (seen.path == path) return &seen;
  return nullptr;
}

} // namespace

void flow_core::take(const session_id& session, std::span<const inspection> actors, time at) {
  auto path_of = [&](std::string_view role) {
    return role == "store" ? std::string(paths::store) : paths::of_session(session, role);
  };
  look now{at, {}};
  bool runs = false;
  for (auto role : roles)
    if (auto* seen = find(actors, path_of(role))) {
      now.by_role.emplace(role, read(*seen, role));
      runs = runs || (role != "store" && seen->present);
    }
  stages_.clear();
  if (!runs) return looks_.clear();
  remember(std::move(now));
  auto& latest = looks_.back();
  for (auto role : roles) {
    auto of = latest.by_role.find(role);
    if (of == latest.by_role.end()) continue; // A recovered session has no capture.
    auto& mine = of->second;
    stages_.push_back({path_of(role), std::string(role), rate_of(role), mine.queued, mine.credit, mine.credit_max, {}});
    if (auto other = waited_for(role); !other.empty()) stages_.back().waits_for = path_of(other);
    auto seal = latest.by_role.find("seal");
    if (role == "store" && seal != latest.by_role.end()) stages_.back().queued_bytes = seal->second.at_store;
  }
}

/// Of one that does not answer it is known only that it passes nothing on.
flow_core::numbers flow_core::read(const inspection& seen, std::string_view role) const {
  numbers found;
  if (!seen.answered && !looks_.empty())
    if (auto before = looks_.back().by_role.find(role);
        before != looks_.back().by_role.end() && before->second.incarnation == seen.incarnation)
      found = before->second;
  found.incarnation = seen.incarnation;
  found.stuck = !seen.present || seen.state_now == actor_state::suspended ||
                seen.running_ns > static_cast<std::uint64_t>(handler_patience.count());
  if (!seen.answered) return found;
  found.passed = number_in(seen.state, flow_fields::passed);
  found.queued = number_in(seen.state, flow_fields::queued);
  found.credit = number_in(seen.state, flow_fields::credit);
  found.credit_max = number_in(seen.state, flow_fields::credit_max);
  found.at_store = number_in(seen.state, flow_fields::at_store);
  return found;
}

void flow_core::remember(look now) {
  bool early = looks_.size() > 1 && now.at - looks_[looks_.size() - 2].at < look_interval_min;
  if (early) looks_.pop_back();
  looks_.push_back(std::move(now));
  while (looks_.size() > looks_max || (looks_.size() > 2 && looks_.back().at - looks_[1].at >= rate_window))
    looks_.pop_front();
}

/// The newest look that is a second old; before there is one, the oldest.
const flow_core::look& flow_core::second_ago() const { return looks_.front(); }

double flow_core::rate_of(std::string_view role) const {
  auto& then = second_ago();
  auto& now = looks_.back();
  auto before = then.by_role.find(role);
  auto& present = now.by_role.find(role)->second;
  if (before == then.by_role.end() || now.at <= then.at) return 0;
  // A new incarnation counts from nothing; what it did before this look is the least that passed.
  bool same = before->second.incarnation == present.incarnation && before->second.passed <= present.passed;
  auto passed = present.passed - (same ? before->second.passed : 0);
  return static_cast<double>(passed) / std::chrono::duration<double>(now.at - then.at).count();
}

/// The role it cannot go on without; empty while it can.
std::string_view flow_core::waited_for(std::string_view role) const {
  auto& now = looks_.back().by_role;
  auto of = [&](std::string_view name) {
    auto found = now.find(name);
    return found == now.end() ? nullptr : &found->second;
  };
  auto* mine = of(role);
  bool spent = mine->credit_max > 0 && mine->credit == 0;
  if (role == "capture" && spent) {
    auto* chunk = of("chunk");
    bool chunk_holds_up = chunk && (chunk->stuck || (chunk->credit_max > 0 && chunk->credit == 0));
    if (chunk_holds_up) return "chunk";
    return of("journal") ? "journal" : std::string_view();
  }
  if (role == "chunk" && spent) return of("seal") ? "seal" : std::string_view();
  if (role != "seal" || mine->queued > 0 || mine->at_store == 0) return {};
  if (auto* store = of("store"); store && store->stuck) return "store";
  // Not stuck, but slow: since the look before it took nothing of what seal had handed over by then.
  auto& then = second_ago().by_role;
  auto seal_before = then.find(role), store_before = then.find("store");
  if (looks_.size() < 2 || seal_before == then.end() || store_before == then.end()) return {};
  auto* store = of("store");
  bool unmoved = store && store->incarnation == store_before->second.incarnation &&
                 store->passed == store_before->second.passed && seal_before->second.at_store > 0;
  return unmoved ? "store" : std::string_view();
}

nlohmann::json flow_core::report() const {
  nlohmann::json object{{"stages", nlohmann::json::array()}};
  for (auto& stage : stages_) {
    nlohmann::json one{{"path", stage.path},
                       {"role", stage.role},
                       {"rate_bytes_s", stage.rate_bytes_s},
                       {"queued_bytes", stage.queued_bytes},
                       {"credit_bytes", stage.credit_bytes},
                       {"credit_max_bytes", stage.credit_max_bytes}};
    if (!stage.waits_for.empty()) one["waits_for"] = stage.waits_for;
    object["stages"].push_back(std::move(one));
  }
  return object;
}

} // namespace lucid

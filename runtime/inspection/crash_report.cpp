// runtime/inspection/crash_report.cpp - puts a capsule together from what the runtime remembers anyway.
#include "runtime/inspection/crash_report.hpp"

#include <utility>

namespace lucid {
namespace {

// The counters remember when and how large; what was in a message is known only if somebody watched.
std::vector<seen_message> last_messages(const observed_actor& observed, const actor_context& ctx) {
  const auto now_us = ctx.clock().wall_us();
  const auto now_ns = ctx.clock().monotonic().count();
  const auto paths = ctx.directory().paths_by_actor();
  std::vector<seen_message> all;
  for (const auto& one : observed.stats.recent()) {
    auto sender = paths.find(one.sender);
    all.push_back({now_us - (now_ns - one.at_ns) / 1000, observed.stats.type_name(one.row), one.size_bytes,
                   sender == paths.end() ? std::string() : sender->second, {}});
  }
  return all;
}

// The newest of both are of the same messages: each message is noted in both, in the same order.
void add_fields(std::vector<seen_message>& messages, const observed_actor& observed) {
  if (!observed.tap || !observed.tap->on()) return;
  std::uint64_t seen = 0, missed = 0;
  auto tapped = observed.tap->read(seen, missed);
  auto at = tapped.rbegin();
  for (auto to = messages.rbegin(); to != messages.rend() && at != tapped.rend(); ++to, ++at) {
    if (at->seen.type != to->type) return; // Those of an earlier incarnation.
    to->fields = std::move(at->seen.fields);
  }
}

} // namespace

crash_capsule crash_report(const directory_slot& slot, std::uint64_t incarnation, const observed_actor& observed,
                           std::string reason, const actor_context& ctx) {
  inspection counted;
  observed.stats.read(counted, ctx.clock().monotonic());
  crash_capsule capsule{.path = slot.path(),
                        .kind = counted.kind,
                        .incarnation = incarnation,
                        .at_us = ctx.clock().wall_us(),
                        .reason = std::move(reason),
                        .messages = last_messages(observed, ctx),
                        .failing = observed.failing,
                        .state = observed.last_state,
                        .spec = slot.spec(),
                        .restart_count = slot.restart_count()};
  add_fields(capsule.messages, observed);
  return capsule;
}

} // namespace lucid

// actors/console/audit_actor.cpp - requests to calls, outcomes to replies.
#include "actors/console/audit_actor.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <caf/all.hpp>

#include "actors/console/audit_log.hpp"
#include "messages/console_api.hpp"
#include "messages/paths.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/log/log.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

/// Reading the whole log is not repeated for every page that looks.
constexpr auto verdict_age_max = 5s;

struct audit_state {
  static inline const char* name = "audit";
  audit_log_options options;
  std::optional<audit_log> log;
  std::optional<audit_verdict> verdict;
  std::chrono::nanoseconds verified_at{};
  std::uint64_t refused_count = 0;
};

class audit_shell {
public:
  audit_shell(audit_state& state, const clock_port& clock) : state_(state), clock_(clock) {}

  /// A log that broke or could not be opened is tried anew each time: the disk may be back.
  outcome<audit_entry> append(const audit_action& what) const {
    auto opened = open();
    if (!opened) return pass_on(std::move(opened));
    auto entry = state_.log->append(what, clock_.wall_us());
    state_.verdict.reset();
    if (entry) return entry;
    ++state_.refused_count;
    if (entry.error().code != errc::limit_exceeded) state_.log.reset();
    return entry;
  }

  outcome<audit_page> read(const audit_read_request& wanted) const {
    audit_page page;
    if (wanted.verify) {
      auto verdict = verify();
      if (!verdict) return pass_on(std::move(verdict));
      page.intact = !verdict->first_broken;
      if (!page.intact) page.broken = verdict->first_broken->what;
      page.count = verdict->intact_count;
    }
    if (!open()) return page; // What cannot be opened has a verdict that says so.
    page.count = state_.log->count();
    auto entries = state_.log->read(wanted.before, wanted.count);
    if (!entries) return pass_on(std::move(entries));
    page.entries = std::move(*entries);
    return page;
  }

  outcome<void> open() const {
    if (state_.log) return {};
    auto opened = audit_log::open(*state_.options.files, state_.options.file, *state_.options.key);
    if (!opened) {
      ++state_.refused_count;
      log::error(paths::audit, "the log of actions cannot be opened, and no action is carried out: {}",
                 to_string(opened.error()));
      return pass_on(std::move(opened));
    }
    state_.log.emplace(std::move(*opened));
    return {};
  }

private:
  outcome<audit_verdict> verify() const {
    auto now = clock_.monotonic();
    if (state_.verdict && now - state_.verified_at < verdict_age_max) return *state_.verdict;
    auto verdict = verify_audit_log(*state_.options.files, state_.options.file, state_.options.key->public_key());
    if (!verdict) return verdict;
    state_.verdict = *verdict;
    state_.verified_at = now;
    return verdict;
  }

  audit_state& state_;
  const clock_port& clock_;
};

audit_api::behavior_type audit_actor(audit_api::stateful_pointer<audit_state> self, actor_context ctx,
                                     audit_log_options options) {
  auto& state = self->state;
  state.options = std::move(options);
  audit_shell shell(state, ctx.clock());
  (void)shell.open(); // It has been logged; whoever acts is told.
  return supervised(
    self, ctx,
    {
      [shell](const audit_append_request& r) { return reply(shell.append(r.what)); },
      [shell](const audit_read_request& r) { return reply(shell.read(r)); },
    },
    [&state] {
      return state_fields{{"log", state.log ? "open" : "cannot be opened"},
                          {"entries", std::to_string(state.log ? state.log->count() : 0)},
                          {"refused", std::to_string(state.refused_count)}};
    });
}

} // namespace

child_spec audit_child(audit_log_options options) {
  return {.id = std::string(paths::audit),
          .start = child_of<caf::detached>(audit_actor, std::move(options)),
          .shutdown_timeout = 10s};
}

} // namespace lucid

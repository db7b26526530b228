// actors/console/serve_node.cpp - the node: what it is, how it is doing, and what may be done to it as a whole.
#include <unistd.h>

#include "actors/console/console_shell.hpp"
#include "actors/console/consequences.hpp"
#include "messages/version.hpp"
#include "runtime/work_pool.hpp"

namespace lucid {

using nlohmann::json;

namespace {

/// The most that the store lists at once, and so what counts of sessions see.
constexpr std::uint32_t listed_sessions_max = 1000;

json line_json(const log::recent_line& line) {
  json object{{"at_us", line.at_us}, {"level", to_string(line.severity)}, {"path", line.path}, {"text", line.text}};
  if (!line.session.empty()) object["session"] = line.session;
  return object;
}

} // namespace

json console_shell::node_facts() const {
  auto& parts = state().parts;
  return {{"name", parts.node_name},
          {"software", software_name},
          {"version", software_version},
          {"data_dir", parts.data_dir.string()},
          {"pid", ::getpid()},
          {"started_us", parts.started_us},
          {"uptime_us", clock_->wall_us() - parts.started_us},
          {"draining", parts.draining()}};
}

void console_shell::carry_out(const asker& from, const api::get_node&) const {
  state().ledger.request(self_, status_patience, ledger_status_request{})
    .then(
      [me = *this, from](const ledger_status& ledger) {
        auto node = me.node_facts();
        node["ledger_height"] = ledger.height;
        me.answer(from, node);
      },
      [me = *this, from](const caf::error&) { me.answer(from, me.node_facts()); });
}

// Several ask at once, one looks.
void console_shell::with_machine(std::function<void()> then) const {
  auto& s = state();
  if (!s.machine->is_due(clock_->monotonic())) return then();
  s.waiting_for_machine.push_back(std::move(then));
  if (std::exchange(s.looking_at_machine, true)) return;
  auto done = [me = *this](outcome<machine_facts> facts) {
    auto& mine = me.state();
    mine.looking_at_machine = false;
    if (facts) {
      mine.last_facts = *facts;
      mine.machine->take(std::move(*facts), me.clock_->monotonic());
    } else {
      log::warn(me.path_, "the machine cannot be looked at: {}", to_string(facts.error()));
    }
    for (auto& waiting : std::exchange(mine.waiting_for_machine, {})) waiting();
  };
  auto posted = run_on_pool(self_, *s.parts.pool, [machine = s.parts.machine] { return machine->look(); }, done);
  if (!posted) done(pass_on(std::move(posted)));
}

void console_shell::carry_out(const asker& from, const api::get_machine&) const {
  with_machine([me = *this, from] {
    auto report = me.state().machine->report();
    if (report.empty()) return me.refuse(from, {errc::io_failed, "console", "the machine could not be looked at", nullptr});
    me.answer(from, report);
  });
}

void console_shell::carry_out(const asker& from, const api::get_config&) const {
  answer(from, std::string(state().parts.configuration));
}

void console_shell::carry_out(const asker& from, const api::get_log& wish) const {
  auto session = wish.session ? to_hex(*wish.session) : std::string();
  auto lines = json::array();
  for (auto& line : log::recent({wish.path, session, *log::level_from(wish.level), wish.count}))
    lines.push_back(line_json(line));
  answer(from, json{{"lines", std::move(lines)}});
}

template <class Then>
void console_shell::with_running_count(const asker& to, Then then) const {
  state().store.request(self_, store_patience, session_list_request{true, 0, listed_sessions_max})
    .then([then](const std::vector<session_summary>& unfinished) { then(unfinished.size()); }, refusing(to));
}

void console_shell::carry_out(const asker& from, const api::node_consequence& wish) const {
  with_running_count(from, [me = *this, from, wish](std::size_t running) {
    me.answer(from, json{{"text", consequence_for_node(wish.action, running)}});
  });
}

void console_shell::carry_out(const asker& from, const api::drain_node& wish) const {
  auto action = wish.on ? "drain" : "accept";
  with_running_count(from, [me = *this, from, wish, action](std::size_t running) {
    me.audited(from, action, "node", consequence_for_node(action, running), [me, from, wish](const audit_entry&) {
      me.state().parts.drain(wish.on);
      me.answer(from, json{{"on", wish.on}});
    });
  });
}

// A node whose store does not answer can be stopped, too.
void console_shell::carry_out(const asker& from, const api::stop_node&) const {
  audited(from, "stop", "node", "ends the running sessions in order, then the node", [me = *this, from](const audit_entry&) {
    me.answer(from, json{{"stopping", true}}, 202);
    me.state().parts.stop_node();
  });
}

void console_shell::carry_out(const asker& from, const api::set_log_level& wish) const {
  audited(from, "log", wish.subsystem.empty() ? "node" : wish.subsystem,
          consequence_of_log_level(wish.subsystem, wish.level), [me = *this, from, wish](const audit_entry&) {
            log::set_level(wish.subsystem, *log::level_from(wish.level));
            me.answer(from, json{{"subsystem", wish.subsystem}, {"level", wish.level}});
          });
}

// --- for machines that watch ------------------------------------------------------------------------------------

void console_shell::carry_out(const asker& from, const api::get_health&) const {
  send(from.request, {200, "text/plain; charset=utf-8", "alive\n"});
}

void console_shell::carry_out(const asker& from, const api::get_readiness&) const {
  auto& s = state();
  std::string missing;
  if (!s.store.reachable()) missing = "the store is not there";
  else if (!s.ledger.reachable()) missing = "the ledger is not there";
  else if (!s.recorder.reachable()) missing = "the recorder is not there";
  else if (s.parts.draining()) missing = "draining";
  send(from.request, {missing.empty() ? 200u : 503u, "text/plain; charset=utf-8", missing.empty() ? "ready\n" : missing + "\n"});
}

void console_shell::carry_out(const asker& from, const api::get_metrics&) const {
  auto measures = std::make_shared<node_measures>();
  auto& s = state();
  measures->version = software_version;
  measures->started_us = s.parts.started_us;
  measures->draining = s.parts.draining();
  for (auto& bound : s.parts.memory_bounds) measures->memory_bound_bytes += bound.bytes;
  measures->console_logins = s.access ? s.access->session_count() : 0;
  measures->console_streams = s.streams.stream_count();
  measures->console_refusals = s.parts.refusals->total();

  // Each that is asked lets go of it when it has answered, or not in time: then it is left out of this look.
  auto until_told = when_dropped([me = *this, from, measures] {
    auto& mine = me.state();
    measures->machine = mine.last_facts;
    mine.metrics.take_actors(inspect_from_outside(*me.names_, *me.clock_));
    ++mine.answered_count;
    me.send(from.request, {200, metrics_content_type, metrics_text(mine.metrics.families(*measures))});
  });
  with_machine([until_told] {});
  s.ledger.request(self_, status_patience, ledger_status_request{})
    .then(
      [measures, until_told](const ledger_status& ledger) {
        measures->ledger_height = ledger.height;
        measures->ledger_entries = ledger.entry_count;
      },
      [until_told](const caf::error&) {});
  s.store.request(self_, status_patience, session_list_request{false, 0, listed_sessions_max})
    .then(
      [me = *this, measures, until_told](std::vector<session_summary>& listed) {
        me.with_live(std::move(listed), [measures, until_told](std::vector<session_summary>& live) {
          auto& running = measures->running.emplace();
          for (auto& one : live) {
            ++measures->sessions[one.state];
            if (is_final(one.state)) continue;
            running.captured_bytes += one.captured_bytes;
            running.stored_bytes += one.stored_bytes;
            running.gaps += one.gap_count;
          }
        });
      },
      [until_told](const caf::error&) {});
  if (auto cluster = s.parts.cluster ? s.parts.cluster->view() : cluster_view{}; !cluster.name.empty()) {
    measures->cluster = std::move(cluster);
    s.replication.request(self_, status_patience, replication_status_request{})
      .then([measures, until_told](replication_status& told) { measures->replication = std::move(told); },
            [until_told](const caf::error&) {});
  }
  s.audit.request(self_, status_patience, audit_read_request{0, 1, false})
    .then([measures, until_told](const audit_page& page) { measures->audit_entries = page.count; },
          [until_told](const caf::error&) {});
}

} // namespace lucid

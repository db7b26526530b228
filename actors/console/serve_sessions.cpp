// actors/console/serve_sessions.cpp - sessions: listed, started, stopped, extended, removed, and how they flow.
#include "actors/console/console_shell.hpp"
#include "actors/console/consequences.hpp"

namespace lucid {

using nlohmann::json;

void console_shell::carry_out(const asker& from, const api::list_sessions& wish) const {
  state().store.request(self_, store_patience, session_list_request{wish.unfinished_only, wish.offset, wish.count})
    .then(
      [me = *this, from](std::vector<session_summary>& listed) {
        me.with_live(std::move(listed), [me, from](const std::vector<session_summary>& live) {
          auto sessions = json::array();
          for (auto& one : live) sessions.push_back(to_json(one));
          me.answer(from, json{{"sessions", std::move(sessions)}});
        });
      },
      refusing(from));
}

// The source is not told before the recorder has read it: it may hold credentials.
void console_shell::carry_out(const asker& from, const api::create_session& wish) const {
  auto title = wish.policy.title.empty() ? std::string("a session") : "the session \"" + wish.policy.title + "\"";
  audited(from, "record", "node", "starts " + title, [me = *this, from, wish](const audit_entry& begun) {
    me.state().recorder.request(me.self_, create_patience, session_create_request{wish.what, wish.policy})
      .then(me.answering(from, 201), [me, from, begun](const caf::error& failed) {
        auto why = as_told_outside(from_caf(failed));
        me.audit_failure(begun, why);
        me.refuse(from, why);
      });
  });
}

// Its own actor knows best; when that is gone, the store knows how it ended.
template <class Then>
void console_shell::with_session(const asker& to, const session_id& id, Then then) const {
  auto from_store = [me = *this, to, id, then](const caf::error&) {
    me.state().store.request(me.self_, store_patience, session_get_request{id})
      .then([then](const session_row& row) { then(row.summary); }, me.refusing(to));
  };
  session(id).request(self_, status_patience, session_status_request{}).then(then, from_store);
}

// One that does not answer in time is told as the store knows it. At most session.count_max are asked.
void console_shell::with_live(std::vector<session_summary> rows,
                              std::function<void(std::vector<session_summary>&)> then) const {
  auto told = std::make_shared<std::vector<session_summary>>(std::move(rows));
  auto until_done = when_dropped([told, then = std::move(then)] { then(*told); });
  for (std::size_t i = 0; i < told->size(); ++i) {
    auto& row = (*told)[i];
    if (is_final(row.state) || !session(row.id).reachable()) continue;
    session(row.id)
      .request(self_, status_patience, session_status_request{})
      .then([told, until_done, i](const session_summary& now) { (*told)[i] = now; }, [until_done](const caf::error&) {});
  }
}

void console_shell::carry_out(const asker& from, const api::get_session& wish) const {
  with_session(from, wish.id, answering(from));
}

void console_shell::carry_out(const asker& from, const api::session_consequence& wish) const {
  with_session(from, wish.id, [me = *this, from, wish](const session_summary& summary) {
    auto text = consequence_for_session(wish.action, summary, me.clock_->wall_us());
    if (!text) return me.refuse(from, text.error());
    me.answer(from, json{{"text", *text}});
  });
}

template <class Request>
void console_shell::act_on_session(const asker& to, const session_id& id, std::string action, Request request) const {
  if (!session(id).reachable())
    return refuse(to, {errc::wrong_state, "session",
                       "session " + short_id(id) + " is not running; `lucid sessions show` tells how it ended", nullptr});
  with_session(to, id, [me = *this, to, id, action, request](const session_summary& summary) {
    auto text = consequence_for_session(action, summary, me.clock_->wall_us());
    if (!text) return me.refuse(to, text.error());
    me.audited(to, action, to_hex(id), *text, [me, to, id, request](const audit_entry& begun) {
      me.session(id).request(me.self_, status_patience, request).then(me.answering(to), [=](const caf::error& failed) {
        auto why = as_told_outside(from_caf(failed));
        me.audit_failure(begun, why);
        me.refuse(to, why);
      });
    });
  });
}

void console_shell::carry_out(const asker& from, const api::stop_session& wish) const {
  act_on_session(from, wish.id, "stop", session_stop_request{wish.reason});
}

void console_shell::carry_out(const asker& from, const api::extend_session& wish) const {
  act_on_session(from, wish.id, "extend", session_extend_request{wish.seconds});
}

void console_shell::carry_out(const asker& from, const api::remove_session& wish) const {
  with_session(from, wish.id, [me = *this, from, wish](const session_summary& summary) {
    auto text = consequence_for_session("remove", summary, me.clock_->wall_us());
    if (!text) return me.refuse(from, text.error());
    me.audited(from, "remove", to_hex(wish.id), *text, [me, from, wish](const audit_entry& begun) {
      me.state().store.request(me.self_, store_patience, session_remove_request{wish.id})
        .then(me.answering(from), [me, from, begun](const caf::error& failed) {
          auto why = as_told_outside(from_caf(failed));
          me.audit_failure(begun, why);
          me.refuse(from, why);
        });
    });
  });
}

// --- flow ---------------------------------------------------------------------------------------------------------

json console_shell::flow_of(const session_id& id, const std::vector<inspection>& tree) const {
  constexpr std::size_t flows_max = 64; // More than run at one time; those that ended are forgotten with the first beyond.
  auto& flows = state().flows;
  if (flows.size() >= flows_max && !flows.count(id)) flows.clear();
  auto& flow = flows[id];
  flow.take(id, tree, clock_->monotonic());
  return flow.report();
}

void console_shell::carry_out(const asker& from, const api::get_flow& wish) const {
  with_session(from, wish.id, [me = *this, from, wish](const session_summary&) {
    me.self_->request(me.state().inspector, status_patience, inspection_request{})
      .then(
        [me, from, wish](const std::vector<inspection>& tree) {
          me.took_tree(tree);
          me.answer(from, me.flow_of(wish.id, tree));
        },
        me.refusing(from));
  });
}

} // namespace lucid

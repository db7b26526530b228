// actors/console/serve_actors.cpp - actors: shown, restarted, killed, suspended, resumed; and what never reached one.
#include "actors/console/console_shell.hpp"
#include "runtime/supervision/consequence.hpp"
#include "runtime/work_pool.hpp"
#include "messages/supervision_api.hpp"

namespace lucid {

using nlohmann::json;

namespace {

std::string actor_text(const inspection& actor) {
  std::string text;
  write_row(actor_members(), actor, text);
  return text;
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_at_or_above(std::string_view path, std::string_view other) {
  return path == "root" || path == other || (other.starts_with(path) && other[path.size()] == '/');
}

/// What an action leads to. Those by whom an actor is resumed again cannot be suspended.
outcome<consequence> allowed_consequence(child_action action, std::string_view path, const std::vector<inspection>& tree) {
  if (action == child_action::suspend && (path == paths::console || path == paths::control || path == paths::audit))
    return fail(errc::unsupported, "console", "it is needed to resume it again: it can be restarted, but not suspended");
  return consequence_of(action, path, tree);
}

const inspection* find_in(const std::vector<inspection>& tree, std::string_view path) {
  for (auto& one : tree)
    if (one.path == path) return &one;
  return nullptr;
}

} // namespace

void console_shell::took_tree(const std::vector<inspection>& tree) const {
  ++state().looks;
  state().history.take(tree, clock_->monotonic());
}

void console_shell::carry_out(const asker& from, const api::list_actors&) const {
  self_->request(state().inspector, status_patience, inspection_request{})
    .then(
      [me = *this, from](const std::vector<inspection>& tree) {
        me.took_tree(tree);
        auto text = "{\"seq\":" + std::to_string(me.state().looks) + ",\"actors\":[";
        for (auto& one : tree) {
          separate(text);
          text += actor_text(one);
        }
        me.answer(from, text + "]}");
      },
      refusing(from));
}

void console_shell::carry_out(const asker& from, const api::get_actor& wish) const {
  auto capsules = [store = state().parts.capsules] { return store->list(); };
  answer_from_pool(from, std::move(capsules), [me = *this, from, wish](const std::vector<capsule_summary>& kept) {
    me.self_->request(me.state().inspector, status_patience, inspection_request{})
      .then(
        [me, from, wish, kept](const std::vector<inspection>& tree) {
          me.took_tree(tree);
          auto* actor = find_in(tree, wish.path);
          if (!actor) return me.refuse(from, {errc::not_found, "console", "there is no actor at this path", nullptr});
          auto ids = json::array();
          for (auto& one : kept)
            if (one.path == wish.path) ids.push_back(one.id);
          auto text = actor_text(*actor);
          text.pop_back();
          text += ",\"history\":" + me.state().history.report(wish.path).dump() + ",\"capsules\":" + ids.dump() + "}";
          me.answer(from, std::move(text));
        },
        me.refusing(from));
  });
}

void console_shell::carry_out(const asker& from, const api::actor_consequence& wish) const {
  auto said = allowed_consequence(wish.action, wish.path, inspect_from_outside(*names_, *clock_));
  if (!said) return refuse(from, said.error());
  answer(from, json{{"text", said->text}, {"children", said->restarted.size() + said->ended.size()}});
}

void console_shell::carry_out(const asker& from, const api::act_on_actor& wish) const {
  auto tree = inspect_from_outside(*names_, *clock_);
  auto said = allowed_consequence(wish.action, wish.path, tree);
  if (!said) return refuse(from, said.error());
  auto supervisor = find_in(tree, wish.path)->spec.parent;
  json acted{{"path", wish.path}, {"consequence", said->text}};
  auto act = [me = *this, from, wish, acted, supervisor](const audit_entry& begun) {
    // Whoever ends with it answers first.
    bool ends_us = (wish.action == child_action::restart || wish.action == child_action::kill) &&
                   is_at_or_above(wish.path, me.path_);
    if (ends_us) me.answer(from, acted);
    ref<supervisor_api>(*me.names_, supervisor)
      .request(me.self_, status_patience, child_action_request{std::string(last_part(wish.path)), wish.action})
      .then(
        [me, from, acted, ends_us](const child_ack&) {
          if (!ends_us) me.answer(from, acted);
        },
        [me, from, begun](const caf::error& failed) {
          auto why = as_told_outside(from_caf(failed));
          me.audit_failure(begun, why);
          me.refuse(from, why);
        });
  };
  audited(from, std::string(to_string(wish.action)), wish.path, said->text, act);
}

// --- what never reached an actor ----------------------------------------------------------------------------------

json console_shell::letters(const std::vector<inspection>& tree) const {
  auto dead = json::array();
  for (auto& one : tree)
    if (one.dead_letter_count != 0) dead.push_back({{"path", one.path}, {"count", one.dead_letter_count}});
  return {{"dead_letters", std::move(dead)}, {"refusals", state().parts.refusals->report()}};
}

void console_shell::carry_out(const asker& from, const api::get_letters&) const {
  answer(from, letters(inspect_from_outside(*names_, *clock_)));
}

} // namespace lucid

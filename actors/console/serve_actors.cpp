// actors/console/serve_actors.cpp - actors: shown, restarted, killed, suspended, resumed; and what never reached one.
#include <algorithm>

#include "actors/console/console_shell.hpp"
#include "runtime/supervision/consequence.hpp"
#include "runtime/work_pool.hpp"
#include "messages/supervision_api.hpp"

namespace lucid {

using nlohmann::json;

namespace {

constexpr std::string_view other_nodes = "nodes/"; ///< As paths::of_node begins.

std::string actor_text(const inspection& actor) {
  std::string text;
  write_row(actor_members(), actor, text);
  return text;
}

/// The path of an actor on its own node.
std::string_view path_there(std::string_view path) {
  if (!path.starts_with(other_nodes)) return path;
  path.remove_prefix(other_nodes.size());
  return path.substr(std::min(path.find('/'), path.size() - 1) + 1);
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_at_or_above(std::string_view path, std::string_view other) {
  return path == "root" || path == other || (other.starts_with(path) && other[path.size()] == '/');
}

/// What an action leads to. Those by whom an actor is resumed again cannot be suspended.
outcome<consequence> allowed_consequence(child_action action, std::string_view path, const std::vector<inspection>& tree) {
  auto there = path_there(path);
  if (action == child_action::suspend && (there == paths::console || there == paths::control || there == paths::audit))
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

void console_shell::with_tree(std::function<void(std::vector<inspection>&)> then,
                              std::function<void(const caf::error&)> otherwise) const {
  self_->request(state().inspector, status_patience, inspection_request{})
    .then([me = *this, then = std::move(then)](std::vector<inspection>& own) { me.with_cluster_tree(std::move(own), then); },
          std::move(otherwise));
}

void console_shell::with_cluster_tree(std::vector<inspection> own, std::function<void(std::vector<inspection>&)> then) const {
  auto& cluster = state().parts.cluster;
  if (!cluster || cluster->view().members.size() < 2) return then(own);
  auto kept = std::make_shared<std::vector<inspection>>(std::move(own));
  state().gateway.request(self_, status_patience, cluster_tree_request{})
    .then(
      [kept, then](const std::vector<inspection>& others) {
        kept->insert(kept->end(), others.begin(), others.end());
        std::sort(kept->begin(), kept->end(), [](const auto& a, const auto& b) { return a.path < b.path; });
        then(*kept);
      },
      [kept, then](const caf::error&) { then(*kept); });
}

void console_shell::carry_out(const asker& from, const api::list_actors&) const {
  with_tree(
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
    me.with_tree(
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

void console_shell::with_tree_of(const asker& to, const std::string& path,
                                 std::function<void(const std::vector<inspection>&)> then) const {
  if (!path.starts_with(other_nodes)) return then(inspect_from_outside(*names_, *clock_));
  with_tree([then = std::move(then)](std::vector<inspection>& tree) { then(tree); }, refusing(to));
}

void console_shell::carry_out(const asker& from, const api::actor_consequence& wish) const {
  with_tree_of(from, wish.path, [me = *this, from, wish](const std::vector<inspection>& tree) {
    auto said = allowed_consequence(wish.action, wish.path, tree);
    if (!said) return me.refuse(from, said.error());
    me.answer(from, json{{"text", said->text}, {"children", said->restarted.size() + said->ended.size()}});
  });
}

void console_shell::carry_out(const asker& from, const api::act_on_actor& wish) const {
  with_tree_of(from, wish.path, [me = *this, from, wish](const std::vector<inspection>& tree) {
    auto said = allowed_consequence(wish.action, wish.path, tree);
    if (!said) return me.refuse(from, said.error());
    auto supervisor = find_in(tree, wish.path)->spec.parent;
    me.audited(from, std::string(to_string(wish.action)), wish.path, said->text,
               [me, from, wish, supervisor, text = said->text](const audit_entry& begun) {
                 if (wish.path.starts_with(other_nodes)) me.act_elsewhere(from, wish, text, begun);
                 else me.act_here(from, wish, supervisor, text, begun);
               });
  });
}

void console_shell::act_here(const asker& from, const api::act_on_actor& wish, const std::string& supervisor,
                             const std::string& consequence, const audit_entry& begun) const {
  json acted{{"path", wish.path}, {"consequence", consequence}};
  // Whoever ends with it answers first.
  bool ends_us = (wish.action == child_action::restart || wish.action == child_action::kill) &&
                 is_at_or_above(wish.path, path_);
  if (ends_us) answer(from, acted);
  ref<supervisor_api>(*names_, supervisor)
    .request(self_, status_patience, child_action_request{std::string(last_part(wish.path)), wish.action})
    .then(
      [me = *this, from, acted, ends_us](const child_ack&) {
        if (!ends_us) me.answer(from, acted);
      },
      failed_after(from, begun));
}

// Its own node does it, and writes it to its own log of actions, too.
void console_shell::act_elsewhere(const asker& from, const api::act_on_actor& wish, const std::string& consequence,
                                  const audit_entry& begun) const {
  auto rest = std::string_view(wish.path).substr(other_nodes.size());
  auto node = rest.substr(0, rest.find('/'));
  if (node.size() == rest.size())
    return refuse(from, {errc::unsupported, "console", "this is another node itself: act on it there", nullptr});
  ref<gateway_api>(*names_, paths::of_node(node, paths::gateway))
    .request(self_, status_patience,
             remote_action_request{std::string(rest.substr(node.size() + 1)), wish.action, from.by})
    .then([me = *this, from, acted = json{{"path", wish.path}, {"consequence", consequence}}](
            const child_ack&) { me.answer(from, acted); },
          failed_after(from, begun));
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

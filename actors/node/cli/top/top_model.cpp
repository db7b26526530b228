// actors/node/cli/top/top_model.cpp - data, pages, selection.
#include "actors/node/cli/top/top_model.hpp"

#include <algorithm>

namespace lucid {

void top_model::update(top_data data) {
  auto selected = selected_actor() ? selected_actor()->path : std::string();
  data_ = std::move(data);
  trouble_.clear();
  if (std::exchange(first_, false)) // What happened before somebody looked is told by the numbers, not by a mark.
    for (auto& actor : data_.actors) seen_.emplace(actor.path, actor.restart_count);
  take_new_nodes();
  if (selected.empty()) return;
  auto rows = shown_actors(); // The selection stays with its actor, not with its row.
  auto found = std::find_if(rows.begin(), rows.end(), [&](auto* a) { return a->path == selected; });
  if (found != rows.end()) place_.row = static_cast<std::size_t>(found - rows.begin());
  else place_.row = std::min(place_.row, rows.empty() ? 0 : rows.size() - 1);
}

/// They begin folded, and what was restarted there before is not marked.
void top_model::take_new_nodes() {
  for (auto& node : data_.actors) {
    if (!is_other_root(node.path) || !nodes_.insert(node.path).second) continue;
    folded_.insert(node.path);
    for (auto& actor : data_.actors)
      if (actor.path == node.path || is_below(actor.path, node.path)) seen_.emplace(actor.path, actor.restart_count);
  }
}

void top_model::update_failed(std::string why) { trouble_ = std::move(why); }

top_view top_model::view() const {
  switch (place_.shown) {
    case page::capsules: return {top_view::kind::capsules, place_.of};
    case page::letters: return {top_view::kind::letters, {}};
    case page::log: return {top_view::kind::log, place_.of};
    case page::tap: return {top_view::kind::tap, place_.of};
    case page::capsule: return {top_view::kind::capsule, place_.of};
    case page::tree:
    case page::list:
    case page::sessions:
    case page::actor:
    case page::help: return {};
  }
  return {};
}

void top_model::show(const top_view& of, top_rows rows) {
  if (of != view()) return;
  if (held_ && of.what == top_view::kind::tap && rows_ && rows_of_ == of) return;
  rows_of_ = of;
  rows_ = std::move(rows);
}

void top_model::show_failed(const top_view& of, const std::string& why) {
  show(of, {{{why, text_style::alert}}});
}

void top_model::ask(node_action action, std::string consequence) { question_ = {std::move(action), std::move(consequence)}; }

void top_model::say(std::string words, bool good) {
  said_ = std::move(words);
  said_good_ = good;
}

bool top_model::matches(const top_actor& actor) const {
  if (filter_.empty()) return true;
  return actor.path.find(filter_) != std::string::npos || actor.kind.find(filter_) != std::string::npos ||
         actor.state.find(filter_) != std::string::npos;
}

bool top_model::folded_away(const top_actor& actor) const {
  return std::any_of(folded_.begin(), folded_.end(), [&](auto& top) { return is_below(actor.path, top); });
}

bool top_model::is_marked(const top_actor& actor) const {
  return actor.restart_count != 0 && !seen_.contains({actor.path, actor.restart_count});
}

bool top_model::is_list() const {
  return place_.shown == page::tree || place_.shown == page::list || place_.shown == page::sessions ||
         place_.shown == page::capsules;
}

std::vector<const top_actor*> top_model::shown_actors() const {
  auto as_tree = place_.shown == page::tree;
  std::vector<const top_actor*> rows;
  for (auto& actor : data_.actors)
    if (matches(actor) && (!as_tree || !filter_.empty() || !folded_away(actor))) rows.push_back(&actor);
  if (!as_tree)
    std::stable_sort(rows.begin(), rows.end(), [this](auto* a, auto* b) { return comes_before(*a, *b, sorted_by_); });
  return rows;
}

const top_actor* top_model::selected_actor() const {
  if (place_.shown != page::tree && place_.shown != page::list) return nullptr;
  auto rows = shown_actors();
  return place_.row < rows.size() ? rows[place_.row] : nullptr;
}

const top_actor* top_model::subject() const {
  if (auto* selected = selected_actor()) return selected;
  if (place_.of.empty() || place_.shown == page::capsule) return nullptr;
  auto found = std::find_if(data_.actors.begin(), data_.actors.end(), [this](auto& a) { return a.path == place_.of; });
  return found == data_.actors.end() ? nullptr : &*found;
}

const session_summary* top_model::selected_session() const {
  return place_.shown == page::sessions && place_.row < data_.sessions.size() ? &data_.sessions[place_.row] : nullptr;
}

} // namespace lucid

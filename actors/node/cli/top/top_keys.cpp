// actors/node/cli/top/top_keys.cpp - what each key does.
#include <algorithm>

#include "actors/node/cli/actor_paths.hpp"
#include "actors/node/cli/top/top_model.hpp"

namespace lucid {
namespace {

constexpr std::size_t filter_bytes_max = 60;
constexpr int rows_around = 4; ///< Title, caption, column heads and the bottom line.

constexpr int code(screen_key key) { return static_cast<int>(key); }

} // namespace

std::optional<top_wishes> top_model::press(int what, int width, int height) {
  if (what == code(screen_key::resize)) return std::nullopt;
  said_.clear();
  if (typing_) {
    type(what);
    return std::nullopt;
  }
  if (question_) return answer(what);
  auto page_rows = static_cast<long>(std::max(1, height - rows_around));
  auto far = static_cast<long>(body(width).size());
  switch (what) {
    case 'k':
    case code(screen_key::up): move(-1, width, height); break;
    case 'j':
    case code(screen_key::down): move(1, width, height); break;
    case code(screen_key::page_up): move(-page_rows, width, height); break;
    case code(screen_key::page_down): move(page_rows, width, height); break;
    case code(screen_key::home): place_.row = 0; break;
    case code(screen_key::end): move(far, width, height); break;
    default: return command(what);
  }
  return std::nullopt;
}

void top_model::move(long by, int width, int height) {
  auto rows = static_cast<long>(body(width).size());
  auto room = static_cast<long>(std::max(1, height - rows_around));
  auto last = is_list() ? rows - 1 : rows - room; // A page that is read ends with its last line at the bottom.
  place_.row = static_cast<std::size_t>(std::clamp(static_cast<long>(place_.row) + by, 0L, std::max(0L, last)));
}

void top_model::type(int what) {
  if (what == code(screen_key::enter)) typing_ = false;
  if (what == code(screen_key::escape)) {
    typing_ = false;
    filter_.clear();
  }
  if (what == code(screen_key::backspace) && !filter_.empty()) filter_.pop_back();
  if (what >= ' ' && what < 127 && filter_.size() < filter_bytes_max) filter_.push_back(static_cast<char>(what));
  place_.row = 0;
}

std::optional<top_wishes> top_model::answer(int what) {
  auto asked = std::exchange(question_, std::nullopt);
  if (what == 'y') return top_wish::act{std::move(asked->action)};
  say("nothing was done", true);
  return std::nullopt;
}

std::optional<top_wishes> top_model::command(int what) {
  if (page_key(what)) return std::nullopt;
  auto on_actors = place_.shown == page::tree || place_.shown == page::list;
  switch (what) {
    case 'q': return top_wish::quit{};
    case '/': typing_ = on_actors; return std::nullopt;
    case ' ': fold(); return std::nullopt;
    case 's':
      if (place_.shown == page::list)
        sorted_by_ = static_cast<actor_column>((static_cast<int>(sorted_by_) + 1) % actor_column_count);
      return std::nullopt;
    case 'x': return wish_for_session(node_action::kind::stop_session);
    case 'e': return wish_for_session(node_action::kind::extend_session);
    case code(screen_key::enter): open_selected(); return std::nullopt;
    case code(screen_key::escape):
      if (on_actors && back_.empty()) filter_.clear();
      else go_back();
      return std::nullopt;
    default: return action_key(what);
  }
}

bool top_model::page_key(int what) {
  auto* actor = subject();
  auto about_one = [&](page next) {
    if (actor) enter(next, actor->path);
  };
  switch (what) {
    case '1': go_to(page::tree); return true;
    case '2': go_to(page::list); return true;
    case '3': go_to(page::sessions); return true;
    case '4': go_to(page::capsules); return true;
    case '5': go_to(page::letters); return true;
    case '6': go_to(page::log); return true;
    case '?': enter(page::help, {}); return true;
    case 't': about_one(page::tap); return true;
    case 'l': about_one(page::log); return true;
    case 'c': about_one(page::capsules); return true;
    default: return false;
  }
}

std::optional<top_wishes> top_model::action_key(int what) const {
  using kind = node_action::kind;
  if (what == 'S') return top_wish::consult{{kind::stop_node, {}}};
  if (what == 'd') return top_wish::consult{{data_.draining ? kind::accept : kind::drain, {}}};
  auto* actor = subject();
  if (!actor) return std::nullopt;
  switch (what) {
    case 'r': return top_wish::consult{{kind::restart, actor->path}};
    case 'K': return top_wish::consult{{kind::kill, actor->path}};
    case 'p': return top_wish::consult{{actor->state == "suspended" ? kind::resume : kind::suspend, actor->path}};
    default: return std::nullopt;
  }
}

std::optional<top_wishes> top_model::wish_for_session(node_action::kind what) {
  auto* session = selected_session();
  if (!session) return std::nullopt;
  auto id = to_hex(session->id);
  if (!is_final(session->state)) return top_wish::consult{{what, std::move(id)}};
  say(id.substr(0, shown_id_length) + " has ended already", false);
  return std::nullopt;
}

void top_model::go_to(page next) {
  back_.clear();
  place_ = {next};
  rows_.reset();
}

void top_model::enter(page next, std::string of) {
  if (place_.shown == next && place_.of == of) return;
  if (back_.size() == way_back_max) back_.erase(back_.begin());
  back_.push_back(std::exchange(place_, {next, std::move(of)}));
  rows_.reset();
  held_ = false;
}

void top_model::go_back() {
  if (back_.empty()) return go_to(page::tree);
  place_ = std::move(back_.back());
  back_.pop_back();
  rows_.reset();
}

void top_model::open_selected() {
  if (place_.shown == page::capsules && rows_ && place_.row < rows_->ids.size())
    return enter(page::capsule, rows_->ids[place_.row]);
  auto* actor = selected_actor();
  if (!actor) return;
  seen_.emplace(actor->path, actor->restart_count);
  enter(page::actor, actor->path);
}

void top_model::fold() {
  if (place_.shown == page::tap) held_ = !held_;
  auto* actor = selected_actor();
  if (place_.shown != page::tree || !actor) return;
  if (!folded_.erase(actor->path)) folded_.insert(actor->path);
}

} // namespace lucid

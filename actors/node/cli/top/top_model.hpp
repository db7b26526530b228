// actors/node/cli/top/top_model.hpp - the screen of `lucid top`: keys in, lines and wishes out. It has no terminal and no clock.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "actors/node/cli/node_action.hpp"
#include "actors/node/cli/top/top_actors.hpp"
#include "actors/node/cli/top/top_data.hpp"
#include "actors/node/cli/top/top_records.hpp"
#include "adapters/terminal/screen.hpp"

namespace lucid {

/// What the person wishes.
namespace top_wish {
struct quit {};
struct consult { node_action action; }; ///< Find out what it would do, and `ask`.
struct act { node_action action; };     ///< The question was answered with yes.
} // namespace top_wish
using top_wishes = std::variant<top_wish::quit, top_wish::consult, top_wish::act>;

/// What the page on the screen needs of the node beyond actors and sessions.
struct top_view {
  enum class kind : std::uint8_t { nothing, log, capsules, capsule, letters, tap };
  kind what = kind::nothing;
  std::string of; ///< An actor's path (empty: all) or a capsule's id.
  bool operator==(const top_view&) const = default;
};

/// The state of the screen. A value; one thread.
///
/// Pages: the tree, the flat list sorted by a column, sessions, capsules, letters, the log; one actor, its messages, its log
/// lines, its capsules, one capsule; the keys. A restart stays marked until it was looked at on the actor's own page.
class top_model {
public:
  static constexpr int width_min = 80, height_min = 24; ///< Below that a line says so, and what fits is shown.
  static constexpr std::size_t way_back_max = 16;       ///< Pages that escape leads back through.

  /// New data, or the reason why there is none; what was there stays on the screen.
  void update(top_data data);
  void update_failed(std::string why);

  /// What the page needs, and what it got. An answer for a page that was left meanwhile is dropped.
  top_view view() const;
  void show(const top_view& of, top_rows rows);
  void show_failed(const top_view& of, const std::string& why);

  /// A key was pressed: a character or a `screen_key`, on a screen of this size.
  std::optional<top_wishes> press(int what, int width, int height);

  /// Asks whether to do it, now that the node has told what it would do.
  void ask(node_action action, std::string consequence);

  /// What a wish came to; shown until the next key.
  void say(std::string words, bool good);

  std::vector<text_line> lines(int width, int height) const;

private:
  enum class page : std::uint8_t { tree, list, sessions, capsules, letters, log, actor, tap, capsule, help };
  struct place {
    page shown = page::tree;
    std::string of = {};   ///< The actor or capsule that the page is about.
    std::size_t row = 0;   ///< The selected one, or the first one of a page that is read.
  };
  struct question {
    node_action action;
    std::string words;
  };

  // Where we are, top_model.cpp.
  std::vector<const top_actor*> shown_actors() const; ///< Of the tree or the list, filtered, folded, sorted.
  bool matches(const top_actor& actor) const;
  bool folded_away(const top_actor& actor) const;
  void take_new_nodes();
  bool is_marked(const top_actor& actor) const;
  bool is_list() const; ///< Rows are selected, not just read.
  const top_actor* selected_actor() const;
  const top_actor* subject() const; ///< The actor that keys act on.
  const session_summary* selected_session() const;

  // Keys, top_keys.cpp.
  void move(long by, int width, int height);
  void type(int what);
  std::optional<top_wishes> answer(int what);
  std::optional<top_wishes> command(int what);
  std::optional<top_wishes> action_key(int what) const;
  std::optional<top_wishes> wish_for_session(node_action::kind what);
  bool page_key(int what);
  void go_to(page next);
  void enter(page next, std::string of);
  void go_back();
  void open_selected();
  void fold();

  // Lines, top_screen.cpp.
  std::vector<text_line> body(int width) const;
  std::vector<text_line> actor_rows(int width) const;
  std::vector<text_line> session_rows(int width) const;
  std::vector<text_line> record_rows(int width) const;
  std::vector<text_line> notice(int width) const; ///< What stands at the bottom, at least one line.
  std::string title_line(int width, int height) const;
  std::string caption() const;
  std::string column_heads(int width) const;
  std::string hint() const;

  top_data data_;
  std::string trouble_;
  place place_;
  std::vector<place> back_;
  actor_column sorted_by_ = actor_column::busy;
  std::string filter_;
  bool typing_ = false;
  std::set<std::string> folded_;
  std::set<std::string> nodes_; ///< Other nodes of the cluster that were seen before.
  std::set<std::pair<std::string, std::uint64_t>> seen_; ///< Restarts somebody has looked at: path and count.
  bool first_ = true;
  top_view rows_of_;
  std::optional<top_rows> rows_; ///< Of `rows_of_`; none until the node has answered.
  bool held_ = false;            ///< The tap's page stands still.
  std::optional<question> question_;
  std::string said_;
  bool said_good_ = true;
};

} // namespace lucid

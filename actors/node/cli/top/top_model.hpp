// actors/node/cli/top/top_model.hpp - the screen of `lucid top`: keys in, lines and wishes out. It has no terminal and no clock.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "actors/node/cli/top/top_data.hpp"
#include "adapters/terminal/screen.hpp"

namespace lucid {

/// What the person wishes the node to do. The model has asked for confirmation before.
namespace top_wish {
struct quit {};
struct stop_session { session_id id{}; };
struct extend_session { session_id id{}; std::uint32_t seconds = 600; };
struct stop_node {};
} // namespace top_wish
using top_wishes = std::variant<top_wish::quit, top_wish::stop_session, top_wish::extend_session, top_wish::stop_node>;

/// The state of the screen. A value; one thread.
///
/// Pages: the tree, the flat list sorted by a column, one actor, the sessions, the keys. A restart stays marked until it
/// was looked at on the actor's own page.
class top_model {
public:
  static constexpr int width_min = 80, height_min = 24; ///< Below that a line says so, and what fits is shown.

  /// New data, or the reason why there is none; what was there stays on the screen.
  void update(top_data data);
  void update_failed(std::string why);

  /// A key was pressed: a character or a `screen_key`. `height` is that of the screen: a page is that long.
  std::optional<top_wishes> press(int what, int height);

  /// What a wish came to; shown until the next key.
  void say(std::string words, bool good);

  std::vector<text_line> lines(int width, int height) const;

private:
  enum class page : std::uint8_t { tree, list, actor, sessions, help };
  enum class column : std::uint8_t { path, state, mailbox, rate, busy, restarts, p99 };
  struct question {
    std::string words;
    top_wishes wish;
  };

  std::vector<const top_actor*> shown_actors() const; ///< Of the tree or the list, filtered, folded, sorted.
  bool matches(const top_actor& actor) const;
  bool folded_away(const top_actor& actor) const;
  bool is_marked(const top_actor& actor) const;
  const top_actor* selected_actor() const;
  const session_summary* selected_session() const;
  std::size_t row_count() const;
  void move(long by);
  void type(int what);
  std::optional<top_wishes> answer(int what);
  std::optional<top_wishes> command(int what);
  void open_selected();
  void fold();
  void ask_for_session(bool stop);

  std::vector<text_line> actor_rows(int width) const;
  std::vector<text_line> actor_page(int width) const;
  std::vector<text_line> session_rows(int width) const;
  std::string summary_line() const;
  std::string status_line() const;

  top_data data_;
  std::string trouble_;
  page page_ = page::tree;
  page before_ = page::tree;     ///< Where escape leads back to.
  column sorted_by_ = column::busy;
  std::string filter_;
  bool typing_ = false;
  std::set<std::string> folded_;
  std::set<std::pair<std::string, std::uint64_t>> seen_; ///< Restarts somebody has looked at: path and count.
  bool first_ = true;
  std::size_t at_ = 0;           ///< Selected row.
  std::string opened_;           ///< Path of the actor's page.
  std::optional<question> question_;
  std::string said_;
  bool said_good_ = true;
};

} // namespace lucid

// actors/node/cli/top/top_screen.cpp - the lines of each page.
#include <algorithm>

#include <fmt/format.h>

#include "actors/node/cli/actor_paths.hpp"
#include "actors/node/cli/top/top_model.hpp"
#include "actors/node/cli/top/top_text.hpp"
#include "actors/node/session_text.hpp"

namespace lucid {
namespace {

constexpr int rows_above = 3;             ///< Title, caption, column heads.
constexpr std::size_t notice_rows_max = 8;
constexpr auto session_format = "{:<12} {:<11} {:>8} {:>7} {:>9} {:>4} {:>5}  {}";

constexpr auto help_text = R"(Pages
  1  the supervision tree         4  crash capsules: what an actor was doing
  2  all actors, by a column      5  dead letters, and what was turned away
  3  the sessions                 6  the log

Moving
  up, down, page up, page down, home, end (or j and k)
  enter   one actor, or one capsule        escape  back
  /       find by path, kind or state; escape ends it
  space   fold what is below an actor (tree); hold the messages (t)
  s       sort by the next column (list)

One actor: the selected one, or the one whose page it is
  t  the messages it handles, as they come
  l  its lines of the log                  c  its crash capsules
  r  restart it, in order                  K  kill it, as if it had crashed
  p  suspend it, or resume it (pause)

The selected session                       The node
  x  stop it                               d  drain: no new sessions, or accept
  e  ten minutes more                         them again
                                           S  stop it, its sessions first

What changes something says first what it would do, and asks.
A restart stays marked with * until the actor's page has been opened.
q leaves; the node goes on.)";

std::vector<text_line> help_lines() {
  std::vector<text_line> lines;
  std::string_view rest = help_text;
  while (!rest.empty()) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    auto is_head = !line.empty() && line.front() >= 'A' && line.front() <= 'Z' && line.find('.') == std::string_view::npos;
    lines.push_back({std::string(line), is_head ? text_style::head : text_style::plain});
  }
  return lines;
}

/// Lines of any length in lines of the screen's, each part in the style of the whole.
std::vector<text_line> fitted(const std::vector<text_line>& lines, int width) {
  constexpr int further_in = 4;
  std::vector<text_line> rows;
  for (auto& line : lines) {
    auto margin = line.text.find_first_not_of(' ');
    auto indent = margin == std::string::npos ? 0 : static_cast<int>(margin) + further_in;
    for (auto& part : wrapped(line.text, width, indent)) rows.push_back({std::move(part), line.style});
  }
  return rows;
}

text_style style_of(const session_summary& s) {
  if (s.state == session_state::failed || s.state == session_state::interrupted) return text_style::alert;
  return is_final(s.state) ? text_style::dim : text_style::plain;
}

} // namespace

std::string top_model::title_line(int width, int height) const {
  if (width < width_min || height < height_min) return fmt::format("{}x{} is small; 80x24 shows all", width, height);
  if (data_.software.empty()) return "lucid top: asking the node";
  return fmt::format("{}  {}  up {}{}", data_.node_name, data_.software, duration_text(data_.uptime_us),
                     data_.draining ? "  DRAINING: no new sessions" : "");
}

std::string top_model::caption() const {
  auto of_one = place_.of.empty() ? std::string() : " of " + with_short_ids(place_.of);
  switch (place_.shown) {
    case page::list: return fmt::format("sorted by {} (s: next)", to_string(sorted_by_));
    case page::actor: return "One actor";
    case page::tap: return fmt::format("Messages{}, newest first{}", of_one, held_ ? "; HELD, space goes on" : "");
    case page::log: return fmt::format("Log{}, newest first", of_one);
    case page::capsules: return fmt::format("Crash capsules{}, newest first", of_one);
    case page::capsule: return "Crash capsule";
    case page::letters: return "Dead letters and refusals since the node began";
    case page::help: return "Keys";
    case page::tree:
    case page::sessions: break;
  }
  std::uint64_t restarts = 0, letters = 0, mail = 0;
  for (auto& actor : data_.actors) {
    restarts += actor.restart_count;
    letters += actor.dead_letter_count;
    mail += actor.mailbox_length;
  }
  auto running = std::count_if(data_.sessions.begin(), data_.sessions.end(), [](auto& s) { return !is_final(s.state); });
  return fmt::format("{} actors  {} mail  {}  {}  {} ({} running)  block {}",
                     data_.actors.size(), mail, counted(restarts, "restart"), counted(letters, "dead letter"),
                     counted(data_.sessions.size(), "session"), running, data_.ledger_height);
}

std::string top_model::column_heads(int width) const {
  if (place_.shown == page::tree || place_.shown == page::list) return actor_head(width);
  if (place_.shown == page::sessions)
    return cut_to(fmt::format(session_format, "SESSION", "STATE", "LENGTH", "FRAMES", "STORED", "GAPS", "BLOCK", "WHAT"), width);
  return {};
}

std::string top_model::hint() const {
  switch (place_.shown) {
    case page::tree:
    case page::list:
      if (!filter_.empty()) return fmt::format("found: {} (escape ends it)  enter actor  r restart  K kill  ? keys", filter_);
      return "1-6 pages  enter actor  r restart  K kill  p suspend  t tap  / find  ? keys  q";
    case page::sessions: return "1-6 pages  x stop  e ten minutes more  d drain  ? keys  q leave";
    case page::actor: return "r restart  K kill  p suspend  t tap  l log  c capsules  escape back  ? keys";
    case page::tap: return "space hold  l log  r restart  K kill  p suspend  escape back  ? keys  q leave";
    case page::capsules: return "1-6 pages  enter read  escape back  ? keys  q leave";
    case page::letters:
    case page::log:
    case page::capsule:
    case page::help: return "1-6 pages  escape back  ? keys  q leave";
  }
  return {};
}

std::vector<text_line> top_model::notice(int width) const {
  auto in_style = [width](const std::string& text, text_style style) { return fitted({{text, style}}, width); };
  if (question_) {
    auto lines = in_style(with_short_ids(question_->words), text_style::title);
    if (lines.size() >= notice_rows_max) lines.resize(notice_rows_max - 1);
    lines.push_back({cut_to(fmt::format("{}? y does it, any other key leaves it", to_string(question_->action)), width),
                     text_style::selected});
    return lines;
  }
  if (typing_) return {{cut_to("/" + filter_ + "_", width), text_style::dim}};
  auto lines = !said_.empty()      ? in_style(with_short_ids(said_), said_good_ ? text_style::dim : text_style::alert)
               : !trouble_.empty() ? in_style(trouble_, text_style::alert)
                                   : std::vector<text_line>{{cut_to(hint(), width), text_style::dim}};
  if (lines.size() > notice_rows_max) lines.resize(notice_rows_max);
  return lines;
}

std::vector<text_line> top_model::actor_rows(int width) const {
  std::vector<text_line> rows;
  auto as_tree = place_.shown == page::tree && filter_.empty();
  for (auto* actor : shown_actors()) {
    std::string name;
    if (as_tree) {
      name.append(2 * static_cast<std::size_t>(depth_of(actor->path)), ' ');
      name.append(folded_.contains(actor->path) ? "+ " : "").append(last_name(actor->path));
    } else {
      name = with_short_ids(actor->path);
    }
    auto marked = is_marked(*actor);
    auto style = marked ? text_style::marked : actor->state == "running" ? text_style::plain : text_style::alert;
    rows.push_back({actor_row(*actor, marked ? "* " + name : name, width), style});
  }
  if (rows.empty() && !filter_.empty()) rows.push_back({cut_to("Nothing contains \"" + filter_ + "\".", width)});
  return rows;
}

std::vector<text_line> top_model::session_rows(int width) const {
  std::vector<text_line> rows;
  for (auto& s : data_.sessions) {
    auto text = fmt::format(session_format, to_hex(s.id).substr(0, shown_id_length), to_string(s.state),
                            duration_text(recorded_length_us(s)), s.frame_count, size_text(s.stored_bytes), s.gap_count,
                            s.block_height == 0 ? "-" : block_text(s.block_height, s.block_producer, {}),
                            s.title.empty() ? s.source : s.title);
    rows.push_back({cut_to(text, width), style_of(s)});
  }
  if (rows.empty()) rows.push_back({cut_to("No sessions yet. Start one with `lucid record`.", width), text_style::dim});
  return rows;
}

std::vector<text_line> top_model::record_rows(int width) const {
  if (!rows_ || rows_of_ != view()) return {{cut_to("asking the node ...", width), text_style::dim}};
  if (rows_->lines.empty()) {
    auto none = place_.shown == page::log ? "No line yet." : "None: no actor has crashed.";
    return {{cut_to(none, width), text_style::dim}};
  }
  if (place_.shown != page::capsules) return fitted(rows_->lines, width);
  auto rows = rows_->lines;
  for (auto& row : rows) row.text = cut_to(row.text, width); // One line each, so that a row is a capsule.
  return rows;
}

std::vector<text_line> top_model::body(int width) const {
  switch (place_.shown) {
    case page::tree:
    case page::list: return actor_rows(width);
    case page::sessions: return session_rows(width);
    case page::actor:
      if (auto* actor = subject()) return fitted(actor_page(*actor), width);
      return fitted({{place_.of + " is gone: it ended, and nobody restarts it.", text_style::alert}}, width);
    case page::help: return fitted(help_lines(), width);
    case page::capsules:
    case page::letters:
    case page::log:
    case page::tap:
    case page::capsule: return record_rows(width);
  }
  return {};
}

std::vector<text_line> top_model::lines(int width, int height) const {
  std::vector<text_line> screen{{cut_to(title_line(width, height), width), text_style::title},
                                {cut_to(caption(), width), text_style::dim},
                                {column_heads(width), text_style::head}};
  auto bottom = notice(width);
  auto most = static_cast<std::size_t>(std::max(rows_above + 1, height));
  if (screen.size() + bottom.size() > most) bottom.erase(bottom.begin(), bottom.end() - static_cast<long>(most - screen.size()));
  auto room = most - screen.size() - bottom.size();

  auto rows = body(width);
  auto from = place_.row;
  if (is_list()) from = place_.row < room ? 0 : place_.row - room + 1;
  else from = std::min(from, rows.size() > room ? rows.size() - room : 0);
  if (!is_list() && rows.size() > room && room > 0)
      screen[1].text = cut_to(
          fmt::format("{}  (lines {} to {} of {})", caption(), from + 1, std::min(from + room, rows.size()), rows.size()), width);
  for (auto i = from; i < rows.size() && i < from + room; ++i) {
    if (is_list() && i == place_.row) rows[i].style = text_style::selected;
    screen.push_back(std::move(rows[i]));
  }
  screen.resize(most - bottom.size());
  screen.insert(screen.end(), bottom.begin(), bottom.end());
  return screen;
}

} // namespace lucid

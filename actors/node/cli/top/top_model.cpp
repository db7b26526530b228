// actors/node/cli/top/top_model.cpp - pages, selection, sorting and the lines they make.
#include "actors/node/cli/top/top_model.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "actors/node/session_text.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

constexpr std::size_t filter_bytes_max = 60;
constexpr int rows_around = 4;            ///< Title, summary, head and status line.
constexpr int path_width_min = 24;
constexpr int numbers_width = 55;         ///< All columns behind the path.
constexpr std::size_t short_id_length = 12;

std::size_t depth_of(const std::string& path) {
  if (path == "root") return 0;
  return 1 + static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
}

bool is_below(const std::string& path, const std::string& top) {
  if (top == "root") return path != "root";
  return path.size() > top.size() && path.starts_with(top) && path[top.size()] == '/';
}

/// A session's id in a path says as much in twelve digits.
std::string shortened(const std::string& path) {
  auto begin = path.find("sessions/");
  if (begin != 0) return path;
  auto id = path.substr(9, path.find('/', 9) - 9);
  if (id.size() <= short_id_length) return path;
  return "sessions/" + id.substr(0, short_id_length) + path.substr(9 + id.size());
}

std::string last_name(const std::string& path) {
  auto short_path = shortened(path);
  return short_path.substr(short_path.rfind('/') + 1);
}

/// Fit to be shown, whatever it is, within `width` bytes.
std::string cut_to(const std::string& foreign, int width) {
  auto text = printable(foreign);
  auto most = static_cast<std::size_t>(std::max(0, width));
  if (text.size() <= most) return text;
  auto end = most > 3 ? most - 3 : most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end; // Not within a character.
  text.resize(end);
  if (most > 3) text.append("...");
  return text;
}

std::string nanoseconds_text(std::uint64_t ns) {
  if (ns < 10'000) return fmt::format("{} ns", ns);
  if (ns < 10'000'000) return fmt::format("{} us", ns / 1000);
  if (ns < 10'000'000'000) return fmt::format("{} ms", ns / 1'000'000);
  return fmt::format("{} s", ns / 1'000'000'000);
}

std::string rate_text(double rate) { return rate < 100 ? fmt::format("{:.1f}", rate) : fmt::format("{:.0f}", rate); }

std::string actor_line(const top_actor& a, const std::string& name, int width) {
  auto path_width = std::max(path_width_min, width - numbers_width);
  auto text = fmt::format("{:<{}} {:<10} {:>4} {:>6} {:>8} {:>6} {:>5} {:>8}", cut_to(name, path_width), path_width, a.state,
                          a.incarnation, a.mailbox_length, rate_text(a.rate), fmt::format("{:.1f}%", a.busy_share * 100),
                          a.restart_count, nanoseconds_text(a.p99_ns));
  return cut_to(text, width);
}

std::string actor_head(int width) {
  auto path_width = std::max(path_width_min, width - numbers_width);
  return cut_to(fmt::format("{:<{}} {:<10} {:>4} {:>6} {:>8} {:>6} {:>5} {:>8}", "ACTOR", path_width, "STATE", "INC",
                            "MAIL", "MSG/S", "BUSY", "REST", "P99"), width);
}

constexpr std::array help_lines{
  "1  the supervision tree           2  all actors, sorted by a column",
  "3  the sessions                   ?  these keys",
  "",
  "up, down, page up, page down, home, end   move (j and k, too)",
  "enter    one actor: its state, messages, handler times and restarts",
  "space    fold or unfold what is below an actor (tree)",
  "s        sort by the next column (list)",
  "/        show only what contains a text: path, kind or state; escape ends it",
  "escape   back",
  "",
  "x        stop the selected session      e  extend it by ten minutes   (sessions)",
  "S        stop the node, its sessions first",
  "q        leave; the node goes on",
  "",
  "A restart stays marked with * until the actor's page has been opened.",
};

} // namespace

// --- data --------------------------------------------------------------------------------------------------------

void top_model::update(top_data data) {
  auto selected = selected_actor() ? selected_actor()->path : std::string();
  data_ = std::move(data);
  trouble_.clear();
  if (std::exchange(first_, false)) // What happened before somebody looked is told by the numbers, not by a mark.
    for (auto& actor : data_.actors) seen_.emplace(actor.path, actor.restart_count);
  if (!selected.empty()) { // The selection stays with its actor, not with its row.
    auto rows = shown_actors();
    auto found = std::find_if(rows.begin(), rows.end(), [&](auto* a) { return a->path == selected; });
    if (found != rows.end()) at_ = static_cast<std::size_t>(found - rows.begin());
  }
  move(0);
}

void top_model::update_failed(std::string why) { trouble_ = std::move(why); }

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

std::vector<const top_actor*> top_model::shown_actors() const {
  auto as_tree = page_ == page::tree;
  std::vector<const top_actor*> rows;
  for (auto& actor : data_.actors)
    if (matches(actor) && (!as_tree || !filter_.empty() || !folded_away(actor))) rows.push_back(&actor);
  if (as_tree) return rows;
  auto more = [this](const top_actor* a, const top_actor* b) {
    switch (sorted_by_) {
      case column::path: return a->path < b->path;
      case column::state: return a->state < b->state;
      case column::mailbox: return a->mailbox_length > b->mailbox_length;
      case column::rate: return a->rate > b->rate;
      case column::busy: return a->busy_share > b->busy_share;
      case column::restarts: return a->restart_count > b->restart_count;
      case column::p99: return a->p99_ns > b->p99_ns;
    }
    return false;
  };
  std::stable_sort(rows.begin(), rows.end(), more);
  return rows;
}

const top_actor* top_model::selected_actor() const {
  if (page_ != page::tree && page_ != page::list) return nullptr;
  auto rows = shown_actors();
  return at_ < rows.size() ? rows[at_] : nullptr;
}

const session_summary* top_model::selected_session() const {
  return page_ == page::sessions && at_ < data_.sessions.size() ? &data_.sessions[at_] : nullptr;
}

std::size_t top_model::row_count() const {
  switch (page_) {
    case page::tree:
    case page::list: return shown_actors().size();
    case page::sessions: return data_.sessions.size();
    case page::actor: return actor_page(width_min).size();
    case page::help: return help_lines.size();
  }
  return 0;
}

// --- keys --------------------------------------------------------------------------------------------------------

void top_model::move(long by) {
  auto last = static_cast<long>(row_count()) - 1;
  at_ = static_cast<std::size_t>(std::clamp(static_cast<long>(at_) + by, 0L, std::max(0L, last)));
}

void top_model::type(int what) {
  if (what == static_cast<int>(screen_key::enter)) typing_ = false;
  if (what == static_cast<int>(screen_key::escape)) {
    typing_ = false;
    filter_.clear();
  }
  if (what == static_cast<int>(screen_key::backspace) && !filter_.empty()) filter_.pop_back();
  if (what >= ' ' && what < 127 && filter_.size() < filter_bytes_max) filter_.push_back(static_cast<char>(what));
  at_ = 0;
}

std::optional<top_wishes> top_model::answer(int what) {
  auto asked = std::exchange(question_, std::nullopt);
  if (what == 'y') return asked->wish;
  say("nothing was done", true);
  return std::nullopt;
}

void top_model::open_selected() {
  auto actor = selected_actor();
  if (!actor) return;
  opened_ = actor->path;
  seen_.emplace(actor->path, actor->restart_count);
  before_ = std::exchange(page_, page::actor);
  at_ = 0;
}

void top_model::fold() {
  auto actor = selected_actor();
  if (page_ != page::tree || !actor) return;
  if (!folded_.erase(actor->path)) folded_.insert(actor->path);
}

void top_model::ask_for_session(bool stop) {
  auto session = selected_session();
  if (!session) return;
  auto name = to_hex(session->id).substr(0, short_id_length);
  if (is_final(session->state)) return say(name + " has ended already", false);
  if (stop)
    question_ = {"Stop recording " + name + "? It is sealed, stored and anchored first. y/n",
                 top_wish::stop_session{session->id}};
  else
    question_ = {"Let " + name + " record ten minutes longer? y/n", top_wish::extend_session{session->id}};
}

std::optional<top_wishes> top_model::press(int what, int height) {
  said_.clear();
  if (typing_) {
    type(what);
    return std::nullopt;
  }
  if (question_) return answer(what);
  auto page_rows = static_cast<long>(std::max(1, height - rows_around));
  switch (what) {
    case 'k':
    case static_cast<int>(screen_key::up): move(-1); break;
    case 'j':
    case static_cast<int>(screen_key::down): move(1); break;
    case static_cast<int>(screen_key::page_up): move(-page_rows); break;
    case static_cast<int>(screen_key::page_down): move(page_rows); break;
    case static_cast<int>(screen_key::home): at_ = 0; break;
    case static_cast<int>(screen_key::end): move(static_cast<long>(row_count())); break;
    default: return command(what);
  }
  return std::nullopt;
}

std::optional<top_wishes> top_model::command(int what) {
  auto show = [this](page next) {
    page_ = next;
    at_ = 0;
  };
  switch (what) {
    case 'q': return top_wish::quit{};
    case '1': show(page::tree); break;
    case '2': show(page::list); break;
    case '3': show(page::sessions); break;
    case '?':
      if (page_ != page::help) before_ = page_;
      show(page::help);
      break;
    case '/': typing_ = page_ == page::tree || page_ == page::list; break;
    case ' ': fold(); break;
    case 's':
      if (page_ == page::list) sorted_by_ = static_cast<column>((static_cast<int>(sorted_by_) + 1) % 7);
      break;
    case 'x': ask_for_session(true); break;
    case 'e': ask_for_session(false); break;
    case 'S': {
      auto running = std::count_if(data_.sessions.begin(), data_.sessions.end(), [](auto& s) { return !is_final(s.state); });
      question_ = {fmt::format("Stop the node? It ends {} running session{} in order first. y/n", running,
                               running == 1 ? "" : "s"),
                   top_wish::stop_node{}};
      break;
    }
    case static_cast<int>(screen_key::enter): open_selected(); break;
    case static_cast<int>(screen_key::escape):
      if (page_ == page::actor || page_ == page::help)
        show(before_);
      else
        filter_.clear();
      break;
    default: break;
  }
  return std::nullopt;
}

// --- lines -------------------------------------------------------------------------------------------------------

std::string top_model::summary_line() const {
  std::uint64_t restarts = 0, letters = 0, mail = 0;
  for (auto& actor : data_.actors) {
    restarts += actor.restart_count;
    letters += actor.dead_letter_count;
    mail += actor.mailbox_length;
  }
  auto running = std::count_if(data_.sessions.begin(), data_.sessions.end(), [](auto& s) { return !is_final(s.state); });
  return fmt::format("{} actors  {} mail  {} restarts  {} dead letters  {} sessions ({} running)  block {}",
                     data_.actors.size(), mail, restarts, letters, data_.sessions.size(), running, data_.ledger_height);
}

std::string top_model::status_line() const {
  if (question_) return question_->words;
  if (typing_) return "/" + filter_ + "_";
  if (!said_.empty()) return said_;
  if (!trouble_.empty()) return trouble_;
  std::string hint = "1 tree  2 list  3 sessions  enter actor  / filter  ? keys  q leave";
  if (!filter_.empty()) hint = "filter: " + filter_ + " (escape ends it)  " + hint;
  return hint;
}

std::vector<text_line> top_model::actor_rows(int width) const {
  std::vector<text_line> rows;
  auto as_tree = page_ == page::tree && filter_.empty();
  for (auto* actor : shown_actors()) {
    std::string name;
    if (as_tree) {
      name.append(2 * depth_of(actor->path), ' ');
      name.append(folded_.contains(actor->path) ? "+ " : "").append(last_name(actor->path));
    } else {
      name = shortened(actor->path);
    }
    auto marked = is_marked(*actor);
    auto style = marked ? text_style::marked : actor->state == "running" ? text_style::plain : text_style::alert;
    rows.push_back({actor_line(*actor, marked ? "* " + name : name, width), style});
  }
  return rows;
}

std::vector<text_line> top_model::actor_page(int width) const {
  auto found = std::find_if(data_.actors.begin(), data_.actors.end(), [this](auto& a) { return a.path == opened_; });
  if (found == data_.actors.end())
    return {{cut_to(opened_ + " is gone: it ended, and nobody restarts it.", width), text_style::alert}};
  auto& a = *found;
  std::vector<text_line> rows;
  auto add = [&](std::string text, text_style style = text_style::plain) {
    rows.push_back({cut_to(text, width), style});
  };
  add(a.path, text_style::head);
  add(fmt::format("{}, {}, incarnation {}, {} restarts, {} dead letters", a.kind, a.state, a.incarnation, a.restart_count,
                  a.dead_letter_count));
  add(fmt::format("mailbox {}   {} messages/s   busy {:.1f} %   handlers p50 {}, p99 {}, longest {}", a.mailbox_length,
                  rate_text(a.rate), a.busy_share * 100, nanoseconds_text(a.p50_ns), nanoseconds_text(a.p99_ns),
                  nanoseconds_text(a.max_ns)));
  add("");
  if (!a.own_state.empty()) add("Its own state", text_style::head);
  for (auto& [name, value] : a.own_state) add(fmt::format("  {:<24} {}", name, value));
  if (!a.handled.empty()) add("Handled by this incarnation", text_style::head);
  for (auto& [type, count] : a.handled) add(fmt::format("  {:>10}  {}", count, type));
  if (!a.restarts.empty()) add("Why it was restarted, newest first", text_style::head);
  for (auto& reason : a.restarts) add("  " + reason, text_style::alert);
  return rows;
}

std::vector<text_line> top_model::session_rows(int width) const {
  std::vector<text_line> rows;
  for (auto& s : data_.sessions) {
    auto text = fmt::format("{:<12} {:<11} {:>9} {:>8} {:>10} {:>5} {:>6}  {}", to_hex(s.id).substr(0, short_id_length),
                            to_string(s.state), duration_text(recorded_length_us(s)), s.frame_count,
                            size_text(s.stored_bytes), s.gap_count, s.block_height == 0 ? "-" : fmt::format("{}", s.block_height),
                            s.title.empty() ? s.source : s.title);
    auto style = s.state == session_state::failed || s.state == session_state::interrupted ? text_style::alert
                 : is_final(s.state)                                                       ? text_style::dim
                                                                                           : text_style::plain;
    rows.push_back({cut_to(text, width), style});
  }
  return rows;
}

std::vector<text_line> top_model::lines(int width, int height) const {
  std::vector<text_line> screen;
  auto title = data_.software.empty()
                 ? std::string("lucid top: asking the node")
                 : fmt::format("{}  {}  up {}", data_.node_name, data_.software, duration_text(data_.uptime_us));
  if (width < width_min || height < height_min) title = fmt::format("{}x{} is small; 80x24 shows all", width, height);
  screen.push_back({cut_to(title, width), text_style::title});
  screen.push_back({cut_to(summary_line(), width), text_style::dim});

  std::vector<text_line> body;
  std::string head;
  if (page_ == page::tree || page_ == page::list) {
    head = actor_head(width);
    if (page_ == page::list) {
      constexpr std::array names{"actor", "state", "mail", "messages/s", "busy", "restarts", "p99"};
      screen.back().text = cut_to(fmt::format("sorted by {} (s: next)", names[static_cast<std::size_t>(sorted_by_)]), width);
    }
    body = actor_rows(width);
    if (body.empty() && !filter_.empty()) body.push_back({cut_to("Nothing contains \"" + filter_ + "\".", width)});
  } else if (page_ == page::sessions) {
    head = cut_to(fmt::format("{:<12} {:<11} {:>9} {:>8} {:>10} {:>5} {:>6}  {}", "SESSION", "STATE", "LENGTH", "FRAMES",
                              "STORED", "GAPS", "BLOCK", "WHAT"), width);
    body = session_rows(width);
    if (body.empty()) body.push_back({cut_to("No sessions yet. Start one with `lucid record`.", width), text_style::dim});
  } else if (page_ == page::actor) {
    body = actor_page(width);
  } else {
    for (auto* line : help_lines) body.push_back({cut_to(line, width)});
  }
  screen.push_back({head, text_style::head});

  auto room = static_cast<std::size_t>(std::max(1, height - rows_around));
  auto selects = page_ == page::tree || page_ == page::list || page_ == page::sessions;
  auto from = at_ < room ? 0 : at_ - room + 1;
  if (!selects) from = std::min(at_, body.size() > room ? body.size() - room : 0);
  for (auto i = from; i < body.size() && i < from + room; ++i) {
    if (selects && i == at_) body[i].style = text_style::selected;
    screen.push_back(std::move(body[i]));
  }
  while (screen.size() + 1 < static_cast<std::size_t>(std::max(rows_around, height))) screen.push_back({});
  auto bad = !question_ && ((!said_.empty() && !said_good_) || (said_.empty() && !trouble_.empty()));
  screen.push_back({cut_to(status_line(), width), question_ ? text_style::title : bad ? text_style::alert : text_style::dim});
  return screen;
}

} // namespace lucid

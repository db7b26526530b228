// adapters/terminal/screen.cpp - the only file that includes ncurses.
#include "adapters/terminal/screen.hpp"

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include <curses.h>

namespace lucid {
namespace {

constexpr int escape_delay_ms = 25; ///< Long enough for a sequence over SSH, short enough not to be felt.
enum pair : short { pair_marked = 1, pair_alert, pair_title };

attr_t look_of(text_style style, bool colours) {
  switch (style) {
    case text_style::plain: return A_NORMAL;
    case text_style::title: return colours ? COLOR_PAIR(pair_title) | A_BOLD : A_BOLD;
    case text_style::head: return A_BOLD | A_UNDERLINE;
    case text_style::selected: return A_REVERSE;
    case text_style::marked: return colours ? COLOR_PAIR(pair_marked) | A_BOLD : A_BOLD;
    case text_style::alert: return colours ? static_cast<attr_t>(COLOR_PAIR(pair_alert)) : A_STANDOUT;
    case text_style::dim: return A_DIM;
  }
  return A_NORMAL;
}

screen_key named(int pressed) {
  switch (pressed) {
    case KEY_UP: return screen_key::up;
    case KEY_DOWN: return screen_key::down;
    case KEY_PPAGE: return screen_key::page_up;
    case KEY_NPAGE: return screen_key::page_down;
    case KEY_HOME: return screen_key::home;
    case KEY_END: return screen_key::end;
    case '\r':
    case '\n':
    case KEY_ENTER: return screen_key::enter;
    case 27: return screen_key::escape;
    case 8:
    case 127:
    case KEY_BACKSPACE: return screen_key::backspace;
    case KEY_RESIZE: return screen_key::resize;
    default: return screen_key::none;
  }
}

} // namespace

outcome<std::unique_ptr<screen>> screen::open() {
  if (!::isatty(STDIN_FILENO) || !::isatty(STDOUT_FILENO))
    return fail(errc::unsupported, "terminal", "this needs a terminal; for programs there is `lucid inspect --json`");
  std::setlocale(LC_CTYPE, ""); // Else ncurses takes UTF-8 for single bytes.
  ::set_escdelay(escape_delay_ms);
  auto* made = ::newterm(nullptr, stdout, stdin);
  if (!made) {
    auto* name = std::getenv("TERM");
    return fail(errc::unsupported, "terminal",
                std::string("nothing is known of the terminal TERM=").append(name ? name : "(not set)").append(
                  "; try TERM=xterm or TERM=linux"));
  }
  auto colours = std::getenv("NO_COLOR") == nullptr && ::has_colors();
  if (colours) {
    ::start_color();
    ::use_default_colors();
    ::init_pair(pair_marked, COLOR_YELLOW, -1);
    ::init_pair(pair_alert, COLOR_RED, -1);
    ::init_pair(pair_title, COLOR_CYAN, -1);
  }
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::curs_set(0);
  return std::unique_ptr<screen>(new screen(colours));
}

screen::~screen() { ::endwin(); }

int screen::width() const { return getmaxx(stdscr); }
int screen::height() const { return getmaxy(stdscr); }

void screen::show(const std::vector<text_line>& lines) {
  erase();
  auto count = std::min(lines.size(), static_cast<std::size_t>(std::max(0, height())));
  for (std::size_t i = 0; i < count; ++i) {
    auto look = look_of(lines[i].style, colours_);
    move(static_cast<int>(i), 0);
    clrtoeol(); // Of a line before that was wider than the screen.
    attrset(static_cast<int>(look));
    mvaddnstr(static_cast<int>(i), 0, lines[i].text.c_str(), static_cast<int>(lines[i].text.size()));
    // A selection is a bar over the whole row; the last cell of the last row would scroll the screen.
    auto filled = static_cast<int>(lines[i].text.size());
    if (lines[i].style == text_style::selected && filled < width())
      mvchgat(static_cast<int>(i), 0, -1, look, 0, nullptr);
  }
  attrset(A_NORMAL);
  refresh();
}

int screen::next_key(std::chrono::milliseconds patience) {
  timeout(static_cast<int>(std::max<std::int64_t>(0, patience.count())));
  auto pressed = getch();
  if (pressed == ERR) return static_cast<int>(screen_key::none);
  if (auto name = named(pressed); name != screen_key::none) return static_cast<int>(name);
  return pressed < 256 ? pressed : static_cast<int>(screen_key::none);
}

} // namespace lucid

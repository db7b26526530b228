// adapters/terminal/screen.hpp - a whole terminal: lines in styles, keys with a time limit.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "messages/outcome.hpp"

namespace lucid {

enum class text_style : std::uint8_t { plain, title, head, selected, marked, alert, dim };

struct text_line {
  std::string text; ///< UTF-8, printable.
  text_style style = text_style::plain;
};

/// Keys that are no character; characters stand for themselves. Nothing pressed: `none`.
enum class screen_key : int { none = -1, up = 256, down, page_up, page_down, home, end, enter, escape, backspace, resize };

/// Takes the terminal over until destroyed; what was on it comes back then. Colours where the terminal has them and
/// NO_COLOR is not set; styles are told apart without them, too.
///
/// Owns: the terminal. One at a time. Threads: one.
/// Errors: `open` answers `unsupported` when there is no terminal, or none that can place text.
class screen {
public:
  static outcome<std::unique_ptr<screen>> open();
  ~screen();
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;

  int width() const;
  int height() const;

  /// Shows these lines from the top; only what changed is sent.
  void show(const std::vector<text_line>& lines);

  /// The next key (a character, or a `screen_key`), or `none` after `patience`.
  int next_key(std::chrono::milliseconds patience);

private:
  explicit screen(bool colours) : colours_(colours) {}
  bool colours_;
};

} // namespace lucid

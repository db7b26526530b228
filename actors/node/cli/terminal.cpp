// actors/node/cli/terminal.cpp - errors, tables and the live line.
#include "actors/node/cli/terminal.hpp"

#include <algorithm>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/core.h>

#include "runtime/config/quantity.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

constexpr auto show_interval = std::chrono::milliseconds(100);
constexpr std::string_view line_start = "\r\x1b[K"; // Back to the first column; clear the line.

/// Characters a terminal shows: bytes that do not continue another.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string cut_to(std::string_view text, std::size_t width) {
  std::size_t end = 0, shown = 0;
  while (end < text.size()) {
    bool begins = (text[end] & 0xc0) != 0x80;
    if (begins && shown == width) break;
    if (begins) ++shown;
    ++end;
  }
  return std::string(text.substr(0, end));
}

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(standard_error, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) return size.ws_col;
  return 80;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::string amount(std::uint64_t value, progress_unit unit) {
  if (unit == progress_unit::bytes) return show_size_rounded(value);
  if (unit == progress_unit::seconds) return fmt::format("{} s", value);
  return fmt::format("{}", value);
}

std::string rest_text(double seconds) {
  auto s = static_cast<std::uint64_t>(seconds + 0.5);
  if (s < 120) return fmt::format("{} s left", s);
  if (s < 7200) return fmt::format("{} min left", (s + 30) / 60);
  return fmt::format("{} h left", (s + 1800) / 3600);
}

} // namespace

bool is_terminal(int descriptor) noexcept { return isatty(descriptor) == 1; }

bool wants_colour() noexcept { return is_terminal(standard_error) && std::getenv("NO_COLOR") == nullptr; }

void print_error(std::ostream& to, const error& e) {
  // Colour belongs to the process's own standard error; a stream of a test gets none since that is no terminal.
  bool colour = wants_colour();
  auto lines = lines_of(e.what);
  auto who = e.who == "lucid" || e.who.empty() ? std::string() : printable(e.who) + ": ";
  to << "lucid: " << (colour ? "\x1b[31m" : "") << "error" << (colour ? "\x1b[0m" : "") << ": " << who << printable(lines.front()) << '\n';
  for (std::size_t i = 1; i < lines.size(); ++i) to << "  " << printable(lines[i]) << '\n';
  for (auto* cause = e.because.get(); cause; cause = cause->because.get())
    to << "  because of: " << printable(cause->who) << ": " << printable(cause->what) << '\n';
  to.flush();
}

void table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (auto& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

void table::print(std::ostream& to) const {
  std::vector<std::string> heads;
  for (auto& each : columns_) heads.push_back(each.head);
  std::vector<std::size_t> widths(columns_.size());
  auto widen = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  };
  widen(heads);
  for (auto& row : rows_) widen(row);
  auto print_row = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string padding(widths[i] - width_of(row[i]), ' ');
      if (i > 0) line += "  ";
      line += columns_[i].where == align::right ? padding + row[i] : row[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    to << line << '\n';
  };
  print_row(heads);
  for (auto& row : rows_) print_row(row);
}

std::string progress_text(std::string_view label, std::uint64_t done, std::uint64_t total, progress_unit unit,
                          std::chrono::milliseconds elapsed, std::string_view note) {
  auto text = fmt::format("{}  {}", label, amount(done, unit));
  if (total > 0) text += fmt::format(" of {}  {} %", amount(total, unit), std::min<std::uint64_t>(100, done * 100 / total));
  auto seconds = static_cast<double>(elapsed.count()) / 1000;
  if (elapsed >= std::chrono::seconds(1) && done > 0 && unit != progress_unit::seconds) {
    auto rate = static_cast<double>(done) / seconds;
    text += unit == progress_unit::bytes ? fmt::format("  {}/s", show_size_rounded(static_cast<std::uint64_t>(rate)))
                                         : fmt::format("  {:.0f}/s", rate);
    if (total > done) text += "  " + rest_text(static_cast<double>(total - done) / rate);
  }
  if (unit == progress_unit::seconds && total > done) text += "  " + rest_text(static_cast<double>(total - done));
  if (!note.empty()) text += fmt::format("  {}", note);
  return text;
}

progress::progress(std::ostream& to, bool live, std::string label, std::uint64_t total, progress_unit unit)
  : to_(to), live_(live), label_(std::move(label)), total_(total), unit_(unit) {}

progress::~progress() { finish(); }

void progress::update(std::uint64_t done, std::string_view note) {
  done_ = done;
  note_ = note;
  auto now = std::chrono::steady_clock::now();
  if (!live_ || ended_ || now - shown_ < show_interval) return;
  shown_ = now;
  show();
}

void progress::finish() {
  if (ended_) return;
  ended_ = true;
  if (!live_ || shown_ == std::chrono::steady_clock::time_point{}) return;
  show();
  to_ << '\n' << std::flush;
}

void progress::show() {
  auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun_);
  auto text = progress_text(label_, done_, total_, unit_, elapsed, note_);
  to_ << line_start << cut_to(printable(text), terminal_width() - 1) << std::flush;
}

} // namespace lucid

// actors/node/cli/top/top_text.cpp - cutting, wrapping, numbers.
#include "actors/node/cli/top/top_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/log/text.hpp"

namespace lucid {
namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; } // A character of UTF-8.

/// Where the first line of `text` ends: behind a word if there is one within `most` bytes.
std::size_t line_end(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text.size();
  auto blank = text.rfind(' ', most);
  if (blank != std::string_view::npos && blank > 0) return blank;
  auto end = most;
  while (end > 0 && continues(text[end])) --end;
  return std::max<std::size_t>(end, 1);
}

} // namespace

std::string cut_to(std::string_view foreign, int width) {
  auto text = printable(foreign);
  auto most = static_cast<std::size_t>(std::max(0, width));
  if (text.size() <= most) return text;
  auto end = most > 3 ? most - 3 : most;
  while (end > 0 && continues(text[end])) --end;
  text.resize(end);
  if (most > 3) text.append("...");
  return text;
}

std::string cut_path_to(std::string_view path, int width) {
  auto text = printable(path);
  auto most = static_cast<std::size_t>(std::max(0, width));
  if (text.size() <= most || most <= 3) return cut_to(text, width);
  auto begin = text.size() - (most - 3);
  while (begin < text.size() && continues(text[begin])) ++begin;
  return "..." + text.substr(begin);
}

std::vector<std::string> wrapped(std::string_view foreign, int width, int indent) {
  auto text = printable(foreign);
  auto most = static_cast<std::size_t>(std::max(4, width)); // The longest character.
  auto margin = std::min(static_cast<std::size_t>(std::max(0, indent)), most - 4);
  std::vector<std::string> lines;
  std::string_view rest = text;
  do {
    auto blanks = lines.empty() ? 0 : margin;
    auto end = line_end(rest, most - blanks);
    lines.push_back(std::string(blanks, ' ').append(rest.substr(0, end)));
    rest.remove_prefix(end);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  } while (!rest.empty());
  return lines;
}

std::string nanoseconds_text(std::uint64_t ns) {
  if (ns < 10'000) return fmt::format("{} ns", ns);
  if (ns < 10'000'000) return fmt::format("{} us", ns / 1000);
  if (ns < 10'000'000'000) return fmt::format("{} ms", ns / 1'000'000);
  return fmt::format("{} s", ns / 1'000'000'000);
}

std::string rate_text(double rate) { return rate < 100 ? fmt::format("{:.1f}", rate) : fmt::format("{:.0f}", rate); }

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string clock_text(std::int64_t at_us) {
  if (at_us <= 0) return "-";
  auto ms = at_us / 1000 % 86'400'000;
  return fmt::format("{:02}:{:02}:{:02}.{:03}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

} // namespace lucid

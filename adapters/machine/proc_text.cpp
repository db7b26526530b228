// adapters/machine/proc_text.cpp - rows and columns.
#include "adapters/machine/proc_text.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace lucid {
namespace {

constexpr std::string_view blanks = " \t";

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
}

/// Takes the next column off `text`; empty at its end.
std::string_view take_word(std::string_view& text) {
  skip_blanks(text);
  auto word = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(word.size());
  return word;
}

std::string_view take_line(std::string_view& text) {
  auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

template <class Number, class... Base>
std::optional<Number> number_of(std::string_view word, Base... base) {
  Number number{};
  auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), number, base...);
  if (failed != std::errc{} || end != word.data() + word.size()) return {};
  return number;
}

template <class Number>
std::optional<Number> take_number(std::string_view& text) {
  return number_of<Number>(take_word(text));
}

/// The rest of the line that begins with `name`; none if there is no such line.
std::optional<std::string_view> line_of(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    auto line = take_line(text);
    if (line.starts_with(name)) return line.substr(name.size());
  }
  return {};
}

} // namespace

std::optional<cpu_ticks> parse_cpu(std::string_view stat) {
  auto line = take_line(stat);
  if (take_word(line) != "cpu") return {};
  // user nice system idle iowait irq softirq steal; what guests use is in user already.
  std::uint64_t columns[8];
  for (auto& column : columns) {
    auto ticks = take_number<std::uint64_t>(line);
    if (!ticks) return {};
    column = *ticks;
  }
  auto idle = columns[3] + columns[4];
  auto busy = columns[0] + columns[1] + columns[2] + columns[5] + columns[6] + columns[7];
  return cpu_ticks{busy, busy + idle};
}

std::optional<std::array<double, 3>> parse_load(std::string_view loadavg) {
  std::array<double, 3> load;
  for (auto& each : load) {
    auto number = take_number<double>(loadavg);
    if (!number) return {};
    each = *number;
  }
  return load;
}

std::optional<std::uint64_t> parse_memory(std::string_view meminfo, std::string_view row) {
  auto line = line_of(meminfo, row);
  if (!line || !line->starts_with(":")) return {};
  line->remove_prefix(1);
  auto kilobytes = take_number<std::uint64_t>(*line);
  if (!kilobytes || take_word(*line) != "kB") return {};
  return *kilobytes * 1024;
}

std::optional<std::uint64_t> parse_resident_pages(std::string_view statm) {
  take_word(statm);
  return take_number<std::uint64_t>(statm);
}

std::optional<thread_ticks> parse_thread(std::string_view stat) {
  auto opens = stat.find('('), closes = stat.rfind(')');
  if (opens == std::string_view::npos || closes == std::string_view::npos || closes < opens) return {};
  thread_ticks thread{std::string(stat.substr(opens + 1, closes - opens - 1))};
  auto rest = stat.substr(closes + 1);
  constexpr int columns_before = 11; // From the state on, up to utime.
  for (int i = 0; i < columns_before; ++i) take_word(rest);
  auto user = take_number<std::uint64_t>(rest), system = take_number<std::uint64_t>(rest);
  if (!user || !system) return {};
  thread.ticks = *user + *system;
  return thread;
}

std::optional<std::uint64_t> parse_open_files_max(std::string_view limits) {
  auto line = line_of(limits, "Max open files");
  if (!line) return {};
  return take_number<std::uint64_t>(*line);
}

std::vector<machine_network> parse_network(std::string_view dev) {
  std::vector<machine_network> networks;
  while (!dev.empty() && networks.size() < machine_networks_max) {
    auto line = take_line(dev);
    auto colon = line.find(':');
    if (colon == std::string_view::npos) continue; // The two lines of headings have bars.
    auto name = line.substr(0, colon);
    skip_blanks(name);
    line.remove_prefix(colon + 1);
    auto received = take_number<std::uint64_t>(line);
    constexpr int columns_between = 7;
    for (int i = 0; i < columns_between; ++i) take_word(line);
    auto sent = take_number<std::uint64_t>(line);
    if (received && sent && name != "lo") networks.push_back({std::string(name), *received, *sent});
  }
  return networks;
}

std::optional<std::int64_t> parse_number(std::string_view text, int base) {
  auto line = take_line(text);
  auto word = take_word(line);
  skip_blanks(line);
  if (!line.empty() || !text.empty()) return {};
  return number_of<std::int64_t>(word, base);
}

} // namespace lucid

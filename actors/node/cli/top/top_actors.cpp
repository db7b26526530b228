// actors/node/cli/top/top_actors.cpp - rows and the page of an actor.
#include "actors/node/cli/top/top_actors.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "actors/node/cli/actor_paths.hpp"
#include "actors/node/cli/top/top_text.hpp"
#include "actors/node/session_text.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

constexpr std::string_view other_nodes = "nodes/"; ///< As paths::of_node begins.

constexpr int path_width_min = 24;
constexpr int numbers_width = 55; ///< All columns behind the path.
constexpr auto row_format = "{:<{}} {:<10} {:>4} {:>6} {:>8} {:>6} {:>5} {:>8}";

int path_width(int width) { return std::max(path_width_min, width - numbers_width); }

std::string role_text(const top_actor& a) {
  std::string text = a.restart_kind.empty() ? "" : fmt::format("a {} child", a.restart_kind);
  if (!a.strategy.empty()) text.append(text.empty() ? "" : ", ").append("supervisor, ").append(a.strategy);
  return text;
}

void add_handlers(const top_actor& a, std::vector<text_line>& lines) {
  if (a.by_type.empty() && !a.handled.empty()) {
    lines.push_back({"Handled by this incarnation", text_style::head});
    for (auto& [type, count] : a.handled) lines.push_back({fmt::format("  {:>10}  {}", count, printable(type))});
  }
  if (a.by_type.empty()) return;
  lines.push_back(
      {fmt::format("  {:>10} {:>8} {:>8} {:>8}  {}", "HANDLED", "P50", "P99", "LONGEST", "MESSAGE"), text_style::head});
  for (auto& one : a.by_type)
    lines.push_back({fmt::format("  {:>10} {:>8} {:>8} {:>8}  {}", one.count, nanoseconds_text(one.p50_ns),
                                 nanoseconds_text(one.p99_ns), nanoseconds_text(one.max_ns), printable(one.type))});
}

void add_senders(const top_actor& a, std::vector<text_line>& lines) {
  if (a.senders.empty()) return;
  lines.push_back({"Who sends to it", text_style::head});
  for (auto& [path, count] : a.senders)
    lines.push_back({fmt::format("  {:>10}  {}", count, path.empty() ? "outside the tree" : with_short_ids(printable(path)))});
}

void add_past(const top_actor& a, std::vector<text_line>& lines) {
  if (!a.restarts.empty()) lines.push_back({"Why earlier incarnations ended, newest first", text_style::head});
  for (auto& one : a.restarts)
    lines.push_back({fmt::format("  {}  {}  {}", one.incarnation, time_text(one.at_us), with_short_ids(printable(one.reason))),
                     text_style::alert});
  if (!a.capsules.empty()) lines.push_back({"Crash capsules, newest first", text_style::head});
  for (auto& id : a.capsules) lines.push_back({"  " + printable(id)});
}

} // namespace

std::string_view to_string(actor_column column) {
  constexpr std::array<std::string_view, actor_column_count> names{"actor", "state",    "mail", "messages/s",
                                                                   "busy",  "restarts", "p99"};
  return names.at(static_cast<std::size_t>(column));
}

bool comes_before(const top_actor& a, const top_actor& b, actor_column column) {
  switch (column) {
    case actor_column::path: return a.path < b.path;
    case actor_column::state: return a.state < b.state;
    case actor_column::mailbox: return a.mailbox_length > b.mailbox_length;
    case actor_column::rate: return a.rate > b.rate;
    case actor_column::busy: return a.busy_share > b.busy_share;
    case actor_column::restarts: return a.restart_count > b.restart_count;
    case actor_column::p99: return a.p99_ns > b.p99_ns;
  }
  return false;
}

std::string actor_head(int width) {
  return cut_to(fmt::format(row_format, "ACTOR", path_width(width), "STATE", "INC", "MAIL", "MSG/S", "BUSY", "REST", "P99"),
                width);
}

std::string actor_row(const top_actor& a, const std::string& name, int width) {
  auto text =
      fmt::format(row_format, cut_path_to(name, path_width(width)), path_width(width), a.state, a.incarnation, a.mailbox_length,
                  rate_text(a.rate), fmt::format("{:.1f}%", a.busy_share * 100), a.restart_count, nanoseconds_text(a.p99_ns));
  return cut_to(text, width);
}

std::vector<text_line> actor_page(const top_actor& a) {
  std::vector<text_line> lines{{printable(a.path), text_style::head}};
  auto add = [&](std::string text) { lines.push_back({std::move(text)}); };
  add(fmt::format("{}, {}, incarnation {}, {}, {}", printable(a.kind), printable(a.state), a.incarnation,
                  counted(a.restart_count, "restart"), counted(a.dead_letter_count, "dead letter")));
  if (auto role = role_text(a); !role.empty()) add(printable(role));
  add(fmt::format("mailbox {}   {} messages/s   busy {:.1f} %   p50 {}, p99 {}, longest {}", a.mailbox_length,
                  rate_text(a.rate), a.busy_share * 100, nanoseconds_text(a.p50_ns), nanoseconds_text(a.p99_ns),
                  nanoseconds_text(a.max_ns)));
  add("");
  if (!a.own_state.empty()) lines.push_back({"Its own state", text_style::head});
  for (auto& [name, value] : a.own_state) add(fmt::format("  {:<24} {}", printable(name), printable(value)));
  add_handlers(a, lines);
  add_senders(a, lines);
  add_past(a, lines);
  return lines;
}

int depth_of(std::string_view path) {
  if (path == "root") return 0;
  auto slashes = static_cast<int>(std::count(path.begin(), path.end(), '/'));
  return is_elsewhere(path) ? slashes - 1 : slashes + 1;
}

bool is_elsewhere(std::string_view path) { return path.starts_with(other_nodes); }

bool is_other_root(std::string_view path) {
  return is_elsewhere(path) && path.find('/', other_nodes.size()) == std::string_view::npos;
}

bool is_below(std::string_view path, std::string_view top) {
  if (top == "root") return path != "root" && !is_elsewhere(path);
  return path.size() > top.size() && path.starts_with(top) && path[top.size()] == '/';
}

std::string last_name(const std::string& path) {
  if (is_other_root(path)) return path;
  auto shown = with_short_ids(path);
  return shown.substr(shown.rfind('/') + 1);
}

} // namespace lucid

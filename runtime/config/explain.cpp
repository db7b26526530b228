// runtime/config/explain.cpp - the key table as prose, as Markdown and as a sum of memory bounds.
#include "runtime/config/explain.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "messages/chunk.hpp"
#include "messages/fragment.hpp"
#include "messages/payload.hpp"
#include "runtime/config/nearest.hpp"
#include "runtime/config/quantity.hpp"
#include "runtime/config/load.hpp"

namespace lucid {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string_view section_of(std::string_view key) { return key.substr(0, key.find('.')); }

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

/// The value of a field as TOML.
struct value_writer {
  std::string operator()(const std::uint32_t* v) const { return std::to_string(*v); }
  std::string operator()(const std::uint64_t* v) const { return quote_quantity(show_size(*v)); }
  std::string operator()(const milliseconds* v) const { return quote_quantity(show_duration(*v)); }
  std::string operator()(const seconds* v) const { return quote_quantity(show_duration(*v)); }
  std::string operator()(const std::string* v) const { return quote(*v); }
  std::string operator()(const std::filesystem::path* v) const { return quote(v->string()); }
  std::string operator()(const secret_text* v) const { return v->empty() ? "\"\"" : "\"********\""; }
  std::string operator()(const std::vector<std::string>* v) const {
    std::string list;
    for (auto& entry : *v) list += fmt::format("{}{}", list.empty() ? "" : ", ", quote(entry));
    return "[" + list + "]";
  }
  std::string operator()(const std::map<std::string, std::string>* v) const {
    std::string list;
    for (auto& [name, value] : *v) list += fmt::format("{}{} = {}", list.empty() ? "" : ", ", quote(name), quote(value));
    return list.empty() ? "{}" : "{ " + list + " }";
  }
  static std::string quote_quantity(const std::string& text) { return text == "0" ? text : quote(text); }
};

key_field any_field(const key_spec& key) {
  static thread_local configuration any;
  return key.field(any);
}

template <class Field>
bool is(const key_spec& key) {
  return std::holds_alternative<Field*>(any_field(key));
}

/// The default as it would be written in the file.
std::string show_default(const key_spec& key) {
  if (is<std::filesystem::path>(key) || is<std::string>(key) || is<secret_text>(key)) return quote(key.default_value);
  auto values = default_configuration();
  return show_value(key, values);
}

std::string explain_key(const key_spec& key) {
  auto text = fmt::format("{}\n    {}\n    type      {}\n    default   {}\n", key.name, key.description, show_type(key),
                          show_default(key));
  if (!key.default_for_root.empty()) text += fmt::format("    for root  {}\n", quote(key.default_for_root));
  text += fmt::format("    allowed   {}\n    variable  {}\n", show_bounds(key), environment_name(key.name));
  if (key.secret()) text += "    secret    never shown; not accepted as a flag\n";
  return text;
}

std::string escaped_for_table(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (c == '|' || c == '<') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// Inside backticks only the bar needs an escape.
std::string code(std::string_view text) {
  std::string escaped;
  for (char c : text) escaped += c == '|' ? "\\|" : std::string(1, c);
  return "`" + escaped + "`";
}

constexpr std::string_view page_head = R"(# Configuration

<!-- Generated from runtime/config/key_table.cpp by `lucid config explain --markdown`. Do not edit. -->

One TOML file. It is named by `--config FILE` or `LUCID_CONFIG`; without either, `~/.config/lucid/lucid.toml` is read, else
`/etc/lucid/lucid.toml`, else the defaults hold. Each value comes from the last of these that states it:

1. the default,
2. the file,
3. the environment: `LUCID_SECTION_KEY`, e.g. `LUCID_JOURNAL_SYNC_INTERVAL=500ms`,
4. the command line: `--set journal.sync_interval=500ms`, and flags such as `--data-dir`.

Sizes are bytes, or text with a unit: `"10 MiB"` (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB). Durations are numbers in the
unit that the table names, or text with a unit: `"500 ms"` (ms, s, min, h, d). A path may begin with `~/`. In the environment and on
the command line a list is `a,b,c` and a table `name=value,name=value`.

Secrets come from a file, the environment or a prompt, never from a flag. `lucid config check FILE` names everything that is
wrong with a file, by line and column; `lucid config show` prints what is in force and where it comes from;
`lucid config explain KEY` prints one entry of this page, `lucid config explain memory` the sum of all memory bounds.
Ready profiles are in `config/`.
)";


} // namespace

std::string show_value(const key_spec& key, const configuration& values) {
  // The table's accessor needs a mutable value; nothing is changed.
  auto copy = values;
  return std::visit([](auto* field) { return value_writer()(field); }, key.field(copy));
}

std::string show_bounds(const key_spec& key) {
  if (!key.choices.empty()) {
    std::string list;
    for (char c : key.choices) list += c == '|' ? std::string(", ") : std::string(1, c);
    return list;
  }
  if (is<std::uint64_t>(key))
    return fmt::format("{} to {}", show_size(static_cast<std::uint64_t>(key.min)), show_size(static_cast<std::uint64_t>(key.max)));
  if (is<milliseconds>(key)) return fmt::format("{} to {}", show_duration(milliseconds(key.min)), show_duration(milliseconds(key.max)));
  if (is<seconds>(key)) return fmt::format("{} to {}", show_duration(seconds(key.min)), show_duration(seconds(key.max)));
  if (is<std::uint32_t>(key)) return fmt::format("{} to {}", key.min, key.max);
  if (is<std::vector<std::string>>(key) || is<std::map<std::string, std::string>>(key))
    return fmt::format("at most {} entries", key.max);
  return fmt::format("{} to {} bytes", key.min, key.max);
}

std::string_view show_type(const key_spec& key) {
  if (is<std::uint32_t>(key)) return "number";
  if (is<std::uint64_t>(key)) return "size (bytes)";
  if (is<milliseconds>(key)) return "duration (ms)";
  if (is<seconds>(key)) return "duration (s)";
  if (is<std::filesystem::path>(key)) return "path";
  if (is<secret_text>(key)) return "secret text";
  if (is<std::vector<std::string>>(key)) return "list of texts";
  if (is<std::map<std::string, std::string>>(key)) return "table of texts";
  return "text";
}

outcome<std::string> explain(std::string_view key_or_section) {
  std::string text;
  std::vector<std::string> sections;
  for (auto& key : key_table()) {
    if (sections.empty() || sections.back() != section_of(key.name)) sections.emplace_back(section_of(key.name));
    bool wanted = key_or_section.empty() || key.name == key_or_section || section_of(key.name) == key_or_section;
    if (!wanted) continue;
    if (!text.empty()) text += '\n';
    text += explain_key(key);
  }
  if (!text.empty()) return text;
  auto near = nearest_key(key_or_section);
  if (near.empty()) near = nearest(key_or_section, sections);
  return fail(errc::not_found, "config",
              fmt::format("there is no key or section \"{}\"{}{}", key_or_section, near.empty() ? "" : "; perhaps ", near));
}

std::string configuration_page() {
  std::string page(page_head);
  std::string_view section;
  for (auto& key : key_table()) {
    if (section != section_of(key.name)) {
      section = section_of(key.name);
      page += fmt::format("\n## [{}]\n\n{}\n\n| key | type | default | allowed | what |\n|---|---|---|---|---|\n", section,
                          section_description(section));
    }
    auto standard = code(show_default(key));
    if (!key.default_for_root.empty()) standard += ", for root " + code(quote(key.default_for_root));
    page += fmt::format("| {} | {} | {} | {} | {} |\n", code(key.name.substr(section.size() + 1)), show_type(key), standard,
                        escaped_for_table(show_bounds(key)), escaped_for_table(key.description));
  }
  return page;
}

std::vector<memory_bound> memory_bounds(const configuration& c) {
  auto session = [](std::string name, std::string arithmetic, std::uint64_t bytes) {
    return memory_bound{std::move(name), std::move(arithmetic), bytes, true, false};
  };
  auto chunk_max = std::uint64_t{chunk_size_bytes_max};
  auto sealed_max = std::uint64_t{payload::size_bytes_max};
  std::uint64_t in_flight = std::uint64_t{track_count} * c.chunk.in_flight_max;
  std::uint64_t frame = std::uint64_t{c.capture.width} * c.capture.height * 4;
  std::vector<memory_bound> bounds{
      session("unacknowledged fragments", fmt::format("capture.credit_bytes {}", show_size(c.capture.credit_bytes)),
              c.capture.credit_bytes),
      session("open chunks", fmt::format("{} tracks x {}", track_count, show_size(chunk_max)), track_count * chunk_max),
      session("chunks under way, plain", fmt::format("{} tracks x chunk.in_flight_max {} x {}", track_count,
                                                    c.chunk.in_flight_max, show_size(chunk_max)),
              in_flight * chunk_max),
      session("chunks under way, sealed", fmt::format("{} tracks x chunk.in_flight_max {} x {}", track_count,
                                                     c.chunk.in_flight_max, show_size_rounded(sealed_max)),
              in_flight * sealed_max),
      session("journal buffer", fmt::format("journal.unsynced_bytes_max {} + 1 fragment of {}",
                                            show_size(c.journal.unsynced_bytes_max), show_size(fragment_size_bytes_max)),
              c.journal.unsynced_bytes_max + fragment_size_bytes_max),
      {"control requests", fmt::format("control.connections_max {} x control.request_bytes_max {}", c.control.connections_max,
                                       show_size(c.control.request_bytes_max)),
       c.control.connections_max * c.control.request_bytes_max, false, false},
      {"browsers", fmt::format("console.connections_max {} x 1 MiB + console.streams_max {} x 16 MiB", c.console.connections_max,
                               c.console.streams_max),
       (std::uint64_t{c.console.connections_max} << 20) + (std::uint64_t{c.console.streams_max} << 24), false, false},
      {"database cache", fmt::format("store.cache_bytes_max {}", show_size(c.store.cache_bytes_max)), c.store.cache_bytes_max,
       false, false},
      {"pictures", fmt::format("3 x capture.width {} x capture.height {} x 4 B", c.capture.width, c.capture.height), 3 * frame,
       true, true},
      {"fragments not yet taken over", fmt::format("capture.credit_bytes {}", show_size(c.capture.credit_bytes)),
       c.capture.credit_bytes, true, true},
  };
  if (c.mesh.listen.empty()) return bounds;
  auto link = mesh_queue_bytes_max + 2 * c.mesh.tunnel_credit_bytes + c.mesh.chunk_credit_bytes;
  bounds.push_back({"links to other nodes",
                    fmt::format("mesh.peers_max {} x ({} + 2 x mesh.tunnel_credit_bytes {} + mesh.chunk_credit_bytes {})",
                                c.mesh.peers_max, show_size(mesh_queue_bytes_max), show_size(c.mesh.tunnel_credit_bytes),
                                show_size(c.mesh.chunk_credit_bytes)),
                    c.mesh.peers_max * link, false, false});
  bounds.push_back({"chunks of other nodes", show_size(mesh_blob_bytes_max), mesh_blob_bytes_max, false, false});
  return bounds;
}

std::string explain_memory(const configuration& c) {
  auto bounds = memory_bounds(c);
  std::string text = "Memory that the settings in force allow at most, beside code, stacks and the libraries' own.\n";
  auto part = [&](std::string_view head, bool per_session, bool in_worker) {
    std::uint64_t sum = 0;
    text += fmt::format("\n{}\n", head);
    for (auto& b : bounds) {
      if (b.per_session != per_session || b.in_worker != in_worker) continue;
      text += fmt::format("  {:<30} {:>10}  = {}\n", b.name, show_size_rounded(b.size_bytes), b.arithmetic);
      sum += b.size_bytes;
    }
    text += fmt::format("  {:<30} {:>10}\n", "sum", show_size_rounded(sum));
    return sum;
  };
  auto once = part("The node, once", false, false);
  auto each = part("The node, for each session", true, false);
  auto total = once + c.session.count_max * each;
  text += fmt::format("\nThe node at session.count_max {}: {} + {} x {} = {}\n", c.session.count_max, show_size_rounded(once),
                      c.session.count_max, show_size_rounded(each), show_size_rounded(total));
  part("The worker process of a session", true, true);
  text += fmt::format("  worker.memory_bytes_max {} ends a worker that needs more, FreeRDP and encoder included\n",
                      show_size(c.worker.memory_bytes_max));
  return text;
}

} // namespace lucid

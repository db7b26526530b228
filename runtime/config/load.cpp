// runtime/config/load.cpp - default, file, environment, flags: in that order, all errors collected.
#include "runtime/config/load.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include <pwd.h>
#include <unistd.h>

#include <fmt/core.h>
#include <toml++/toml.h>

#include "runtime/config/explain.hpp"
#include "runtime/config/key_table.hpp"
#include "runtime/config/nearest.hpp"
#include "runtime/config/value.hpp"

namespace lucid {
namespace {

/// More than these help nobody, and bound the time spent on a hostile file.
constexpr std::size_t problem_count_max = 100;
constexpr std::string_view data_dir_prefix = "<node.data_dir>/";
constexpr std::string_view environment_prefix = "LUCID_";

std::string_view section_of(std::string_view key) { return key.substr(0, key.find('.')); }

std::vector<std::string> section_names() {
  std::vector<std::string> names;
  for (auto& key : key_table())
    if (names.empty() || names.back() != section_of(key.name)) names.emplace_back(section_of(key.name));
  return names;
}

/// What is written in a TOML node, without its place.
raw_value raw_of(const toml::node& node) {
  if (auto* text = node.as_string()) return written_text{text->get(), true};
  if (auto* number = node.as_integer()) return number->get();
  if (auto* on = node.as_boolean()) return on->get();
  if (auto* list = node.as_array()) {
    std::vector<std::string> entries;
    for (auto& entry : *list) {
      if (!entry.is_string()) return foreign_value{"a list with something else than texts"};
      entries.push_back(entry.as_string()->get());
    }
    return entries;
  }
  if (auto* table = node.as_table()) {
    std::map<std::string, std::string> entries;
    for (auto&& [name, entry] : *table) {
      if (!entry.is_string()) return foreign_value{"a table with something else than texts"};
      entries.emplace(name.str(), entry.as_string()->get());
    }
    return entries;
  }
  return foreign_value{node.is_floating_point() ? "a number with a point" : "a date or time"};
}

/// Reads all sources into one configuration.
class loader {
public:
  explicit loader(const configuration_sources& sources) : sources_(sources) {}

  tl::expected<loaded_configuration, std::vector<configuration_problem>> run() {
    take_defaults();
    if (sources_.text) take_file(*sources_.text);
    in_order_of_lines();
    for (auto& [name, value] : sources_.environment) take_variable(name, value);
    for (auto& flag : sources_.flags) take_flag(flag);
    place_in_data_dir();
    check_together();
    if (!problems_.empty()) return tl::unexpected(std::move(problems_));
    return std::move(loaded_);
  }

private:
  void report(std::string_view key, value_origin where, std::string what, std::string right) {
    if (problems_.size() < problem_count_max)
      problems_.push_back({std::string(key), std::move(where), std::move(what), std::move(right)});
  }
  bool full() const { return problems_.size() >= problem_count_max; }

  void take(const key_spec& key, const raw_value& raw, const value_origin& where) {
    auto refused = assign(key, raw, loaded_.values, sources_.home);
    if (refused) report(key.name, where, refused->what, "allowed: " + refused->right);
    loaded_.origins[std::string(key.name)] = where;
  }

  void take_defaults() {
    for (auto& key : key_table()) {
      auto text = sources_.root && !key.default_for_root.empty() ? key.default_for_root : key.default_value;
      take(key, written_text{std::string(text)}, {});
    }
  }

  /// The parser hands keys out in order of the alphabet.
  void in_order_of_lines() {
    auto earlier = [](const configuration_problem& a, const configuration_problem& b) { return a.where.line < b.where.line; };
    std::stable_sort(problems_.begin(), problems_.end(), earlier);
  }

  value_origin at(const toml::source_region& region) const {
    return {origin_kind::file, sources_.file_name, region.begin.line, region.begin.column};
  }

  void take_file(const std::string& text) {
    value_origin whole{origin_kind::file, sources_.file_name};
    if (text.size() > configuration_file_size_bytes_max)
      return report({}, whole, fmt::format("the file has {} bytes", text.size()),
                    fmt::format("allowed: at most {}", configuration_file_size_bytes_max));
    auto dots = static_cast<std::size_t>(std::count(text.begin(), text.end(), '.'));
    if (dots > configuration_dot_count_max)
      return report({}, whole, fmt::format("the file has {} dots", dots),
                    fmt::format("allowed: at most {}, so that keys nest no deeper", configuration_dot_count_max));
    try {
      take_sections(toml::parse(text, sources_.file_name));
    } catch (const toml::parse_error& e) {
      report({}, at(e.source()), std::string(e.description()), "the grammar is that of https://toml.io");
    }
  }

  void take_sections(const toml::table& root) {
    static const auto sections = section_names();
    for (auto&& [name, node] : root) {
      if (full()) return;
      bool known = std::find(sections.begin(), sections.end(), name.str()) != sections.end();
      if (known && node.is_table()) {
        take_keys(std::string(name.str()), *node.as_table());
      } else if (known) {
        report(name.str(), at(name.source()), "it is a section", fmt::format("write [{}] and its keys below", name.str()));
      } else if (node.is_table()) {
        report(name.str(), at(name.source()), "there is no section of this name",
               did_you_mean(nearest(name.str(), sections)));
      } else {
        report(name.str(), at(name.source()), "there is no such key outside of sections",
               did_you_mean(nearest_key(name.str())));
      }
    }
  }

  void take_keys(const std::string& section, const toml::table& table) {
    for (auto&& [name, node] : table) {
      if (full()) return;
      auto full_name = section + "." + std::string(name.str());
      if (auto* key = find_key(full_name)) take(*key, raw_of(node), at(node.source()));
      else report(full_name, at(name.source()), "there is no such key", did_you_mean(nearest_key(full_name)));
    }
  }

  static std::string did_you_mean(const std::string& near) {
    return near.empty() ? "`lucid config explain` lists what there is" : "did you mean " + near + "?";
  }

  void take_variable(const std::string& name, const std::string& value) {
    if (name.rfind(environment_prefix, 0) != 0 || full()) return;
    value_origin where{origin_kind::environment, name};
    std::vector<std::string> known;
    for (auto& key : key_table()) {
      if (environment_name(key.name) == name) return take(key, written_text{value}, where);
      known.push_back(environment_name(key.name));
    }
    // Other programs may have variables of their own; one in a section of ours is a slip.
    auto rest = std::string_view(name).substr(environment_prefix.size());
    for (auto& section : section_names())
      if (rest.rfind(environment_name(section).substr(environment_prefix.size()) + "_", 0) == 0)
        return report({}, where, "no key has this variable", did_you_mean(nearest(name, known)));
  }

  void take_flag(const flag_value& flag) {
    value_origin where{origin_kind::flag, flag.flag};
    auto* key = find_key(flag.key);
    if (!key) return report(flag.key, where, "there is no such key", did_you_mean(nearest_key(flag.key)));
    if (key->secret())
      return report(flag.key, where, "a secret on a command line can be read by everybody on the machine",
                    fmt::format("use {} or {}_file", environment_name(key->name), key->name));
    take(*key, written_text{flag.value}, where);
  }

  /// Paths left at their default lie in the data folder, wherever that is now.
  void place_in_data_dir() {
    for (auto& key : key_table()) {
      auto field = key.field(loaded_.values);
      auto* path = std::get_if<std::filesystem::path*>(&field);
      if (!path || (*path)->string().rfind(data_dir_prefix, 0) != 0) continue;
      **path = loaded_.values.node.data_dir / (*path)->string().substr(data_dir_prefix.size());
      if ((*path)->string().size() > static_cast<std::size_t>(key.max))
        report(key.name, loaded_.origins["node.data_dir"], "below node.data_dir its path is too long",
               "allowed: " + show_bounds(key));
    }
  }

  void check_together() {
    auto& c = loaded_.values;
    refuse_if(c.capture.reconnect_backoff_min > c.capture.reconnect_backoff_max, "capture.reconnect_backoff_min",
              "it is longer than capture.reconnect_backoff_max");
    refuse_if(c.supervision.backoff_min > c.supervision.backoff_max, "supervision.backoff_min",
              "it is longer than supervision.backoff_max");
    refuse_if(c.journal.unsynced_bytes_max > c.journal.segment_bytes_max, "journal.unsynced_bytes_max",
              "it is larger than journal.segment_bytes_max");
    refuse_if(!c.keys.passphrase.empty() && !c.keys.passphrase_file.empty(), "keys.passphrase_file",
              "keys.passphrase is given too, and only one can be right");
    refuse_if(!c.capture.password.empty() && !c.capture.password_file.empty(), "capture.password_file",
              "capture.password is given too, and only one can be right");
    refuse_if(c.console.tls_certificate.empty() != c.console.tls_key.empty(), "console.tls_certificate",
              "certificate and console.tls_key belong together, and only one of them is given");
    bool any_address = c.console.address == "0.0.0.0" || c.console.address == "::";
    refuse_if(any_address && c.console.names.empty(), "console.address",
              "on every address of the machine the console needs console.names: what browsers call it");
    bool loopback = c.console.address.rfind("127.", 0) == 0 || c.console.address == "::1";
    refuse_if(!loopback && c.console.tls_certificate.empty(), "console.address",
              "beyond loopback the console needs console.tls_certificate and console.tls_key");
  }

  void refuse_if(bool wrong, const char* key, const char* what) {
    if (wrong) report(key, loaded_.origins[key], what, "change one of the two");
  }

  const configuration_sources& sources_;
  loaded_configuration loaded_;
  std::vector<configuration_problem> problems_;
};

outcome<std::string> read_bounded(const std::filesystem::path& file) {
  std::error_code ec;
  if (!std::filesystem::exists(file, ec)) return fail(errc::not_found, "config", "there is no file " + in_quotes(file.string()));
  if (std::filesystem::is_directory(file, ec)) return fail(errc::io_failed, "config", in_quotes(file.string()) + " is a folder");
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(errc::permission_denied, "config", "cannot open " + in_quotes(file.string()));
  std::string text(configuration_file_size_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return fail(errc::io_failed, "config", "cannot read " + in_quotes(file.string()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > configuration_file_size_bytes_max)
    return fail(errc::limit_exceeded, "config",
                fmt::format("{} is larger than {} bytes", in_quotes(file.string()), configuration_file_size_bytes_max));
  return text;
}

std::string variable(const char* name) {
  auto* value = std::getenv(name);
  return value ? value : "";
}

std::filesystem::path home_folder() {
  if (auto home = variable("HOME"); !home.empty()) return home;
  auto* user = getpwuid(getuid());
  return user && user->pw_dir ? user->pw_dir : "/nonexistent";
}

} // namespace

std::string to_string(const value_origin& origin) {
  if (origin.kind == origin_kind::default_value) return "default";
  if (origin.kind != origin_kind::file || origin.line == 0) return origin.name;
  return fmt::format("{}:{}:{}", origin.name, origin.line, origin.column);
}

std::string to_string(const configuration_problem& problem) {
  auto key = problem.key.empty() ? std::string() : problem.key + ": ";
  return fmt::format("{}: {}{}; {}", to_string(problem.where), key, problem.what, problem.right);
}

tl::expected<loaded_configuration, std::vector<configuration_problem>> load(const configuration_sources& sources) {
  return loader(sources).run();
}

configuration default_configuration(const std::filesystem::path& home, bool root) {
  configuration_sources none;
  none.home = home;
  none.root = root;
  return load(none).value().values;
}

outcome<configuration_sources> process_sources(const std::optional<std::filesystem::path>& file) {
  configuration_sources sources;
  sources.home = home_folder();
  sources.root = geteuid() == 0;
  for (char** at = environ; *at; ++at) {
    std::string_view line = *at;
    auto equals = line.find('=');
    if (line.rfind(environment_prefix, 0) == 0 && equals != std::string_view::npos)
      sources.environment.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  if (!file) return sources;
  auto text = read_bounded(*file);
  if (!text) return pass_on(std::move(text));
  sources.text = std::move(*text);
  sources.file_name = file->string();
  return sources;
}

std::optional<std::filesystem::path> find_configuration_file() {
  // A file that is named counts even if it is missing: the reader says so.
  if (auto named = variable("LUCID_CONFIG"); !named.empty()) return named;
  auto base = variable("XDG_CONFIG_HOME");
  auto own = (base.empty() ? home_folder() / ".config" : std::filesystem::path(base)) / "lucid/lucid.toml";
  for (auto& candidate : {own, std::filesystem::path("/etc/lucid/lucid.toml")}) {
    std::error_code ec;
    if (std::filesystem::exists(candidate, ec)) return candidate;
  }
  return {};
}

error to_error(const std::vector<configuration_problem>& problems) {
  std::string lines;
  for (auto& problem : problems) {
    if (!lines.empty()) lines += '\n';
    lines += to_string(problem);
  }
  return {errc::invalid_input, "config", lines, nullptr};
}

} // namespace lucid

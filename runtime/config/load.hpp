// runtime/config/load.hpp - reads the configuration from file, environment and flags, and reports all that is wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/outcome.hpp"
#include "runtime/config/configuration.hpp"

namespace lucid {

/// The largest file that is read: 64 KiB, some thirty times the longest profile.
inline constexpr std::size_t configuration_file_size_bytes_max = 64u << 10;
/// Dots in a file: bounds how deep dotted keys can nest, since the parser recurses once a level.
inline constexpr std::size_t configuration_dot_count_max = 4096;

/// Where a value comes from. Later ones win over earlier ones.
enum class origin_kind : std::uint8_t { default_value, file, environment, flag };

struct value_origin {
  origin_kind kind = origin_kind::default_value;
  std::string name; ///< Path of the file, name of the variable, or the flag as typed.
  std::uint32_t line = 0, column = 0; ///< In the file, from 1.
};

/// "default", "lucid.toml:3:5", "LUCID_NODE_NAME", "--set".
std::string to_string(const value_origin& origin);

/// One thing that is wrong.
struct configuration_problem {
  std::string key; ///< Empty where no key can be named.
  value_origin where;
  std::string what;  ///< What is wrong, as a sentence without its full stop.
  std::string right; ///< What would be right, or what to do.
};

/// lucid.toml:3:5: journal.sync_interval: "9 ms" is too small; allowed: 50 ms to 10 s
std::string to_string(const configuration_problem& problem);

/// A value given on the command line.
struct flag_value {
  std::string flag; ///< As typed, for messages: "--set", "--data-dir".
  std::string key;
  std::string value;
};

/// All that `load` looks at; it asks the process for nothing else.
struct configuration_sources {
  std::optional<std::string> text;                ///< Contents of the file.
  std::string file_name;                          ///< For messages.
  std::map<std::string, std::string> environment; ///< LUCID_SECTION_KEY; others are passed over.
  std::vector<flag_value> flags;
  std::filesystem::path home; ///< What "~/" stands for.
  bool root = false;          ///< The process runs as root, whose data lies elsewhere.
};

struct loaded_configuration {
  configuration values;
  std::map<std::string, value_origin> origins; ///< One for each key of the table.
};

/// The configuration, or everything that is wrong with it. Never fails half: all sources are read to the end.
/// Errors: a syntax error ends the reading of the file alone, since nothing after it can be trusted.
tl::expected<loaded_configuration, std::vector<configuration_problem>> load(const configuration_sources& sources);

/// What `load` answers for no file, no environment and no flags.
configuration default_configuration(const std::filesystem::path& home = "/nonexistent", bool root = false);

/// The sources of this process: environment, home, user and, if named, the file.
/// Errors: `not_found`, `io_failed`, `limit_exceeded` for the file.
outcome<configuration_sources> process_sources(const std::optional<std::filesystem::path>& file);

/// The file that is read when none is named: LUCID_CONFIG, ~/.config/lucid/lucid.toml, /etc/lucid/lucid.toml.
std::optional<std::filesystem::path> find_configuration_file();

/// All problems as one error, for a caller that cannot show a list.
error to_error(const std::vector<configuration_problem>& problems);

} // namespace lucid

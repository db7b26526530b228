// runtime/config/value.hpp - one value on its way from a source into its field. Used by load.cpp alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/config/key_table.hpp"

namespace lucid {

/// A value that no key takes, by the name of its type: "a date", "a decimal number".
struct foreign_value {
  std::string type;
};

/// A value as it is written in a source. Environment and flags have `written_text` only.
struct written_text {
  std::string text;
  bool typed = false; ///< From a file, where numbers and booleans have types of their own.
};
using raw_value = std::variant<written_text, std::int64_t, bool, std::vector<std::string>,
                               std::map<std::string, std::string>, foreign_value>;

/// Why a value was not taken.
struct refusal {
  std::string what;  ///< "\"fast\" is no duration"
  std::string right; ///< "50 ms to 10 s, such as \"500 ms\""
};

/// Checks `raw` against `key` and puts it into its field. "~/" in a path becomes `home`.
std::optional<refusal> assign(const key_spec& key, const raw_value& raw, configuration& into,
                              const std::filesystem::path& home);

/// `text` in quotes, shortened to 60 bytes, control characters as "\xNN": foreign text is shown no other way.
std::string in_quotes(std::string_view text);

} // namespace lucid

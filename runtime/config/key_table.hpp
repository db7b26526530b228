// runtime/config/key_table.hpp - the one list of all settings: name, default, unit, bounds, description.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/config/configuration.hpp"

namespace lucid {

/// The field of a configuration that a key fills; its type says how the value is written.
using key_field =
    std::variant<std::uint32_t*, std::uint64_t*, std::chrono::milliseconds*, std::chrono::seconds*, std::string*,
                 std::filesystem::path*, secret_text*, std::vector<std::string>*, std::map<std::string, std::string>*>;

/// One setting. `uint32` fields are counts, `uint64` fields are sizes in bytes.
struct key_spec {
  std::string_view name;          ///< "section.key"
  key_field (*field)(configuration&);
  std::string_view default_value; ///< As it would be written, without quotes.
  std::int64_t min = 0;           ///< In the unit of the field; of lists and tables: entries; of texts: bytes.
  std::int64_t max = 0;
  std::string_view choices;       ///< "a|b|c" for a text of fixed choices, else empty.
  std::string_view description;   ///< One line.
  std::string_view default_for_root = {};
  std::string (*check)(std::string_view) = nullptr; ///< Of a text or of each entry: what would be right, empty if it is.
  bool secret() const; ///< Never shown and never taken from a flag.
};

/// All settings, section by section, in the order of the documentation.
std::span<const key_spec> key_table();

/// The setting of that name, or nullptr.
const key_spec* find_key(std::string_view name);

/// The setting whose name is nearest to `name`; empty when none is near.
std::string nearest_key(std::string_view name);

/// "LUCID_JOURNAL_SYNC_INTERVAL" for "journal.sync_interval".
std::string environment_name(std::string_view key);

/// One line on a section: "What holds all sessions."
std::string_view section_description(std::string_view section);

} // namespace lucid

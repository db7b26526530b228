// actors/format/canonical_json.hpp - JSON in its one canonical form (RFC 8785), and strict reading of fields.
//
// Numbers are integers of at most 53 bits, names are ASCII: within these bounds nlohmann's sorted, compact output is
// RFC 8785. Reading compares the input with its own canonical form, so repeated names, blanks, other escapes or number
// forms never pass.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "messages/identity.hpp"
#include "messages/outcome.hpp"

namespace lucid {

using json = nlohmann::json;

/// The largest integer every JSON reader keeps exactly: 2^53 - 1. Source: RFC 7493, section 2.2.
inline constexpr std::int64_t json_integer_max = (std::int64_t{1} << 53) - 1;

/// Errors: `invalid_input` for text that is no UTF-8.
outcome<std::string> canonical_text(const json& value, const char* who);

/// Errors: `invalid_input` with the byte offset for anything that is not canonical; `limit_exceeded` above `size_bytes_max`.
outcome<json> parse_canonical(std::string_view text, std::size_t size_bytes_max, const char* who);

/// Reads the members of one object; the first error sticks and names the field. `finish` refuses what was not asked for.
/// The object must outlive the reader.
class json_reader {
public:
  json_reader(const json& value, std::string where, const char* who);

  std::string text(const char* name, std::size_t size_bytes_max);
  std::uint64_t number(const char* name, std::uint64_t value_max = json_integer_max);
  std::int64_t time(const char* name);
  bool flag(const char* name);
  void hex(const char* name, std::span<std::uint8_t> into);
  byte_buffer hex_bytes(const char* name, std::size_t size_bytes_max);
  /// Digests written one after the other.
  std::vector<digest> digests(const char* name, std::size_t count_max);
  /// The array `name` of at most `count_max` elements; an empty one after an error.
  const json& list(const char* name, std::size_t count_max);
  /// The object `name`; an empty one after an error.
  const json& object(const char* name);
  /// Notes a rule that the caller found broken.
  void refuse(const char* name, std::string what, errc code = errc::invalid_input);
  /// Takes over the error of a nested reader.
  void absorb(const json_reader& inner);

  bool good() const noexcept { return !failed_; }
  /// Refuses members that were not read; the error, if there was one.
  outcome<void> finish();

private:
  std::string path_of(const char* name) const;
  const json* member(const char* name, json::value_t type, const char* expected);

  const json& value_;
  std::string where_;
  const char* who_;
  std::size_t read_count_ = 0;
  std::optional<error> failed_;
};

/// Digests as one text of hexadecimal digits.
std::string hex_of(std::span<const digest> digests);

/// Whether `value` is an integer that RFC 8785 writes as such and every reader keeps.
constexpr bool is_json_integer(std::uint64_t value) noexcept {
  return value <= static_cast<std::uint64_t>(json_integer_max);
}
constexpr bool is_json_integer(std::int64_t value) noexcept {
  return value <= json_integer_max && value >= -json_integer_max;
}

} // namespace lucid

// actors/console/json_text.hpp - JSON written piece by piece into one text, where building objects first would cost too much.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace lucid {

/// Appends a comma unless `json` ends at the beginning of an object or a list.
void separate(std::string& json);

/// Appends `"name":`, behind a comma where one belongs.
void write_name(std::string_view name, std::string& json);

/// Append a value. Bytes that are no UTF-8 are replaced, numbers that are none are 0.
void write_json(std::string_view value, std::string& json);
void write_json(bool value, std::string& json);
void write_json(double value, std::string& json); ///< Three decimals.
void write_json(std::int64_t value, std::string& json);
void write_json(std::uint64_t value, std::string& json);
void write_json(const nlohmann::json& value, std::string& json);

inline void write_json(const std::string& value, std::string& json) { write_json(std::string_view(value), json); }
inline void write_json(const char* value, std::string& json) { write_json(std::string_view(value), json); }
inline void write_json(std::uint32_t value, std::string& json) { write_json(std::uint64_t{value}, json); }

/// Whether two numbers are the same once written.
bool is_same_number(double a, double b) noexcept;

} // namespace lucid

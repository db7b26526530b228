// actors/format/canonical_json.cpp - canonical text, strict reading.
#include "actors/format/canonical_json.hpp"

#include <algorithm>

namespace lucid {
namespace {

const json empty_list = json::array();
const json empty_object = json::object();

/// Anything nested deeper than our documents is refused before it costs memory.
constexpr int depth_max = 8;

tl::unexpected<error> first_difference(std::string_view text, std::string_view canonical, const char* who) {
  auto at = static_cast<std::size_t>(
    std::mismatch(text.begin(), text.end(), canonical.begin(), canonical.end()).first - text.begin());
  return fail(errc::invalid_input, who, "byte offset " + std::to_string(at) + ": not canonical JSON (RFC 8785)");
}

} // namespace

outcome<std::string> canonical_text(const json& value, const char* who) {
  try {
    return value.dump();
  } catch (const json::exception&) {
    return fail(errc::invalid_input, who, "a text is not valid UTF-8");
  }
}

outcome<json> parse_canonical(std::string_view text, std::size_t size_bytes_max, const char* who) {
  if (text.size() > size_bytes_max)
    return fail(errc::limit_exceeded, who,
                std::to_string(text.size()) + " bytes are above the bound of " + std::to_string(size_bytes_max));
  bool too_deep = false;
  auto bounded = [&](int depth, json::parse_event_t event, json&) {
    if (depth > depth_max && event != json::parse_event_t::value) too_deep = true;
    return !too_deep;
  };
  try {
    auto value = json::parse(text, bounded);
    if (too_deep) return fail(errc::invalid_input, who, "nested deeper than any document of this format");
    auto canonical = canonical_text(value, who);
    if (!canonical) return pass_on(std::move(canonical));
    if (*canonical != text) return first_difference(text, *canonical, who);
    return value;
  } catch (const json::parse_error& e) {
    return fail(errc::invalid_input, who, "byte offset " + std::to_string(e.byte) + ": not JSON");
  } catch (const json::exception&) {
    return fail(errc::invalid_input, who, "not JSON within the bounds of this format");
  }
}

json_reader::json_reader(const json& value, std::string where, const char* who)
  : value_(value.is_object() ? value : empty_object), where_(std::move(where)), who_(who) {
  if (!value.is_object()) refuse("", "expected an object");
}

std::string json_reader::path_of(const char* name) const {
  if (*name == '\0') return where_.empty() ? "document" : where_;
  return where_.empty() ? name : where_ + "." + name;
}

void json_reader::refuse(const char* name, std::string what, errc code) {
  if (!failed_) failed_ = error{code, who_, path_of(name) + ": " + std::move(what), nullptr};
}

void json_reader::absorb(const json_reader& inner) {
  if (!failed_) failed_ = inner.failed_;
}

const json* json_reader::member(const char* name, json::value_t type, const char* expected) {
  auto found = value_.find(name);
  if (found == value_.end()) {
    refuse(name, std::string("missing, expected ") + expected);
    return nullptr;
  }
  ++read_count_;
  // nlohmann tells non-negative integers apart from negative ones.
  bool fits = found->type() == type ||
              (type == json::value_t::number_integer && found->type() == json::value_t::number_unsigned);
  if (!fits) {
    refuse(name, std::string("expected ") + expected);
    return nullptr;
  }
  return &*found;
}

std::string json_reader::text(const char* name, std::size_t size_bytes_max) {
  auto found = member(name, json::value_t::string, "a text");
  if (!found) return {};
  const auto& value = found->get_ref<const std::string&>();
  if (value.size() > size_bytes_max) {
    refuse(name, "longer than " + std::to_string(size_bytes_max) + " bytes");
    return {};
  }
  return value;
}

std::uint64_t json_reader::number(const char* name, std::uint64_t value_max) {
  auto found = member(name, json::value_t::number_unsigned, "an integer that is not negative");
  if (!found) return 0;
  auto value = found->get<std::uint64_t>();
  if (value > value_max || !is_json_integer(value)) {
    refuse(name, "above the bound of " + std::to_string(value_max));
    return 0;
  }
  return value;
}

std::int64_t json_reader::time(const char* name) {
  auto found = member(name, json::value_t::number_integer, "an integer (microseconds)");
  if (!found) return 0;
  bool wide = found->is_number_unsigned() && !is_json_integer(found->get<std::uint64_t>());
  if (wide || !is_json_integer(found->get<std::int64_t>())) {
    refuse(name, "outside of 53 bits");
    return 0;
  }
  return found->get<std::int64_t>();
}

bool json_reader::flag(const char* name) {
  auto found = member(name, json::value_t::boolean, "true or false");
  return found && found->get<bool>();
}

byte_buffer json_reader::hex_bytes(const char* name, std::size_t size_bytes_max) {
  auto found = member(name, json::value_t::string, "hexadecimal digits");
  if (!found) return {};
  const auto& digits = found->get_ref<const std::string&>();
  auto lower = digits.find_first_of("ABCDEF") == std::string::npos;
  if (digits.size() > 2 * size_bytes_max || !lower) {
    refuse(name, lower ? "longer than " + std::to_string(size_bytes_max) + " bytes" : "expected lower-case digits");
    return {};
  }
  auto bytes = from_hex(digits);
  if (!bytes) {
    refuse(name, bytes.error().what);
    return {};
  }
  return std::move(*bytes);
}

void json_reader::hex(const char* name, std::span<std::uint8_t> into) {
  auto bytes = hex_bytes(name, into.size());
  if (!good()) return;
  if (bytes.size() != into.size()) refuse(name, "expected " + std::to_string(into.size()) + " bytes as hexadecimal digits");
  else std::copy(bytes.begin(), bytes.end(), into.begin());
}

std::vector<digest> json_reader::digests(const char* name, std::size_t count_max) {
  auto bytes = hex_bytes(name, count_max * 32);
  if (bytes.size() % 32 != 0) refuse(name, "expected a whole number of 32-byte digests");
  std::vector<digest> result(good() ? bytes.size() / 32 : 0);
  for (std::size_t i = 0; i < result.size(); ++i)
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(32 * i), 32, result[i].begin());
  return result;
}

std::string hex_of(std::span<const digest> digests) {
  std::string text;
  text.reserve(digests.size() * 64);
  for (const auto& d : digests) text += to_hex(d);
  return text;
}

const json& json_reader::list(const char* name, std::size_t count_max) {
  auto found = member(name, json::value_t::array, "a list");
  if (found && found->size() > count_max) {
    refuse(name, "more than " + std::to_string(count_max) + " elements");
    found = nullptr;
  }
  return found ? *found : empty_list;
}

const json& json_reader::object(const char* name) {
  auto found = member(name, json::value_t::object, "an object");
  return found ? *found : empty_object;
}

outcome<void> json_reader::finish() {
  if (!failed_ && read_count_ != value_.size()) refuse("", "has a member that version 1 does not know");
  if (failed_) return tl::unexpected(*failed_);
  return {};
}

} // namespace lucid

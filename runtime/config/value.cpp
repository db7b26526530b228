// runtime/config/value.cpp - the grammar and bounds of values, one overload for each type of field.
#include "runtime/config/value.hpp"

#include <charconv>

#include <fmt/core.h>

#include "runtime/config/explain.hpp"
#include "runtime/config/quantity.hpp"

namespace lucid {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t shown_bytes_max = 60;

std::string show(const raw_value& raw) {
  if (auto* text = std::get_if<written_text>(&raw)) return in_quotes(text->text);
  if (auto* number = std::get_if<std::int64_t>(&raw)) return fmt::format("{}", *number);
  if (auto* on = std::get_if<bool>(&raw)) return *on ? "true" : "false";
  if (std::holds_alternative<std::vector<std::string>>(raw)) return "a list";
  if (auto* other = std::get_if<foreign_value>(&raw)) return other->type;
  return "a table";
}

bool has_control_character(std::string_view text) {
  for (unsigned char c : text)
    if (c < 0x20 || c == 0x7f) return true;
  return false;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    auto end = text.find(at);
    auto part = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    parts.emplace_back(part);
  }
  return parts;
}

bool is_choice(std::string_view text, std::string_view choices) {
  for (auto& choice : split(choices, '|'))
    if (choice == text) return true;
  return false;
}

/// Puts one value into its field: what all overloads share.
class assigner {
public:
  assigner(const key_spec& key, const raw_value& raw, const std::filesystem::path& home)
    : key_(key), raw_(raw), home_(home) {}

  std::optional<refusal> operator()(std::uint32_t* field) const {
    auto number = bare_number();
    if (!number) return wrong("whole number");
    if (auto bad = out_of_bounds(*number)) return bad;
    if (key_.check)
      if (auto right = key_.check(std::to_string(*number)); !right.empty()) return refusal{"it is " + show(raw_), right};
    *field = static_cast<std::uint32_t>(*number);
    return {};
  }

  std::optional<refusal> operator()(std::uint64_t* field) const {
    if (auto number = bare_number()) return bounded(*number, [&](std::int64_t v) { *field = static_cast<std::uint64_t>(v); });
    auto* text = std::get_if<written_text>(&raw_);
    if (!text) return wrong("size");
    auto size = parse_size(text->text);
    if (!size) return wrong("size", size.error().what);
    return bounded(static_cast<std::int64_t>(*size), [&](std::int64_t v) { *field = static_cast<std::uint64_t>(v); });
  }

  std::optional<refusal> operator()(milliseconds* field) const { return duration(field); }
  std::optional<refusal> operator()(seconds* field) const { return duration(field); }

  std::optional<refusal> operator()(std::string* field) const {
    auto* text = std::get_if<written_text>(&raw_);
    if (!text) return wrong("text");
    if (auto bad = bad_text(text->text)) return bad;
    *field = text->text;
    return {};
  }

  std::optional<refusal> operator()(secret_text* field) const {
    // The value is never part of the message.
    auto* text = std::get_if<written_text>(&raw_);
    if (!text) return refusal{"it is no text", "a text in quotes"};
    if (text->text.size() > static_cast<std::size_t>(key_.max)) return refusal{"it is too long", show_bounds(key_)};
    *field = secret_text(text->text);
    return {};
  }

  std::optional<refusal> operator()(std::filesystem::path* field) const {
    auto* text = std::get_if<written_text>(&raw_);
    if (!text) return wrong("path");
    auto path = std::filesystem::path(text->text);
    if (text->text.rfind("~/", 0) == 0) path = home_ / text->text.substr(2);
    if (auto bad = bad_text(path.string())) return bad;
    *field = path;
    return {};
  }

  std::optional<refusal> operator()(std::vector<std::string>* field) const {
    auto list = std::get_if<std::vector<std::string>>(&raw_);
    auto* text = loose_text();
    if (!list && !text) return wrong("list of texts");
    auto entries = list ? *list : split(*text, ',');
    if (entries.size() > static_cast<std::size_t>(key_.max))
      return refusal{fmt::format("it has {} entries", entries.size()), show_bounds(key_)};
    for (auto& entry : entries)
      if (auto bad = bad_entry(entry, entry)) return bad;
    *field = std::move(entries);
    return {};
  }

  std::optional<refusal> operator()(std::map<std::string, std::string>* field) const {
    auto table = std::get_if<std::map<std::string, std::string>>(&raw_);
    auto* text = loose_text();
    if (!table && !text) return wrong("table of texts");
    auto entries = table ? *table : std::map<std::string, std::string>();
    if (text)
      for (auto& pair : split(*text, ',')) {
        auto at = pair.find('=');
        if (at == std::string::npos) return refusal{in_quotes(pair) + " has no \"=\"", "name=value,name=value"};
        entries[pair.substr(0, at)] = pair.substr(at + 1);
      }
    if (entries.size() > static_cast<std::size_t>(key_.max))
      return refusal{fmt::format("it has {} entries", entries.size()), show_bounds(key_)};
    for (auto& [name, value] : entries) {
      if (name.empty() || name.size() > shown_bytes_max || has_control_character(name))
        return refusal{in_quotes(name) + " is no name", "1 to 60 printable characters"};
      if (auto bad = bad_entry(value, name + " = " + value)) return bad;
    }
    *field = std::move(entries);
    return {};
  }

private:
  /// Text from environment or flag, where everything is text.
  const std::string* loose_text() const {
    auto* text = std::get_if<written_text>(&raw_);
    return text && !text->typed ? &text->text : nullptr;
  }

  std::optional<std::int64_t> bare_number() const {
    if (auto* number = std::get_if<std::int64_t>(&raw_)) return *number;
    auto* text = loose_text();
    std::int64_t value = 0;
    if (!text) return {};
    auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (ec != std::errc() || end != text->data() + text->size()) return {};
    return value;
  }

  refusal wrong(std::string_view wanted, std::string_view why = {}) const {
    auto what = fmt::format("{} is no {}", show(raw_), wanted);
    if (!why.empty()) what += fmt::format(": {}", why);
    return {what, show_bounds(key_)};
  }

  std::optional<refusal> out_of_bounds(std::int64_t value) const {
    if (value < key_.min) return refusal{show(raw_) + " is too small", show_bounds(key_)};
    if (value > key_.max) return refusal{show(raw_) + " is too large", show_bounds(key_)};
    return {};
  }

  template <class Store>
  std::optional<refusal> bounded(std::int64_t value, Store store) const {
    if (auto bad = out_of_bounds(value)) return bad;
    store(value);
    return {};
  }

  template <class Duration>
  std::optional<refusal> duration(Duration* field) const {
    auto store = [&](std::int64_t v) { *field = Duration(v); };
    if (auto number = bare_number()) return bounded(*number, store);
    auto* text = std::get_if<written_text>(&raw_);
    if (!text) return wrong("duration");
    auto parsed = parse_duration(text->text, Duration(1));
    if (!parsed) return wrong("duration", parsed.error().what);
    auto whole = std::chrono::duration_cast<Duration>(*parsed);
    if (whole != *parsed) return wrong("duration", "it must be whole seconds");
    return bounded(whole.count(), store);
  }

  std::optional<refusal> bad_text(std::string_view text) const {
    if (has_control_character(text)) return refusal{in_quotes(text) + " has a control character", "printable text"};
    if (!key_.choices.empty()) {
      if (is_choice(text, key_.choices)) return {};
      return refusal{in_quotes(text) + " is none of the choices", show_bounds(key_)};
    }
    auto size = static_cast<std::int64_t>(text.size());
    if (size < key_.min) return refusal{"it is empty", show_bounds(key_)};
    if (size > key_.max) return refusal{fmt::format("it has {} bytes", size), show_bounds(key_)};
    return bad_entry(text, text);
  }

  std::optional<refusal> bad_entry(std::string_view value, std::string_view shown) const {
    auto right = key_.check ? key_.check(value) : std::string();
    if (right.empty()) return {};
    return refusal{in_quotes(shown) + " is not allowed", right};
  }

  const key_spec& key_;
  const raw_value& raw_;
  const std::filesystem::path& home_;
};

} // namespace

std::optional<refusal> assign(const key_spec& key, const raw_value& raw, configuration& into,
                              const std::filesystem::path& home) {
  return std::visit(assigner(key, raw, home), key.field(into));
}

std::string in_quotes(std::string_view text) {
  std::string shown = "\"";
  for (unsigned char c : text.substr(0, shown_bytes_max)) {
    if (c < 0x20 || c == 0x7f) shown += fmt::format("\\x{:02x}", c);
    else shown += static_cast<char>(c);
  }
  return shown + (text.size() > shown_bytes_max ? "...\"" : "\"");
}

} // namespace lucid

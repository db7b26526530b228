// actors/console/config_json.cpp - each field of the configuration as a text and its unit.
#include "actors/console/config_json.hpp"

#include <array>
#include <string_view>

#include <nlohmann/json.hpp>

#include "runtime/config/key_table.hpp"

namespace lucid {
namespace {

using nlohmann::json;

struct value_text {
  std::string text;
  std::string_view unit = {};
};

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (auto& entry : list) text += (text.empty() ? "" : ",") + entry;
  return text;
}

/// Lists and tables as they are written in the environment: `a,b` and `name=value,name=value`.
struct value_writer {
  value_text operator()(const std::uint32_t* v) const { return {std::to_string(*v)}; }
  value_text operator()(const std::uint64_t* v) const { return {std::to_string(*v), "bytes"}; }
  value_text operator()(const std::chrono::milliseconds* v) const { return {std::to_string(v->count()), "ms"}; }
  value_text operator()(const std::chrono::seconds* v) const { return {std::to_string(v->count()), "s"}; }
  value_text operator()(const std::string* v) const { return {*v}; }
  value_text operator()(const std::filesystem::path* v) const { return {v->string()}; }
  value_text operator()(const secret_text*) const { return {}; }
  value_text operator()(const std::vector<std::string>* v) const { return {joined(*v)}; }
  value_text operator()(const std::map<std::string, std::string>* v) const {
    std::vector<std::string> entries;
    for (auto& [name, value] : *v) entries.push_back(name + '=' + value);
    return {joined(entries)};
  }
};

value_text value_of(const key_spec& key, configuration& values) {
  return std::visit([](auto* field) { return value_writer()(field); }, key.field(values));
}

/// Paths stand in the table as they are written, with what they follow from: "<node.data_dir>/keys".
std::string default_of(const key_spec& key, configuration& defaults) {
  if (key.secret()) return {};
  bool is_path = std::holds_alternative<std::filesystem::path*>(key.field(defaults));
  return is_path ? std::string(key.default_value) : value_of(key, defaults).text;
}

std::string_view source_of(const std::string& key, const std::map<std::string, value_origin>& origins) {
  static constexpr std::array<std::string_view, 4> names{"default", "file", "environment", "flag"};
  auto origin = origins.find(key);
  return names[origin == origins.end() ? 0 : static_cast<std::size_t>(origin->second.kind)];
}

} // namespace

json config_json(const configuration& values, const std::map<std::string, value_origin>& origins) {
  auto mine = values; // The table's accessor needs mutable values; nothing is changed.
  auto defaults = default_configuration();
  auto keys = json::array();
  for (auto& key : key_table()) {
    auto name = std::string(key.name);
    auto value = value_of(key, mine);
    keys.push_back({{"key", name},
                    {"value", value.text},
                    {"default", default_of(key, defaults)},
                    {"unit", value.unit},
                    {"source", source_of(name, origins)},
                    {"secret", key.secret()},
                    {"what", key.description}});
  }
  return {{"keys", std::move(keys)}};
}

} // namespace lucid

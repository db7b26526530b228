// adapters/files/capsule_folder.cpp - capsules to JSON and back, and the oldest give way.
#include "adapters/files/capsule_folder.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "adapters/files/atomic_write.hpp"

namespace lucid {
namespace {

using json = nlohmann::ordered_json;

constexpr std::string_view suffix = ".json";
constexpr std::size_t id_size = 16 + 1 + 8; ///< Time and count in hexadecimal, '-' between them.

bool is_id(std::string_view text) {
  auto fits = [&](std::size_t i) {
    char c = text[i];
    return i == 16 ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  };
  if (text.size() != id_size) return false;
  for (std::size_t i = 0; i < id_size; ++i)
    if (!fits(i)) return false;
  return true;
}

json json_of(const seen_message& one) {
  return {{"at_us", one.at_us},
          {"type", one.type},
          {"size_bytes", one.size_bytes},
          {"sender", one.sender},
          {"fields", one.fields}};
}

json json_of(const spec_summary& spec) {
  return {{"parent", spec.parent},
          {"position", spec.position},
          {"restart_kind", spec.restart},
          {"significant", spec.significant},
          {"shutdown_timeout_ms", spec.shutdown_timeout_ms},
          {"supervisor", spec.supervisor},
          {"strategy", spec.strategy},
          {"dynamic", spec.dynamic},
          {"restarts_max", spec.restarts_max},
          {"period_ms", spec.period_ms}};
}

std::string text_of(const crash_capsule& capsule) {
  json all{{"id", capsule.id},
           {"path", capsule.path},
           {"kind", capsule.kind},
           {"incarnation", capsule.incarnation},
           {"at_us", capsule.at_us},
           {"reason", capsule.reason},
           {"messages", json::array()},
           {"failing", capsule.failing},
           {"state", json::array()},
           {"spec", json_of(capsule.spec)},
           {"restart_count", capsule.restart_count}};
  for (const auto& one : capsule.messages) all["messages"].push_back(json_of(one));
  for (const auto& one : capsule.state) all["state"].push_back({{"key", one.key}, {"value", one.value}});
  return all.dump(1, ' ', false, json::error_handler_t::replace);
}

// `at` throws where a member is missing or of another type; `read` turns that into an error that names the file.
seen_message message_of(const json& from) {
  seen_message one;
  from.at("at_us").get_to(one.at_us);
  from.at("type").get_to(one.type);
  from.at("size_bytes").get_to(one.size_bytes);
  from.at("sender").get_to(one.sender);
  from.at("fields").get_to(one.fields);
  return one;
}

spec_summary spec_of(const json& from) {
  spec_summary spec;
  from.at("parent").get_to(spec.parent);
  from.at("position").get_to(spec.position);
  from.at("restart_kind").get_to(spec.restart);
  from.at("significant").get_to(spec.significant);
  from.at("shutdown_timeout_ms").get_to(spec.shutdown_timeout_ms);
  from.at("supervisor").get_to(spec.supervisor);
  from.at("strategy").get_to(spec.strategy);
  from.at("dynamic").get_to(spec.dynamic);
  from.at("restarts_max").get_to(spec.restarts_max);
  from.at("period_ms").get_to(spec.period_ms);
  return spec;
}

crash_capsule capsule_of(const json& from) {
  crash_capsule capsule;
  from.at("id").get_to(capsule.id);
  from.at("path").get_to(capsule.path);
  from.at("kind").get_to(capsule.kind);
  from.at("incarnation").get_to(capsule.incarnation);
  from.at("at_us").get_to(capsule.at_us);
  from.at("reason").get_to(capsule.reason);
  for (const auto& one : from.at("messages")) capsule.messages.push_back(message_of(one));
  from.at("failing").get_to(capsule.failing);
  for (const auto& one : from.at("state")) capsule.state.push_back({one.at("key"), one.at("value")});
  capsule.spec = spec_of(from.at("spec"));
  from.at("restart_count").get_to(capsule.restart_count);
  return capsule;
}

} // namespace

outcome<std::string> capsule_folder::put(crash_capsule capsule) {
  std::lock_guard lock(mutex_);
  capsule.id = fmt::format("{:016x}-{:08x}", static_cast<std::uint64_t>(capsule.at_us), count_++);
  const auto text = text_of(capsule);
  if (text.size() > file_size_bytes_max)
    return fail(errc::limit_exceeded, "capsules",
                fmt::format("the capsule of {} has {} bytes; {} are kept", capsule.path, text.size(), file_size_bytes_max));
  if (auto made = files_.make_folder(folder_); !made) return pass_on(std::move(made));
  auto written = write_atomically(files_, file_of(capsule.id), as_bytes(text));
  if (!written) return pass_on(std::move(written));
  if (auto cleared = clear_away(); !cleared) return pass_on(std::move(cleared));
  return capsule.id;
}

outcome<std::vector<std::string>> capsule_folder::ids() {
  auto names = files_.list(folder_);
  if (!names) return names;
  std::vector<std::string> found;
  for (const auto& name : *names) {
    auto id = name.substr(0, name.size() - std::min(name.size(), suffix.size()));
    if (name.ends_with(suffix) && is_id(id)) found.push_back(id);
  }
  return found;
}

outcome<void> capsule_folder::clear_away() {
  auto names = files_.list(folder_);
  if (!names) return pass_on(std::move(names));
  for (const auto& name : *names)
    if (name.ends_with(part_suffix))
      if (auto removed = files_.remove(folder_ / name); !removed) return removed;
  auto all = ids();
  if (!all) return pass_on(std::move(all));
  for (std::size_t i = 0; i + capsules_max < all->size(); ++i)
    if (auto removed = files_.remove(file_of((*all)[i])); !removed) return removed;
  return {};
}

outcome<std::vector<capsule_summary>> capsule_folder::list() {
  std::lock_guard lock(mutex_);
  auto all = ids();
  if (!all) return pass_on(std::move(all));
  std::vector<capsule_summary> found;
  for (auto id = all->rbegin(); id != all->rend(); ++id) {
    auto capsule = read(*id);
    if (!capsule) continue;
    found.push_back({capsule->id, capsule->path, capsule->incarnation, capsule->at_us, capsule->reason});
  }
  return found;
}

outcome<crash_capsule> capsule_folder::get(const std::string& id) {
  if (!is_id(id))
    return fail(errc::invalid_input, "capsules", "an id has 16 hexadecimal digits, '-', and 8 more, in lower case");
  std::lock_guard lock(mutex_);
  return read(id);
}

outcome<crash_capsule> capsule_folder::read(const std::string& id) {
  auto bytes = read_whole(files_, file_of(id), file_size_bytes_max);
  if (!bytes) return pass_on(std::move(bytes));
  try {
    auto capsule = capsule_of(json::parse(as_text(*bytes)));
    if (capsule.id == id) return capsule;
    return fail(errc::corrupted, "capsules", fmt::format("{} says that it is '{}'", file_of(id).string(), capsule.id));
  } catch (const json::exception& e) {
    return fail(errc::corrupted, "capsules", fmt::format("{} is no capsule: {}", file_of(id).string(), e.what()));
  }
}

} // namespace lucid

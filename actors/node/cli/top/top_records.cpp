// actors/node/cli/top/top_records.cpp - JSON of the contract to lines.
#include "actors/node/cli/top/top_records.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/node/cli/actor_paths.hpp"
#include "actors/node/cli/top/top_text.hpp"
#include "actors/node/session_text.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

using nlohmann::json;

/// Runs `read`; a member that is missing or of another type is the node's fault.
template <class Result, class Read>
outcome<Result> reading(Read read) {
  try {
    return read();
  } catch (const json::exception& e) {
    return fail(errc::protocol_violation, "lucid", std::string("the node's answer cannot be read: ").append(e.what()));
  }
}

std::string text_at(const json& object, const char* member) { return printable(object.at(member).get<std::string>()); }
std::uint64_t count_at(const json& object, const char* member) { return object.at(member).get<std::uint64_t>(); }
std::int64_t time_at(const json& object, const char* member) { return object.at(member).get<std::int64_t>(); }

std::string sender_text(const json& message) {
  auto sender = text_at(message, "sender");
  return sender.empty() ? "outside the tree" : with_short_ids(sender);
}

/// One Message: a line, and one with its fields where there are any.
std::vector<text_line> message_lines(const json& message) {
  auto size = count_at(message, "size_bytes");
  std::vector<text_line> lines{{fmt::format("{}  {}{}  from {}", clock_text(time_at(message, "at_us")), text_at(message, "type"),
                                            size == 0 ? "" : "  " + size_text(size), sender_text(message))}};
  if (auto fields = text_at(message, "fields"); !fields.empty()) lines.push_back({"    " + fields, text_style::dim});
  return lines;
}

text_style style_of_level(const std::string& level) {
  if (level == "error") return text_style::alert;
  if (level == "warn") return text_style::marked;
  return level == "info" ? text_style::plain : text_style::dim;
}

/// What a child specification says, as "parent storage, restart_kind permanent".
std::string spec_text(const json& spec) {
  std::string text;
  for (auto& [name, value] : spec.items()) {
    if (value == false || value == "") continue;
    text.append(text.empty() ? "" : ", ").append(printable(name));
    if (value.is_boolean()) continue;
    text.append(" ").append(printable(value.is_string() ? value.get<std::string>() : value.dump()));
  }
  return with_short_ids(std::move(text));
}

} // namespace

outcome<top_rows> log_rows(const json& answer) {
  return reading<top_rows>([&] {
    top_rows rows;
    for (auto& line : answer.at("lines")) {
      auto level = text_at(line, "level");
      rows.lines.push_back({fmt::format("{}  {:<5}  {}: {}", clock_text(time_at(line, "at_us")), level,
                                        with_short_ids(text_at(line, "path")), with_short_ids(text_at(line, "text"))),
                            style_of_level(level)});
    }
    std::reverse(rows.lines.begin(), rows.lines.end());
    return rows;
  });
}

outcome<std::vector<capsule_head>> read_capsule_heads(const json& answer) {
  return reading<std::vector<capsule_head>>([&] {
    std::vector<capsule_head> heads;
    for (auto& one : answer.at("capsules"))
      heads.push_back({text_at(one, "id"), text_at(one, "path"), count_at(one, "incarnation"), time_at(one, "at_us"),
                       text_at(one, "reason")});
    return heads;
  });
}

outcome<top_rows> capsule_list_rows(const json& answer, const std::string& path) {
  auto heads = read_capsule_heads(answer);
  if (!heads) return pass_on(std::move(heads));
  top_rows rows;
  for (auto& one : *heads) {
    if (!path.empty() && one.path != path) continue;
    rows.lines.push_back(
        {fmt::format("{}  {} ({})  {}", time_text(one.at_us), with_short_ids(one.path), one.incarnation, one.reason)});
    rows.ids.push_back(one.id);
  }
  return rows;
}

outcome<top_rows> capsule_rows(const json& capsule) {
  return reading<top_rows>([&] {
    std::vector<text_line> lines;
    auto head = [&](std::string text) { lines.push_back({std::move(text), text_style::head}); };
    head(fmt::format("{}, incarnation {}, {}", text_at(capsule, "path"), count_at(capsule, "incarnation"),
                     time_text(time_at(capsule, "at_us"))));
    lines.push_back({text_at(capsule, "reason"), text_style::alert});
    lines.push_back(
        {fmt::format("{} before; capsule {}", counted(count_at(capsule, "restart_count"), "restart"), text_at(capsule, "id"))});
    if (auto spec = spec_text(capsule.at("spec")); !spec.empty()) lines.push_back({spec, text_style::dim});
    lines.push_back({});
    auto& messages = capsule.at("messages");
    auto is_failing = capsule.at("failing").get<bool>();
    head(messages.empty() ? "It had handled no message" : "What it handled last, oldest first");
    for (std::size_t i = 0; i < messages.size(); ++i) {
      auto fails = is_failing && i + 1 == messages.size();
      for (auto& line : message_lines(messages[i]))
        lines.push_back({"  " + line.text, fails ? text_style::alert : line.style});
      if (fails) lines.push_back({"  ^ its handler failed on this one", text_style::alert});
    }
    lines.push_back({});
    auto& state = capsule.at("state");
    head(state.empty() ? "It could not be asked for its state any more" : "Its last state");
    for (auto& one : state) lines.push_back({fmt::format("  {:<24} {}", text_at(one, "key"), text_at(one, "value"))});
    return top_rows{std::move(lines)};
  });
}

outcome<top_rows> letter_rows(const json& letters) {
  return reading<top_rows>([&] {
    std::vector<text_line> lines;
    auto& dead = letters.at("dead_letters");
    lines.push_back({dead.empty() ? "No message went to an actor that was not there" : "Messages to actors that were not there",
                     text_style::head});
    for (auto& one : dead)
      lines.push_back({fmt::format("  {:>8}  {}", count_at(one, "count"), with_short_ids(text_at(one, "path")))});
    lines.push_back({});
    auto& refusals = letters.at("refusals");
    lines.push_back({refusals.empty() ? "Nothing was turned away" : "Turned away, the newest first", text_style::head});
    for (auto& one : refusals)
      lines.push_back({fmt::format("  {:>8}  {} from {}, last at {}: {}", count_at(one, "count"), text_at(one, "kind"),
                                   text_at(one, "source"), clock_text(time_at(one, "at_us")), text_at(one, "what"))});
    return top_rows{std::move(lines)};
  });
}

outcome<void> tap_log::hear(std::string_view message) {
  auto told = json::parse(message, nullptr, false);
  if (!told.is_object() || !told.contains("topic") || told["topic"] != "tap" || told.value("path", json()) != path_) return {};
  auto read = reading<std::uint64_t>([&] {
    for (auto& one : told.at("messages")) {
      messages_.push_front(message_lines(one));
      ++heard_count_;
      if (messages_.size() > messages_max) messages_.pop_back();
    }
    return missed_count_ += count_at(told, "missed");
  });
  if (!read) return pass_on(std::move(read));
  return {};
}

top_rows tap_log::rows() const {
  auto missed = missed_count_ == 0 ? std::string() : fmt::format(", {} more came too fast to be told", missed_count_);
  top_rows rows{{{counted(heard_count_, "message").append(missed), missed.empty() ? text_style::dim : text_style::marked}}};
  for (auto& one : messages_) rows.lines.insert(rows.lines.end(), one.begin(), one.end());
  return rows;
}

} // namespace lucid

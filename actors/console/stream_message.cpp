// actors/console/stream_message.cpp - JSON from a page.
#include "actors/console/stream_message.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "messages/identity.hpp"
#include "messages/inspection.hpp"

namespace lucid {
namespace {

using nlohmann::json;

tl::unexpected<error> refuse(std::string what) { return fail(errc::invalid_input, "console", std::move(what)); }

bool is_topic(std::string_view name) {
  if (name == "actors" || name == "node" || name == "sessions" || name == "letters") return true;
  constexpr std::string_view flow = "flow:";
  session_id id;
  return name.starts_with(flow) && from_hex_into(name.substr(flow.size()), id);
}

outcome<std::string> path_of(const json& value, const char* name) {
  if (!value.is_string()) return refuse(fmt::format("{} must be the path of an actor", name));
  auto& path = value.get_ref<const std::string&>();
  if (path.empty() || path.size() > actor_path_bytes_max)
    return refuse(fmt::format("{} must be a path of 1 to {} bytes", name, actor_path_bytes_max));
  return path;
}

outcome<std::vector<std::string>> topics_of(const json& list) {
  if (!list.is_array() || list.size() > watched_topics_max)
    return refuse(fmt::format("watch.topics must be a list of at most {} topics", watched_topics_max));
  std::vector<std::string> topics;
  for (auto& item : list) {
    if (!item.is_string() || !is_topic(item.get_ref<const std::string&>()))
      return refuse("watch.topics holds something else than actors, node, sessions, letters or flow:<session id>");
    auto& topic = item.get_ref<const std::string&>();
    if (std::find(topics.begin(), topics.end(), topic) != topics.end()) return refuse("watch.topics names one twice");
    topics.push_back(topic);
  }
  return topics;
}

outcome<stream_message> decode_watch(const json& members) {
  if (!members.is_object() || !members.contains("topics") || members.size() > 2)
    return refuse("watch must be an object with topics and interval_ms");
  auto topics = topics_of(members["topics"]);
  if (!topics) return pass_on(std::move(topics));
  watch_wish wish{std::move(*topics)};
  if (members.size() == 1) return wish;
  auto interval = members.find("interval_ms");
  if (interval == members.end()) return refuse("watch has a member that is not known here");
  if (!interval->is_number_integer() || *interval < watch_interval_min.count() || *interval > watch_interval_max.count())
    return refuse(fmt::format("watch.interval_ms must be a whole number from {} to {}", watch_interval_min.count(),
                              watch_interval_max.count()));
  wish.interval = std::chrono::milliseconds(interval->get<std::int64_t>());
  return wish;
}

} // namespace

outcome<stream_message> decode_stream_message(std::string_view text) {
  // Nesting is bounded before anything is built: a list in an object in an object.
  auto shallow = [](int depth, json::parse_event_t, json&) { return depth <= 3; };
  auto message = json::parse(text.begin(), text.end(), shallow, false);
  if (!message.is_object() || message.size() != 1)
    return refuse("a message must be one JSON object with one member: watch, tap or untap");
  auto member = message.begin();
  auto& name = member.key();
  auto& value = member.value();
  if (name == "watch") return decode_watch(value);
  if (name != "tap" && name != "untap") return refuse("a message is one of watch, tap and untap");
  auto path = path_of(value, name == "tap" ? "tap" : "untap");
  if (!path) return pass_on(std::move(path));
  if (name == "tap") return tap_wish{std::move(*path)};
  return untap_wish{std::move(*path)};
}

} // namespace lucid

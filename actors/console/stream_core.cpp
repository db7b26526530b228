// actors/console/stream_core.cpp - wishes, turns, frames.
#include "actors/console/stream_core.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace lucid {
namespace {

const std::string actors_topic = "actors";
const std::string sessions_topic = "sessions";

} // namespace

// --- object_changes ---------------------------------------------------------------------------------------------

void object_changes::update(const nlohmann::json& object) {
  auto next_version = version_ + 1;
  bool changed = version_ == 0;
  auto note = [&](const std::string& name, std::string text) {
    auto& known = members_[name];
    if (known.changed != 0 && known.text == text) return;
    known = {std::move(text), next_version};
    changed = true;
  };
  for (auto& [name, value] : object.items()) {
    std::string text;
    write_json(value, text);
    note(name, std::move(text));
  }
  for (auto& [name, known] : members_)
    if (!object.contains(name)) note(name, "null");
  if (changed) version_ = next_version;
}

std::optional<std::string> object_changes::since(std::uint64_t seen) const {
  if (seen != 0 && seen >= version_) return {};
  std::string json = seen == 0 ? "\"full\":true,\"set\":{" : "\"full\":false,\"set\":{";
  for (auto& [name, known] : members_) {
    if (known.changed <= seen) continue;
    write_name(name, json);
    json += known.text;
  }
  json.push_back('}');
  return json;
}

// --- what pages want --------------------------------------------------------------------------------------------

outcome<void> stream_core::heard(std::uint64_t stream, std::string_view message, time now) {
  auto page = watchers_.find(stream);
  if (page == watchers_.end()) return {};
  auto wish = decode_stream_message(message);
  if (!wish) return pass_on(std::move(wish));
  return std::visit([&](auto& one) { return carry_out(page->second, one, now); }, *wish);
}

outcome<void> stream_core::carry_out(watcher& page, const watch_wish& wish, time now) {
  std::map<std::string, std::uint64_t> topics;
  for (auto& topic : wish.topics) {
    auto known = page.topics.find(topic);
    topics[topic] = known == page.topics.end() ? 0 : known->second;
  }
  page.topics = std::move(topics);
  page.interval = wish.interval;
  page.due = std::max(now, page.earliest);
  forget_unwatched();
  return {};
}

outcome<void> stream_core::carry_out(watcher& page, const tap_wish& wish, time now) {
  if (page.taps.count(wish.path)) return {};
  if (page.taps.size() >= taps_max)
    return fail(errc::limit_exceeded, "console", fmt::format("a page can tap {} actors at most", taps_max));
  if (page.is_idle()) page.due = std::max(now, page.earliest);
  page.taps[wish.path];
  return {};
}

outcome<void> stream_core::carry_out(watcher& page, const untap_wish& wish, time) {
  page.taps.erase(wish.path);
  return {};
}

void stream_core::closed(std::uint64_t stream) {
  watchers_.erase(stream);
  forget_unwatched();
}

void stream_core::skipped(std::uint64_t stream) {
  auto page = watchers_.find(stream);
  if (page == watchers_.end()) return;
  for (auto& [topic, seen] : page->second.topics) seen = 0;
  for (auto& [path, from] : page->second.taps) from.missed += std::exchange(from.told_last, 0);
}

bool stream_core::is_watched(const std::string& topic) const {
  return std::any_of(watchers_.begin(), watchers_.end(), [&](auto& w) { return w.second.topics.count(topic) != 0; });
}

void stream_core::forget_unwatched() {
  if (!is_watched(actors_topic)) actors_ = {actor_members(), key_of_actor};
  if (!is_watched(sessions_topic)) sessions_ = {session_members(), key_of_session};
  std::erase_if(objects_, [&](auto& known) { return !is_watched(known.first); });
}

// --- rounds -----------------------------------------------------------------------------------------------------

std::optional<stream_core::time> stream_core::next_due() const {
  std::optional<time> next;
  for (auto& [stream, page] : watchers_)
    if (!page.is_idle() && (!next || page.due < *next)) next = page.due;
  return next;
}

std::set<std::string> stream_core::due_topics(time now) const {
  std::set<std::string> topics;
  for (auto& [stream, page] : watchers_)
    if (page.due <= now)
      for (auto& [topic, seen] : page.topics) topics.insert(topic);
  return topics;
}

void stream_core::take_object(const std::string& topic, const nlohmann::json& object) {
  if (is_watched(topic)) objects_[topic].update(object);
}

void stream_core::tapped(const std::string& path, const nlohmann::json& message) {
  for (auto& [stream, page] : watchers_) {
    auto found = page.taps.find(path);
    if (found == page.taps.end()) continue;
    auto& into = found->second;
    if (into.messages.size() >= tap_messages_max) {
      ++into.missed;
      continue;
    }
    write_json(message, into.messages.emplace_back());
  }
}

void stream_core::tap_missed(const std::string& path, std::uint64_t count) {
  for (auto& [stream, page] : watchers_)
    if (auto found = page.taps.find(path); found != page.taps.end()) found->second.missed += count;
}

std::set<std::string> stream_core::tapped_paths() const {
  std::set<std::string> paths;
  for (auto& [stream, page] : watchers_)
    for (auto& [path, from] : page.taps) paths.insert(path);
  return paths;
}

std::optional<std::pair<std::string, std::uint64_t>> stream_core::news_of(const std::string& topic,
                                                                         std::uint64_t seen) const {
  auto told = [seen](auto& table) -> std::optional<std::pair<std::string, std::uint64_t>> {
    if (table.version() == 0) return {}; // Nothing was found out yet.
    auto text = table.since(seen);
    if (!text) return {};
    return std::pair(std::move(*text), table.version());
  };
  if (topic == actors_topic) return told(actors_);
  if (topic == sessions_topic) return told(sessions_);
  auto object = objects_.find(topic);
  if (object == objects_.end()) return {};
  return told(object->second);
}

std::optional<std::string> stream_core::news_of(const std::string& path, tap& from) {
  if (from.messages.empty() && from.missed == 0) return {};
  std::string json = "{\"topic\":\"tap\"";
  write_name("path", json);
  write_json(path, json);
  json += ",\"messages\":[";
  for (auto& message : from.messages) {
    separate(json);
    json += message;
  }
  json += fmt::format("],\"missed\":{}}}", from.missed);
  from.told_last = from.messages.size() + from.missed;
  from.messages.clear();
  from.missed = 0;
  return json;
}

std::vector<stream_frame> stream_core::frames(time now) {
  std::vector<stream_frame> all;
  for (auto& [stream, page] : watchers_) {
    if (page.is_idle() || page.due > now) continue;
    page.due = now + page.interval;
    page.earliest = now + watch_interval_min;
    for (auto& [topic, seen] : page.topics) {
      auto news = news_of(topic, seen);
      if (!news) continue;
      seen = news->second;
      all.push_back({stream, fmt::format("{{\"topic\":\"{}\",\"seq\":{},{}}}", topic, seen, news->first)});
    }
    for (auto& [path, from] : page.taps)
      if (auto news = news_of(path, from)) all.push_back({stream, std::move(*news)});
  }
  return all;
}

} // namespace lucid

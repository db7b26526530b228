// actors/console/capsule_json.cpp - the members of a capsule.
#include "actors/console/capsule_json.hpp"

#include <nlohmann/json.hpp>

namespace lucid {

using nlohmann::json;

namespace {

json spec_json(const spec_summary& spec) {
  json object{{"parent", spec.parent},
              {"position", spec.position},
              {"restart_kind", spec.restart},
              {"significant", spec.significant},
              {"shutdown_timeout_ms", spec.shutdown_timeout_ms},
              {"supervisor", spec.supervisor}};
  if (!spec.supervisor) return object;
  object["strategy"] = spec.strategy;
  object["dynamic"] = spec.dynamic;
  object["restarts_max"] = spec.restarts_max;
  object["period_ms"] = spec.period_ms;
  return object;
}

} // namespace

json to_json(const seen_message& message) {
  return {{"at_us", message.at_us},
          {"type", message.type},
          {"size_bytes", message.size_bytes},
          {"sender", message.sender},
          {"fields", message.fields}};
}

json to_json(const capsule_summary& head) {
  return {{"id", head.id}, {"path", head.path}, {"incarnation", head.incarnation}, {"at_us", head.at_us}, {"reason", head.reason}};
}

json to_json(const crash_capsule& capsule) {
  json object{{"id", capsule.id},
              {"path", capsule.path},
              {"kind", capsule.kind},
              {"incarnation", capsule.incarnation},
              {"at_us", capsule.at_us},
              {"reason", capsule.reason},
              {"messages", json::array()},
              {"failing", capsule.failing},
              {"state", json::array()},
              {"spec", spec_json(capsule.spec)},
              {"restart_count", capsule.restart_count}};
  for (auto& message : capsule.messages) object["messages"].push_back(to_json(message));
  for (auto& [key, value] : capsule.state) object["state"].push_back({{"key", key}, {"value", value}});
  return object;
}

} // namespace lucid

// actors/console/replication_json.cpp - fields out and in.
#include "actors/console/replication_json.hpp"

#include <nlohmann/json.hpp>

namespace lucid {
namespace {

using nlohmann::json;

tl::unexpected<error> no_answer(const std::string& why) {
  return fail(errc::protocol_violation, "control", "the node's answer about copies cannot be read: " + why);
}

/// Reads by `read`, which may throw as the library does.
template <class T, class Read>
outcome<T> read_answer(const json& object, Read read) {
  try {
    T value;
    read(object, value);
    return value;
  } catch (const json::exception& e) {
    return no_answer(e.what());
  }
}

/// As the library throws for a wrong type.
template <std::size_t N>
void read_hex(const json& object, const char* name, std::array<std::uint8_t, N>& into) {
  if (!from_hex_into(object.at(name).get_ref<const std::string&>(), into))
    throw json::type_error::create(302, std::string(name).append(" is not of hexadecimal digits"), &object);
}

} // namespace

json to_json(const replication_status& s) {
  auto holders = json::array();
  for (auto& h : s.holders)
    holders.push_back({{"node", to_hex(h.node)},
                       {"name", h.name},
                       {"up", h.up},
                       {"chunk_count", h.chunk_count},
                       {"bytes", h.bytes},
                       {"challenges_ok", h.challenges_ok},
                       {"challenges_failed", h.challenges_failed},
                       {"challenges_late", h.challenges_late}});
  return {{"copies", s.copies},
          {"session_count", s.session_count},
          {"chunk_count", s.chunk_count},
          {"replicated_count", s.replicated_count},
          {"without_copy_count", s.without_copy_count},
          {"in_flight", s.in_flight},
          {"last_failure", s.last_failure},
          {"holders", std::move(holders)}};
}

json to_json(const replication_audit& a) {
  auto copies = json::array();
  for (auto& c : a.copies)
    copies.push_back({{"node", to_hex(c.node)},
                      {"name", c.name},
                      {"held", c.held},
                      {"verified", c.verified},
                      {"damaged", c.damaged},
                      {"missing", c.missing},
                      {"failure", c.failure}});
  return {{"session", to_hex(a.session)}, {"chunk_count", a.chunk_count}, {"from", a.from}, {"next", a.next},
          {"done", a.done}, {"short_count", a.short_count}, {"copies", std::move(copies)}};
}

outcome<replication_status> replication_status_from_json(const json& object) {
  return read_answer<replication_status>(object, [](const json& in, replication_status& s) {
    in.at("copies").get_to(s.copies);
    in.at("session_count").get_to(s.session_count);
    in.at("chunk_count").get_to(s.chunk_count);
    in.at("replicated_count").get_to(s.replicated_count);
    in.at("without_copy_count").get_to(s.without_copy_count);
    in.at("in_flight").get_to(s.in_flight);
    in.at("last_failure").get_to(s.last_failure);
    for (auto& row : in.at("holders")) {
      auto& h = s.holders.emplace_back();
      read_hex(row, "node", h.node);
      row.at("name").get_to(h.name);
      row.at("up").get_to(h.up);
      row.at("chunk_count").get_to(h.chunk_count);
      row.at("bytes").get_to(h.bytes);
      row.at("challenges_ok").get_to(h.challenges_ok);
      row.at("challenges_failed").get_to(h.challenges_failed);
      row.at("challenges_late").get_to(h.challenges_late);
    }
  });
}

outcome<replication_audit> replication_audit_from_json(const json& object) {
  return read_answer<replication_audit>(object, [](const json& in, replication_audit& a) {
    read_hex(in, "session", a.session);
    in.at("chunk_count").get_to(a.chunk_count);
    in.at("from").get_to(a.from);
    in.at("next").get_to(a.next);
    in.at("done").get_to(a.done);
    in.at("short_count").get_to(a.short_count);
    for (auto& row : in.at("copies")) {
      auto& c = a.copies.emplace_back();
      read_hex(row, "node", c.node);
      row.at("name").get_to(c.name);
      row.at("held").get_to(c.held);
      row.at("verified").get_to(c.verified);
      row.at("damaged").get_to(c.damaged);
      row.at("missing").get_to(c.missing);
      row.at("failure").get_to(c.failure);
    }
  });
}

} // namespace lucid

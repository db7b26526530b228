// actors/console/watched_rows.cpp - the members of an actor and of a session.
#include "actors/console/watched_rows.hpp"

namespace lucid {
namespace {

/// A member that is written as it is.
template <auto Field, class Row>
row_member<Row> plain(const char* name) {
  return {name, [](const Row& a, const Row& b) { return a.*Field == b.*Field; },
          [](const Row& row, std::string& json) { write_json(row.*Field, json); }};
}
template <auto Field>
row_member<inspection> of_actor(const char* name) {
  return plain<Field, inspection>(name);
}
template <auto Field>
row_member<session_summary> of_session(const char* name) {
  return plain<Field, session_summary>(name);
}

/// A part of the child spec, of every actor or of supervisors alone.
template <auto Field>
row_member<inspection> of_spec(const char* name) {
  return {name, [](const inspection& a, const inspection& b) { return a.spec.*Field == b.spec.*Field; },
          [](const inspection& actor, std::string& json) { write_json(actor.spec.*Field, json); }};
}
bool is_supervisor(const inspection& actor) { return actor.spec.supervisor; }
row_member<inspection> of_supervisor(row_member<inspection> member) {
  member.has = is_supervisor;
  return member;
}

/// Written to three decimals, and compared so.
template <auto Field>
row_member<inspection> rounded(const char* name) {
  return {name, [](const inspection& a, const inspection& b) { return is_same_number(a.*Field, b.*Field); },
          [](const inspection& actor, std::string& json) { write_json(actor.*Field, json); }};
}

bool has_same_state_now(const inspection& a, const inspection& b) { return a.state_now == b.state_now; }
bool has_same_senders(const inspection& a, const inspection& b) { return a.senders == b.senders; }
bool has_same_times(const inspection& a, const inspection& b) { return a.times == b.times; }
bool has_same_handled(const inspection& a, const inspection& b) { return a.handled == b.handled; }
bool has_same_state(const inspection& a, const inspection& b) { return a.state == b.state; }
bool has_same_restarts(const inspection& a, const inspection& b) { return a.restarts == b.restarts; }

void write_state_now(const inspection& actor, std::string& json) { write_json(to_string(actor.state_now), json); }

void write_times(const inspection& actor, std::string& json) {
  json.push_back('{');
  for (auto [name, ns] : {std::pair("p50", actor.times.p50_ns), std::pair("p90", actor.times.p90_ns),
                          std::pair("p99", actor.times.p99_ns), std::pair("max", actor.times.max_ns)}) {
    write_name(name, json);
    write_json(ns, json);
  }
  json.push_back('}');
}

void write_handled(const inspection& actor, std::string& json) {
  json.push_back('{');
  for (auto& each : actor.handled) {
    write_name(each.type, json);
    write_json(each.count, json);
  }
  json.push_back('}');
}

/// One member of an object that is being written.
template <class Value>
void write_member(const char* name, const Value& value, std::string& json) {
  write_name(name, json);
  write_json(value, json);
}

void write_by_type(const inspection& actor, std::string& json) {
  json.push_back('[');
  for (auto& each : actor.handled) {
    separate(json);
    json.push_back('{');
    write_member("type", each.type, json);
    write_member("count", each.count, json);
    write_member("p50_ns", each.p50_ns, json);
    write_member("p99_ns", each.p99_ns, json);
    write_member("max_ns", each.max_ns, json);
    json.push_back('}');
  }
  json.push_back(']');
}

void write_senders(const inspection& actor, std::string& json) {
  json.push_back('[');
  for (auto& sender : actor.senders) {
    separate(json);
    json.push_back('{');
    write_member("path", sender.path, json);
    write_member("count", sender.count, json);
    json.push_back('}');
  }
  json.push_back(']');
}

void write_state(const inspection& actor, std::string& json) {
  json.push_back('{');
  for (auto& [key, value] : actor.state) {
    write_name(key, json);
    write_json(value, json);
  }
  json.push_back('}');
}

void write_restarts(const inspection& actor, std::string& json) {
  json.push_back('[');
  for (auto& restart : actor.restarts) {
    separate(json);
    json.push_back('{');
    write_member("at_us", restart.at_us, json);
    write_member("incarnation", restart.incarnation, json);
    write_member("reason", restart.reason, json);
    json.push_back('}');
  }
  json.push_back(']');
}

bool has_same_state_name(const session_summary& a, const session_summary& b) { return a.state == b.state; }
void write_state_name(const session_summary& session, std::string& json) { write_json(to_string(session.state), json); }
bool has_same_producer(const session_summary& a, const session_summary& b) { return a.block_producer == b.block_producer; }
void write_producer(const session_summary& session, std::string& json) {
  write_json(session.block_producer == sign_public_key{} ? std::string() : to_hex(session.block_producer), json);
}
bool has_same_id(const session_summary& a, const session_summary& b) { return a.id == b.id; }
void write_id(const session_summary& session, std::string& json) { write_json(to_hex(session.id), json); }

} // namespace

std::span<const row_member<inspection>> actor_members() {
  static const row_member<inspection> members[] = {
    of_actor<&inspection::path>("path"),
    of_actor<&inspection::kind>("kind"),
    of_spec<&spec_summary::parent>("parent"),
    of_spec<&spec_summary::position>("position"),
    of_spec<&spec_summary::supervisor>("supervisor"),
    of_supervisor(of_spec<&spec_summary::strategy>("strategy")),
    of_supervisor(of_spec<&spec_summary::dynamic>("dynamic")),
    of_supervisor(of_spec<&spec_summary::restarts_max>("restarts_max")),
    of_supervisor(of_spec<&spec_summary::period_ms>("period_ms")),
    of_supervisor(of_actor<&inspection::child_count>("child_count")),
    of_spec<&spec_summary::restart>("restart_kind"),
    of_spec<&spec_summary::significant>("significant"),
    of_spec<&spec_summary::shutdown_timeout_ms>("shutdown_timeout_ms"),
    {"state_now", has_same_state_now, write_state_now},
    of_actor<&inspection::incarnation>("incarnation"),
    of_actor<&inspection::present>("present"),
    of_actor<&inspection::started_us>("started_us"),
    of_actor<&inspection::mailbox_length>("mailbox_length"),
    of_actor<&inspection::handled_count>("handled_count"),
    rounded<&inspection::rate>("rate"),
    rounded<&inspection::busy_share>("busy_share"),
    of_actor<&inspection::running_ns>("running_ns"),
    of_actor<&inspection::restart_count>("restart_count"),
    of_actor<&inspection::dead_letter_count>("dead_letter_count"),
    of_actor<&inspection::answered>("answered"),
    {"handler_ns", has_same_times, write_times},
    {"handler_by_type", has_same_handled, write_by_type},
    {"senders", has_same_senders, write_senders},
    {"handled", has_same_handled, write_handled},
    {"state", has_same_state, write_state},
    {"restarts", has_same_restarts, write_restarts},
  };
  return members;
}

std::span<const row_member<session_summary>> session_members() {
  static const row_member<session_summary> members[] = {
    {"id", has_same_id, write_id},
    {"state", has_same_state_name, write_state_name},
    of_session<&session_summary::title>("title"),
    of_session<&session_summary::owner>("owner"),
    of_session<&session_summary::source>("source"),
    of_session<&session_summary::created_us>("created_us"),
    of_session<&session_summary::started_us>("started_us"),
    of_session<&session_summary::ended_us>("ended_us"),
    of_session<&session_summary::frame_count>("frame_count"),
    of_session<&session_summary::fragment_count>("fragment_count"),
    of_session<&session_summary::gap_count>("gap_count"),
    of_session<&session_summary::captured_bytes>("captured_bytes"),
    of_session<&session_summary::stored_bytes>("stored_bytes"),
    of_session<&session_summary::chunk_count>("chunk_count"),
    of_session<&session_summary::block_height>("block_height"),
    {"block_producer", has_same_producer, write_producer},
    of_session<&session_summary::reason>("reason"),
    of_session<&session_summary::interrupted>("interrupted"),
  };
  return members;
}

std::string key_of_actor(const inspection& actor) { return actor.path; }
std::string key_of_session(const session_summary& session) { return to_hex(session.id); }

} // namespace lucid

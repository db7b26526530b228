// actors/console/api_json.cpp - sessions and errors as JSON, and back.
#include "actors/console/api_json.hpp"

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "messages/paths.hpp"

namespace lucid {
namespace {

using nlohmann::json;

tl::unexpected<error> refuse(std::string what) { return fail(errc::invalid_input, "api", std::move(what)); }

template <std::size_t N>
bool read_hex(const json& object, const char* name, std::array<std::uint8_t, N>& into) {
  auto found = object.find(name);
  return found != object.end() && found->is_string() && from_hex_into(found->get_ref<const std::string&>(), into);
}

} // namespace

json to_json(const session_summary& s) {
  return {{"id", to_hex(s.id)},
          {"state", to_string(s.state)},
          {"title", s.title},
          {"owner", s.owner},
          {"source", s.source},
          {"created_us", s.created_us},
          {"started_us", s.started_us},
          {"ended_us", s.ended_us},
          {"frame_count", s.frame_count},
          {"fragment_count", s.fragment_count},
          {"gap_count", s.gap_count},
          {"captured_bytes", s.captured_bytes},
          {"stored_bytes", s.stored_bytes},
          {"chunk_count", s.chunk_count},
          {"block_height", s.block_height},
          {"block_producer", s.block_producer == sign_public_key{} ? "" : to_hex(s.block_producer)},
          {"reason", s.reason},
          {"interrupted", s.interrupted}};
}

outcome<session_summary> session_summary_from_json(const json& object) {
  session_summary s;
  if (!object.is_object() || !read_hex(object, "id", s.id)) return refuse("this is no session");
  try {
    auto state = session_state_from(object.at("state").get<std::string>());
    if (!state) return refuse("the session has an unknown state");
    s.state = *state;
    object.at("title").get_to(s.title);
    object.at("owner").get_to(s.owner);
    object.at("source").get_to(s.source);
    object.at("created_us").get_to(s.created_us);
    object.at("started_us").get_to(s.started_us);
    object.at("ended_us").get_to(s.ended_us);
    object.at("frame_count").get_to(s.frame_count);
    object.at("fragment_count").get_to(s.fragment_count);
    object.at("gap_count").get_to(s.gap_count);
    object.at("captured_bytes").get_to(s.captured_bytes);
    object.at("stored_bytes").get_to(s.stored_bytes);
    object.at("chunk_count").get_to(s.chunk_count);
    object.at("block_height").get_to(s.block_height);
    if (object.at("block_producer") != "" && !read_hex(object, "block_producer", s.block_producer))
      return refuse("the session is in a chain of no key");
    object.at("reason").get_to(s.reason);
    object.at("interrupted").get_to(s.interrupted);
  } catch (const json::exception& e) {
    return refuse(std::string("this is no session: ") + e.what());
  }
  return s;
}

json to_json(const inspection& seen) {
  json object{{"path", seen.path},
              {"kind", seen.kind},
              {"incarnation", seen.incarnation},
              {"present", seen.present},
              {"state_now", to_string(seen.state_now)},
              {"parent", seen.spec.parent},
              {"rate", seen.rate},
              {"started_us", seen.started_us},
              {"mailbox_length", seen.mailbox_length},
              {"handled_count", seen.handled_count},
              {"busy_share", seen.busy_share},
              {"running_ns", seen.running_ns},
              {"restart_count", seen.restart_count},
              {"dead_letter_count", seen.dead_letter_count},
              {"answered", seen.answered},
              {"handler_ns",
               {{"p50", seen.times.p50_ns}, {"p90", seen.times.p90_ns}, {"p99", seen.times.p99_ns},
                {"max", seen.times.max_ns}}},
              {"handled", json::object()},
              {"state", json::object()},
              {"restarts", json::array()}};
  for (auto& one : seen.handled) object["handled"][one.type] = one.count;
  for (auto& [key, value] : seen.state) object["state"][key] = value;
  for (auto& restart : seen.restarts)
    object["restarts"].push_back(
      {{"at_us", restart.at_us}, {"incarnation", restart.incarnation}, {"reason", restart.reason}});
  return object;
}

json to_json(const error& e) {
  json object{{"code", to_string(e.code)}, {"who", e.who}, {"what", e.what}};
  if (e.because) object["because"] = to_json(*e.because);
  return object;
}

outcome<error> error_from_json(const json& object) {
  error e;
  try {
    auto code = object.at("code").get<std::string>();
    for (int i = 1; i <= static_cast<int>(errc_last); ++i)
      if (to_string(static_cast<errc>(i)) == code) e.code = static_cast<errc>(i);
    e.who = object.value("who", "control");
    object.at("what").get_to(e.what);
    if (object.contains("because"))
      if (auto cause = error_from_json(object.at("because")))
        e.because = std::make_shared<const error>(std::move(*cause));
  } catch (const json::exception&) {
    return refuse("this is no error of the control API");
  }
  return e;
}

error as_told_outside(error e) {
  auto inner = e.who == paths::store || e.who == paths::ledger || e.who == paths::anchor || e.who == paths::recorder ||
               e.who == paths::sessions || e.who.starts_with(std::string(paths::sessions) + "/");
  if (e.code != errc::unreachable || !inner) return e;
  e.code = errc::busy;
  e.what = "it is being restarted; ask again";
  return e;
}

unsigned http_status(errc code) noexcept {
  switch (code) {
    case errc::invalid_input:
    case errc::limit_exceeded: return 400;
    case errc::permission_denied: return 403;
    case errc::not_found: return 404;
    case errc::already_exists:
    case errc::wrong_state: return 409;
    case errc::unsupported: return 501;
    case errc::busy: return 503;
    case errc::timeout: return 504;
    case errc::disk_full:
    case errc::read_only: return 507;
    case errc::unreachable:
    case errc::refused:
    case errc::login_failed:
    case errc::certificate_changed:
    case errc::protocol_violation: return 502;
    default: return 500;
  }
}

} // namespace lucid

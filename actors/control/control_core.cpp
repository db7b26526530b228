// actors/control/control_core.cpp - the control API's requests and answers.
#include "actors/control/control_core.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "messages/paths.hpp"

namespace lucid {
namespace {

using nlohmann::json;

tl::unexpected<error> refuse(std::string what) { return fail(errc::invalid_input, "control", std::move(what)); }

/// Reads the members of one JSON object, each checked. The first refusal is kept; members nobody read are refused.
class member_reader {
public:
  explicit member_reader(const json& object) : object_(object) {}

  void text(const char* name, std::string& into, std::size_t bytes_max) {
    auto* value = take(name);
    if (!value) return;
    if (!value->is_string()) return refuse_member(name, "must be a string");
    auto& given = value->get_ref<const std::string&>();
    if (given.size() > bytes_max)
      return refuse_member(name, "has " + std::to_string(given.size()) + " bytes; at most " +
                                   std::to_string(bytes_max) + " are allowed");
    into = given;
  }

  void number(const char* name, std::uint32_t& into, std::uint32_t least, std::uint32_t most) {
    auto* value = take(name);
    if (!value) return;
    if (!value->is_number_integer() || *value < least || *value > most)
      return refuse_member(name, "must be a whole number from " + std::to_string(least) + " to " +
                                   std::to_string(most));
    into = value->get<std::uint32_t>();
  }

  void recipients(const char* name, std::vector<box_public_key>& into) {
    auto* value = take(name);
    if (!value) return;
    if (!value->is_array() || value->size() > recipient_count_max)
      return refuse_member(name, "must be a list of at most " + std::to_string(recipient_count_max) + " public keys");
    for (auto& item : *value) {
      box_public_key key{};
      if (!item.is_string() || !from_hex_into(item.get_ref<const std::string&>(), key))
        return refuse_member(name, "holds something that is no public key of 64 hexadecimal digits");
      into.push_back(key);
    }
  }

  template <class T>
  outcome<control_command> finish(T command) {
    if (!refusal_ && taken_ < object_.size()) refusal_ = "the request has a member that is not known here";
    if (refusal_) return refuse(*refusal_);
    return control_command(std::move(command));
  }

private:
  const json* take(const char* name) {
    auto found = object_.find(name);
    if (found == object_.end()) return nullptr;
    ++taken_;
    return &*found;
  }

  void refuse_member(const char* name, const std::string& why) {
    if (!refusal_) refusal_ = std::string(name) + " " + why;
  }

  const json& object_;
  std::size_t taken_ = 0;
  std::optional<std::string> refusal_;
};

/// The body as a JSON object; an empty body is an empty object.
outcome<json> object_of(std::string_view body) {
  if (body.empty()) return json::object();
  // Nesting is bounded before anything is built: no request of this API is deeper than a list in an object.
  auto shallow = [](int depth, json::parse_event_t, json&) { return depth <= 3; };
  auto parsed = json::parse(body.begin(), body.end(), shallow, false);
  if (!parsed.is_object()) return refuse("the body must be one JSON object");
  return parsed;
}

outcome<control_command> decode_create(const json& body) {
  control::create_session wish;
  member_reader members(body);
  members.text("source", wish.what.source, source_bytes_max);
  members.text("username", wish.what.username, text_bytes_max);
  members.text("password", wish.what.password, password_bytes_max);
  members.number("width", wish.what.width, 64, 8192);
  members.number("height", wish.what.height, 64, 8192);
  members.number("frame_rate_max", wish.what.frame_rate_max, 1, 120);
  members.text("encoder", wish.what.encoder, 64);
  members.number("quality", wish.what.quality, 0, 51);
  members.text("title", wish.policy.title, text_bytes_max);
  members.text("owner", wish.policy.owner, text_bytes_max);
  members.recipients("recipients", wish.policy.recipients);
  members.number("length_seconds_max", wish.policy.length_seconds_max, 0, extend_seconds_max);
  if (wish.what.source.empty() && !body.contains("source")) return refuse("source is missing");
  return members.finish(std::move(wish));
}

outcome<control_command> decode_of_session(std::string_view method, const session_id& id, std::string_view action,
                                           const json& body) {
  member_reader members(body);
  if (action.empty() && method == "GET") return members.finish(control::get_session{id});
  if (action.empty() && method == "DELETE") return members.finish(control::remove_session{id});
  if (action == "stop" && method == "POST") {
    control::stop_session wish{id, "stopped by request"};
    members.text("reason", wish.reason, text_bytes_max);
    return members.finish(std::move(wish));
  }
  if (action == "extend" && method == "POST") {
    control::extend_session wish{id, 0};
    members.number("seconds", wish.seconds, 1, extend_seconds_max);
    if (!body.contains("seconds")) return refuse("seconds is missing");
    return members.finish(wish);
  }
  return fail(errc::not_found, "control", "a session has no such action");
}

/// "a=1&b=2" as members; only plain words and numbers occur in this API, so nothing is percent-decoded.
outcome<json> query_of(std::string_view query) {
  auto members = json::object();
  while (!query.empty()) {
    auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    auto equals = pair.find('=');
    if (equals == std::string_view::npos) return refuse("a query is a list of name=value");
    auto value = pair.substr(equals + 1);
    std::uint32_t number = 0;
    auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (failed != std::errc{} || end != value.data() + value.size())
      return refuse("values in a query are whole numbers");
    members[std::string(pair.substr(0, equals))] = number;
  }
  return members;
}

outcome<control_command> decode_list(std::string_view query) {
  auto members = query_of(query);
  if (!members) return pass_on(std::move(members));
  control::list_sessions wish;
  std::uint32_t unfinished = 0;
  member_reader reader(*members);
  reader.number("unfinished", unfinished, 0, 1);
  reader.number("offset", wish.offset, 0, UINT32_MAX);
  reader.number("count", wish.count, 1, 1000);
  wish.unfinished_only = unfinished != 0;
  return reader.finish(wish);
}

template <std::size_t N>
bool read_hex(const json& object, const char* name, std::array<std::uint8_t, N>& into) {
  auto found = object.find(name);
  return found != object.end() && found->is_string() && from_hex_into(found->get_ref<const std::string&>(), into);
}

} // namespace

outcome<control_command> decode_control(std::string_view method, std::string_view target, std::string_view body) {
  auto path = target.substr(0, target.find('?'));
  auto query = path.size() < target.size() ? target.substr(path.size() + 1) : std::string_view();
  if (method == "GET" && path == "/v1/sessions") return decode_list(query);
  if (!query.empty()) return refuse("this request takes no query");

  auto object = object_of(body);
  if (!object) return pass_on(std::move(object));
  member_reader members(*object);
  if (method == "GET" && path == "/v1/node") return members.finish(control::node_status{});
  if (method == "POST" && path == "/v1/node/stop") return members.finish(control::node_stop{});
  if (method == "GET" && path == "/v1/actors") return members.finish(control::actor_tree{});
  if (method == "POST" && path == "/v1/sessions") return decode_create(*object);
  if (method == "POST" && path == "/v1/log") {
    control::set_log_level wish;
    members.text("subsystem", wish.subsystem, text_bytes_max);
    members.text("level", wish.level, 16);
    return members.finish(std::move(wish));
  }

  constexpr std::string_view prefix = "/v1/sessions/";
  if (!path.starts_with(prefix))
    return fail(errc::not_found, "control", "there is no " + std::string(method.substr(0, 16)) + " " +
                                              std::string(path.substr(0, 80)));
  auto rest = path.substr(prefix.size());
  auto name = rest.substr(0, rest.find('/'));
  auto action = name.size() < rest.size() ? rest.substr(name.size() + 1) : std::string_view();
  session_id id{};
  if (!from_hex_into(name, id)) return refuse("a session id has 64 hexadecimal digits");
  return decode_of_session(method, id, action, *object);
}

std::string encode_create_session(const capture_request& what, const session_policy& policy) {
  json body{{"source", what.source},   {"username", what.username},
            {"password", what.password}, {"width", what.width},
            {"height", what.height},   {"frame_rate_max", what.frame_rate_max},
            {"encoder", what.encoder}, {"quality", what.quality},
            {"title", policy.title},   {"owner", policy.owner},
            {"length_seconds_max", policy.length_seconds_max}};
  auto& recipients = body["recipients"] = json::array();
  for (auto& key : policy.recipients) recipients.push_back(to_hex(key));
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

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

// actors/console/api_request.cpp - requests read and checked.
#include "actors/console/api_request.hpp"

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

tl::unexpected<error> refuse(std::string what) { return fail(errc::invalid_input, "api", std::move(what)); }

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
  outcome<api_request> finish(T command) {
    if (!refusal_ && taken_ < object_.size()) refusal_ = "the request has a member that is not known here";
    if (refusal_) return refuse(*refusal_);
    return api_request(std::move(command));
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

outcome<api_request> decode_create(const json& body) {
  api::create_session wish;
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

outcome<api_request> decode_of_session(std::string_view method, const session_id& id, std::string_view action,
                                           const json& body) {
  member_reader members(body);
  if (action.empty() && method == "GET") return members.finish(api::get_session{id});
  if (action.empty() && method == "DELETE") return members.finish(api::remove_session{id});
  if (action == "stop" && method == "POST") {
    api::stop_session wish{id, "stopped by request"};
    members.text("reason", wish.reason, text_bytes_max);
    return members.finish(std::move(wish));
  }
  if (action == "extend" && method == "POST") {
    api::extend_session wish{id, 0};
    members.number("seconds", wish.seconds, 1, extend_seconds_max);
    if (!body.contains("seconds")) return refuse("seconds is missing");
    return members.finish(wish);
  }
  return fail(errc::not_found, "api", "a session has no such action");
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

outcome<api_request> decode_list(std::string_view query) {
  auto members = query_of(query);
  if (!members) return pass_on(std::move(members));
  api::list_sessions wish;
  std::uint32_t unfinished = 0;
  member_reader reader(*members);
  reader.number("unfinished", unfinished, 0, 1);
  reader.number("offset", wish.offset, 0, UINT32_MAX);
  reader.number("count", wish.count, 1, 1000);
  wish.unfinished_only = unfinished != 0;
  return reader.finish(wish);
}

} // namespace

outcome<api_request> decode_api_request(std::string_view method, std::string_view target, std::string_view body) {
  auto path = target.substr(0, target.find('?'));
  auto query = path.size() < target.size() ? target.substr(path.size() + 1) : std::string_view();
  if (method == "GET" && path == "/v1/sessions") return decode_list(query);
  if (!query.empty()) return refuse("this request takes no query");

  auto object = object_of(body);
  if (!object) return pass_on(std::move(object));
  member_reader members(*object);
  if (method == "GET" && path == "/v1/node") return members.finish(api::node_status{});
  if (method == "POST" && path == "/v1/node/stop") return members.finish(api::node_stop{});
  if (method == "GET" && path == "/v1/actors") return members.finish(api::actor_tree{});
  if (method == "POST" && path == "/v1/sessions") return decode_create(*object);
  if (method == "POST" && path == "/v1/log") {
    api::set_log_level wish;
    members.text("subsystem", wish.subsystem, text_bytes_max);
    members.text("level", wish.level, 16);
    return members.finish(std::move(wish));
  }

  constexpr std::string_view prefix = "/v1/sessions/";
  if (!path.starts_with(prefix))
    return fail(errc::not_found, "api", "there is no " + std::string(method.substr(0, 16)) + " " +
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

} // namespace lucid

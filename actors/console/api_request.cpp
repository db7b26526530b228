// actors/console/api_request.cpp - requests read and checked.
#include "actors/console/api_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "messages/mesh.hpp"

namespace lucid {
namespace {

using nlohmann::json;

constexpr std::size_t parameter_bytes_max = 1024;
constexpr std::uint64_t height_max = UINT64_MAX >> 1; // What the database can hold.

tl::unexpected<error> refuse(std::string what) { return fail(errc::invalid_input, "api", std::move(what)); }

/// Where members come from: JSON has types, a query has text alone.
enum class written_as : std::uint8_t { typed, text };

/// Reads the members of one object, each checked. The first refusal is kept; members nobody read are refused.
class member_reader {
public:
  member_reader(const json& object, written_as how) : object_(object), how_(how) {}

  bool has(const char* name) const { return object_.contains(name); }
  void need(const char* name) {
    if (!has(name)) refuse_whole(std::string(name) + " is missing");
  }

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

  template <class Number>
  void number(const char* name, Number& into, Number least, Number most) {
    auto* value = take(name);
    if (!value) return;
    auto given = how_ == written_as::text ? from_text(value->get_ref<const std::string&>()) : from_json(*value);
    if (!given || *given < least || *given > most)
      return refuse_member(name, "must be a whole number from " + std::to_string(least) + " to " +
                                   std::to_string(most));
    into = static_cast<Number>(*given);
  }

  void flag(const char* name, bool& into) {
    auto* value = take(name);
    if (!value) return;
    if (!value->is_boolean()) return refuse_member(name, "must be true or false");
    into = value->get<bool>();
  }

  void one_of(const char* name, std::string& into, std::span<const std::string_view> allowed) {
    std::string given = into;
    text(name, given, parameter_bytes_max);
    if (!has(name)) return;
    if (std::find(allowed.begin(), allowed.end(), given) == allowed.end()) {
      std::string list;
      for (auto each : allowed) list.append(list.empty() ? "" : ", ").append(each);
      return refuse_member(name, "must be one of " + list);
    }
    into = std::move(given);
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

  void refuse_member(const char* name, const std::string& why) { refuse_whole(std::string(name) + " " + why); }

  template <class T>
  outcome<api_request> finish(T request) {
    if (taken_ < object_.size())
      refuse_whole(how_ == written_as::text ? "the request has a parameter that is not known here"
                                            : "the request has a member that is not known here");
    if (refusal_) return refuse(*refusal_);
    return api_request(std::move(request));
  }

private:
  const json* take(const char* name) {
    auto found = object_.find(name);
    if (found == object_.end()) return nullptr;
    ++taken_;
    return &*found;
  }

  static std::optional<std::uint64_t> from_text(const std::string& digits) {
    std::uint64_t value = 0;
    auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failed != std::errc{} || end != digits.data() + digits.size()) return {};
    return value;
  }
  static std::optional<std::uint64_t> from_json(const json& value) {
    if (!value.is_number_integer() || value < 0) return {};
    return value.get<std::uint64_t>();
  }

  void refuse_whole(std::string why) {
    if (!refusal_) refusal_ = std::move(why);
  }

  const json& object_;
  written_as how_;
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

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Percent-encoding undone; a '%' that begins none is refused.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return {};
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded;
}

/// "a=1&b=2" as members of text.
outcome<json> query_of(std::string_view query) {
  auto members = json::object();
  while (!query.empty()) {
    auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    auto equals = pair.find('=');
    if (equals == std::string_view::npos) return refuse("a query is a list of name=value");
    auto name = percent_decoded(pair.substr(0, equals)), value = percent_decoded(pair.substr(equals + 1));
    if (!name || !value) return refuse("a query has a '%' that begins no two hexadecimal digits");
    if (value->size() > parameter_bytes_max)
      return refuse("a parameter has at most " + std::to_string(parameter_bytes_max) + " bytes");
    if (members.contains(*name)) return refuse("a parameter may stand once");
    members[*name] = std::move(*value);
  }
  return members;
}

// --- operations -----------------------------------------------------------------------------------------------------

/// What a route's decoder is given.
struct operation {
  std::vector<std::string> in_path; ///< What stood for each {...}, decoded.
  member_reader query;
  member_reader body;

  /// Both without a member that nobody read.
  template <class T>
  outcome<api_request> finish(T request) {
    if (auto checked = query.finish(api::get_node{}); !checked) return checked;
    return body.finish(std::move(request));
  }
};

constexpr std::array<std::string_view, 6> levels{"trace", "debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 4> node_actions{"drain", "accept", "stop", "log"};
constexpr std::array<std::string_view, 7> cluster_actions{"init",   "invite", "uninvite",    "join",
                                                          "remove", "rotate", "rotate-onion"};
constexpr std::array<std::string_view, 3> session_actions{"stop", "extend", "remove"};
constexpr std::array<std::string_view, 4> actor_actions{"restart", "kill", "suspend", "resume"};

template <class T>
outcome<api_request> plain(operation& op) {
  return op.finish(T{});
}

outcome<session_id> session_of(const std::string& text) {
  session_id id{};
  if (!from_hex_into(text, id)) return refuse("a session id has 64 hexadecimal digits");
  return id;
}

template <class T>
outcome<api_request> of_session(operation& op) {
  auto id = session_of(op.in_path[0]);
  if (!id) return pass_on(std::move(id));
  return op.finish(T{*id});
}

outcome<std::string> path_of(const std::string& text) {
  if (text.empty() || text.size() > actor_path_bytes_max)
    return refuse("an actor's path has 1 to " + std::to_string(actor_path_bytes_max) + " bytes");
  return text;
}

child_action actor_action_of(std::string_view name) {
  auto at = std::find(actor_actions.begin(), actor_actions.end(), name) - actor_actions.begin();
  return static_cast<child_action>(at); // In the order of the enum.
}

outcome<api_request> get_actor(operation& op) {
  auto path = path_of(op.in_path[0]);
  if (!path) return pass_on(std::move(path));
  return op.finish(api::get_actor{*path});
}

outcome<api_request> actor_consequence(operation& op) {
  auto path = path_of(op.in_path[0]);
  if (!path) return pass_on(std::move(path));
  std::string action(actor_actions[0]);
  op.query.need("action");
  op.query.one_of("action", action, actor_actions);
  return op.finish(api::actor_consequence{*path, actor_action_of(action)});
}

template <child_action Action>
outcome<api_request> act_on_actor(operation& op) {
  auto path = path_of(op.in_path[0]);
  if (!path) return pass_on(std::move(path));
  return op.finish(api::act_on_actor{*path, Action});
}

outcome<api_request> node_consequence(operation& op) {
  api::node_consequence wish;
  op.query.need("action");
  op.query.one_of("action", wish.action, node_actions);
  return op.finish(std::move(wish));
}

outcome<api_request> drain(operation& op) {
  api::drain_node wish;
  op.body.need("on");
  op.body.flag("on", wish.on);
  return op.finish(wish);
}

outcome<api_request> get_log(operation& op) {
  api::get_log wish;
  std::string session;
  op.query.text("path", wish.path, actor_path_bytes_max);
  op.query.text("session", session, 64);
  op.query.one_of("level", wish.level, levels);
  op.query.number("count", wish.count, 1u, log_lines_max);
  if (op.query.has("session")) {
    auto id = session_of(session);
    if (!id) return pass_on(std::move(id));
    wish.session = *id;
  }
  return op.finish(std::move(wish));
}

outcome<api_request> set_log_level(operation& op) {
  api::set_log_level wish;
  op.body.need("level");
  op.body.text("subsystem", wish.subsystem, text_bytes_max);
  op.body.one_of("level", wish.level, levels);
  return op.finish(std::move(wish));
}

outcome<api_request> list_sessions(operation& op) {
  api::list_sessions wish;
  std::uint32_t unfinished = 0;
  op.query.number("unfinished", unfinished, 0u, 1u);
  op.query.number("offset", wish.offset, 0u, UINT32_MAX);
  op.query.number("count", wish.count, 1u, 1000u);
  wish.unfinished_only = unfinished != 0;
  return op.finish(wish);
}

outcome<api_request> create_session(operation& op) {
  api::create_session wish;
  auto& members = op.body;
  members.need("source");
  members.text("source", wish.what.source, source_bytes_max);
  members.text("username", wish.what.username, text_bytes_max);
  members.text("password", wish.what.password, password_bytes_max);
  members.number("width", wish.what.width, 64u, 8192u);
  members.number("height", wish.what.height, 64u, 8192u);
  members.number("frame_rate_max", wish.what.frame_rate_max, 1u, 120u);
  members.text("encoder", wish.what.encoder, 64);
  members.number("quality", wish.what.quality, 0u, 51u);
  members.text("title", wish.policy.title, text_bytes_max);
  members.text("owner", wish.policy.owner, text_bytes_max);
  members.recipients("recipients", wish.policy.recipients);
  members.number("length_seconds_max", wish.policy.length_seconds_max, 0u, extend_seconds_max);
  return op.finish(std::move(wish));
}

outcome<api_request> stop_session(operation& op) {
  auto id = session_of(op.in_path[0]);
  if (!id) return pass_on(std::move(id));
  api::stop_session wish{*id, "stopped by request"};
  op.body.text("reason", wish.reason, text_bytes_max);
  return op.finish(std::move(wish));
}

outcome<api_request> extend_session(operation& op) {
  auto id = session_of(op.in_path[0]);
  if (!id) return pass_on(std::move(id));
  api::extend_session wish{*id, 0};
  op.body.need("seconds");
  op.body.number("seconds", wish.seconds, 1u, extend_seconds_max);
  return op.finish(wish);
}

outcome<api_request> session_consequence(operation& op) {
  auto id = session_of(op.in_path[0]);
  if (!id) return pass_on(std::move(id));
  api::session_consequence wish{*id, {}};
  op.query.need("action");
  op.query.one_of("action", wish.action, session_actions);
  return op.finish(std::move(wish));
}

/// What stands in a path, read as if it were a parameter.
template <class Number>
outcome<Number> number_in_path(const char* name, const std::string& text, Number most) {
  json object{{name, text}};
  member_reader reader(object, written_as::text);
  Number number = 0;
  reader.number(name, number, Number{0}, most);
  auto read = reader.finish(api::get_node{});
  if (!read) return pass_on(std::move(read));
  return number;
}

outcome<api_request> get_chunk(operation& op) {
  auto id = session_of(op.in_path[0]);
  if (!id) return pass_on(std::move(id));
  auto& name = op.in_path[1];
  if (name != "video" && name != "events") return refuse("a track is video or events");
  auto index = number_in_path<std::uint32_t>("index", op.in_path[2], chunk_count_max - 1);
  if (!index) return pass_on(std::move(index));
  return op.finish(api::get_chunk{*id, name == "video" ? track::video : track::events, *index});
}

outcome<api_request> list_blocks(operation& op) {
  api::list_blocks wish;
  std::uint64_t before = 0;
  op.query.number("before", before, std::uint64_t{0}, height_max);
  op.query.number("count", wish.count, 1u, 1000u);
  if (op.query.has("before")) wish.before = before;
  return op.finish(wish);
}

outcome<api_request> get_block(operation& op) {
  auto height = number_in_path<std::uint64_t>("height", op.in_path[0], height_max);
  if (!height) return pass_on(std::move(height));
  return op.finish(api::get_block{*height});
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return hex_digit(c) >= 0 && (c < 'A' || c > 'F'); });
}

outcome<api_request> search_ledger(operation& op) {
  api::search_ledger wish;
  op.query.need("q");
  op.query.text("q", wish.prefix, 64);
  if (op.query.has("q") && (wish.prefix.size() < 4 || !is_hex(wish.prefix)))
    op.query.refuse_member("q", "must be 4 to 64 hexadecimal digits in lower case");
  return op.finish(std::move(wish));
}

outcome<api_request> get_capsule(operation& op) {
  auto& id = op.in_path[0];
  bool plain = !id.empty() && id.size() <= 64 &&
               std::all_of(id.begin(), id.end(), [](char c) { return c == '-' || is_hex({&c, 1}); });
  if (!plain) return refuse("a capsule's id is of hexadecimal digits and '-'");
  return op.finish(api::get_capsule{id});
}

outcome<api_request> get_audit(operation& op) {
  api::get_audit wish;
  op.query.number("before", wish.before, std::uint64_t{0}, height_max);
  op.query.number("count", wish.count, 1u, 1000u);
  return op.finish(wish);
}

outcome<api_request> cluster_consequence(operation& op) {
  api::cluster_consequence wish;
  op.query.need("action");
  op.query.one_of("action", wish.action, cluster_actions);
  return op.finish(std::move(wish));
}

outcome<api_request> begin_cluster(operation& op) {
  api::begin_cluster wish;
  op.body.need("name");
  op.body.text("name", wish.name, node_name_bytes_max);
  return op.finish(std::move(wish));
}

outcome<api_request> make_invitation(operation& op) {
  api::make_invitation wish;
  op.body.number("valid_seconds", wish.valid_seconds, invitation_seconds_min, invitation_seconds_max);
  return op.finish(wish);
}

outcome<api_request> take_back_invitation(operation& op) {
  auto& id = op.in_path[0];
  if (id != "all" && (id.size() != 8 || !is_hex(id))) return refuse("an invitation is told by its eight digits, or by \"all\"");
  return op.finish(api::take_back_invitation{id});
}

outcome<api_request> join_cluster(operation& op) {
  api::join_cluster wish;
  op.body.need("invitation");
  op.body.text("invitation", wish.invitation, cluster_invitation_bytes_max);
  return op.finish(std::move(wish));
}

outcome<api_request> remove_member(operation& op) {
  auto& who = op.in_path[0];
  if (who.size() > 64) return refuse("a member is told by its name or the digits of its id");
  return op.finish(api::remove_member{who});
}

outcome<api_request> rotate_keys(operation& op) {
  api::rotate_keys wish;
  op.body.flag("onion", wish.onion);
  return op.finish(wish);
}

outcome<api_request> audit_copies(operation& op) {
  api::audit_copies wish;
  std::string session;
  op.body.need("session");
  op.body.text("session", session, 64);
  op.body.number("from", wish.from, 0u, 2 * chunk_count_max);
  if (op.body.has("session")) {
    auto id = session_of(session);
    if (!id) return pass_on(std::move(id));
    wish.session = *id;
  }
  return op.finish(wish);
}

outcome<api_request> log_in(operation& op) {
  api::log_in wish;
  op.query.need("token");
  op.query.text("token", wish.token, 64);
  return op.finish(std::move(wish));
}

outcome<api_request> get_index(operation& op) { return op.finish(api::get_page{"/"}); }

outcome<api_request> get_asset(operation& op) {
  auto& name = op.in_path[0];
  return op.finish(api::get_page{"/assets/" + name});
}

// --- routes ---------------------------------------------------------------------------------------------------------

struct route {
  std::string_view method;
  std::string_view pattern; ///< A segment "{...}" stands for any that is not empty.
  outcome<api_request> (*decode)(operation&);
};

// Source: docs/api/console.openapi.yaml. Of two that match, the first counts.
constexpr route routes[] = {
  {"GET", "/", get_index},
  {"GET", "/assets/{name}", get_asset},
  {"GET", "/login", log_in},
  {"GET", "/healthz", plain<api::get_health>},
  {"GET", "/readyz", plain<api::get_readiness>},
  {"GET", "/metrics", plain<api::get_metrics>},
  {"GET", "/v1/me", plain<api::get_me>},
  {"POST", "/v1/logout", plain<api::log_out>},
  {"POST", "/v1/console/login", plain<api::make_login>},
  {"GET", "/v1/stream", plain<api::open_stream>},
  {"GET", "/v1/node", plain<api::get_node>},
  {"GET", "/v1/node/machine", plain<api::get_machine>},
  {"GET", "/v1/node/consequence", node_consequence},
  {"POST", "/v1/node/drain", drain},
  {"POST", "/v1/node/stop", plain<api::stop_node>},
  {"GET", "/v1/config", plain<api::get_config>},
  {"GET", "/v1/log", get_log},
  {"POST", "/v1/log", set_log_level},
  {"GET", "/v1/actors", plain<api::list_actors>},
  {"GET", "/v1/actors/{path}", get_actor},
  {"GET", "/v1/actors/{path}/consequence", actor_consequence},
  {"POST", "/v1/actors/{path}/restart", act_on_actor<child_action::restart>},
  {"POST", "/v1/actors/{path}/kill", act_on_actor<child_action::kill>},
  {"POST", "/v1/actors/{path}/suspend", act_on_actor<child_action::suspend>},
  {"POST", "/v1/actors/{path}/resume", act_on_actor<child_action::resume>},
  {"GET", "/v1/sessions", list_sessions},
  {"POST", "/v1/sessions", create_session},
  {"GET", "/v1/sessions/{id}", of_session<api::get_session>},
  {"DELETE", "/v1/sessions/{id}", of_session<api::remove_session>},
  {"POST", "/v1/sessions/{id}/stop", stop_session},
  {"POST", "/v1/sessions/{id}/extend", extend_session},
  {"POST", "/v1/sessions/{id}/adopt", of_session<api::adopt_session>},
  {"GET", "/v1/sessions/{id}/consequence", session_consequence},
  {"GET", "/v1/sessions/{id}/flow", of_session<api::get_flow>},
  {"GET", "/v1/sessions/{id}/manifest", of_session<api::get_manifest>},
  {"GET", "/v1/sessions/{id}/keys", of_session<api::get_keys>},
  {"GET", "/v1/sessions/{id}/chunks", of_session<api::list_chunks>},
  {"GET", "/v1/sessions/{id}/chunks/{track}/{index}", get_chunk},
  {"GET", "/v1/sessions/{id}/proof", of_session<api::get_proof>},
  {"POST", "/v1/sessions/{id}/verify", of_session<api::verify_session>},
  {"GET", "/v1/ledger", list_blocks},
  {"GET", "/v1/ledger/search", search_ledger},
  {"GET", "/v1/ledger/{height}", get_block},
  {"GET", "/v1/letters", plain<api::get_letters>},
  {"GET", "/v1/capsules", plain<api::list_capsules>},
  {"GET", "/v1/capsules/{id}", get_capsule},
  {"GET", "/v1/audit", get_audit},
  {"GET", "/v1/cluster", plain<api::get_cluster>},
  {"GET", "/v1/cluster/consequence", cluster_consequence},
  {"POST", "/v1/cluster/init", begin_cluster},
  {"POST", "/v1/cluster/invitations", make_invitation},
  {"GET", "/v1/cluster/invitations", plain<api::list_invitations>},
  {"DELETE", "/v1/cluster/invitations/{id}", take_back_invitation},
  {"POST", "/v1/cluster/join", join_cluster},
  {"DELETE", "/v1/cluster/members/{who}", remove_member},
  {"POST", "/v1/keys/rotate", rotate_keys},
  {"GET", "/v1/replication", plain<api::get_replication>},
  {"POST", "/v1/replication/audit", audit_copies},
};

/// The next segment of a path, which is shortened by it and its slash.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

/// What stands for each {...}, as sent; none if the path is not of this pattern.
std::optional<std::vector<std::string_view>> match(std::string_view pattern, std::string_view path) {
  std::vector<std::string_view> found;
  while (!pattern.empty() && !path.empty() && path.front() == '/') {
    auto wanted = take_segment(pattern), given = take_segment(path);
    if (wanted.starts_with('{') ? given.empty() : wanted != given) return {};
    if (wanted.starts_with('{')) found.push_back(given);
  }
  if (!pattern.empty() || !path.empty()) return {};
  return found;
}

outcome<api_request> decode(const route& to, const std::vector<std::string_view>& in_path, std::string_view query,
                            std::string_view body) {
  auto parameters = query_of(query);
  if (!parameters) return pass_on(std::move(parameters));
  auto members = object_of(body);
  if (!members) return pass_on(std::move(members));
  operation op{{}, {*parameters, written_as::text}, {*members, written_as::typed}};
  for (auto segment : in_path) {
    auto decoded = percent_decoded(segment);
    if (!decoded) return refuse("the address has a '%' that begins no two hexadecimal digits");
    op.in_path.push_back(std::move(*decoded));
  }
  return to.decode(op);
}

} // namespace

outcome<api_request> decode_api_request(std::string_view method, std::string_view target, std::string_view body) {
  auto path = target.substr(0, target.find('?'));
  auto query = path.size() < target.size() ? target.substr(path.size() + 1) : std::string_view();
  for (auto& each : routes) {
    if (each.method != method) continue;
    if (auto in_path = match(each.pattern, path)) return decode(each, *in_path, query, body);
  }
  if (auto allowed = allowed_methods(target); !allowed.empty())
    return fail(errc::not_found, "api", "this address knows the method " + allowed + " alone");
  return fail(errc::not_found, "api", "there is no such address; docs/api/console.openapi.yaml names all of them");
}

std::string allowed_methods(std::string_view target) {
  auto path = target.substr(0, target.find('?'));
  std::string methods;
  for (auto& each : routes)
    if (match(each.pattern, path)) methods.append(methods.empty() ? "" : ", ").append(each.method);
  return methods;
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

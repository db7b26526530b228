// tests/unit/api_tests.cpp - what the API understands, and what it refuses by name.
#define BOOST_TEST_MODULE api_tests
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "actors/console/api_json.hpp"
#include "actors/console/api_request.hpp"
#include "messages/mesh.hpp"
#include "messages/paths.hpp"

using namespace lucid;

namespace {

const std::string id_text(64, 'a');

errc refused(std::string_view method, std::string_view target, std::string_view body = "") {
  auto result = decode_api_request(method, target, body);
  BOOST_REQUIRE(!result.has_value());
  return result.error().code;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_session_to_create_reads_back_as_it_was_written) {
  capture_request what;
  what.source = "rdp://admin@10.0.0.1:3389";
  what.password = "s3cret \"quoted\" \n";
  what.width = 1920;
  session_policy policy;
  policy.title = "Wartung";
  policy.recipients.push_back(box_public_key{7});
  auto decoded = decode_api_request("POST", "/v1/sessions", encode_create_session(what, policy));
  BOOST_REQUIRE(decoded.has_value());
  auto& wish = std::get<api::create_session>(*decoded);
  BOOST_TEST(wish.what.source == what.source);
  BOOST_TEST(wish.what.password == what.password);
  BOOST_TEST(wish.what.width == 1920u);
  BOOST_TEST(wish.policy.title == "Wartung");
  BOOST_REQUIRE(wish.policy.recipients.size() == 1u);
  BOOST_TEST((wish.policy.recipients == policy.recipients));
}

namespace {

/// That the request is understood as a T, which it returns.
template <class T>
T understood(std::string_view method, std::string_view target, std::string_view body = "") {
  auto result = decode_api_request(method, target, body);
  BOOST_REQUIRE_MESSAGE(result.has_value(), method << " " << target);
  BOOST_REQUIRE_MESSAGE(std::holds_alternative<T>(*result), method << " " << target);
  return std::get<T>(*result);
}

const std::string one = "/v1/sessions/" + id_text;

} // namespace

BOOST_AUTO_TEST_CASE(what_concerns_the_node_is_understood) {
  understood<api::get_node>("GET", "/v1/node");
  understood<api::get_machine>("GET", "/v1/node/machine");
  understood<api::get_config>("GET", "/v1/config");
  understood<api::stop_node>("POST", "/v1/node/stop");
  BOOST_TEST(!understood<api::drain_node>("POST", "/v1/node/drain", R"({"on":false})").on);
  BOOST_TEST(understood<api::node_consequence>("GET", "/v1/node/consequence?action=drain").action == "drain");
  BOOST_TEST(understood<api::set_log_level>("POST", "/v1/log", R"({"subsystem":"store","level":"debug"})").level == "debug");
  auto lines = understood<api::get_log>("GET", "/v1/log?path=storage%2Fstore&level=warn&count=7&session=" + id_text);
  BOOST_TEST(lines.path == "storage/store");
  BOOST_TEST(lines.level == "warn");
  BOOST_TEST(lines.count == 7u);
  BOOST_TEST(to_hex(*lines.session) == id_text);
  understood<api::get_health>("GET", "/healthz");
  understood<api::get_readiness>("GET", "/readyz");
  understood<api::get_metrics>("GET", "/metrics");
  understood<api::get_letters>("GET", "/v1/letters");
}

BOOST_AUTO_TEST_CASE(what_concerns_actors_is_understood) {
  understood<api::list_actors>("GET", "/v1/actors");
  BOOST_TEST(understood<api::get_actor>("GET", "/v1/actors/storage%2Fstore").path == "storage/store");
  auto said = understood<api::actor_consequence>("GET", "/v1/actors/recorder/consequence?action=suspend");
  BOOST_TEST((said.action == child_action::suspend));
  for (auto action : {child_action::restart, child_action::kill, child_action::suspend, child_action::resume}) {
    auto act = understood<api::act_on_actor>("POST", "/v1/actors/storage%2fstore/" + std::string(to_string(action)));
    BOOST_TEST(act.path == "storage/store");
    BOOST_TEST((act.action == action));
  }
}

BOOST_AUTO_TEST_CASE(what_concerns_sessions_is_understood) {
  auto list = understood<api::list_sessions>("GET", "/v1/sessions?unfinished=1&offset=20&count=10");
  BOOST_TEST(list.unfinished_only);
  BOOST_TEST(list.offset == 20u);
  BOOST_TEST(list.count == 10u);
  BOOST_TEST(to_hex(understood<api::get_session>("GET", one).id) == id_text);
  understood<api::remove_session>("DELETE", one);
  BOOST_TEST(understood<api::stop_session>("POST", one + "/stop", R"({"reason":"done"})").reason == "done");
  BOOST_TEST(understood<api::extend_session>("POST", one + "/extend", R"({"seconds":60})").seconds == 60u);
  BOOST_TEST(understood<api::session_consequence>("GET", one + "/consequence?action=remove").action == "remove");
  BOOST_TEST(to_hex(understood<api::adopt_session>("POST", one + "/adopt").id) == id_text);
  understood<api::get_flow>("GET", one + "/flow");
  understood<api::get_manifest>("GET", one + "/manifest");
  understood<api::get_keys>("GET", one + "/keys");
  understood<api::list_chunks>("GET", one + "/chunks");
  auto chunk = understood<api::get_chunk>("GET", one + "/chunks/events/17");
  BOOST_TEST((chunk.on == track::events));
  BOOST_TEST(chunk.index == 17u);
  understood<api::get_proof>("GET", one + "/proof");
  understood<api::verify_session>("POST", one + "/verify");
}

BOOST_AUTO_TEST_CASE(what_is_kept_is_understood) {
  BOOST_TEST(!understood<api::list_blocks>("GET", "/v1/ledger").before.has_value());
  BOOST_TEST(*understood<api::list_blocks>("GET", "/v1/ledger?before=0&count=5").before == 0u);
  BOOST_TEST(understood<api::get_block>("GET", "/v1/ledger/12").height == 12u);
  BOOST_TEST(understood<api::search_ledger>("GET", "/v1/ledger/search?q=ab12").prefix == "ab12");
  understood<api::list_capsules>("GET", "/v1/capsules");
  BOOST_TEST(understood<api::get_capsule>("GET", "/v1/capsules/00ff-1").id == "00ff-1");
  BOOST_TEST(understood<api::get_audit>("GET", "/v1/audit?before=9").before == 9u);
}

BOOST_AUTO_TEST_CASE(what_concerns_the_cluster_is_understood) {
  understood<api::get_cluster>("GET", "/v1/cluster");
  for (std::string action : {"init", "invite", "uninvite", "join", "remove", "rotate", "rotate-onion"})
    BOOST_TEST(understood<api::cluster_consequence>("GET", "/v1/cluster/consequence?action=" + action).action == action);
  BOOST_TEST(understood<api::begin_cluster>("POST", "/v1/cluster/init", R"({"name":"field"})").name == "field");
  BOOST_TEST(understood<api::make_invitation>("POST", "/v1/cluster/invitations").valid_seconds == 3600u);
  BOOST_TEST(understood<api::make_invitation>("POST", "/v1/cluster/invitations", R"({"valid_seconds":604800})").valid_seconds ==
             invitation_seconds_max);
  understood<api::list_invitations>("GET", "/v1/cluster/invitations");
  for (std::string id : {"all", "01234567", "9abcdef0"})
    BOOST_TEST(understood<api::take_back_invitation>("DELETE", "/v1/cluster/invitations/" + id).id == id);
  auto join = understood<api::join_cluster>("POST", "/v1/cluster/join", R"({"invitation":"lucid-join:abc"})");
  BOOST_TEST(join.invitation == "lucid-join:abc");
  BOOST_TEST(understood<api::remove_member>("DELETE", "/v1/cluster/members/pi-2").who == "pi-2");
  BOOST_TEST(understood<api::remove_member>("DELETE", "/v1/cluster/members/" + id_text).who == id_text);
  BOOST_TEST(!understood<api::rotate_keys>("POST", "/v1/keys/rotate").onion);
  BOOST_TEST(understood<api::rotate_keys>("POST", "/v1/keys/rotate", R"({"onion":true})").onion);
  understood<api::get_replication>("GET", "/v1/replication");
  auto audit = understood<api::audit_copies>("POST", "/v1/replication/audit", R"({"session":")" + id_text + R"(","from":77})");
  BOOST_TEST(to_hex(audit.session) == id_text);
  BOOST_TEST(audit.from == 77u);
  auto from_start = understood<api::audit_copies>("POST", "/v1/replication/audit", R"({"session":")" + id_text + R"("})");
  BOOST_TEST(from_start.from == 0u);
}

BOOST_AUTO_TEST_CASE(wrong_wishes_for_the_cluster_are_refused) {
  auto invalid = [](std::string_view method, std::string_view target, const std::string& body = "") {
    BOOST_TEST((refused(method, target, body) == errc::invalid_input), target << " " << body.substr(0, 80));
  };
  invalid("GET", "/v1/cluster?x=1");
  invalid("GET", "/v1/cluster/consequence");
  invalid("GET", "/v1/cluster/consequence?action=explode");
  for (std::string body : {std::string(), std::string(R"({"name":7})"), std::string(R"({"name":"a","more":1})"),
                           R"({"name":")" + std::string(node_name_bytes_max + 1, 'a') + R"("})"})
    invalid("POST", "/v1/cluster/init", body);
  for (auto body : {R"({"valid_seconds":9})", R"({"valid_seconds":604801})", R"({"valid_seconds":"60"})", R"({"secret":1})"})
    invalid("POST", "/v1/cluster/invitations", body);
  for (std::string body : {std::string(), std::string(R"({"invitation":null})"),
                           R"({"invitation":")" + std::string(cluster_invitation_bytes_max + 1, 'a') + R"("})"})
    invalid("POST", "/v1/cluster/join", body);
  for (std::string id : {"ALL", "0123456", "012345678", "ABCDEF01", "0123456g"})
    invalid("DELETE", "/v1/cluster/invitations/" + id);
  invalid("GET", "/v1/cluster/invitations?count=1");
  invalid("DELETE", "/v1/cluster/members/" + id_text + "a");
  invalid("DELETE", "/v1/cluster/members/pi-2", R"({"sure":true})");
  invalid("POST", "/v1/keys/rotate", R"({"onion":1})");
  invalid("GET", "/v1/replication?session=" + id_text);
  for (std::string body : {std::string(), std::string("[]"), std::string(R"({"session":5})"), std::string(R"({"session":"aa"})"),
                           R"({"session":")" + id_text + R"(","from":-1})",
                           R"({"session":")" + id_text + R"(","from":4294967296})", R"({"session":")" + id_text + R"(","more":1})"})
    invalid("POST", "/v1/replication/audit", body);
  BOOST_TEST((refused("DELETE", "/v1/cluster/members/") == errc::not_found));
  BOOST_TEST((refused("GET", "/v1/cluster/members/pi-2") == errc::not_found));
  BOOST_TEST(allowed_methods("/v1/cluster/members/pi-2") == "DELETE");
  BOOST_TEST(allowed_methods("/v1/replication/audit") == "POST");
  BOOST_TEST(allowed_methods("/v1/cluster/invitations/all") == "DELETE");
}

BOOST_AUTO_TEST_CASE(coming_in_and_going_out_is_understood) {
  understood<api::open_stream>("GET", "/v1/stream");
  understood<api::make_login>("POST", "/v1/console/login");
  BOOST_TEST(understood<api::log_in>("GET", "/login?token=abc").token == "abc");
  understood<api::log_out>("POST", "/v1/logout");
  understood<api::get_me>("GET", "/v1/me");
  BOOST_TEST(understood<api::get_page>("GET", "/").path == "/");
  BOOST_TEST(understood<api::get_page>("GET", "/assets/app-1.js").path == "/assets/app-1.js");
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_not_found) {
  BOOST_TEST((refused("GET", "") == errc::not_found));
  BOOST_TEST((refused("GET", "//") == errc::not_found));
  BOOST_TEST((refused("GET", "/v1/node/") == errc::not_found));
  BOOST_TEST((refused("POST", one + "/explode") == errc::not_found));
  BOOST_TEST((refused("GET", "/v1/../etc/passwd") == errc::not_found));
  BOOST_TEST((refused("GET", "/v1/actors//kill") == errc::not_found));
  BOOST_TEST(allowed_methods("/v1/nothing").empty());
}

BOOST_AUTO_TEST_CASE(another_method_is_told_which_ones_there_are) {
  BOOST_TEST((refused("PUT", "/v1/node") == errc::not_found));
  BOOST_TEST((refused("get", "/v1/node") == errc::not_found));
  BOOST_TEST(allowed_methods("/v1/node?x=1") == "GET");
  BOOST_TEST(allowed_methods("/v1/log") == "GET, POST");
  BOOST_TEST(allowed_methods(one) == "GET, DELETE");
}

BOOST_AUTO_TEST_CASE(addresses_are_decoded_strictly) {
  for (auto wrong : {"/v1/actors/a%2", "/v1/actors/a%zz", "/v1/actors/%"})
    BOOST_TEST((refused("GET", wrong) == errc::invalid_input), wrong);
  BOOST_TEST((refused("GET", "/v1/actors/" + std::string(257, 'a')) == errc::invalid_input));
  BOOST_TEST((refused("GET", one + "/chunks/audio/0") == errc::invalid_input));
  BOOST_TEST((refused("GET", one + "/chunks/video/1048576") == errc::invalid_input));
  BOOST_TEST((refused("GET", one + "/chunks/video/-1") == errc::invalid_input));
  BOOST_TEST((refused("GET", one + "/chunks/video/1x") == errc::invalid_input));
  BOOST_TEST((refused("GET", "/v1/ledger/18446744073709551616") == errc::invalid_input));
  BOOST_TEST((refused("GET", "/v1/capsules/..%2Fkey") == errc::invalid_input));
  BOOST_TEST((refused("GET", "/v1/ledger/search?q=ABCD") == errc::invalid_input));
  BOOST_TEST((refused("GET", "/v1/ledger/search?q=abc") == errc::invalid_input));
  BOOST_TEST((refused("GET", "/v1/log?level=loud") == errc::invalid_input));
  BOOST_TEST((refused("GET", "/v1/sessions?count=1&count=2") == errc::invalid_input));
  BOOST_TEST((refused("GET", "/v1/node/consequence") == errc::invalid_input));
  BOOST_TEST((refused("POST", "/v1/node/drain", R"({"on":1})") == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(wrong_values_are_refused_by_name) {
  BOOST_TEST((refused("GET", "/v1/sessions/abc") == errc::invalid_input));
  BOOST_TEST((refused("POST", "/v1/sessions", "[1]") == errc::invalid_input));
  BOOST_TEST((refused("POST", "/v1/sessions", "{") == errc::invalid_input));
  BOOST_TEST((refused("POST", "/v1/sessions", "{}") == errc::invalid_input));
  auto wide = decode_api_request("POST", "/v1/sessions", R"({"source":"-","width":99999})");
  BOOST_TEST(wide.error().what == "width must be a whole number from 64 to 8192");
  auto negative = decode_api_request("POST", "/v1/sessions", R"({"source":"-","quality":-1})");
  BOOST_TEST(negative.error().what == "quality must be a whole number from 0 to 51");
  auto foreign = decode_api_request("POST", "/v1/sessions", R"({"source":"-","colour":"red"})");
  BOOST_TEST(foreign.error().what == "the request has a member that is not known here");
  auto key = decode_api_request("POST", "/v1/sessions", R"({"source":"-","recipients":["zz"]})");
  BOOST_TEST((key.error().code == errc::invalid_input));
  BOOST_TEST((refused("GET", "/v1/sessions?count=0") == errc::invalid_input));
  BOOST_TEST((refused("GET", "/v1/sessions?count") == errc::invalid_input));
  BOOST_TEST((refused("GET", "/v1/node?x=1") == errc::invalid_input));
  BOOST_TEST((refused("POST", "/v1/sessions/" + id_text + "/extend", "{}") == errc::invalid_input));
  auto deep = std::string(5000, '[');
  BOOST_TEST((refused("POST", "/v1/sessions", R"({"source":)" + deep) == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(summaries_and_errors_read_back_from_json) {
  session_summary s;
  s.id[3] = 9;
  s.state = session_state::anchoring;
  s.frame_count = 1234;
  s.reason = "asked to";
  s.interrupted = true;
  auto read = session_summary_from_json(to_json(s));
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((to_json(*read) == to_json(s)));
  BOOST_TEST(!session_summary_from_json(nlohmann::json{{"id", "aa"}}).has_value());

  error cause{errc::disk_full, "store", "no space", nullptr};
  auto e = fail(errc::wrong_state, "session", "cannot", cause).value();
  auto back = error_from_json(to_json(e));
  BOOST_REQUIRE(back.has_value());
  BOOST_TEST(to_string(*back) == to_string(e));
}

BOOST_AUTO_TEST_CASE(an_actor_that_is_being_restarted_is_busy_and_a_source_that_is_away_is_not) {
  error gone{errc::unreachable, std::string(paths::store), "nobody is there at present", nullptr};
  BOOST_TEST((as_told_outside(gone).code == errc::busy));
  gone.who = paths::of_session({}, "session");
  BOOST_TEST((as_told_outside(gone).code == errc::busy));
  BOOST_TEST((as_told_outside({errc::unreachable, "capture", "no route to host", nullptr}).code == errc::unreachable));
  BOOST_TEST((as_told_outside({errc::disk_full, std::string(paths::store), "full", nullptr}).code == errc::disk_full));
}

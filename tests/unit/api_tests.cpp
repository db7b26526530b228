// tests/unit/api_tests.cpp - what the control API understands, and what it refuses by name.
#define BOOST_TEST_MODULE api_tests
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "actors/console/api_json.hpp"
#include "actors/console/api_request.hpp"
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

BOOST_AUTO_TEST_CASE(every_request_of_the_api_is_understood) {
  BOOST_TEST(std::holds_alternative<api::node_status>(*decode_api_request("GET", "/v1/node", "")));
  BOOST_TEST(std::holds_alternative<api::node_stop>(*decode_api_request("POST", "/v1/node/stop", "")));
  BOOST_TEST(std::holds_alternative<api::actor_tree>(*decode_api_request("GET", "/v1/actors", "")));
  auto level = decode_api_request("POST", "/v1/log", R"({"subsystem":"store","level":"debug"})");
  BOOST_TEST(std::get<api::set_log_level>(*level).level == "debug");
  auto list = decode_api_request("GET", "/v1/sessions?unfinished=1&offset=20&count=10", "");
  BOOST_TEST(std::get<api::list_sessions>(*list).unfinished_only);
  BOOST_TEST(std::get<api::list_sessions>(*list).offset == 20u);
  BOOST_TEST(std::get<api::list_sessions>(*list).count == 10u);
  auto one = "/v1/sessions/" + id_text;
  BOOST_TEST(to_hex(std::get<api::get_session>(*decode_api_request("GET", one, "")).id) == id_text);
  BOOST_TEST(std::holds_alternative<api::remove_session>(*decode_api_request("DELETE", one, "")));
  auto stop = decode_api_request("POST", one + "/stop", R"({"reason":"done"})");
  BOOST_TEST(std::get<api::stop_session>(*stop).reason == "done");
  auto extend = decode_api_request("POST", one + "/extend", R"({"seconds":60})");
  BOOST_TEST(std::get<api::extend_session>(*extend).seconds == 60u);
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_not_found) {
  BOOST_TEST((refused("GET", "/") == errc::not_found));
  BOOST_TEST((refused("PUT", "/v1/node") == errc::not_found));
  BOOST_TEST((refused("POST", "/v1/sessions/" + id_text + "/explode") == errc::not_found));
  BOOST_TEST((refused("GET", "/v1/../etc/passwd") == errc::not_found));
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

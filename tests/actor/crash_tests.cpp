// tests/actor/crash_tests.cpp - what is kept of an actor that ended abnormally.
#define BOOST_TEST_MODULE crash_tests
#include <boost/test/unit_test.hpp>

#include "fixture.hpp"
#include "messages/capsule.hpp"
#include "messages/pipeline_api.hpp"
#include "runtime/inspection/message_tap.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

/// Counts what it handles, and fails in each of the ways there are.
struct fragile_state {
  static inline const char* name = "fragile";
  std::uint64_t handled = 0;
};

caf::behavior fragile(caf::stateful_actor<fragile_state>* self, actor_context ctx) {
  return supervised(
    self, ctx,
    {
      [self](const fragment&) { ++self->state.handled; },
      [self, ctx](const std::string& order) {
        ++self->state.handled;
        if (order == "throw") throw std::runtime_error("told to throw");
        if (order == "quit") self->quit(to_caf({errc::disk_full, "fragile", "told to quit", nullptr}));
        if (order == "leave") self->quit();
        if (order == "ask")
          ref<caf::actor>(ctx.directory(), "other").request(self, 1s, std::string("hello")).then([](const std::string&) {
            throw std::runtime_error("the answer was too much");
          });
      },
    },
    [self] { return state_fields{{"handled", std::to_string(self->state.handled)}}; });
}

struct crashing_world : world {
  crashing_world() {
    services.crashed = [this](crash_capsule capsule) { capsules.push_back(std::move(capsule)); };
    start({.id = "root",
           .restarts_max = 9,
           .children = {{.id = "f", .start = child_of(fragile), .delay = {0ms, 0ms}}, worker("other")}});
  }
  const crash_capsule& last() {
    BOOST_REQUIRE(!capsules.empty());
    return capsules.back();
  }
  std::vector<crash_capsule> capsules;
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_handler_that_throws_leaves_messages_state_and_spec, crashing_world) {
  fragment one;
  one.bytes = payload(byte_buffer(1000));
  ref<caf::actor>(names, "f").send_anonymous(one);
  advance(1s);
  tell("f", "throw");
  BOOST_TEST(capsules.size() == 1u);
  auto& kept = last();
  BOOST_TEST(kept.path == "f");
  BOOST_TEST(kept.kind == "fragile");
  BOOST_TEST(kept.incarnation == 1u);
  BOOST_TEST(kept.restart_count == 0u);
  BOOST_TEST((kept.reason.find("told to throw") != std::string::npos));
  BOOST_REQUIRE(kept.messages.size() == 2u);
  BOOST_TEST(kept.messages[0].type == "lucid::fragment");
  BOOST_TEST(kept.messages[0].size_bytes == 1031u);
  BOOST_TEST(kept.at_us - kept.messages[0].at_us == 1'000'000);
  BOOST_TEST(kept.messages[1].at_us == kept.at_us);
  BOOST_TEST(kept.messages[1].fields == ""); // Nobody watched.
  BOOST_TEST(kept.failing);
  BOOST_TEST((kept.state == state_fields{{"handled", "2"}}));
  BOOST_TEST(kept.spec.parent == "root");
  BOOST_TEST(kept.spec.restart == "permanent");
  BOOST_TEST(present("f"));
  tell("f", "throw");
  BOOST_TEST(last().incarnation == 2u);
  BOOST_TEST(last().restart_count == 1u);
  BOOST_TEST(last().messages.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_actor_that_gives_up_by_itself_leaves_its_state_too, crashing_world) {
  tell("f", "quit");
  BOOST_TEST((last().reason.find("told to quit") != std::string::npos));
  BOOST_TEST(last().failing);
  BOOST_TEST((last().state == state_fields{{"handled", "1"}}));
}

BOOST_FIXTURE_TEST_CASE(a_kill_has_no_failing_message, crashing_world) {
  tell("f", "fine");
  kill("f");
  BOOST_TEST((last().reason.find("killed") != std::string::npos));
  BOOST_TEST(!last().failing);
  BOOST_TEST(last().messages.size() == 1u);
  BOOST_TEST((last().state == state_fields{{"handled", "1"}}));
}

BOOST_FIXTURE_TEST_CASE(an_answer_can_be_the_failing_message, crashing_world) {
  tell("f", "ask");
  BOOST_REQUIRE(last().messages.size() == 2u);
  BOOST_TEST(last().messages[1].type == "reply");
  BOOST_TEST(last().messages[1].sender == "other");
  BOOST_TEST(last().failing);
  BOOST_TEST((last().state == state_fields{{"handled", "1"}}));
}

BOOST_FIXTURE_TEST_CASE(a_regular_end_leaves_nothing, crashing_world) {
  tell("f", "leave");
  BOOST_TEST(incarnation("f") == 2u);
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  advance(10s);
  BOOST_TEST(ended);
  BOOST_TEST(capsules.empty());
}

BOOST_FIXTURE_TEST_CASE(the_last_messages_are_bounded_and_have_fields_where_somebody_watched, crashing_world) {
  tap_reader tap(names, "f");
  for (std::uint64_t i = 1; i <= 40; ++i) {
    fragment one;
    one.sequence = i;
    ref<caf::actor>(names, "f").send_anonymous(one);
  }
  tell("f", "throw");
  BOOST_REQUIRE(last().messages.size() == capsule_messages_max);
  BOOST_TEST((last().messages[0].fields.starts_with("sequence=26 ")));
  BOOST_TEST(last().messages.back().fields == "\"throw\"");
}

BOOST_FIXTURE_TEST_CASE(what_fails_while_the_state_is_told_does_not_hide_the_reason, crashing_world) {
  auto rude = [](caf::event_based_actor* self, actor_context ctx) -> caf::behavior {
    return supervised(self, ctx, {[](int) { throw std::runtime_error("the reason"); }},
                      []() -> state_fields { throw std::runtime_error("no state"); });
  };
  caf::behavior (*plain)(caf::event_based_actor*, actor_context) = rude;
  world w;
  std::vector<crash_capsule> kept;
  w.services.crashed = [&](crash_capsule capsule) { kept.push_back(std::move(capsule)); };
  w.start({.id = "root", .children = {{.id = "rude", .start = child_of(plain)}}});
  ref<caf::actor>(w.names, "rude").send_anonymous(1);
  w.advance(1s);
  BOOST_REQUIRE(kept.size() == 1u);
  BOOST_TEST((kept[0].reason.find("the reason") != std::string::npos));
  BOOST_TEST(kept[0].state.empty());
}

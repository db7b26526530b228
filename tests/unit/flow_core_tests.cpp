// tests/unit/flow_core_tests.cpp - rates between looks, and who waits for whom when a stage of the pipeline stalls.
#define BOOST_TEST_MODULE flow_core_tests
#include <boost/test/unit_test.hpp>

#include <random>
#include <set>

#include <nlohmann/json.hpp>

#include "actors/console/flow_core.hpp"
#include "messages/flow_fields.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t mib = 1u << 20;
const session_id id = [] {
  session_id made;
  made.fill(0xaa);
  return made;
}();
const std::string session = "sessions/" + std::string(64, 'a');

/// What a stage tells; the defaults are those of a pipeline at rest.
struct stage_state {
  std::uint64_t passed = 0, queued = 0, credit = 0, credit_max = 0, at_store = 0;
};

/// A session's actors as an inspector sees them.
struct pipeline {
  std::vector<inspection> actors;

  pipeline() {
    tell("capture", {0, 0, 32 * mib, 32 * mib});
    tell("journal", {0, 0, 4 * mib, 4 * mib});
    tell("chunk", {0, 0, 20 * mib, 20 * mib});
    tell("seal", {});
    tell("store", {});
    at("manifest");
    at("session");
  }

  inspection& at(const std::string& role) {
    auto path = role == "store" ? std::string("storage/store") : session + "/" + role;
    for (auto& seen : actors)
      if (seen.path == path) return seen;
    inspection seen;
    seen.path = path;
    seen.incarnation = 1;
    seen.present = seen.answered = true;
    seen.state_now = actor_state::running;
    actors.push_back(seen);
    return actors.back();
  }

  void tell(const std::string& role, const stage_state& s) {
    auto& state = at(role).state;
    state = {{"something else", "text"}, flow_fields::row(flow_fields::passed, s.passed),
             flow_fields::row(flow_fields::queued, s.queued)};
    if (s.credit_max > 0) {
      state.push_back(flow_fields::row(flow_fields::credit, s.credit));
      state.push_back(flow_fields::row(flow_fields::credit_max, s.credit_max));
    }
    if (role == "seal") state.push_back(flow_fields::row(flow_fields::at_store, s.at_store));
  }

  /// In a handler that does not end: neither answers nor moves.
  void hang(const std::string& role) {
    auto& seen = at(role);
    seen.answered = false;
    seen.state.clear();
    seen.running_ns = 5'000'000'000;
  }
};

std::string waits(const flow_core& flow, const std::string& role) {
  for (auto& stage : flow.stages())
    if (stage.role == role) return stage.waits_for.substr(stage.waits_for.rfind('/') + 1);
  return "no stage " + role;
}

const flow_stage& stage(const flow_core& flow, const std::string& role) {
  for (auto& one : flow.stages())
    if (one.role == role) return one;
  throw std::runtime_error("no stage " + role);
}

} // namespace

BOOST_AUTO_TEST_CASE(stages_stand_in_the_order_of_a_fragment_and_none_waits_while_all_can_go_on) {
  flow_core flow;
  BOOST_TEST(flow.stages().empty());
  pipeline p;
  flow.take(id, p.actors, 1s);
  std::string order;
  for (auto& one : flow.stages()) {
    order += one.role + ' ';
    BOOST_TEST(one.waits_for.empty(), one.role);
    BOOST_TEST(one.rate_bytes_s == 0);
  }
  BOOST_TEST(order == "capture journal chunk seal store ");
  BOOST_TEST(stage(flow, "capture").path == session + "/capture");
  BOOST_TEST(stage(flow, "store").path == "storage/store");
  BOOST_TEST(stage(flow, "chunk").credit_max_bytes == 20 * mib);
}

BOOST_AUTO_TEST_CASE(a_rate_is_what_passed_in_the_last_second) {
  flow_core flow;
  pipeline p;
  p.tell("journal", {100 * mib, 0, 4 * mib, 4 * mib});
  flow.take(id, p.actors, 10s);
  p.tell("journal", {101 * mib, 0, 4 * mib, 4 * mib});
  flow.take(id, p.actors, 10s + 500ms);
  BOOST_TEST(stage(flow, "journal").rate_bytes_s == 2.0 * mib);
  for (int i = 0; i < 10; ++i) flow.take(id, p.actors, 11s + i * 250ms); // Nothing more.
  BOOST_TEST(stage(flow, "journal").rate_bytes_s == 0);
  p.tell("journal", {104 * mib, 0, 4 * mib, 4 * mib});
  flow.take(id, p.actors, 13s + 500ms);
  BOOST_TEST(stage(flow, "journal").rate_bytes_s == 3.0 * mib);
  flow.take(id, p.actors, 60s); // A late look: over the whole time.
  flow.take(id, p.actors, 60s); // The same moment twice divides by nothing.
  BOOST_TEST(std::isfinite(stage(flow, "journal").rate_bytes_s));
}

BOOST_AUTO_TEST_CASE(many_pages_looking_at_once_do_not_shorten_the_second) {
  flow_core flow;
  pipeline p;
  for (int i = 0; i <= 3000; ++i) { // Each millisecond, 1 KiB each.
    p.tell("capture", {static_cast<std::uint64_t>(i) * 1024, 0, 32 * mib, 32 * mib});
    flow.take(id, p.actors, 1ms * i);
  }
  BOOST_TEST(stage(flow, "capture").rate_bytes_s == 1024'000.0, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(a_restarted_stage_counts_from_nothing) {
  flow_core flow;
  pipeline p;
  p.tell("seal", {500 * mib});
  flow.take(id, p.actors, 1s);
  p.tell("seal", {2 * mib});
  p.at("seal").incarnation = 2;
  flow.take(id, p.actors, 2s);
  BOOST_TEST(stage(flow, "seal").rate_bytes_s == 2.0 * mib);
}

BOOST_AUTO_TEST_CASE(a_stalled_journal_is_waited_for_by_capture_once_its_credit_is_used_up) {
  flow_core flow;
  pipeline p;
  p.tell("journal", {7 * mib, 4 * mib, 0, 4 * mib});
  flow.take(id, p.actors, 1s);
  p.hang("journal");
  p.tell("capture", {0, 20 * mib, 12 * mib, 32 * mib});
  flow.take(id, p.actors, 2s);
  BOOST_TEST(waits(flow, "capture").empty()); // It still has credit.
  BOOST_TEST(stage(flow, "journal").queued_bytes == 4 * mib); // What it said last.
  p.tell("capture", {0, 33 * mib, 0, 32 * mib});
  flow.take(id, p.actors, 3s);
  BOOST_TEST(waits(flow, "capture") == "journal");
  BOOST_TEST(waits(flow, "journal").empty());
  BOOST_TEST(waits(flow, "chunk").empty());
  BOOST_TEST(stage(flow, "journal").rate_bytes_s == 0);
}

BOOST_AUTO_TEST_CASE(a_suspended_seal_is_waited_for_by_chunk_and_chunk_by_capture) {
  flow_core flow;
  pipeline p;
  p.at("seal").state_now = actor_state::suspended;
  p.tell("chunk", {0, 24 * mib, 0, 20 * mib});
  flow.take(id, p.actors, 1s);
  BOOST_TEST(waits(flow, "chunk") == "seal");
  BOOST_TEST(waits(flow, "seal").empty());
  BOOST_TEST(waits(flow, "capture").empty());
  p.tell("capture", {0, 32 * mib, 0, 32 * mib});
  flow.take(id, p.actors, 2s);
  BOOST_TEST(waits(flow, "capture") == "chunk");
}

BOOST_AUTO_TEST_CASE(a_suspended_chunk_is_waited_for_by_capture_although_it_has_room) {
  flow_core flow;
  pipeline p;
  p.at("chunk").state_now = actor_state::suspended;
  p.tell("capture", {0, 32 * mib, 0, 32 * mib});
  flow.take(id, p.actors, 1s);
  BOOST_TEST(waits(flow, "capture") == "chunk");
}

BOOST_AUTO_TEST_CASE(a_stalled_store_is_at_the_end_of_the_chain_of_those_who_wait) {
  flow_core flow;
  pipeline p;
  p.tell("store", {40 * mib});
  p.tell("seal", {20 * mib, 0, 0, 0, 9 * mib});
  flow.take(id, p.actors, 1s);
  p.hang("store");
  p.tell("chunk", {0, 24 * mib, 0, 20 * mib});
  p.tell("capture", {0, 32 * mib, 0, 32 * mib});
  flow.take(id, p.actors, 2s);
  BOOST_TEST(waits(flow, "capture") == "chunk");
  BOOST_TEST(waits(flow, "chunk") == "seal");
  BOOST_TEST(waits(flow, "seal") == "store");
  BOOST_TEST(waits(flow, "store").empty());
  BOOST_TEST(stage(flow, "store").queued_bytes == 9 * mib);
  // While it seals something it goes on.
  p.tell("seal", {20 * mib, 3 * mib, 0, 0, 9 * mib});
  flow.take(id, p.actors, 3s);
  BOOST_TEST(waits(flow, "seal").empty());
}

BOOST_AUTO_TEST_CASE(a_store_that_answers_but_takes_nothing_is_waited_for_after_a_second) {
  flow_core flow;
  pipeline p;
  p.tell("store", {40 * mib});
  p.tell("seal", {20 * mib, 0, 0, 0, 9 * mib});
  flow.take(id, p.actors, 1s);
  BOOST_TEST(waits(flow, "seal").empty()); // One look tells nothing.
  flow.take(id, p.actors, 2s);
  BOOST_TEST(waits(flow, "seal") == "store");
  p.tell("store", {49 * mib});
  p.tell("seal", {29 * mib, 0, 0, 0, 9 * mib}); // The next one.
  flow.take(id, p.actors, 3s);
  BOOST_TEST(waits(flow, "seal").empty());
}

BOOST_AUTO_TEST_CASE(a_recovered_session_has_no_capture_and_a_final_one_no_stages) {
  flow_core flow;
  pipeline p;
  std::erase_if(p.actors, [](const inspection& seen) { return seen.path.ends_with("/capture"); });
  flow.take(id, p.actors, 1s);
  BOOST_TEST(flow.stages().size() == 4u);
  BOOST_TEST(flow.stages().front().role == "journal");
  for (auto& seen : p.actors)
    if (seen.path != "storage/store") seen.present = false;
  flow.take(id, p.actors, 2s);
  BOOST_TEST(flow.stages().empty());
  BOOST_TEST((flow.report() == nlohmann::json::parse(R"({"stages":[]})")));
  flow.take(id, {}, 3s);
  BOOST_TEST(flow.stages().empty());
}

BOOST_AUTO_TEST_CASE(the_report_has_the_members_of_the_contract) {
  flow_core flow;
  pipeline p;
  p.tell("chunk", {3 * mib, 24 * mib, 0, 20 * mib});
  flow.take(id, p.actors, 1s);
  auto report = flow.report();
  BOOST_REQUIRE(report.at("stages").size() == 5u);
  auto expected = nlohmann::json::parse(R"({"role":"chunk","rate_bytes_s":0.0,"queued_bytes":25165824,"credit_bytes":0,
    "credit_max_bytes":20971520})");
  expected["path"] = session + "/chunk";
  expected["waits_for"] = session + "/seal";
  BOOST_TEST((report["stages"][2] == expected), report.dump(2));
  BOOST_TEST(!report["stages"][0].contains("waits_for"));
}

BOOST_AUTO_TEST_CASE(rows_that_are_no_numbers_count_nothing) {
  flow_core flow;
  pipeline p;
  p.at("capture").state = {{std::string(flow_fields::queued), "many"}, {std::string(flow_fields::credit_max), "-1"},
                           {std::string(flow_fields::passed), "99999999999999999999999"}};
  flow.take(id, p.actors, 1s);
  BOOST_TEST(stage(flow, "capture").queued_bytes == 0u);
  BOOST_TEST(stage(flow, "capture").credit_max_bytes == 0u);
  BOOST_TEST(waits(flow, "capture").empty());
}

// Whatever the actors say: waiting never goes in a circle, ends at a stage that is there, and rates are no nonsense.
BOOST_AUTO_TEST_CASE(whatever_is_seen_the_chain_of_waiting_ends) {
  std::mt19937 dice(7);
  auto below = [&](std::uint64_t bound) { return dice() % bound; };
  const std::vector<std::string> roles{"capture", "journal", "chunk", "seal", "store"};
  for (int run = 0; run < 200; ++run) {
    flow_core flow;
    flow_core::time now{0};
    pipeline p;
    for (int step = 0; step < 30; ++step) {
      for (auto& role : roles) {
        auto& seen = p.at(role);
        seen.answered = below(5) != 0;
        seen.present = below(8) != 0;
        seen.running_ns = below(3) * 1'500'000'000;
        seen.state_now = below(6) == 0 ? actor_state::suspended : actor_state::running;
        if (below(10) == 0) ++seen.incarnation;
        auto max = below(2) * 10 * mib;
        p.tell(role, {below(100 * mib), below(2) * mib, below(2) * max, max, below(2) * mib});
        if (!seen.answered) seen.state.clear();
      }
      now += std::chrono::milliseconds(below(700));
      auto seen = p.actors;
      if (below(4) == 0) seen.erase(seen.begin() + static_cast<std::ptrdiff_t>(below(seen.size())));
      flow.take(id, seen, now);
      for (auto& one : flow.stages()) {
        BOOST_REQUIRE((std::isfinite(one.rate_bytes_s) && one.rate_bytes_s >= 0));
        std::set<std::string> passed{one.path};
        for (auto* at = &one; !at->waits_for.empty();) {
          BOOST_REQUIRE(passed.insert(at->waits_for).second);
          auto next = std::find_if(flow.stages().begin(), flow.stages().end(),
                                   [&](auto& other) { return other.path == at->waits_for; });
          BOOST_REQUIRE((next != flow.stages().end()));
          at = &*next;
        }
      }
    }
  }
}

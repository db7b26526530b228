// tests/actor/anchor_actor_tests.cpp - the role `anchor`: a recorder whose manifests are anchored by other nodes, honest, silent,
// lying or gone; and the node that anchors for others. Real store and chains, without threads.
#define BOOST_TEST_MODULE anchor_actor_tests
#include <boost/test/unit_test.hpp>

#include "actors/anchor/anchor_actor.hpp"
#include "actors/anchor/anchoring_actor.hpp"
#include "actors/format/ledger_codec.hpp"
#include "actors/ledger/ledger_actor.hpp"
#include "actors/ledger/ledger_file.hpp"
#include "actors/store/store_actor.hpp"
#include "fixture.hpp"
#include "messages/data_layout.hpp"
#include "messages/mesh_api.hpp"
#include "messages/paths.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/inspection/inspect_tree.hpp"
#include "runtime/owed_answer.hpp"
#include "tests/doubles/faulty_file_system.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"
#include "tests/doubles/told_cluster.hpp"

using namespace lucid;
using namespace lucid::test;
using lucid::testing::faulty_file_system;
using lucid::testing::key_of;
using lucid::testing::must;
using lucid::testing::temp_folder;
using lucid::testing::told_cluster;

namespace {

constexpr node_id pi_1{1}, pi_2{2}, pi_3{3};

/// Another node's `anchoring`: a chain of its own, and how it answers. What it is true to: the interface and real blocks; it
/// asks for no lease. It lies only as told.
struct other_node {
  enum class how { honest, silent, other_producer, altered, too_few, refuses } answers = how::honest;
  temp_folder temp;
  std::shared_ptr<const sign_key> key;
  std::optional<ledger_file> file;
  std::optional<ledger> chain;
  std::vector<remote_anchor_request> asked;
  bool ends_silence = false; ///< What it was silent about is answered, however late.

  explicit other_node(std::uint8_t n) : key(key_of(n)) {
    file.emplace(must(ledger_file::open(ledger_file_name(temp.path()))));
    chain.emplace(must(ledger::open(*file, *key)));
  }
  std::vector<anchored_entry> anchored(const remote_anchor_request& request) {
    return must(chain->append(request.entries, genesis_time_us + 7 * slot_length_us));
  }
};

struct other_state {
  static inline const char* name = "other";
};

using anchored_answer = owed_answer<std::vector<anchored_entry>>;

using other_self = anchoring_api::stateful_pointer<other_state>;

void answer_late(other_self self, other_node* node, const remote_anchor_request& request, const anchored_answer& owed) {
  if (node->ends_silence) return owed.deliver(node->anchored(request));
  run_later(self, 10ms, [self, node, request, owed] { answer_late(self, node, request, owed); });
}

anchoring_api::behavior_type other_anchoring(other_self self, actor_context ctx, other_node* node) {
  return supervised(
    self, ctx,
    {
      [self, node](const remote_anchor_request& request) {
        using how = other_node::how;
        node->asked.push_back(request);
        anchored_answer owed(self);
        if (node->answers == how::silent) {
          answer_late(self, node, request, owed);
          return owed.promise();
        }
        if (node->answers == how::refuses) {
          owed.deliver(to_caf({errc::wrong_state, "anchoring", "it does not have the role", nullptr}));
          return owed.promise();
        }
        auto answer = node->anchored(request);
        if (node->answers == how::altered) answer[0].record.entry.root[0] ^= 1;
        if (node->answers == how::too_few) answer.pop_back();
        if (node->answers == how::other_producer) {
          other_node stranger(9);
          answer = stranger.anchored(request);
        }
        owed.deliver(answer);
        return owed.promise();
      },
    },
    [] { return state_fields{}; });
}

session_id id_of(std::uint8_t n) {
  session_id id{};
  id.fill(n);
  return id;
}
anchor_entry entry_of(std::uint8_t n) {
  digest hash;
  hash.fill(n);
  return {id_of(n), hash, digest{3}, n};
}

template <class T>
using answer = std::shared_ptr<std::optional<outcome<T>>>;

bool answered(const auto& a) { return a->has_value() && (*a)->has_value(); }
bool refused(const auto& a, errc code) { return a->has_value() && !(*a)->has_value() && (*a)->error().code == code; }

/// Store, ledger and anchor of pi-1; pi-2 and pi-3 as others.
struct placed_world : world {
  temp_folder temp;
  std::shared_ptr<faulty_file_system> files = std::make_shared<faulty_file_system>();
  std::shared_ptr<told_cluster> cluster = std::make_shared<told_cluster>();
  other_node two{2}, three{3};

  placed_world() {
    auto& now = cluster->now;
    now.name = "home";
    now.self = pi_1;
    for (auto [id, name, n] : {std::tuple(pi_1, "pi-1", 1), std::tuple(pi_2, "pi-2", 2), std::tuple(pi_3, "pi-3", 3)}) {
      member_view member;
      member.id = id;
      member.name = name;
      member.sign_key = key_of(static_cast<std::uint8_t>(n))->public_key();
      member.state = id == pi_1 ? member_state::self : member_state::up;
      now.members.push_back(member);
    }
    nobody();
  }

  static child_spec other(other_node& node) {
    return {.id = "anchoring", .start = child_of(other_anchoring, &node), .delay = {0ms, 0ms}};
  }
  static supervisor_spec supervisor(std::string id, std::vector<child_spec> children) {
    return {.id = std::move(id), .restarts_max = 1000, .children = std::move(children)};
  }

  void begin() {
    anchor_limits limits;
    limits.retry_min = 5s;
    auto anchor = anchor_child(limits, cluster);
    auto lent = anchoring_child(cluster);
    anchor.delay = lent.delay = {0ms, 0ms};
    auto opener = recording_store_opener({temp.path(), 0}, files, [](const error&) {});
    start(supervisor("root", {
      nested(supervisor("storage", {{.id = "store", .start = child_of(store_actor, opener), .delay = {0ms, 0ms}},
                                    {.id = "ledger",
                                     .start = child_of(ledger_actor, ledger_settings{ledger_file_opener(temp.path()), key_of(1)}),
                                     .delay = {0ms, 0ms}},
                                    anchor})),
      nested(supervisor("nodes", {nested(supervisor("pi-2", {other(two)})), nested(supervisor("pi-3", {other(three)}))})),
      lent,
    }));
  }

  void lease(const node_id& holder, std::uint64_t fence) { cluster->now.leases = {{"anchor", 0, holder, fence, 1000}}; }
  void nobody() { lease({}, 0); }

  template <class T, class Interface, class Message>
  answer<T> ask(const std::string& path, Message message) {
    auto got = std::make_shared<std::optional<outcome<T>>>();
    system.spawn([this, path, message, got](caf::event_based_actor* self) {
      ref<Interface>(names, path)
        .request(self, caf::infinite, message)
        .then([got](const T& value) { got->emplace(value); },
              [got](const caf::error& e) { got->emplace(tl::unexpected(from_caf(e))); });
    });
    advance(0ms);
    return got;
  }

  /// A session with a stored manifest.
  void put(std::uint8_t n) {
    session_put_request s;
    s.summary.id = id_of(n);
    s.summary.created_us = n;
    BOOST_REQUIRE(answered(ask<session_summary, store_api>(std::string(paths::store), s)));
    manifest_put_request m{id_of(n), {"{}", entry_of(n).manifest_hash, {}}, entry_of(n)};
    BOOST_REQUIRE(answered(ask<signed_manifest, store_api>(std::string(paths::store), m)));
  }
  auto anchor(std::uint8_t n) {
    put(n);
    return ask<stored_anchor, anchor_api>(std::string(paths::anchor), entry_of(n));
  }
  stored_anchor kept(std::uint8_t n) {
    auto store = must(recording_store::open_read_only({temp.path(), 0}, *files));
    return must(store.anchor_with_block(id_of(n)));
  }
  auto status() { return ask<ledger_status, ledger_api>(std::string(paths::ledger), ledger_status_request{}); }
  std::string shown(const std::string& key) {
    std::string found = "not shown";
    auto inspector = spawn_inspector(system, names, clock);
    system.spawn([&, inspector](caf::event_based_actor* self) {
      self->request(inspector, 10s, inspection_request{}).then([&](const std::vector<inspection>& seen) {
        for (auto& one : seen)
          for (auto& [name, value] : one.state)
            if (one.path == paths::anchor && name == key) found = value;
      });
    });
    advance(100ms);
    caf::anon_send_exit(inspector, caf::exit_reason::user_shutdown);
    advance(0ms);
    return found;
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(the_node_with_the_role_anchors_and_its_block_is_kept, placed_world) {
  lease(pi_2, 7);
  begin();
  auto one = anchor(1), second = anchor(2);
  advance(300ms);
  BOOST_REQUIRE((answered(one) && answered(second)));
  auto& got = (*one)->value();
  BOOST_TEST(got.record.block_height == 1u);
  BOOST_REQUIRE(got.block.has_value());
  BOOST_TEST((got.block->producer == key_of(2)->public_key()));
  BOOST_REQUIRE(two.asked.size() == 1u); // Both in one batch, under the lease's number.
  BOOST_TEST((two.asked[0].fence == 7 && two.asked[0].entries.size() == 2));
  must(verify_block(*kept(1).block));
  must(verify_anchor(kept(1).record, *kept(1).block));
  auto own = status();
  BOOST_TEST((*own)->value().entry_count == 0u); // Nothing in the chain of this node.
  auto row = ask<session_row, store_api>(std::string(paths::store), session_get_request{id_of(1)});
  BOOST_TEST(((*row)->value().summary.block_producer == key_of(2)->public_key()));
  BOOST_TEST(shown("anchored by") == "pi-2");
  BOOST_TEST(shown("lease") == "7");
}

BOOST_FIXTURE_TEST_CASE(with_the_role_itself_a_node_anchors_in_its_own_chain, placed_world) {
  lease(pi_1, 7);
  begin();
  auto one = anchor(1);
  advance(300ms);
  BOOST_REQUIRE(answered(one));
  BOOST_TEST(!(*one)->value().block.has_value());
  BOOST_TEST(!kept(1).block.has_value());
  auto own = status();
  BOOST_TEST((*own)->value().entry_count == 1u);
  BOOST_TEST((two.asked.empty() && three.asked.empty()));
}

BOOST_FIXTURE_TEST_CASE(while_nobody_has_the_role_entries_wait_and_who_asked_is_told, placed_world) {
  begin();
  auto one = anchor(1);
  advance(29s);
  BOOST_TEST(!one->has_value());
  BOOST_TEST(shown("anchored by") == "nobody at present");
  BOOST_TEST(shown("pending") == "1");
  advance(2s);
  BOOST_TEST(refused(one, errc::busy)); // It asks again; the entry waits here.
  advance(10min);
  lease(pi_3, 9);
  auto again = ask<stored_anchor, anchor_api>(std::string(paths::anchor), entry_of(1));
  advance(200ms); // At the next look, whatever the pause after a failure is.
  BOOST_REQUIRE(answered(again));
  BOOST_TEST(((*again)->value().block->producer == key_of(3)->public_key()));
  auto own = status();
  BOOST_TEST((*own)->value().entry_count == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_holder_lost_in_the_middle_of_a_batch_is_given_up_at_once, placed_world) {
  lease(pi_2, 7);
  two.answers = other_node::how::silent;
  begin();
  auto one = anchor(1);
  advance(300ms);
  BOOST_REQUIRE(two.asked.size() == 1u);
  nobody();
  advance(1s);
  BOOST_TEST(!one->has_value());
  lease(pi_3, 8);
  advance(200ms);
  BOOST_REQUIRE(answered(one));
  BOOST_TEST(((*one)->value().block->producer == key_of(3)->public_key()));
  BOOST_REQUIRE(three.asked.size() == 1u);
  BOOST_TEST(three.asked[0].fence == 8u);
  // The late answer of the old one is nothing to anybody.
  two.ends_silence = true;
  advance(1s);
  BOOST_TEST(must(two.file->entry_count()) == 1u);
  BOOST_TEST((kept(1).block->producer == key_of(3)->public_key()));
  BOOST_TEST(shown("anchored") == "1");
}

BOOST_FIXTURE_TEST_CASE(an_answer_while_nobody_has_the_role_still_counts, placed_world) {
  lease(pi_2, 7);
  two.answers = other_node::how::silent;
  begin();
  auto one = anchor(1);
  advance(300ms);
  nobody();
  advance(1s);
  two.ends_silence = true;
  advance(100ms);
  BOOST_REQUIRE(answered(one));
  BOOST_TEST((kept(1).block->producer == key_of(2)->public_key()));
}

BOOST_FIXTURE_TEST_CASE(another_number_or_another_way_to_the_same_node_begins_anew, placed_world) {
  lease(pi_2, 7);
  two.answers = other_node::how::silent;
  begin();
  auto one = anchor(1);
  advance(300ms);
  lease(pi_2, 9);
  advance(200ms);
  BOOST_REQUIRE(two.asked.size() == 2u);
  BOOST_TEST(two.asked[1].fence == 9u);
  two.answers = other_node::how::honest;
  auto before = two.asked.size();
  // On another node, what a killed actor was asked is never answered: the slot's generation has to tell.
  kill("nodes/pi-2/anchoring");
  advance(200ms);
  BOOST_TEST(two.asked.size() == before + 1);
  BOOST_TEST(answered(one));
}

BOOST_FIXTURE_TEST_CASE(a_number_that_is_too_old_is_refused_and_tried_again, placed_world) {
  lease(pi_2, 7);
  two.answers = other_node::how::refuses;
  begin();
  auto one = anchor(1);
  advance(3s);
  BOOST_TEST(!one->has_value());
  BOOST_TEST(two.asked.size() == 1u);
  BOOST_TEST(shown("failures in a row") == "1");
  two.answers = other_node::how::honest;
  lease(pi_2, 8); // As soon as the new number is known, not after the pause.
  advance(200ms);
  BOOST_TEST(answered(one));
  BOOST_TEST(two.asked[1].fence == 8u);
}

BOOST_FIXTURE_TEST_CASE(answers_that_do_not_hold_are_not_stored_and_tried_again, placed_world) {
  using how = other_node::how;
  lease(pi_2, 7);
  begin();
  std::uint8_t n = 0;
  std::uint64_t violations = 0;
  for (auto lie : {how::other_producer, how::altered, how::too_few}) {
    BOOST_TEST_CONTEXT("lie " << static_cast<int>(lie)) {
      two.answers = lie;
      auto one = anchor(++n);
      advance(1s);
      BOOST_TEST(!one->has_value());
      BOOST_TEST(shown("answers that did not hold") == std::to_string(++violations));
      auto left = ask<std::vector<anchor_entry>, store_api>(std::string(paths::store), unanchored_list_request{});
      BOOST_REQUIRE(answered(left));
      BOOST_TEST((*left)->value().size() == 1u);
      two.answers = how::honest;
      advance(6s);
      BOOST_REQUIRE(answered(one));
      must(verify_anchor(kept(n).record, *kept(n).block));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(of_a_batch_with_one_false_entry_the_others_are_stored, placed_world) {
  lease(pi_2, 7);
  two.answers = other_node::how::altered; // The first of them.
  begin();
  auto one = anchor(1), second = anchor(2);
  advance(1s);
  BOOST_TEST(!one->has_value());
  BOOST_TEST(answered(second));
}

BOOST_FIXTURE_TEST_CASE(a_killed_anchor_takes_up_what_is_left_with_whoever_has_the_role, placed_world) {
  lease(pi_2, 7);
  two.answers = other_node::how::silent;
  begin();
  (void)anchor(1);
  advance(300ms);
  kill(std::string(paths::anchor));
  lease(pi_3, 8);
  advance(2s);
  BOOST_TEST((kept(1).block->producer == key_of(3)->public_key()));
}

BOOST_AUTO_TEST_CASE(wherever_the_role_goes_every_manifest_is_anchored_and_no_place_changes) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      placed_world w;
      std::mt19937_64 random(seed);
      using how = other_node::how;
      constexpr how ways[] = {how::honest, how::silent, how::refuses, how::altered, how::other_producer};
      w.lease(pi_2, 1);
      w.begin();
      std::uint64_t fence = 1;
      constexpr std::uint8_t count = 12;
      std::vector<answer<stored_anchor>> answers(count + 1);
      for (std::uint8_t n = 1; n <= count; ++n) {
        answers[n] = w.anchor(n);
        w.advance(std::chrono::milliseconds(random() % 500));
        w.two.answers = ways[random() % std::size(ways)];
        w.three.answers = ways[random() % std::size(ways)];
        constexpr node_id places[] = {pi_1, pi_2, pi_3, node_id{}};
        auto holder = places[random() % std::size(places)];
        w.lease(holder, ++fence);
        constexpr std::string_view all[] = {paths::store, paths::ledger, paths::anchor, "nodes/pi-2/anchoring"};
        if (random() % 3 == 0) w.kill(std::string(all[random() % std::size(all)]));
      }
      w.two.answers = w.three.answers = how::honest;
      w.lease(pi_3, ++fence);
      w.advance(120s);
      for (std::uint8_t n = 1; n <= count; ++n) {
        auto kept = w.kept(n);
        if (kept.block) must(verify_anchor(kept.record, *kept.block));
        if (answered(answers[n])) BOOST_TEST((*answers[n])->value().block.has_value() == kept.block.has_value());
      }
    }
  }
}

// --- the node that anchors for others -----------------------------------------------------------------------------------

namespace {

struct anchoring_world : placed_world {
  auto remote(std::uint64_t fence, std::size_t count) {
    remote_anchor_request request{fence, {}};
    for (std::size_t i = 0; i < count; ++i) {
      auto entry = entry_of(static_cast<std::uint8_t>(i));
      entry.session[1] = static_cast<std::uint8_t>(i >> 8);
      request.entries.push_back(entry);
    }
    auto got = ask<std::vector<anchored_entry>, anchoring_api>(std::string(paths::anchoring), request);
    advance(100ms);
    return got;
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(it_anchors_under_exactly_the_number_that_it_holds, anchoring_world) {
  lease(pi_1, 7);
  begin();
  for (auto wrong : {6u, 8u, 0u}) BOOST_TEST(refused(remote(wrong, 1), errc::wrong_state));
  auto good = remote(7, 3);
  BOOST_REQUIRE(answered(good));
  BOOST_TEST((*good)->value().size() == 3u);
  for (auto& one : (*good)->value()) {
    BOOST_TEST((one.block.producer == key_of(1)->public_key()));
    must(verify_anchor(one.record, one.block));
  }
  auto again = remote(7, 3); // Repeats keep their place.
  BOOST_REQUIRE(answered(again));
  BOOST_TEST((*again)->value()[2].record.block_height == (*good)->value()[2].record.block_height);
  lease(pi_2, 8);
  BOOST_TEST(refused(remote(8, 1), errc::wrong_state)); // Another's.
  BOOST_TEST(refused(remote(7, 1), errc::wrong_state));
  nobody();
  BOOST_TEST(refused(remote(0, 1), errc::wrong_state));
  auto own = status();
  BOOST_TEST((*own)->value().entry_count == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_batch_has_its_bounds, anchoring_world) {
  lease(pi_1, 7);
  begin();
  BOOST_TEST(refused(remote(7, 0), errc::limit_exceeded));
  BOOST_TEST(refused(remote(7, ledger_entries_max + 1), errc::limit_exceeded));
  auto most = remote(7, ledger_entries_max);
  BOOST_REQUIRE(answered(most));
  // As long as an answer may be on its way through the mesh.
  std::size_t path_bytes = 0;
  for (auto& one : (*most)->value()) path_bytes = std::max(path_bytes, one.record.path.size() * sizeof(digest));
  BOOST_TEST(path_bytes + block_entry_size_bytes + block_header_size_bytes + 100 <= remote_anchor_bytes_max);
}

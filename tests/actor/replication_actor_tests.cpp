// tests/actor/replication_actor_tests.cpp - a recorder and its holders on one deterministic scheduler: copies, proof,
// repair, kills. Each node has a directory of its own; frames between them go by the test's hand.
#define BOOST_TEST_MODULE replication_actor_tests
#include <boost/test/unit_test.hpp>

#include <deque>
#include <fstream>

#include "actors/blobs/blobs_actor.hpp"
#include "actors/format/challenge_codec.hpp"
#include "actors/format/merkle.hpp"
#include "actors/replication/replication_actor.hpp"
#include "actors/store/recording_source.hpp"
#include "actors/store/replica_actor.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "fixture.hpp"
#include "messages/blobs_api.hpp"
#include "messages/data_layout.hpp"
#include "messages/paths.hpp"
#include "messages/replication_api.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"
#include "tests/doubles/told_cluster.hpp"

using namespace lucid;
using namespace lucid::test;
using lucid::testing::key_of;
using lucid::testing::must;
using lucid::testing::temp_folder;
using lucid::testing::told_cluster;

namespace {

template <class T>
using answer = std::shared_ptr<std::optional<outcome<T>>>;

session_id id_of(std::uint8_t n) {
  session_id id{};
  id.fill(n);
  return id;
}
node_id node_of(std::uint8_t n) {
  node_id id{};
  id.fill(n);
  return id;
}

/// All links of the test. Faults: a link may be cut at any moment, with what is under way.
struct switchboard {
  struct line final : blob_links {
    switchboard* board = nullptr;
    node_id from{};
    std::size_t room_bytes(const node_id& to) const override {
      if (!board->up.contains(std::minmax(from, to))) return 0;
      std::size_t queued = 0;
      for (auto& f : board->frames) queued += f.from == from && f.to == to ? f.bytes.size() : 0;
      return (512u << 10) - std::min<std::size_t>(512u << 10, queued);
    }
    outcome<void> send(const node_id& to, byte_buffer frame) override {
      if (!board->up.contains(std::minmax(from, to))) return fail(errc::unreachable, "test", "no link");
      board->frames.push_back({from, to, std::move(frame)});
      return {};
    }
    void cut(const node_id& peer, const error& why) override { board->cuts.push_back(to_string(why) + " at " + to_hex(byte_view(peer).first(1))); }
  };
  struct frame {
    node_id from, to;
    byte_buffer bytes;
  };
  std::map<node_id, blob_exchange*> nodes;
  std::map<node_id, std::unique_ptr<line>> lines;
  std::set<std::pair<node_id, node_id>> up;
  std::deque<frame> frames;
  std::vector<std::string> cuts;

  void add(const node_id& id, blob_exchange* exchange) {
    nodes[id] = exchange;
    lines[id] = std::make_unique<line>();
    lines[id]->board = this;
    lines[id]->from = id;
    exchange->connect(lines[id].get());
  }
  void link(const node_id& a, const node_id& b) {
    up.insert(std::minmax(a, b));
    nodes.at(a)->link_up(b);
    nodes.at(b)->link_up(a);
  }
  void unlink(const node_id& a, const node_id& b) {
    up.erase(std::minmax(a, b));
    std::erase_if(frames, [&](const frame& f) { return std::minmax(f.from, f.to) == std::minmax(a, b); });
    nodes.at(a)->link_down(b);
    nodes.at(b)->link_down(a);
  }
  bool pump(std::size_t count) {
    bool any = false;
    for (; count > 0 && !frames.empty(); --count, any = true) {
      auto f = std::move(frames.front());
      frames.pop_front();
      nodes.at(f.to)->link_frame(f.from, f.bytes);
    }
    return any;
  }
};

struct replica_world : world {
  /// Another node: its own directory, disk, blobs.
  struct holder {
    node_id id{};
    std::string name;
    temp_folder temp;
    directory names;
    std::optional<runtime_services> services;
    std::shared_ptr<blob_exchange> exchange;
    caf::actor root;
    std::uint64_t published = 0;
  };
  static constexpr std::size_t chunk_bytes = 200'000;

  temp_folder temp;
  std::shared_ptr<posix_file_system> files = std::make_shared<posix_file_system>();
  std::shared_ptr<told_cluster> cluster = std::make_shared<told_cluster>();
  std::shared_ptr<inline_pool> pool = std::make_shared<inline_pool>();
  switchboard board;
  node_id self = node_of(1);
  std::shared_ptr<blob_exchange> exchange = std::make_shared<blob_exchange>(blob_limits{}, clock);
  std::deque<holder> holders;
  std::optional<recording_store> store;
  replication_limits limits;
  std::set<node_id> lost; ///< Recorders that are no members any more.

  explicit replica_world(std::uint64_t seed = 1) : world(seed) {
    limits.repair_after = 60s;
    store.emplace(must(recording_store::open({temp.path(), 0}, *files)));
    board.add(self, exchange.get());
  }
  ~replica_world() {
    for (auto& h : holders) caf::anon_send_exit(h.root, caf::exit_reason::user_shutdown);
    advance(1min);
    for (auto& h : holders) h.root = nullptr;
    exchange->connect(nullptr);
    for (auto& h : holders) h.exchange->connect(nullptr);
  }

  void begin(std::size_t holder_count) {
    member_view me;
    me.id = self;
    me.name = "pi-1";
    me.state = member_state::self;
    cluster->now.members.push_back(me);
    for (std::size_t i = 0; i < holder_count; ++i) add_holder(static_cast<std::uint8_t>(i + 2));
    publish();
    replication_parts parts;
    parts.self = self;
    parts.limits = limits;
    parts.challenge_interval = 20s;
    parts.challenges = challenges_file(temp.path());
    parts.source = make_recording_source({temp.path(), 0}, *files);
    parts.cluster = cluster;
    parts.pool = pool;
    parts.signs = key_of(1);
    start({.id = "root",
           .restarts_max = 1000,
           .children = {nested(supervisor_spec{.id = "copies", .restarts_max = 1000, .children = {quick(replication_child(parts))}}),
                        nested(supervisor_spec{.id = "mesh", .restarts_max = 1000, .children = {quick(blobs_child(exchange))}})}});
  }
  static child_spec quick(child_spec spec) {
    spec.delay = {0ms, 0ms};
    return spec;
  }
  void add_holder(std::uint8_t n) {
    auto& h = holders.emplace_back();
    h.id = node_of(n);
    h.name = "pi-" + std::to_string(n);
    h.services.emplace(runtime_services{h.names, clock, random});
    h.exchange = std::make_shared<blob_exchange>(blob_limits{}, clock);
    board.add(h.id, h.exchange.get());
    replica_settings settings;
    settings.self = h.id;
    settings.store = {replicas_folder(h.temp.path()), 0};
    settings.files = files;
    settings.signs = key_of(n);
    settings.may_take_over = [this](const node_id& from, const node_id& to) { return lost.contains(from) && to == self; };
    h.root = start_root(system, *h.services,
                        {.id = "root",
                         .restarts_max = 1000,
                         .children = {nested(supervisor_spec{.id = "copies", .restarts_max = 1000, .children = {quick(replicas_child(settings, false))}}),
                                      nested(supervisor_spec{.id = "mesh", .restarts_max = 1000, .children = {quick(blobs_child(h.exchange))}})}},
                        [](const std::optional<error>&) {}).value();
    member_view view;
    view.id = h.id;
    view.name = h.name;
    view.state = member_state::up;
    view.sign_key = key_of(n)->public_key();
    cluster->now.members.push_back(view);
    advance(0ms);
    board.link(self, h.id);
  }
  member_view& member(const holder& h) {
    return *std::find_if(cluster->now.members.begin(), cluster->now.members.end(), [&](auto& m) { return m.id == h.id; });
  }
  void take_down(holder& h) {
    member(h).state = member_state::down;
    board.unlink(self, h.id);
    names.slot(paths::of_node(h.name, paths::replicas))->withdraw(h.published);
  }
  void bring_up(holder& h) {
    member(h).state = member_state::up;
    h.published = 0;
    board.link(self, h.id);
  }
  /// What another part does: a holder's actor is known here by its path, whichever it is at present.
  void publish() {
    for (auto& h : holders) {
      auto present = h.names.slot(paths::replicas)->present();
      if (member(h).state != member_state::up || !present.actor || present.incarnation == h.published) continue;
      auto slot = names.slot(paths::of_node(h.name, paths::replicas));
      slot->publish(slot->begin_incarnation(), present.actor, nullptr, 0);
      h.published = present.incarnation;
    }
  }
  void go(std::chrono::milliseconds by, std::size_t frames_a_step = 1000) {
    for (auto left = by; left > 0ms; left -= 50ms) {
      publish();
      advance(50ms);
      for (int i = 0; i < 20 && board.pump(frames_a_step); ++i) advance(0ms);
    }
  }

  void record(std::uint8_t n, std::uint32_t from, std::uint32_t to, track on = track::video) {
    if (!store->session(id_of(n))) {
      session_put_request r;
      r.summary.id = id_of(n);
      r.summary.created_us = n;
      r.policy.recipients = {box_public_key{1}};
      r.keys = {{box_public_key{1}, {1}}, {box_public_key{9}, {9}}};
      must(store->put_session(r));
      move_to(n, session_state::recording);
    }
    for (auto i = from; i < to; ++i) must(store->put_chunk(chunk(n, i, on)));
  }
  static sealed_chunk chunk(std::uint8_t n, std::uint32_t index, track on = track::video) {
    byte_buffer bytes(chunk_bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + index + n + (i >> 12));
    sealed_chunk c;
    auto hashes = hash_file(bytes);
    c.record.key = {id_of(n), on, index};
    c.record.sealed_size_bytes = bytes.size();
    c.record.content = hashes.content;
    c.record.root = merkle_root(hashes.leaves);
    c.leaves = hashes.leaves;
    c.file = payload(std::move(bytes));
    return c;
  }
  void move_to(std::uint8_t n, session_state state) {
    auto s = must(store->session(id_of(n))).summary;
    s.state = state;
    s.chunk_count = static_cast<std::uint32_t>(must(store->chunks(id_of(n))).size());
    must(store->update_session(s));
  }
  void finish(std::uint8_t n) {
    using enum session_state;
    move_to(n, sealing);
    move_to(n, storing);
    std::string text = "{\"n\":" + std::to_string(n) + "}";
    anchor_entry entry{id_of(n), blake3(as_bytes(text)), digest{4}, 5};
    must(store->put_manifest({id_of(n), {text, entry.manifest_hash, {}}, entry}));
    move_to(n, anchoring);
    must(store->put_anchor({{entry, 3, 0, {}}, {}}));
    move_to(n, completed);
  }
  recording_store copy_of(holder& h) { return must(recording_store::open_read_only({replicas_folder(h.temp.path()), 0}, *files)); }

  template <class T, class Interface, class Message>
  answer<T> ask(std::string_view path, Message message) {
    auto got = std::make_shared<std::optional<outcome<T>>>();
    system.spawn([this, path = std::string(path), message, got](caf::event_based_actor* asking) {
      ref<Interface>(names, path).request(asking, caf::infinite, message)
        .then([got](const T& value) { got->emplace(value); },
              [got](const caf::error& e) { got->emplace(tl::unexpected(from_caf(e))); });
    });
    go(3s);
    return got;
  }
  replication_status status() { return must(**ask<replication_status, replication_api>(paths::replication, replication_status_request{})); }
  replication_audit audit(std::uint8_t n, std::uint32_t from = 0) {
    auto got = ask<replication_audit, replication_api>(paths::replication, replication_audit_request{id_of(n), from});
    BOOST_REQUIRE(got->has_value());
    return must(**got);
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_recording_is_copied_while_it_runs_and_finished_with_manifest_and_anchor, replica_world) {
  record(7, 0, 2);
  begin(3);
  go(5s);
  record(7, 2, 3);
  record(7, 0, 1, track::events);
  go(3s);
  auto now = status();
  BOOST_TEST(now.chunk_count == 4u);
  BOOST_TEST(now.replicated_count == 4u);
  BOOST_TEST(now.last_failure == "");
  int holding = 0;
  finish(7);
  go(5s);
  for (auto& h : holders) {
    auto copy = copy_of(h);
    auto chunks = must(copy.chunks(id_of(7)));
    if (chunks.empty()) continue;
    ++holding;
    BOOST_TEST(chunks.size() == 4u);
    BOOST_TEST((must(copy.session(id_of(7))).summary.state == session_state::completed));
    BOOST_TEST(must(copy.session(id_of(7))).keys.size() == 1u); // Not the node's own.
    BOOST_TEST(must(copy.manifest_of(id_of(7))).canonical == "{\"n\":7}");
    BOOST_TEST(must(copy.anchor_of(id_of(7))).block_height == 3u);
    BOOST_TEST((must(copy.origin_of(id_of(7))) == self));
    BOOST_TEST((must(copy.leaves(chunks[0].key)) == chunk(7, 0).leaves));
    for (auto& c : chunks) BOOST_TEST((blake3(must(copy.chunk_bytes(c.key))) == c.content));
  }
  BOOST_TEST(holding == 2);
  BOOST_TEST(board.cuts.empty());
}

BOOST_FIXTURE_TEST_CASE(holders_are_asked_for_proof_and_the_results_are_kept_and_signed, replica_world) {
  record(7, 0, 3);
  finish(7);
  begin(2);
  go(65s);
  auto now = status();
  for (auto& h : now.holders) {
    BOOST_TEST(h.challenges_ok >= 2u);
    BOOST_TEST(h.challenges_failed == 0u);
    BOOST_TEST(h.challenges_late == 0u);
  }
  auto log = must(challenge_log::open(challenges_file(temp.path())));
  auto results = must(log.newest(100));
  BOOST_TEST(results.size() >= 4u);
  for (auto& r : results)
    must(verify_result(r, key_of(1)->public_key(), key_of(r.what.holder[0])->public_key()));
}

BOOST_FIXTURE_TEST_CASE(a_damaged_copy_is_found_by_an_audit_and_made_good, replica_world) {
  record(7, 0, 4);
  begin(2);
  go(5s);
  {
    auto path = copy_of(holders[0]).chunk_path({id_of(7), track::video, 2});
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(150'000);
    file.put('x');
    file.put('y');
  }
  std::filesystem::remove(copy_of(holders[1]).chunk_path({id_of(7), track::video, 0}));
  auto first = audit(7);
  BOOST_TEST(first.chunk_count == 4u);
  BOOST_TEST(first.done);
  BOOST_REQUIRE(first.copies.size() == 2u);
  auto row_of = [](const replication_audit& a, const std::string& name) {
    return *std::find_if(a.copies.begin(), a.copies.end(), [&](auto& c) { return c.name == name; });
  };
  BOOST_TEST(row_of(first, "pi-2").damaged == 1u);
  BOOST_TEST(row_of(first, "pi-2").verified == 3u);
  BOOST_TEST(row_of(first, "pi-3").missing == 1u);
  BOOST_TEST(row_of(first, "pi-3").verified == 3u);
  BOOST_TEST(first.short_count == 2u); // Another chunk at each.
  go(5s);
  auto second = audit(7);
  BOOST_TEST(second.short_count == 0u);
  for (auto& c : second.copies) BOOST_TEST(c.verified == 4u);
  BOOST_TEST((!(*ask<replication_audit, replication_api>(paths::replication, replication_audit_request{id_of(99), 0})).value()));
}

BOOST_FIXTURE_TEST_CASE(a_block_that_is_not_what_was_sealed_is_found_by_challenges_and_made_good, replica_world) {
  record(7, 0, 1);
  begin(2);
  go(5s);
  auto path = copy_of(holders[0]).chunk_path({id_of(7), track::video, 0});
  byte_buffer wrong(chunk_bytes, 1); // Every block.
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(wrong.data()), static_cast<std::streamsize>(wrong.size()));
  go(45s);
  auto now = status();
  std::uint64_t failed = 0;
  for (auto& h : now.holders) failed += h.challenges_failed;
  BOOST_TEST(failed >= 1u);
  BOOST_TEST((blake3(must(copy_of(holders[0]).chunk_bytes({id_of(7), track::video, 0}))) == chunk(7, 0).record.content));
}

BOOST_FIXTURE_TEST_CASE(a_lost_holder_is_replaced_and_a_returning_one_needs_nothing, replica_world) {
  record(7, 0, 3);
  begin(3);
  go(5s);
  auto holds = [&](holder& h) { return must(copy_of(h).chunks(id_of(7))).size(); };
  auto gone = std::find_if(holders.begin(), holders.end(), [&](auto& h) { return holds(h) == 3; });
  auto spare = std::find_if(holders.begin(), holders.end(), [&](auto& h) { return holds(h) == 0; });
  BOOST_REQUIRE((gone != holders.end() && spare != holders.end()));
  take_down(*gone);
  go(30s);
  BOOST_TEST(holds(*spare) == 0u);
  go(40s);
  BOOST_TEST(holds(*spare) == 3u);
  auto sent = exchange->counters().sent_bytes;
  bring_up(*gone);
  go(10s);
  BOOST_TEST(status().replicated_count == 3u);
  BOOST_TEST(exchange->counters().sent_bytes == sent);
}

BOOST_FIXTURE_TEST_CASE(a_recording_removed_here_is_removed_there, replica_world) {
  record(7, 0, 2);
  finish(7);
  begin(2);
  go(15s);
  must(store->remove_session(id_of(7)));
  go(25s);
  for (auto& h : holders) BOOST_TEST((copy_of(h).session(id_of(7)).error().code == errc::not_found));
}

BOOST_FIXTURE_TEST_CASE(a_chunk_that_is_damaged_here_is_not_copied_and_holds_up_no_other, replica_world) {
  record(7, 0, 4);
  byte_buffer wrong(chunk_bytes, 1);
  std::ofstream(store->chunk_path({id_of(7), track::video, 1}), std::ios::binary)
    .write(reinterpret_cast<const char*>(wrong.data()), static_cast<std::streamsize>(wrong.size()));
  std::filesystem::remove(store->chunk_path({id_of(7), track::video, 2}));
  begin(2);
  go(15s);
  auto now = status();
  BOOST_TEST(now.replicated_count == 2u);
  BOOST_TEST(now.without_copy_count == 2u);
  BOOST_TEST(now.in_flight == 0u);
  auto sent = exchange->counters().sent_bytes;
  go(30s);
  BOOST_TEST(exchange->counters().sent_bytes == sent); // Not again and again.
}

BOOST_FIXTURE_TEST_CASE(a_restarted_actor_asks_and_sends_nothing_twice, replica_world) {
  record(7, 0, 5);
  begin(2);
  go(10s);
  BOOST_TEST(status().replicated_count == 5u);
  auto sent = exchange->counters().sent_bytes;
  BOOST_TEST(sent == 10 * chunk_bytes);
  kill(std::string(paths::replication));
  go(15s);
  BOOST_TEST(incarnation(std::string(paths::replication)) == 2u);
  BOOST_TEST(status().replicated_count == 5u);
  BOOST_TEST(exchange->counters().sent_bytes == sent);
}

BOOST_AUTO_TEST_CASE(whichever_actor_is_killed_and_link_cut_all_copies_are_there_in_the_end) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      replica_world w(seed);
      std::mt19937_64 random(seed);
      w.begin(3);
      std::uint32_t count = 0;
      for (int step = 0; step < 40; ++step) {
        switch (random() % 6) {
          case 0:
            w.record(7, count, count + 1);
            ++count;
            break;
          case 1: {
            std::string_view own[] = {paths::replication, paths::blobs};
            w.kill(std::string(own[random() % 2]));
            break;
          }
          case 2: {
            auto& h = w.holders[random() % 3];
            std::string_view theirs[] = {paths::replicas, paths::blobs};
            if (auto actor = h.names.slot(theirs[random() % 2])->present().actor)
              caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
            w.advance(1s);
            break;
          }
          case 3: {
            auto& h = w.holders[random() % 3];
            if (w.member(h).state == member_state::up) w.take_down(h);
            else w.bring_up(h);
            break;
          }
          default: w.go(std::chrono::milliseconds(50 + random() % 2000), 1 + random() % 20);
        }
      }
      w.record(7, count, count + 1);
      ++count;
      for (auto& h : w.holders)
        if (w.member(h).state != member_state::up) w.bring_up(h);
      w.go(200s);
      auto now = w.status();
      BOOST_TEST(now.replicated_count == count, now.replicated_count << " of " << count << ", " << now.last_failure);
      for (std::uint32_t i = 0; i < count; ++i) {
        int copies = 0;
        for (auto& h : w.holders) {
          auto copy = w.copy_of(h);
          auto file = copy.chunk_bytes({id_of(7), track::video, i});
          copies += file && blake3(*file) == replica_world::chunk(7, i).record.content;
        }
        BOOST_TEST(copies >= 2);
      }
      BOOST_TEST(w.board.cuts.empty());
    }
  }
}

BOOST_FIXTURE_TEST_CASE(copies_of_a_recording_that_was_adopted_are_taken_over_and_those_of_a_member_are_not, replica_world) {
  const auto gone = node_of(90), there = node_of(91);
  begin(2);
  auto held_by_all = [&](std::uint8_t n, const node_id& origin) {
    for (auto& h : holders) {
      auto store_there = must(recording_store::open({replicas_folder(h.temp.path()), 0}, *files));
      session_row row;
      row.summary.id = id_of(n);
      row.summary.created_us = n;
      row.summary.state = session_state::recording;
      must(store_there.mirror_session(origin, row));
      for (std::uint32_t i = 0; i < 3; ++i) must(store_there.mirror_chunk(origin, chunk(n, i)));
    }
  };
  held_by_all(7, gone);
  held_by_all(8, there);
  lost.insert(gone);
  go(1s);
  record(7, 0, 2); // The third was behind a hole at the adopter.
  finish(7);
  record(8, 0, 1);
  record(9, 0, 1);
  go(25s);
  for (auto& h : holders) {
    auto copy = copy_of(h);
    BOOST_TEST((must(copy.origin_of(id_of(7))) == self));
    BOOST_TEST((must(copy.session(id_of(7))).summary.state == session_state::completed));
    BOOST_TEST(must(copy.anchor_of(id_of(7))).block_height == 3u);
    BOOST_TEST(must(copy.chunks(id_of(7))).size() == 3u);
    BOOST_TEST((must(copy.origin_of(id_of(8))) == there));
    BOOST_TEST((must(copy.origin_of(id_of(9))) == self)); // A refusal is of one session, not of all.
  }
  BOOST_TEST(status().last_failure.find("the session is of another node") != std::string::npos);
  BOOST_TEST(exchange->counters().sent_bytes < 2 * (chunk_bytes + 100'000)); // Session 9 and a manifest; 7 was there.
  for (auto& c : audit(7).copies) BOOST_TEST(c.verified == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_copy_with_its_recorders_manifest_is_not_given_to_one_that_has_another, replica_world) {
  const auto gone = node_of(90);
  lost.insert(gone);
  begin(1);
  {
    auto store_there = must(recording_store::open({replicas_folder(holders[0].temp.path()), 0}, *files));
    session_row row;
    row.summary.id = id_of(7);
    row.summary.created_us = 7;
    row.summary.state = session_state::completed;
    must(store_there.mirror_session(gone, row));
    must(store_there.mirror_chunk(gone, chunk(7, 0)));
    std::string text = "{\"of\":\"the recorder\"}";
    anchor_entry entry{id_of(7), blake3(as_bytes(text)), digest{4}, 5};
    must(store_there.mirror_manifest(gone, {id_of(7), {text, entry.manifest_hash, {}}, entry}));
  }
  record(7, 0, 1);
  finish(7);
  go(25s);
  auto copy = copy_of(holders[0]);
  BOOST_TEST((must(copy.origin_of(id_of(7))) == gone));
  BOOST_TEST(must(copy.manifest_of(id_of(7))).canonical == "{\"of\":\"the recorder\"}");
}

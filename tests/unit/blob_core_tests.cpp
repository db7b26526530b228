// tests/unit/blob_core_tests.cpp - blobs between two nodes: broken links, credit, turns, bounds, and peers that lie.
#define BOOST_TEST_MODULE blob_core_tests
#include <boost/test/unit_test.hpp>

#include <map>
#include <random>

#include "actors/blobs/blob_core.hpp"
#include "actors/blobs/blob_exchange.hpp"

using namespace lucid;
using namespace std::chrono_literals;
namespace bf = lucid::blob_frames;

namespace {

constexpr node_id a_id{1}, b_id{2}, c_id{3};

blob_id number(std::uint64_t n) {
  blob_id id{};
  for (int i = 0; i < 8; ++i) id[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(n >> (8 * i));
  return id;
}

payload bytes_of(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  byte_buffer bytes(size);
  for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
  return payload(std::move(bytes));
}

/// A core with what it answered so far.
struct node {
  node(node_id of, const blob_limits& bounds) : id(of), core(bounds), limits(bounds) {}
  node_id id;
  blob_core core;
  blob_limits limits;
  std::map<std::uint64_t, outcome<blob_ref>> sent;
  std::map<std::uint64_t, outcome<payload>> taken;
  std::vector<blob_effects::cut> cuts;
};

/// Two nodes and the link between them. Faults: the link breaks at any moment, and loses what is under way.
/// Watches every frame: nobody may send more than it has credit for.
struct pair {
  explicit pair(const blob_limits& limits = {}) : a(a_id, limits), b(b_id, limits) {}
  node a, b;
  std::chrono::nanoseconds now{1s};
  bool linked = false;
  std::deque<byte_buffer> to_a, to_b;
  std::map<node_id, std::int64_t> credit; ///< Of who sends.
  std::int64_t under_way_max = 0;
  std::vector<blob_id> order; ///< Of pieces from a.

  void note(const node_id& from, byte_view frame) {
    auto f = bf::decode(frame);
    BOOST_REQUIRE(f.has_value());
    BOOST_REQUIRE(frame.size() <= mesh_frame_bytes_max);
    auto& other = from == a_id ? b_id : a_id;
    if (auto p = std::get_if<bf::piece>(&*f)) {
      credit[from] -= static_cast<std::int64_t>(p->bytes.size());
      BOOST_REQUIRE(credit[from] >= 0);
      if (from == a_id) order.push_back(p->id);
    }
    // Credit counts from when it is sent: an earlier moment than the sender knows of it.
    if (auto c = std::get_if<bf::credit>(&*f)) credit[other] += c->bytes;
    BOOST_REQUIRE(credit[other] <= static_cast<std::int64_t>(a.limits.credit_bytes));
  }
  void carry(node& from, blob_effects& effects) {
    for (auto& f : effects.frames) {
      if (!linked) continue;
      note(from.id, f.bytes);
      (from.id == a_id ? to_b : to_a).push_back(std::move(f.bytes));
    }
    for (auto& s : effects.sends) BOOST_REQUIRE(from.sent.emplace(s.token, s.result).second);
    for (auto& t : effects.takes) BOOST_REQUIRE(from.taken.emplace(t.token, t.result).second);
    for (auto& c : effects.cuts) from.cuts.push_back(c);
  }
  template <class Step>
  void run(node& on, Step step) {
    blob_effects effects;
    step(effects);
    carry(on, effects);
  }
  void link() {
    linked = true;
    credit.clear();
    run(a, [&](auto& out) { a.core.up(b_id, now, out); });
    run(b, [&](auto& out) { b.core.up(a_id, now, out); });
  }
  void unlink() {
    linked = false;
    to_a.clear();
    to_b.clear();
    a.core.down(b_id, now);
    b.core.down(a_id, now);
  }
  void send(std::uint64_t n, const payload& what) {
    run(a, [&](auto& out) { a.core.send(n, b_id, number(n), what, blake3(what.view()), now, out); });
  }
  void take(std::uint64_t n, const payload& what) {
    run(b, [&](auto& out) { b.core.take(n, a_id, {number(n), what.size(), blake3(what.view())}, now, out); });
  }
  bool deliver_one(bool at_b) {
    auto& queue = at_b ? to_b : to_a;
    if (queue.empty()) return false;
    auto frame = std::move(queue.front());
    queue.pop_front();
    auto& on = at_b ? b : a;
    run(on, [&](auto& out) { on.core.frame(at_b ? a_id : b_id, frame, now, out); });
    return true;
  }
  void settle() {
    while (deliver_one(true) || deliver_one(false)) {}
  }
  void tick(std::chrono::nanoseconds by) {
    now += by;
    run(a, [&](auto& out) { a.core.tick(now, out); });
    run(b, [&](auto& out) { b.core.tick(now, out); });
  }
};

bool equal(const payload& x, const payload& y) {
  return std::equal(x.view().begin(), x.view().end(), y.view().begin(), y.view().end());
}

} // namespace

BOOST_AUTO_TEST_CASE(frames_read_back_and_other_lengths_are_refused) {
  auto bytes = bytes_of(bf::piece_bytes_max, 1);
  std::vector<bf::frame> frames{bf::offer{{number(1), 7, digest{3}}}, bf::accept{number(2), 5},
                                bf::refuse{number(3), bf::refusal::corrupted}, bf::piece{number(4), 9, bytes.view()},
                                bf::credit{77}, bf::done{number(5)}, bf::abort{number(6)}};
  for (auto& f : frames) {
    auto wire = bf::encode(f);
    auto back = bf::decode(wire);
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST(back->index() == f.index());
    BOOST_TEST(bf::encode(*back) == wire);
    auto longer = wire;
    longer.push_back(0);
    BOOST_TEST(!bf::decode(longer).has_value());
    auto is_piece = std::holds_alternative<bf::piece>(f);
    auto cut_to = is_piece ? bf::piece_head_bytes : wire.size() - 1;
    BOOST_TEST(!bf::decode(byte_view(wire).first(cut_to)).has_value());
  }
  BOOST_TEST(!bf::decode({}).has_value());
  for (std::uint64_t size : {std::uint64_t{0}, std::uint64_t{payload::size_bytes_max + 1}, ~std::uint64_t{0}})
    BOOST_TEST(!bf::decode(bf::encode(bf::offer{{number(1), size, {}}})).has_value());
}

BOOST_AUTO_TEST_CASE(a_blob_arrives_whole_and_is_handed_out_once) {
  pair p;
  auto what = bytes_of(payload::size_bytes_max, 5);
  p.link();
  p.send(1, what);
  p.settle();
  BOOST_REQUIRE(p.a.sent.contains(1));
  BOOST_TEST(p.a.sent.at(1).value().size_bytes == what.size());
  BOOST_TEST(p.b.core.memory_bytes() == what.size());
  p.take(1, what);
  BOOST_REQUIRE(p.b.taken.contains(1));
  BOOST_TEST(equal(p.b.taken.at(1).value(), what));
  BOOST_TEST(p.b.core.memory_bytes() == 0u);
  p.run(p.b, [&](auto& out) { p.b.core.take(9, a_id, {number(1), what.size(), blake3(what.view())}, p.now, out); });
  p.tick(61s);
  BOOST_TEST((p.b.taken.at(9).error().code == errc::timeout));
}

BOOST_AUTO_TEST_CASE(whoever_waits_for_it_gets_it_when_it_comes_and_another_one_is_not_it) {
  pair p;
  auto what = bytes_of(100'000, 5);
  p.take(1, what);
  p.link();
  p.send(1, what);
  p.settle();
  BOOST_TEST(equal(p.b.taken.at(1).value(), what));
  p.send(2, what);
  p.settle();
  p.run(p.b, [&](auto& out) { p.b.core.take(2, a_id, {number(2), what.size(), digest{1}}, p.now, out); });
  BOOST_TEST((p.b.taken.at(2).error().code == errc::corrupted));
}

BOOST_AUTO_TEST_CASE(a_break_at_any_moment_loses_nothing_and_what_came_is_not_sent_again) {
  std::uint64_t resumed = 0, sent_bytes = 0, useful_bytes = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      blob_limits limits;
      limits.credit_bytes = (64u << 10) << (random() % 5);
      limits.bytes_per_second_max = random() % 3 == 0 ? (1u << 20) << (random() % 6) : 0;
      pair p(limits);
      std::map<std::uint64_t, payload> blobs;
      std::uint64_t last = 0;
      auto is_over = [&] { return last >= 8 && p.a.sent.size() == blobs.size() && p.b.taken.size() == blobs.size(); };
      for (int step = 0; step < 20'000 && !is_over(); ++step) {
        auto chance = random() % 400;
        if (chance < 8 && last < 8) {
          auto what = bytes_of(1 + random() % 600'000, seed * 100 + ++last);
          blobs[last] = what;
          useful_bytes += what.size();
          p.send(last, what);
          p.take(last, what);
        } else if (chance < 11) {
          p.unlink();
        } else if (chance < 30 && !p.linked) {
          p.link();
        } else if (chance < 60) {
          p.tick(std::chrono::milliseconds(random() % 50));
        } else {
          p.deliver_one(random() % 2 == 0);
        }
      }
      BOOST_TEST_INFO("blobs " << blobs.size() << " sent " << p.a.sent.size() << " taken " << p.b.taken.size() << " linked " << p.linked << " cuts " << p.a.cuts.size() + p.b.cuts.size() << " rate " << limits.bytes_per_second_max << " now " << p.now.count());
      BOOST_REQUIRE(is_over());
      for (auto& [n, what] : blobs) {
        BOOST_REQUIRE(p.a.sent.at(n).has_value());
        BOOST_REQUIRE(p.b.taken.at(n).has_value());
        BOOST_REQUIRE(equal(p.b.taken.at(n).value(), what));
      }
      BOOST_TEST(p.a.cuts.empty());
      BOOST_TEST(p.b.cuts.empty());
      BOOST_TEST(p.b.core.memory_bytes() == 0u);
      resumed += p.a.core.counters().resumed_count;
      sent_bytes += p.a.core.counters().sent_bytes;
    }
  }
  BOOST_TEST(resumed > 100u);
  // What a break loses is at most the credit under way, not what was put together.
  BOOST_TEST(sent_bytes < useful_bytes * 2);
  BOOST_TEST_MESSAGE("resumed " << resumed << ", sent " << sent_bytes << " for " << useful_bytes);
}

BOOST_AUTO_TEST_CASE(a_break_after_half_goes_on_in_the_middle) {
  blob_limits limits;
  limits.credit_bytes = 64u << 10;
  pair p(limits);
  auto what = bytes_of(1u << 20, 3);
  p.link();
  p.send(1, what);
  p.take(1, what);
  while (p.b.core.counters().received_bytes < what.size() / 2) BOOST_REQUIRE(p.deliver_one(true) || p.deliver_one(false));
  p.unlink();
  p.tick(5s);
  p.link();
  p.settle();
  BOOST_TEST(equal(p.b.taken.at(1).value(), what));
  BOOST_TEST(p.a.core.counters().resumed_count == 1u);
  BOOST_TEST(p.a.core.counters().sent_bytes <= what.size() + limits.credit_bytes);
}

BOOST_AUTO_TEST_CASE(blobs_to_one_peer_take_turns) {
  pair p;
  auto large = bytes_of(4u << 20, 1), small = bytes_of(200'000, 2);
  p.link();
  p.settle();
  p.send(1, large);
  p.send(2, large);
  p.send(3, small);
  p.settle();
  BOOST_REQUIRE(p.a.sent.size() == 3u);
  auto last_small = std::find(p.order.rbegin(), p.order.rend(), number(3));
  auto pieces_before = p.order.rend() - last_small;
  BOOST_TEST(pieces_before < 3 * 5 + 40); // Its 4 pieces are among the first, behind one credit's worth at most.
  std::size_t one = 0, two = 0;
  for (auto& id : p.order) {
    one += id == number(1);
    two += id == number(2);
    BOOST_REQUIRE(std::max(one, two) - std::min(one, two) <= 18u); // A credit of 1 MiB is 16 pieces.
  }
}

BOOST_AUTO_TEST_CASE(peers_take_turns_and_the_bandwidth_is_kept) {
  blob_limits limits;
  limits.bytes_per_second_max = 10u << 20;
  blob_core core(limits);
  auto what = bytes_of(8u << 20, 1);
  auto now = std::chrono::nanoseconds(1h);
  std::map<node_id, std::uint64_t> got;
  auto drive = [&](auto step) {
    blob_effects out;
    step(out);
    while (!out.frames.empty()) {
      blob_effects more;
      for (auto& f : out.frames) {
        auto frame = bf::decode(f.bytes).value();
        if (auto o = std::get_if<bf::offer>(&frame)) core.frame(f.to, bf::encode(bf::accept{o->what.id, 0}), now, more);
        if (auto piece = std::get_if<bf::piece>(&frame)) {
          got[f.to] += piece->bytes.size();
          core.frame(f.to, bf::encode(bf::credit{static_cast<std::uint32_t>(piece->bytes.size())}), now, more);
        }
      }
      out = std::move(more);
    }
  };
  std::uint64_t token = 0;
  for (auto& to : {b_id, c_id}) {
    ++token;
    drive([&](auto& out) {
      core.up(to, now, out);
      core.frame(to, bf::encode(bf::credit{1u << 20}), now, out);
      core.send(token, to, number(token), what, blake3(what.view()), now, out);
    });
  }
  auto until = now + 1s;
  for (int i = 0; now < until && i < 10'000; ++i) {
    auto at = core.wake_at();
    BOOST_REQUIRE(at.has_value());
    now = std::max(now, *at);
    drive([&](auto& out) { core.tick(now, out); });
  }
  auto total = got[b_id] + got[c_id];
  BOOST_TEST(total > (9u << 20));
  BOOST_TEST(total < (12u << 20));
  BOOST_TEST(std::max(got[b_id], got[c_id]) - std::min(got[b_id], got[c_id]) <= (1u << 20) + bf::piece_bytes_max);
}

BOOST_AUTO_TEST_CASE(bounds_of_memory_sends_and_partial_blobs_hold) {
  blob_limits limits;
  limits.memory_bytes_max = 1'000'000;
  pair p(limits);
  p.link();
  auto what = bytes_of(400'000, 1);
  for (std::uint64_t n = 1; n <= 5; ++n) p.send(n, what);
  p.settle();
  BOOST_TEST(p.a.sent.size() == 2u); // The third does not fit beside two that nobody has taken.
  BOOST_TEST(p.b.core.memory_bytes() == 800'000u);
  for (std::uint64_t n = 1; n <= 5; ++n) {
    p.take(n, what);
    p.tick(300ms);
    p.settle();
  }
  for (int i = 0; i < 20; ++i) {
    p.tick(300ms);
    p.settle();
  }
  BOOST_TEST(p.a.sent.size() == 5u);
  BOOST_TEST(p.b.taken.size() == 5u);
  for (std::uint64_t n = 100; n < 100 + limits.sends_per_peer_max; ++n)
    p.run(p.a, [&](auto& out) { p.a.core.send(n, c_id, number(n), what, {}, p.now, out); });
  BOOST_TEST(p.a.sent.size() == 5u);
  p.run(p.a, [&](auto& out) { p.a.core.send(999, c_id, number(999), what, {}, p.now, out); });
  BOOST_TEST((p.a.sent.at(999).error().code == errc::busy));
  p.run(p.a, [&](auto& out) { p.a.core.send(1000, c_id, number(1000), payload(), {}, p.now, out); });
  BOOST_TEST((p.a.sent.at(1000).error().code == errc::limit_exceeded));
  p.tick(31s); // A peer that never comes: all of them are given up.
  BOOST_TEST(p.a.sent.size() == 5u + limits.sends_per_peer_max + 2u);
  BOOST_TEST((p.a.sent.at(100).error().code == errc::timeout));
}

BOOST_AUTO_TEST_CASE(what_nobody_takes_and_what_stops_half_way_is_let_go_of) {
  pair p;
  auto what = bytes_of(300'000, 1);
  p.link();
  p.send(1, what);
  p.settle();
  BOOST_TEST(p.b.core.memory_bytes() == what.size());
  p.tick(61s);
  BOOST_TEST(p.b.core.memory_bytes() == 0u);
  p.send(2, what);
  p.deliver_one(true);  // credit and offer reach the receiver
  while (p.b.core.memory_bytes() == 0) BOOST_REQUIRE(p.deliver_one(true));
  p.unlink();
  p.tick(61s);
  BOOST_TEST(p.b.core.memory_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_what_was_offered_are_never_handed_out) {
  pair p;
  auto what = bytes_of(100'000, 1), other = bytes_of(100'000, 2);
  p.link();
  p.run(p.a, [&](auto& out) { p.a.core.send(1, b_id, number(1), other, blake3(what.view()), p.now, out); });
  p.take(1, what);
  for (int i = 0; i < 10; ++i) {
    p.settle();
    p.tick(300ms);
  }
  BOOST_TEST((p.a.sent.at(1).error().code == errc::corrupted));
  BOOST_TEST(p.b.core.counters().corrupted_count == 3u);
  BOOST_TEST(p.b.core.memory_bytes() == 0u);
  BOOST_TEST(!p.b.taken.contains(1));
}

BOOST_AUTO_TEST_CASE(a_peer_that_breaks_the_rules_is_cut_and_costs_nothing) {
  auto hostile = [](std::vector<byte_buffer> frames, bool expected) {
    blob_core core(blob_limits{});
    blob_effects out;
    core.up(b_id, 1s, out);
    for (auto& f : frames) core.frame(b_id, f, 1s, out);
    BOOST_TEST((out.cuts.size() == 1) == expected);
    BOOST_TEST(core.memory_bytes() <= payload::size_bytes_max);
  };
  auto piece = bytes_of(1000, 1);
  auto offer = bf::encode(bf::offer{{number(1), 1500, digest{1}}});
  hostile({offer, offer}, true);
  hostile({offer, bf::encode(bf::offer{{number(1), 1501, digest{1}}})}, true);
  hostile({offer, bf::encode(bf::piece{number(1), 1, piece.view()})}, true);
  hostile({offer, bf::encode(bf::piece{number(1), 0, piece.view()}), bf::encode(bf::piece{number(1), 0, piece.view()})}, true);
  hostile({offer, bf::encode(bf::piece{number(1), 0, piece.view()}), bf::encode(bf::piece{number(1), 1000, piece.view()})}, true);
  hostile({bf::encode(bf::credit{64u << 20}), bf::encode(bf::credit{1})}, true);
  hostile({bf::encode(bf::credit{~0u})}, true);
  hostile({byte_buffer{3, 99}}, true);
  hostile({byte_buffer{3}}, true);
  hostile({byte_buffer(mesh_frame_bytes_max + 1, 3)}, true);
  hostile({bf::encode(bf::accept{number(7), 0}), bf::encode(bf::done{number(7)}), bf::encode(bf::abort{number(7)}),
           bf::encode(bf::refuse{number(7), bf::refusal::busy})}, false); // May be an answer to what was given up.
  std::vector<byte_buffer> flood;
  auto full = bytes_of(bf::piece_bytes_max, 1);
  blob_core core(blob_limits{});
  blob_effects out;
  core.up(b_id, 1s, out);
  for (int i = 0; i < 17; ++i) core.frame(b_id, bf::encode(bf::piece{number(9), 0, full.view()}), 1s, out);
  BOOST_TEST(out.cuts.empty()); // Pieces of what was let go of are let through, and give the credit back.
  blob_limits tight;
  tight.credit_bytes = 64u << 10;
  blob_core strict(tight);
  blob_effects more;
  strict.up(b_id, 1s, more);
  strict.frame(b_id, bf::encode(bf::piece{number(9), 0, bytes_of(10'000, 1).view()}), 1s, more);
  strict.frame(b_id, bf::encode(bf::piece{number(9), 0, full.view()}), 1s, more);
  BOOST_TEST(more.cuts.size() == 1u); // 10,000 used and not yet given back: no credit for that much.
}

BOOST_AUTO_TEST_CASE(random_frames_neither_crash_nor_fill_the_memory) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    blob_limits limits;
    limits.memory_bytes_max = 2'000'000;
    blob_core core(limits);
    blob_effects out;
    auto now = std::chrono::nanoseconds(1s);
    for (int i = 0; i < 200; ++i) {
      if (i % 20 == 0) core.up(b_id, now, out);
      bf::frame f;
      auto id = number(random() % 3);
      auto some = bytes_of(1 + random() % 3000, random());
      switch (random() % 7) {
        case 0: f = bf::offer{{id, 1 + random() % 1'000'000, digest{}}}; break;
        case 1: f = bf::accept{id, random() % 5000}; break;
        case 2: f = bf::refuse{id, random() % 2 ? bf::refusal::busy : bf::refusal::corrupted}; break;
        case 3: f = bf::piece{id, random() % 2 ? 0 : random() % 5000, some.view()}; break;
        case 4: f = bf::credit{static_cast<std::uint32_t>(random() % 100'000)}; break;
        case 5: f = bf::done{id}; break;
        default: f = bf::abort{id};
      }
      auto bytes = bf::encode(f);
      if (random() % 4 == 0) bytes[random() % bytes.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
      if (random() % 8 == 0) core.send(random(), b_id, id, some, {}, now, out);
      core.frame(b_id, bytes, now, out);
      now += std::chrono::milliseconds(random() % 3000);
      core.tick(now, out);
      BOOST_REQUIRE(core.memory_bytes() <= limits.memory_bytes_max);
    }
    core.down(b_id, now);
    core.tick(now + 1h, out);
    BOOST_TEST(core.memory_bytes() == 0u);
    BOOST_TEST(core.sending_count() == 0u);
  }
}

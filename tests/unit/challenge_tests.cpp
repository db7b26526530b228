// tests/unit/challenge_tests.cpp - challenges to holders: turns, true and false answers, signatures, the kept results.
#define BOOST_TEST_MODULE challenge_tests
#include <boost/test/unit_test.hpp>

#include <random>
#include <set>

#include "actors/format/challenge_codec.hpp"
#include "actors/format/merkle.hpp"
#include "actors/format/proof_codec.hpp"
#include "actors/replication/challenge_core.hpp"
#include "actors/replication/challenge_log.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"

using namespace lucid;
using namespace std::chrono_literals;
using lucid::testing::must;
using lucid::testing::temp_folder;

namespace {

secret_key seed_of(std::uint8_t n) {
  secret_key key;
  std::fill(key.span().begin(), key.span().end(), n);
  return key;
}

/// A chunk of `size` bytes among three, and whoever holds it.
struct desk {
  explicit desk(std::size_t size = 100'000) : bytes(size) {
    std::mt19937_64 random(size);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
    hashes = hash_file(bytes);
    record.key = {session_id{7}, track::video, 1};
    record.sealed_size_bytes = size;
    record.content = hashes.content;
    record.root = merkle_root(hashes.leaves);
    roots = {digest{1}, record.root, digest{3}};
  }
  byte_buffer bytes;
  file_hashes hashes;
  chunk_record record;
  std::vector<digest> roots;
  sign_key holder{seed_of(1)}, challenger{seed_of(2)};
  challenge_core core{node_id{1}, 10min};

  storage_challenge ask(std::uint8_t random) {
    challenge_core::random_bytes bits{};
    bits.fill(random);
    return core.make(node_id{2}, record, bits, 1000);
  }
  challenge_answer answer(const storage_challenge& asked, bool with_session = true) {
    challenge_answer a;
    a.what = asked;
    auto from = static_cast<std::size_t>(asked.block_index) * block_size_bytes;
    auto block = byte_view(bytes).subspan(from, std::min(block_size_bytes, bytes.size() - from));
    a.proof.session = asked.session;
    a.proof.block_index = asked.block_index;
    a.proof.block_count = static_cast<std::uint32_t>(hashes.leaves.size());
    a.proof.block.assign(block.begin(), block.end());
    a.proof.chunk_path = merkle_path(hashes.leaves, asked.block_index);
    if (with_session) {
      a.proof.chunk_position = 1;
      a.proof.chunk_count = 3;
      a.proof.session_path = merkle_path(roots, 1);
    }
    a.answered_us = 2000;
    sign_answer(a, holder);
    return a;
  }
  challenge_outcome verdict(const storage_challenge& asked, const challenge_answer& a, bool with_root = true) {
    return challenge_core::judge(asked, record, 1, a, holder.public_key(),
                                 with_root ? std::optional(merkle_root(roots)) : std::nullopt).outcome;
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(true_answers_hold_for_every_block) {
  for (std::size_t size : {std::size_t{1}, block_size_bytes, block_size_bytes + 1, std::size_t{100'000}, std::size_t{300'000}}) {
    desk d(size);
    std::set<std::uint32_t> blocks;
    for (int r = 0; r < 256; ++r) {
      auto asked = d.ask(static_cast<std::uint8_t>(r));
      blocks.insert(asked.block_index);
      BOOST_REQUIRE(asked.block_index < d.hashes.leaves.size());
      BOOST_REQUIRE((d.verdict(asked, d.answer(asked)) == challenge_outcome::ok));
      BOOST_REQUIRE((d.verdict(asked, d.answer(asked, false), false) == challenge_outcome::ok));
    }
    BOOST_TEST(blocks.size() == d.hashes.leaves.size());
  }
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_changed_anywhere_shows_nothing) {
  desk d;
  auto asked = d.ask(5);
  auto good = d.answer(asked);
  auto refused = [&](auto change, bool sign_again) {
    auto a = good;
    change(a);
    if (sign_again) sign_answer(a, d.holder);
    auto result = challenge_core::judge(asked, d.record, 1, a, d.holder.public_key(), merkle_root(d.roots));
    BOOST_TEST((result.outcome == challenge_outcome::failed));
    BOOST_TEST((result.holder_by == signature{}));
  };
  refused([](auto& a) { a.proof.block[0] ^= 1; }, true);
  refused([](auto& a) { a.proof.block.push_back(0); }, true);
  refused([](auto& a) { a.proof.block.clear(); }, true);
  refused([](auto& a) { a.proof.block.resize(block_size_bytes + 1); }, true);
  refused([](auto& a) { a.proof.chunk_path[0][0] ^= 1; }, true);
  refused([](auto& a) { a.proof.chunk_path.pop_back(); }, true);
  refused([](auto& a) { a.proof.chunk_path.resize(1000); }, true);
  refused([](auto& a) { a.proof.session_path[0][0] ^= 1; }, true);
  refused([](auto& a) { a.proof.chunk_position = 0; }, true);
  refused([](auto& a) { a.proof.block_count += 1; }, true);
  refused([](auto& a) { a.proof.session[0] ^= 1; }, true);
  refused([](auto& a) { a.what.nonce[0] ^= 1; }, true); // An answer to an earlier challenge.
  refused([](auto& a) { a.what.asked_us += 1; }, true);
  refused([](auto& a) { a.answered_us += 1; }, false);
  refused([](auto& a) { a.by[5] ^= 1; }, false);
  auto other = d.answer(d.ask(6)); // Another block of the same chunk, renamed.
  BOOST_REQUIRE(other.what.block_index != asked.block_index);
  other.what = asked;
  other.proof.block_index = asked.block_index;
  sign_answer(other, d.holder);
  BOOST_TEST((d.verdict(asked, other) == challenge_outcome::failed));
  auto stranger = good;
  sign_answer(stranger, d.challenger);
  BOOST_TEST((d.verdict(asked, stranger) == challenge_outcome::failed));
}

BOOST_AUTO_TEST_CASE(results_are_signed_by_both_and_changes_are_found) {
  desk d;
  auto asked = d.ask(5);
  auto result = challenge_core::judge(asked, d.record, 1, d.answer(asked), d.holder.public_key(), {});
  sign_result(result, d.challenger);
  must(verify_result(result, d.challenger.public_key(), d.holder.public_key()));
  auto bad = [&](auto change) {
    auto r = result;
    change(r);
    BOOST_TEST(!verify_result(r, d.challenger.public_key(), d.holder.public_key()).has_value());
  };
  bad([](auto& r) { r.outcome = challenge_outcome::late; });
  bad([](auto& r) { r.answered_us += 1; });
  bad([](auto& r) { r.chunk_position += 1; });
  bad([](auto& r) { r.leaf[0] ^= 1; });
  bad([](auto& r) { r.what.block_index += 1; });
  bad([&](auto& r) { r.holder_by[0] ^= 1; sign_result(r, d.challenger); }); // The challenger alone cannot make it up.
  auto late = challenge_core::judge(asked, 1, error{errc::timeout, "x", "", nullptr});
  BOOST_TEST((late.outcome == challenge_outcome::late));
  BOOST_TEST((challenge_core::judge(asked, 1, error{errc::not_found, "x", "", nullptr}).outcome == challenge_outcome::missing));
  sign_result(late, d.challenger);
  must(verify_result(late, d.challenger.public_key(), d.holder.public_key()));
}

BOOST_AUTO_TEST_CASE(each_holder_has_its_turn_once_an_interval) {
  challenge_core core(node_id{1}, 10min);
  std::vector<node_id> nodes{node_id{10}, node_id{130}, node_id{250}};
  std::map<node_id, int> turns;
  std::size_t most = 0;
  for (auto now = 0s; now < 100min; now += 1s) {
    auto due = core.due(nodes, now);
    most = std::max(most, due.size());
    for (auto& n : due) ++turns[n];
  }
  for (auto& n : nodes) BOOST_TEST((turns[n] == 9 || turns[n] == 10));
  BOOST_TEST(most == 1u); // Not all at once.
  BOOST_TEST(core.due({}, 200min).empty());
}

BOOST_AUTO_TEST_CASE(results_are_kept_up_to_a_bound_and_read_back_as_they_were) {
  temp_folder temp;
  desk d;
  {
    auto log = must(challenge_log::open(temp.path() / "challenges.db", 10));
    for (std::uint8_t i = 0; i < 25; ++i) {
      auto asked = d.ask(i);
      auto result = challenge_core::judge(asked, d.record, i, d.answer(asked), d.holder.public_key(), {});
      sign_result(result, d.challenger);
      must(log.add(result));
    }
  }
  auto log = must(challenge_log::open(temp.path() / "challenges.db", 10));
  BOOST_TEST(must(log.count()) == 10u);
  auto newest = must(log.newest(3));
  BOOST_REQUIRE(newest.size() == 3u);
  BOOST_TEST(newest[0].chunk_position == 24u);
  BOOST_TEST(newest[2].chunk_position == 22u);
  for (auto& r : newest) must(verify_result(r, d.challenger.public_key(), d.holder.public_key()));
}

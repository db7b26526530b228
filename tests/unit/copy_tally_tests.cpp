// tests/unit/copy_tally_tests.cpp - copies are counted by chunk.
#define BOOST_TEST_MODULE copy_tally
#include <boost/test/unit_test.hpp>

#include "actors/replication/copy_tally.hpp"
#include "tests/doubles/chunk_marks.hpp"

using namespace lucid;
using lucid::testing::chunks;

namespace {

replica_verify found(std::vector<std::uint32_t> damaged, std::vector<std::uint32_t> missing = {}) {
  return {{}, std::move(damaged), std::move(missing)};
}

} // namespace

BOOST_AUTO_TEST_CASE(nobody_holds_anything) {
  BOOST_TEST(copy_tally(chunks({0, 1, 2}), 2).short_count() == 3u);
  BOOST_TEST(copy_tally(chunks({0, 1, 2}), 0).short_count() == 0u);
  BOOST_TEST(copy_tally({}, 2).short_count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_copy_too_many_of_one_chunk_does_not_make_up_for_another) {
  copy_tally tally(chunks({0, 1, 2}), 2);
  tally.verified(chunks({0, 1, 2}), found({}));
  tally.verified(chunks({0, 1}), found({}));
  tally.verified(chunks({1}), found({})); // Six copies of three chunks, and one of chunk 2.
  BOOST_TEST(tally.short_count() == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_damaged_or_missing_is_no_copy) {
  copy_tally tally(chunks({0, 1, 2, 3}), 1);
  tally.verified(chunks({0, 2, 3}), found({1}, {2, 99})); // By places in its list: chunks 2 and 3.
  BOOST_TEST(tally.short_count() == 3u);
}

BOOST_AUTO_TEST_CASE(who_could_not_be_asked_counts_by_what_it_should_hold) {
  copy_tally tally(chunks({4, 5}), 1);
  tally.unasked(chunks({5, 7})); // 7 is not of this part.
  BOOST_TEST(tally.short_count() == 1u);
}

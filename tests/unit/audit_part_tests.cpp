// tests/unit/audit_part_tests.cpp - an audited part: who is asked, and what the answers come to.
#define BOOST_TEST_MODULE audit_part
#include <boost/test/unit_test.hpp>

#include "actors/replication/audit_part.hpp"
#include "tests/doubles/chunk_marks.hpp"

using namespace lucid;
using lucid::testing::chunks;

namespace {

node_id node_of(std::uint8_t n) {
  node_id id{};
  id.fill(n);
  return id;
}

} // namespace

BOOST_AUTO_TEST_CASE(without_holders_it_is_complete_and_short_of_everything) {
  audit_part part({{}, 3}, 7, chunks({3, 4}), 1);
  part.add_holder(node_of(1), "pi-1", {});
  BOOST_TEST(part.holder_count() == 0u);
  BOOST_REQUIRE(part.is_complete());
  auto answer = part.answer();
  BOOST_TEST(answer.short_count == 2u);
  BOOST_TEST(answer.from == 3u);
  BOOST_TEST(answer.next == 5u);
  BOOST_TEST(answer.chunk_count == 7u);
  BOOST_TEST(!answer.done);
}

BOOST_AUTO_TEST_CASE(the_last_part_says_so) {
  BOOST_TEST(audit_part({{}, 3}, 5, chunks({3, 4}), 0).answer().done);
  BOOST_TEST(audit_part({{}, 9}, 5, {}, 0).answer().done); // Asked for beyond the end.
}

BOOST_AUTO_TEST_CASE(it_is_complete_when_all_have_answered_whatever_they_say) {
  audit_part part({{}, 0}, 3, chunks({0, 1, 2}), 2);
  part.add_holder(node_of(1), "pi-1", chunks({0, 1, 2}));
  part.add_holder(node_of(2), "pi-2", chunks({0, 2}));
  BOOST_REQUIRE(part.holder_count() == 2u);
  BOOST_TEST((part.holder(1) == node_of(2)));
  BOOST_TEST((part.held_by(1) == chunks({0, 2})));
  part.answered(1, outcome<replica_verify>(fail(errc::unreachable, "test", "gone")));
  BOOST_TEST(!part.is_complete());
  part.answered(0, replica_verify{{}, {1}, {2}}); // By places in its list: chunk 1 is damaged, chunk 2 not there.
  BOOST_REQUIRE(part.is_complete());

  auto answer = part.answer();
  BOOST_REQUIRE(answer.copies.size() == 2u);
  BOOST_TEST(answer.copies[0].held == 3u);
  BOOST_TEST(answer.copies[0].verified == 1u);
  BOOST_TEST(answer.copies[0].damaged == 1u);
  BOOST_TEST(answer.copies[0].missing == 1u);
  BOOST_TEST(answer.copies[0].failure.empty());
  BOOST_TEST(answer.copies[1].name == "pi-2");
  BOOST_TEST(answer.copies[1].verified == 0u);
  BOOST_TEST(!answer.copies[1].failure.empty());
  BOOST_TEST(answer.short_count == 2u); // Chunk 0 has both: one was read, of the other nothing worse is known.
}

BOOST_AUTO_TEST_CASE(a_holder_that_tells_of_more_than_it_was_asked_is_no_reason_to_count_below_nothing) {
  audit_part part({{}, 0}, 1, chunks({0}), 1);
  part.add_holder(node_of(1), "pi-1", chunks({0}));
  part.answered(0, replica_verify{{}, {0, 1, 2}, {3}});
  BOOST_TEST(part.answer().copies[0].verified == 0u);
  BOOST_TEST(part.answer().short_count == 1u);
}

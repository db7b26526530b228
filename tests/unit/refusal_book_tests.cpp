// tests/unit/refusal_book_tests.cpp - what was turned away, by kind and source; bounded, and counted from all threads.
#define BOOST_TEST_MODULE refusal_book_tests
#include <boost/test/unit_test.hpp>

#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/console/refusal_book.hpp"

using namespace lucid;

BOOST_AUTO_TEST_CASE(rows_are_counted_by_kind_and_source_and_the_newest_stands_first) {
  refusal_book book;
  BOOST_TEST((book.report() == nlohmann::json::array()));
  BOOST_TEST(book.note("http", "127.0.0.1", "no login", 10) == 1u);
  BOOST_TEST(book.note("control", "uid 1000", "another user", 20) == 1u);
  BOOST_TEST(book.note("http", "127.0.0.1", "too large", 30) == 2u);
  BOOST_TEST(book.note("stream", "127.0.0.1", "no login", 5) == 1u);
  BOOST_TEST(book.total() == 4u);
  BOOST_TEST((book.report() == nlohmann::json::parse(R"([
    {"at_us":5,"kind":"stream","source":"127.0.0.1","what":"no login","count":1},
    {"at_us":30,"kind":"http","source":"127.0.0.1","what":"too large","count":2},
    {"at_us":20,"kind":"control","source":"uid 1000","what":"another user","count":1}])")));
}

BOOST_AUTO_TEST_CASE(the_one_that_was_silent_longest_gives_way_and_the_sum_counts_on) {
  refusal_book book;
  for (int i = 0; i < 1000; ++i) {
    book.note("http", "noisy", "again", i);
    book.note("http", "10.0.0." + std::to_string(i), "no login", i);
  }
  BOOST_TEST(book.total() == 2000u);
  auto rows = book.report();
  BOOST_REQUIRE(rows.size() == refusal_book::rows_max);
  BOOST_TEST(rows[0]["source"] == "10.0.0.999");
  BOOST_TEST(rows[1]["source"] == "noisy");
  BOOST_TEST(rows[1]["count"] == 1000);
  BOOST_TEST(rows.back()["source"] == "10.0.0.873");
}

BOOST_AUTO_TEST_CASE(long_texts_are_cut_between_characters) {
  refusal_book book;
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "\xc3\xa4";
  book.note("http", "x" + umlauts, std::string(100'000, 'w'), 1);
  auto rows = book.report();
  BOOST_TEST(rows[0]["what"].get<std::string>().size() == refusal_book::text_bytes_max);
  BOOST_TEST(rows[0]["source"].get<std::string>().size() == refusal_book::text_bytes_max - 1);
  BOOST_TEST(!rows.dump().empty()); // No half character: dump would throw.
  BOOST_TEST(book.note("http", "x" + umlauts, "short", 2) == 2u);
}

BOOST_AUTO_TEST_CASE(nothing_is_lost_between_threads) {
  refusal_book book;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&book, t] {
      for (int i = 0; i < 5000; ++i) {
        book.note("http", std::to_string(i % 7), "no", i);
        if (i % 100 == t) (void)book.report();
      }
    });
  threads.clear();
  BOOST_TEST(book.total() == 20'000u);
  std::uint64_t sum = 0;
  for (auto& row : book.report()) sum += row["count"].get<std::uint64_t>();
  BOOST_TEST(sum == 20'000u);
}

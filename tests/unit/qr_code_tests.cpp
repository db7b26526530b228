// tests/unit/qr_code_tests.cpp - a code has the shape that a scanner looks for, and the terminal shows all of it.
#define BOOST_TEST_MODULE qr_code_tests
#include <boost/test/unit_test.hpp>

#include "adapters/qrencode/qr_code.hpp"
#include "tests/doubles/must.hpp"

using namespace lucid;
using lucid::testing::must;

namespace {

/// Source: ISO/IEC 18004, 6.3.3: rings of 7, 5 and 3 modules around a light one.
bool is_finder(const qr_code& code, std::uint32_t left, std::uint32_t top) {
  for (std::uint32_t y = 0; y < 7; ++y)
    for (std::uint32_t x = 0; x < 7; ++x) {
      auto ring = std::min(std::min(x, 6 - x), std::min(y, 6 - y));
      if (code.dark(left + x, top + y) != (ring != 1)) return false;
    }
  return true;
}

const char* blocks[] = {" ", "\u2580", "\u2584", "\u2588"};

/// What a line of half blocks shows: for each column whether its upper and its lower half is drawn.
std::vector<std::pair<bool, bool>> halves_of(std::string_view line) {
  std::vector<std::pair<bool, bool>> halves;
  while (!line.empty()) {
    int kind = 0;
    while (kind < 4 && !line.starts_with(blocks[kind])) ++kind;
    BOOST_TEST_REQUIRE(kind < 4);
    halves.emplace_back(kind & 1, kind & 2);
    line.remove_prefix(std::string_view(blocks[kind]).size());
  }
  return halves;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_code_has_finder_and_timing_patterns) {
  for (std::size_t size : {1u, 20u, 290u, 310u, 1024u}) {
    auto code = must(qr_code::of(std::string(size, 'x')));
    auto width = code.width();
    BOOST_TEST_MESSAGE(size << " bytes: " << width << " modules");
    BOOST_TEST((width - 17) % 4 == 0u);
    BOOST_TEST(is_finder(code, 0, 0));
    BOOST_TEST(is_finder(code, width - 7, 0));
    BOOST_TEST(is_finder(code, 0, width - 7));
    BOOST_TEST(!is_finder(code, width - 7, width - 7));
    for (std::uint32_t at = 8; at < width - 8; ++at) {
      BOOST_TEST_REQUIRE(code.dark(at, 6) == (at % 2 == 0));
      BOOST_TEST_REQUIRE(code.dark(6, at) == (at % 2 == 0));
    }
    BOOST_TEST(code.dark(8, width - 8)); // The one module that is always dark.
  }
  BOOST_TEST((qr_code::of("").error().code == errc::invalid_input));
  BOOST_TEST((qr_code::of(std::string(1025, 'x')).error().code == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(both_styles_show_every_module_and_the_quiet_zone) {
  auto code = must(qr_code::of("lucid-join:abcdefg"));
  auto whole = code.width() + 2 * qr_quiet_zone;
  for (bool light_background : {false, true}) {
    auto ascii = qr_lines(code, qr_style::ascii, light_background);
    auto half = qr_lines(code, qr_style::half_blocks, light_background);
    BOOST_TEST_REQUIRE(ascii.size() == whole);
    BOOST_TEST_REQUIRE(half.size() == (whole + 1) / 2);
    for (std::uint32_t y = 0; y < whole; ++y) {
      BOOST_TEST_REQUIRE(ascii[y].size() == 2 * whole);
      auto halves = halves_of(half[y / 2]);
      BOOST_TEST_REQUIRE(halves.size() == whole);
      for (std::uint32_t x = 0; x < whole; ++x) {
        auto at = [](std::uint32_t v) { return v - qr_quiet_zone; };
        bool inside = at(x) < code.width() && at(y) < code.width(); // Below the zone it wraps far above.
        bool drawn = (inside && code.dark(at(x), at(y))) == light_background;
        BOOST_TEST_REQUIRE((ascii[y].substr(2 * x, 2) == (drawn ? "##" : "  ")));
        BOOST_TEST_REQUIRE((y % 2 == 0 ? halves[x].first : halves[x].second) == drawn);
      }
    }
  }
}

// tests/unit/picture_tests.cpp - clipping and merging changed areas, and a cursor that leaves no trace.
#define BOOST_TEST_MODULE picture_tests
#include <boost/test/unit_test.hpp>

#include <limits>
#include <random>

#include "messages/picture.hpp"

using namespace lucid;

namespace {

bool covers(const std::vector<damage_rect>& areas, std::uint32_t x, std::uint32_t y) {
  return std::any_of(areas.begin(), areas.end(), [&](const auto& r) {
    return x >= r.x && y >= r.y && x < r.x + r.width && y < r.y + r.height;
  });
}

} // namespace

BOOST_AUTO_TEST_CASE(an_area_is_clipped_to_the_picture) {
  auto inside = clipped(1, 2, 3, 4, 10, 10);
  BOOST_REQUIRE(inside);
  BOOST_TEST((inside->x == 1 && inside->y == 2 && inside->width == 3 && inside->height == 4));
  auto hanging_out = clipped(-5, 8, 7, 9, 10, 10);
  BOOST_REQUIRE(hanging_out);
  BOOST_TEST((hanging_out->x == 0 && hanging_out->y == 8 && hanging_out->width == 2 && hanging_out->height == 2));
  BOOST_TEST(!clipped(10, 0, 1, 1, 10, 10));
  BOOST_TEST(!clipped(-1, 0, 1, 1, 10, 10));
  BOOST_TEST(!clipped(3, 3, 0, 5, 10, 10));
  BOOST_TEST(!clipped(3, 3, -4, 5, 10, 10));
}

BOOST_AUTO_TEST_CASE(hostile_areas_are_clipped_without_overflow) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max(), least = std::numeric_limits<std::int64_t>::min();
  BOOST_TEST(!clipped(most, most, most, most, 10, 10));
  BOOST_TEST(!clipped(0, 0, least, least, 10, 10));
  auto all = clipped(0, 0, most, most, 10, 10);
  BOOST_REQUIRE(all);
  BOOST_TEST(area_pixels(*all) == 100);
}

BOOST_AUTO_TEST_CASE(far_areas_stay_apart_and_near_ones_become_one) {
  std::vector<damage_rect> far{{0, 0, 10, 10}, {500, 500, 10, 10}};
  merge_damage(far);
  BOOST_TEST(far.size() == 2u);
  std::vector<damage_rect> near{{0, 0, 10, 10}, {12, 0, 10, 10}};
  merge_damage(near);
  BOOST_REQUIRE(near.size() == 1u);
  BOOST_TEST(near[0].width == 22u);
}

BOOST_AUTO_TEST_CASE(merging_keeps_every_pixel_and_its_bound) {
  auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::vector<damage_rect> areas;
    for (auto count = random() % 300; count > 0; --count)
      areas.push_back({static_cast<std::uint32_t>(random() % 1900), static_cast<std::uint32_t>(random() % 1000),
                       1 + static_cast<std::uint32_t>(random() % 90), 1 + static_cast<std::uint32_t>(random() % 40)});
    auto merged = areas;
    merge_damage(merged);
    BOOST_REQUIRE(merged.size() <= damage_count_max);
    BOOST_REQUIRE(merged.empty() == areas.empty());
    for (const auto& r : areas) {
      BOOST_REQUIRE(covers(merged, r.x, r.y));
      BOOST_REQUIRE(covers(merged, r.x + r.width - 1, r.y + r.height - 1));
      BOOST_REQUIRE(covers(merged, r.x + r.width / 2, r.y + r.height / 2));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_cursor_is_mixed_in_and_taken_out) {
  constexpr std::uint32_t width = 32, height = 24;
  std::vector<std::uint8_t> pixels(width * height * 4);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 7);
  auto before = pixels;
  cursor_image image{2, 2, 1, 1, {0xff102030, 0x00000000, 0x80400000, 0xffffffff}};
  cursor_overlay overlay;
  overlay.draw(pixels.data(), width * 4, width, height, image, 11, 6);
  BOOST_REQUIRE(overlay.where());
  BOOST_TEST((overlay.where()->x == 10 && overlay.where()->y == 5));
  auto at = [&](std::uint32_t x, std::uint32_t y, int part) { return int{pixels[(y * width + x) * 4 + static_cast<unsigned>(part)]}; };
  auto was = [&](std::uint32_t x, std::uint32_t y, int part) { return int{before[(y * width + x) * 4 + static_cast<unsigned>(part)]}; };
  BOOST_TEST(at(10, 5, 0) == 0x30);
  BOOST_TEST(at(10, 5, 2) == 0x10);
  BOOST_TEST(at(11, 5, 1) == was(11, 5, 1));
  BOOST_TEST(at(10, 6, 2) == 0x40 + was(10, 6, 2) * 127 / 255);
  BOOST_TEST(at(12, 6, 0) == was(12, 6, 0));
  overlay.take_out(pixels.data(), width * 4);
  BOOST_TEST((pixels == before));
  BOOST_TEST(!overlay.where());
}

BOOST_AUTO_TEST_CASE(a_cursor_at_any_place_stays_inside_the_picture_and_leaves_no_trace) {
  auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  constexpr std::uint32_t width = 40, height = 30;
  std::vector<std::uint8_t> pixels(width * height * 4, 99);
  auto before = pixels;
  cursor_overlay overlay;
  for (int round = 0; round < 2000; ++round) {
    cursor_image image{static_cast<std::uint32_t>(random() % 60), static_cast<std::uint32_t>(random() % 60),
                       static_cast<std::int32_t>(random() % 80) - 20, static_cast<std::int32_t>(random() % 80) - 20, {}};
    image.argb.assign(std::size_t{image.width} * image.height, static_cast<std::uint32_t>(random()));
    overlay.draw(pixels.data(), width * 4, width, height, image, static_cast<std::int32_t>(random() % 120) - 40,
                 static_cast<std::int32_t>(random() % 120) - 40);
  }
  overlay.take_out(pixels.data(), width * 4);
  BOOST_TEST((pixels == before));
}

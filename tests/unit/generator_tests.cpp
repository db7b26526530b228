// tests/unit/generator_tests.cpp - the made-up desktop: same plan, same frame, however one got there.
#define BOOST_TEST_MODULE generator_tests
#include <boost/test/unit_test.hpp>

#include <random>

#include "actors/worker/generator_source.hpp"

using namespace lucid;

namespace {

generator_plan small_plan(std::uint64_t seed) {
  generator_plan plan;
  plan.seed = seed;
  plan.frame_count = 100;
  plan.width = 160;
  plan.height = 96;
  return plan;
}

byte_buffer pixels_of(const frame_view& view) {
  return byte_buffer(view.pixels, view.pixels + std::size_t{view.stride_bytes} * view.height);
}

bool covered(const frame_view& view, std::uint32_t x, std::uint32_t y) {
  for (const auto& r : view.damage)
    if (x >= r.x && y >= r.y && x < r.x + r.width && y < r.y + r.height) return true;
  return false;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_frame_drawn_step_by_step_equals_the_frame_drawn_alone) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      generator_picture stepped(small_plan(seed));
      std::mt19937_64 random(seed);
      auto target = 1 + random() % 99;
      byte_buffer by_steps;
      for (std::uint64_t n = 0; n <= target; ++n) by_steps = pixels_of(stepped.draw(n));
      generator_picture alone(small_plan(seed));
      BOOST_TEST((by_steps == pixels_of(alone.draw(target))));
    }
  }
}

BOOST_AUTO_TEST_CASE(damage_covers_every_changed_pixel) {
  generator_picture picture(small_plan(3));
  auto before = pixels_of(picture.draw(0));
  for (std::uint64_t n = 1; n < 70; ++n) {
    auto view = picture.draw(n);
    auto now = pixels_of(view);
    std::size_t missed = 0;
    for (std::size_t i = 0; i < now.size(); ++i)
      if (now[i] != before[i] && !covered(view, static_cast<std::uint32_t>(i / 4 % view.width), static_cast<std::uint32_t>(i / 4 / view.width)))
        ++missed;
    BOOST_TEST(missed == 0u);
    BOOST_TEST((now != before));
    before = std::move(now);
  }
}

BOOST_AUTO_TEST_CASE(seeds_differ_and_the_size_halves_where_asked) {
  generator_picture one(small_plan(1)), two(small_plan(2));
  BOOST_TEST((pixels_of(one.draw(5)) != pixels_of(two.draw(5))));
  auto plan = small_plan(1);
  plan.resize_at = 10;
  generator_picture resized(plan);
  BOOST_TEST(resized.draw(9).width == 160u);
  auto view = resized.draw(10);
  BOOST_TEST(view.width == 80u);
  BOOST_TEST(view.damage[0].width == 80u);
}

BOOST_AUTO_TEST_CASE(the_source_resumes_at_a_frame_and_ends_after_the_last) {
  auto plan = small_plan(4);
  plan.idle_seconds = 5;
  generator_source whole(plan, 0, 1000), rest(plan, 70, 1000);
  BOOST_REQUIRE(whole.open());
  BOOST_REQUIRE(rest.open());
  for (int n = 0; n < 100; ++n) {
    auto a = whole.next(std::chrono::milliseconds(0)).value();
    BOOST_REQUIRE(a.frame.has_value());
    if (n < 70) continue;
    auto b = rest.next(std::chrono::milliseconds(0)).value();
    BOOST_REQUIRE(b.frame.has_value());
    BOOST_TEST((pixels_of(*a.frame) == pixels_of(*b.frame)));
    BOOST_TEST(a.frame->captured_us == b.frame->captured_us);
    BOOST_TEST(a.frame->captured_us == 1000 + n * 1'000'000 / 15 + 5'000'000);
  }
  BOOST_TEST(whole.next(std::chrono::milliseconds(0)).value().ended);
  BOOST_TEST(!whole.next(std::chrono::milliseconds(0)).value().frame.has_value());
}

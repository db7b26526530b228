// tests/integration/x11_source_tests.cpp - the X11 frame source against a real X server.
#define BOOST_TEST_MODULE x11_source_tests
#include <boost/test/unit_test.hpp>

#include <random>

#include "adapters/xcb/x11_source.hpp"
#include "messages/picture.hpp"
#include "tests/integration/x11_desktop.hpp"
#include "tests/integration/x11_painter.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 5s; // How long a test waits for what must come; it goes on as soon as it has.
constexpr unsigned width = 640, height = 480;

/// An idle display, the same for all cases but those that end it.
test::desktop& shared_desktop() {
  static test::desktop one("--idle --server none --size 640x480");
  return one;
}

std::uint32_t pixel_at(const frame_view& frame, std::uint32_t x, std::uint32_t y) {
  std::uint32_t pixel = 0;
  std::memcpy(&pixel, frame.pixels + std::size_t{y} * frame.stride_bytes + std::size_t{x} * 4, 4);
  return pixel & 0xffffff; // X is whatever the display has there.
}

bool inside(const damage_rect& r, std::uint32_t x, std::uint32_t y) {
  return x >= r.x && y >= r.y && x < r.x + r.width && y < r.y + r.height;
}

bool damaged(const frame_view& frame, std::uint32_t x, std::uint32_t y) {
  return std::any_of(frame.damage.begin(), frame.damage.end(), [&](const auto& r) { return inside(r, x, y); });
}

/// Reads until the display has shown nothing new for a while: what its window manager still does is not ours.
void settle(x11_source& source) {
  int quiet = 0; // A loaded machine paints late: one pause is no rest.
  for (int i = 0; i < 50; ++i) {
    auto polled = source.next(200ms);
    BOOST_REQUIRE(polled);
    quiet = polled->frame ? 0 : quiet + 1;
    if (quiet == 3) return;
  }
  BOOST_FAIL("the idle desktop does not come to rest");
}

/// A source that is open and has shown all there was.
std::unique_ptr<x11_source> settled_source(bool with_cursor) {
  auto source = std::make_unique<x11_source>(x11_options{shared_desktop().display(), with_cursor});
  auto opened = source->open();
  BOOST_REQUIRE_MESSAGE(opened, (opened ? "" : to_string(opened.error())));
  settle(*source);
  return source;
}

} // namespace

BOOST_AUTO_TEST_SUITE(x11_source_tests)

BOOST_AUTO_TEST_CASE(a_source_names_a_local_display) {
  BOOST_TEST(x11_options_from("x11://:7")->display == ":7");
  BOOST_TEST(x11_options_from("x11://:7.1")->display == ":7.1");
  BOOST_TEST(x11_options_from("x11://")->display == "");
  for (auto wrong : {"", "x11:", "x11:/:1", "x11://1", "x11://:", "x11://:x", "x11://:1.", "x11://:.1", "x11://:1.2.3",
                     "x11://host:1", "x11://:1 ", "x11://:11111111111111111111", "rdp://:1"}) {
    auto refused = x11_options_from(wrong);
    BOOST_REQUIRE_MESSAGE(!refused, wrong);
    BOOST_TEST((refused.error().code == errc::invalid_input));
  }
}

BOOST_AUTO_TEST_CASE(a_display_that_does_not_exist_is_unreachable) {
  x11_source source({":4711", true});
  auto opened = source.open();
  BOOST_REQUIRE(!opened);
  BOOST_TEST((opened.error().code == errc::unreachable));
  BOOST_TEST(opened.error().what.find(":4711") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_source_that_is_not_open_says_so) {
  x11_source source({":4711", true});
  auto polled = source.next(0ms);
  BOOST_REQUIRE(!polled);
  BOOST_TEST((polled.error().code == errc::wrong_state));
  source.close();
}

BOOST_AUTO_TEST_CASE(the_first_frame_is_the_whole_picture) {
  test::painter painter(shared_desktop().display());
  painter.fill(0, 0, width, height, 0x102030);
  painter.fill(10, 20, 30, 40, 0xff8800);
  x11_source source({shared_desktop().display(), false});
  BOOST_REQUIRE(source.open());
  auto polled = source.next(patience);
  BOOST_REQUIRE(polled);
  BOOST_REQUIRE(polled->events.size() == 1u);
  BOOST_TEST(polled->events[0].kind == "connected");
  BOOST_TEST(polled->events[0].detail.find("\"width\":640") != std::string::npos);
  BOOST_REQUIRE(polled->frame);
  const auto& frame = *polled->frame;
  BOOST_TEST(frame.width == width);
  BOOST_TEST(frame.height == height);
  BOOST_TEST(frame.captured_us > 0);
  BOOST_REQUIRE(frame.damage.size() == 1u);
  BOOST_TEST(area_pixels(frame.damage[0]) == std::int64_t{width} * height);
  BOOST_TEST(pixel_at(frame, 0, 0) == 0x102030u);
  BOOST_TEST(pixel_at(frame, 10, 20) == 0xff8800u);
  BOOST_TEST(pixel_at(frame, 39, 59) == 0xff8800u);
  BOOST_TEST(pixel_at(frame, 40, 59) == 0x102030u);
}

BOOST_AUTO_TEST_CASE(an_unchanged_display_yields_no_frame) {
  auto source = settled_source(true);
  auto polled = source->next(1s);
  BOOST_REQUIRE(polled);
  BOOST_TEST(!polled->frame);
  BOOST_TEST(polled->events.empty());
  BOOST_TEST(!polled->ended);
}

BOOST_AUTO_TEST_CASE(every_picture_equals_the_display_and_every_change_lies_inside_the_damage) {
  auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };

  test::painter painter(shared_desktop().display());
  painter.fill(0, 0, width, height, 0);
  auto source = settled_source(false);
  std::vector<std::uint32_t> display(width * height, 0), delivered = display;
  for (int round = 0; round < 60; ++round) {
    for (auto strokes = 1 + below(round % 5 == 0 ? 60 : 4); strokes > 0; --strokes) {
      auto x = below(width), y = below(height), w = 1 + below(width - x), h = 1 + below(height - y);
      if (below(3)) w = 1 + below(std::min(w, 60u)), h = 1 + below(std::min(h, 30u));
      auto colour = below(0x1000000);
      painter.fill(static_cast<int>(x), static_cast<int>(y), w, h, colour);
      for (auto row = y; row < y + h; ++row)
        std::fill_n(display.begin() + row * width + x, w, colour);
    }
    auto polled = source->next(patience);
    BOOST_REQUIRE(polled);
    BOOST_REQUIRE(polled->frame);
    BOOST_REQUIRE(!polled->frame->damage.empty());
    BOOST_REQUIRE(polled->frame->damage.size() <= damage_count_max);
    std::size_t wrong = 0, outside = 0;
    for (unsigned y = 0; y < height; ++y)
      for (unsigned x = 0; x < width; ++x) {
        auto now = pixel_at(*polled->frame, x, y);
        wrong += now != display[y * width + x];
        outside += now != delivered[y * width + x] && !damaged(*polled->frame, x, y);
        delivered[y * width + x] = now;
      }
    BOOST_REQUIRE_MESSAGE(wrong == 0 && outside == 0, "seed " << seed << " round " << round << ": " << wrong
                                                              << " pixels wrong, " << outside << " outside the damage");
  }
}

BOOST_AUTO_TEST_CASE(a_small_change_is_a_small_damage) {
  test::painter painter(shared_desktop().display());
  auto source = settled_source(false);
  painter.fill(100, 100, 10, 10, 0x00ff00);
  auto polled = source->next(patience);
  BOOST_REQUIRE(polled && polled->frame);
  BOOST_REQUIRE(polled->frame->damage.size() == 1u);
  const auto& area = polled->frame->damage[0];
  BOOST_TEST(area.x == 100u);
  BOOST_TEST(area.y == 100u);
  BOOST_TEST(area.width == 10u);
  BOOST_TEST(area.height == 10u);
}

BOOST_AUTO_TEST_CASE(the_mouse_is_drawn_and_leaves_no_trace) {
  test::painter painter(shared_desktop().display());
  painter.set_cursor(0xff0000);
  painter.fill(0, 0, width, height, 0x0000ff);
  painter.move_mouse(600, 440);
  auto source = settled_source(true);
  for (auto [x, y] : {std::pair{560, 430}, {20, 460}, {639, 479}, {600, 420}}) {
    painter.move_mouse(x, y);
    auto polled = source->next(patience);
    BOOST_REQUIRE(polled && polled->frame);
    const auto& frame = *polled->frame;
    std::size_t wrong = 0;
    for (unsigned row = 0; row < height; ++row)
      for (unsigned column = 0; column < width; ++column) {
        bool on_cursor = inside({static_cast<unsigned>(x), static_cast<unsigned>(y), 16, 16}, column, row);
        wrong += pixel_at(frame, column, row) != (on_cursor ? 0xff0000u : 0x0000ffu);
      }
    BOOST_TEST(wrong == 0u);
    BOOST_TEST(damaged(frame, static_cast<unsigned>(x), static_cast<unsigned>(y)));
  }
  // A change below the cursor keeps it on top.
  painter.fill(590, 410, 40, 40, 0x00ff00);
  auto polled = source->next(patience);
  BOOST_REQUIRE(polled && polled->frame);
  BOOST_TEST(pixel_at(*polled->frame, 600, 420) == 0xff0000u);
  BOOST_TEST(pixel_at(*polled->frame, 595, 415) == 0x00ff00u);
}

BOOST_AUTO_TEST_CASE(a_new_size_is_an_event_and_a_whole_frame_of_even_sides) {
  test::desktop own("--idle --server none --size 800x600");
  test::painter painter(own.display());
  x11_source source({own.display(), true});
  BOOST_REQUIRE(source.open());
  settle(source);
  struct size {
    std::uint16_t width, height;
  };
  for (auto [w, h] : {size{640, 480}, {641, 401}, {800, 600}}) {
    if (!painter.set_size(w, h)) {
      BOOST_TEST_MESSAGE("SKIPPED: this X server cannot change its size");
      return;
    }
    painter.fill(0, 0, w, h, 0x335577);
    std::optional<source_event> resized;
    for (int i = 0; i < 50; ++i) {
      auto polled = source.next(patience);
      BOOST_REQUIRE_MESSAGE(polled, (polled ? "" : to_string(polled.error())));
      for (const auto& event : polled->events)
        if (event.kind == "resized") resized = event;
      if (!resized || !polled->frame) continue;
      BOOST_TEST(polled->frame->width == (w & ~1u));
      BOOST_TEST(polled->frame->height == (h & ~1u));
      BOOST_REQUIRE(polled->frame->damage.size() == 1u);
      BOOST_TEST(area_pixels(polled->frame->damage[0]) == std::int64_t{w & ~1} * (h & ~1));
      break;
    }
    BOOST_REQUIRE(resized);
    BOOST_TEST(resized->detail.find("\"width\":" + std::to_string(w & ~1)) != std::string::npos);
    settle(source);
  }
}

BOOST_AUTO_TEST_CASE(a_display_that_vanishes_is_unreachable_and_can_be_opened_no_more) {
  test::desktop own("--idle --server none --size 320x240");
  x11_source source({own.display(), true});
  BOOST_REQUIRE(source.open());
  settle(source);
  own.kill_process("xvfb");
  auto polled = source.next(patience);
  BOOST_REQUIRE(!polled);
  BOOST_TEST((polled.error().code == errc::unreachable));
  auto again = source.open();
  BOOST_REQUIRE(!again);
  BOOST_TEST((again.error().code == errc::unreachable));
}

BOOST_AUTO_TEST_SUITE_END()

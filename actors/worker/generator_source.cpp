// actors/worker/generator_source.cpp - a scrolling terminal, a moving box and a window that opens and closes.
#include "actors/worker/generator_source.hpp"

#include <algorithm>
#include <thread>

namespace lucid {
namespace {

constexpr std::uint64_t scroll_frames = 4;  ///< The text moves up a line every so many frames.
constexpr std::uint64_t window_frames = 32; ///< The window opens or closes every so many frames.
constexpr std::uint32_t cell_width = 8;
constexpr std::uint32_t cell_height = 16;

/// Mixes well and is fast. Source: splitmix64, S. Vigna, public domain.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

constexpr bool inside(const damage_rect& r, std::uint32_t x, std::uint32_t y) noexcept {
  return x >= r.x && y >= r.y && x - r.x < r.width && y - r.y < r.height;
}

/// A place that runs to and fro between 0 and `range`.
std::uint32_t bounce(std::uint64_t steps, std::uint32_t range) noexcept {
  if (range == 0) return 0;
  auto at = static_cast<std::uint32_t>(steps % (2ull * range));
  return at < range ? at : 2 * range - at;
}

} // namespace

std::int64_t generator_picture::shown_us(std::uint64_t number) const noexcept {
  auto pause_us = number >= (plan_.frame_count + 1) / 2 ? std::int64_t{plan_.idle_seconds} * 1'000'000 : 0;
  return static_cast<std::int64_t>(number * 1'000'000 / plan_.rate) + pause_us;
}

damage_rect generator_picture::text_area() const noexcept {
  return {width_ / 16, height_ / 8, width_ / 2, height_ * 3 / 4};
}

damage_rect generator_picture::window() const noexcept {
  return {width_ * 5 / 8, height_ / 4, width_ / 4, height_ / 3};
}

damage_rect generator_picture::box(std::uint64_t number) const noexcept {
  auto side = std::max(4u, std::min(width_, height_) / 16);
  auto start = mix(plan_.seed);
  return {bounce(start % 997 + number * 7, width_ - side), bounce(start / 997 % 991 + number * 5, height_ - side), side, side};
}

std::uint32_t generator_picture::pixel(std::uint64_t number, std::uint32_t x, std::uint32_t y) const noexcept {
  if (plan_.noise) return static_cast<std::uint32_t>(mix(plan_.seed ^ number << 40 ^ std::uint64_t{y} << 20 ^ x));
  if (inside(box(number), x, y)) return 0x00e08020;
  if (auto w = window(); number / window_frames % 2 == 1 && inside(w, x, y)) return y - w.y < 20 ? 0x003060a0 : 0x00f0f0f0;
  if (auto t = text_area(); inside(t, x, y)) {
    auto line = (y - t.y) / cell_height + number / scroll_frames;
    auto letter = mix(plan_.seed ^ line << 16 ^ (x - t.x) / cell_width);
    auto dot_x = (x - t.x) % cell_width, dot_y = (y - t.y) % cell_height;
    auto is_space = letter % 10 < 3 || dot_x >= 6 || dot_y < 2 || dot_y >= 14;
    return !is_space && (letter >> (8 + dot_y / 2 * 6 + dot_x) & 1) != 0 ? 0x00c8c8c8 : 0x00101010;
  }
  return 0x00203040 + (x * 64 / width_) + (y * 32 / height_ << 8);
}

void generator_picture::paint(std::uint64_t number, const damage_rect& rect) {
  for (auto y = rect.y; y < rect.y + rect.height; ++y)
    for (auto x = rect.x; x < rect.x + rect.width; ++x) pixels_[std::size_t{y} * width_ + x] = pixel(number, x, y);
}

void generator_picture::mark(const damage_rect& rect) {
  if (rect.width != 0 && rect.height != 0) damage_.push_back(rect);
}

void generator_picture::resize_for(std::uint64_t number) {
  auto halved = plan_.resize_at != 0 && number >= plan_.resize_at;
  auto width = halved ? (plan_.width / 2) & ~1u : plan_.width;
  auto height = halved ? (plan_.height / 2) & ~1u : plan_.height;
  if (width == width_ && height == height_) return;
  width_ = width;
  height_ = height;
  pixels_.assign(std::size_t{width} * height, 0);
  drawn_.reset();
}

/// What differs between `number` and the frame before it.
void generator_picture::mark_changes(std::uint64_t number) {
  mark(box(number - 1));
  mark(box(number));
  if (number % scroll_frames == 0) mark(text_area());
  if (number % window_frames == 0) mark(window());
}

frame_view generator_picture::draw(std::uint64_t number) {
  resize_for(number);
  damage_.clear();
  if (drawn_ && number == *drawn_ + 1 && !plan_.noise)
    mark_changes(number);
  else
    mark({0, 0, width_, height_});
  for (const auto& rect : damage_) paint(number, rect);
  drawn_ = number;
  return {reinterpret_cast<const std::uint8_t*>(pixels_.data()), width_ * 4, width_, height_, shown_us(number), damage_};
}

generator_source::generator_source(const generator_plan& plan, std::uint64_t first, unix_time_us base_us)
  : plan_(plan), picture_(plan), next_(first), base_us_(base_us) {}

outcome<void> generator_source::open() {
  zero_ = std::chrono::steady_clock::now() - std::chrono::microseconds(picture_.shown_us(next_));
  return {};
}

outcome<source_poll> generator_source::next(std::chrono::milliseconds patience) {
  source_poll poll;
  if (next_ >= plan_.frame_count) {
    poll.ended = true;
    return poll;
  }
  if (plan_.real_time) {
    auto due = zero_ + std::chrono::microseconds(picture_.shown_us(next_));
    std::this_thread::sleep_until(std::min(due, std::chrono::steady_clock::now() + patience));
    if (std::chrono::steady_clock::now() < due) return poll;
  }
  auto view = picture_.draw(next_);
  view.captured_us += base_us_;
  if (plan_.resize_at != 0 && next_ == plan_.resize_at)
    poll.events.push_back({view.captured_us, "resized", R"({"width":)" + std::to_string(view.width) + R"(,"height":)" +
                                                          std::to_string(view.height) + "}"});
  poll.frame = view;
  ++next_;
  return poll;
}

} // namespace lucid

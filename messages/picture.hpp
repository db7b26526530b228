// messages/picture.hpp - arithmetic on pictures that every frame source needs: changed areas, a drawn cursor.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "messages/ports/frame_source.hpp"

namespace lucid {

/// Sides of a picture that a source may deliver, in pixels.
inline constexpr std::uint32_t picture_side_min = 16;
inline constexpr std::uint32_t picture_side_max = 8192;

/// Changed areas of one frame at most. Each costs its reader a few microseconds, about as much as copying 16 KiB.
inline constexpr std::size_t damage_count_max = 16;

/// Pixels that two merged areas may cover beside their own: 16 KiB at 4 bytes a pixel, see above.
inline constexpr std::int64_t damage_waste_pixels_max = 4096;

constexpr std::int64_t area_pixels(const damage_rect& r) noexcept {
  return static_cast<std::int64_t>(r.width) * r.height;
}

/// The smallest area that holds both.
constexpr damage_rect united(const damage_rect& a, const damage_rect& b) noexcept {
  auto left = std::min(a.x, b.x), top = std::min(a.y, b.y);
  auto right = std::max(a.x + a.width, b.x + b.width), bottom = std::max(a.y + a.height, b.y + b.height);
  return {left, top, right - left, bottom - top};
}

/// The part of a foreign area that lies inside a picture of `width` by `height`; nothing if none does.
/// The numbers may be anything: what they describe comes from outside.
constexpr std::optional<damage_rect> clipped(std::int64_t x, std::int64_t y, std::int64_t area_width,
                                             std::int64_t area_height, std::uint32_t width,
                                             std::uint32_t height) noexcept {
  constexpr std::int64_t far = std::int64_t{1} << 40; // No sum below overflows.
  x = std::clamp(x, -far, far), y = std::clamp(y, -far, far);
  area_width = std::clamp<std::int64_t>(area_width, 0, far);
  area_height = std::clamp<std::int64_t>(area_height, 0, far);
  auto left = std::max<std::int64_t>(x, 0), top = std::max<std::int64_t>(y, 0);
  auto right = std::min<std::int64_t>(x + area_width, width), bottom = std::min<std::int64_t>(y + area_height, height);
  if (left >= right || top >= bottom) return std::nullopt;
  return damage_rect{static_cast<std::uint32_t>(left), static_cast<std::uint32_t>(top),
                     static_cast<std::uint32_t>(right - left), static_cast<std::uint32_t>(bottom - top)};
}

/// Merges what lies close together, then what is left over `damage_count_max`. The result covers all of `areas`.
/// Areas should come in reading order, as both X11 and RDP deliver them: neighbours in the list then lie close.
inline void merge_damage(std::vector<damage_rect>& areas) {
  constexpr std::size_t compared_count_max = 64; // The merging below compares pairs: 64 * 64 / 2 = 2048 a pass.
  if (areas.size() > compared_count_max) {
    auto group_size = (areas.size() + compared_count_max - 1) / compared_count_max;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < areas.size(); i += group_size) {
      auto whole = areas[i];
      for (auto j = i + 1; j < std::min(i + group_size, areas.size()); ++j) whole = united(whole, areas[j]);
      areas[kept++] = whole;
    }
    areas.resize(kept);
  }
  auto waste = [&](std::size_t i, std::size_t j) {
    return area_pixels(united(areas[i], areas[j])) - area_pixels(areas[i]) - area_pixels(areas[j]);
  };
  auto merge = [&](std::size_t i, std::size_t j) {
    areas[i] = united(areas[i], areas[j]);
    areas.erase(areas.begin() + static_cast<std::ptrdiff_t>(j));
  };
  for (std::size_t i = 0; i < areas.size(); ++i)
    for (auto j = i + 1; j < areas.size();) {
      if (waste(i, j) > damage_waste_pixels_max) {
        ++j;
        continue;
      }
      merge(i, j);
      j = i + 1; // It has grown: compare it with all the others again.
    }
  while (areas.size() > damage_count_max) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < areas.size(); ++i)
      if (waste(i, i + 1) < waste(best, best + 1)) best = i;
    merge(best, best + 1);
  }
}

/// A mouse pointer's picture.
struct cursor_image {
  static constexpr std::uint32_t side_max = 512; ///< 1 MiB at most; the largest RDP allows is 384.
  std::uint32_t width = 0, height = 0;
  std::int32_t hot_x = 0, hot_y = 0;     ///< The pixel that points.
  std::vector<std::uint32_t> argb;       ///< Premultiplied by alpha, 0xAARRGGBB, width * height of them.
};

/// Draws a cursor into a BGRX picture and takes it out again.
///
/// Owns: a copy of the pixels below the cursor, 1 MiB at most.
/// Threads: none. One owner calls it.
class cursor_overlay {
public:
  /// Where the cursor is drawn now, if it is.
  const std::optional<damage_rect>& where() const noexcept { return where_; }

  /// Draws `image` so that its hot spot is at (`x`, `y`), inside a picture of `width` by `height`.
  /// Takes out what it drew before, so the picture's memory must be the same.
  void draw(std::uint8_t* pixels, std::size_t stride_bytes, std::uint32_t width, std::uint32_t height,
            const cursor_image& image, std::int32_t x, std::int32_t y) {
    take_out(pixels, stride_bytes);
    auto left = std::int64_t{x} - image.hot_x, top = std::int64_t{y} - image.hot_y;
    where_ = clipped(left, top, image.width, image.height, width, height);
    if (!where_) return;
    below_.resize(static_cast<std::size_t>(where_->width) * where_->height);
    for (std::uint32_t row = 0; row < where_->height; ++row) {
      auto* line = pixels + (where_->y + row) * stride_bytes + where_->x * std::size_t{4};
      auto* kept = below_.data() + static_cast<std::size_t>(row) * where_->width;
      std::memcpy(kept, line, where_->width * std::size_t{4});
      auto image_row = static_cast<std::size_t>(where_->y + row - top);
      const auto* argb = image.argb.data() + image_row * image.width + static_cast<std::size_t>(where_->x - left);
      for (std::uint32_t column = 0; column < where_->width; ++column) {
        auto mixed = blended(argb[column], kept[column]);
        std::memcpy(line + column * std::size_t{4}, &mixed, 4);
      }
    }
  }

  /// Puts back what was below.
  void take_out(std::uint8_t* pixels, std::size_t stride_bytes) {
    if (!where_) return;
    for (std::uint32_t row = 0; row < where_->height; ++row)
      std::memcpy(pixels + (where_->y + row) * stride_bytes + where_->x * std::size_t{4},
                  below_.data() + static_cast<std::size_t>(row) * where_->width, where_->width * std::size_t{4});
    where_.reset();
  }

  /// Forgets what it drew: the picture's memory is another, or all of it is new.
  void forget() noexcept { where_.reset(); }

private:
  static std::uint32_t blended(std::uint32_t above, std::uint32_t below) noexcept {
    auto alpha = above >> 24;
    if (alpha == 255) return above;
    if (alpha == 0) return below;
    std::uint32_t mixed = 0;
    for (unsigned shift = 0; shift < 24; shift += 8) {
      auto value = ((above >> shift) & 255u) + ((below >> shift) & 255u) * (255u - alpha) / 255u;
      mixed |= std::min(value, 255u) << shift; // An image may break its promise of being premultiplied.
    }
    return mixed;
  }

  std::optional<damage_rect> where_;
  std::vector<std::uint32_t> below_;
};

} // namespace lucid

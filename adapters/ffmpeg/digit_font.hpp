// adapters/ffmpeg/digit_font.hpp - the few characters a time stamp needs, as 5x7 dots; for this folder's sources only.
#pragma once

#include <array>
#include <cstdint>

namespace lucid::ffmpeg {

struct glyph {
  char character;
  std::array<std::uint8_t, 7> rows; ///< Five bits each, the left dot is bit 4.
};

inline constexpr std::uint32_t glyph_width = 5;
inline constexpr std::uint32_t glyph_height = 7;

inline constexpr std::array<glyph, 16> digit_font{{
  {'0', {14, 17, 19, 21, 25, 17, 14}}, {'1', {4, 12, 4, 4, 4, 4, 14}},      {'2', {14, 17, 1, 2, 4, 8, 31}},
  {'3', {31, 2, 4, 2, 1, 17, 14}},     {'4', {2, 6, 10, 18, 31, 2, 2}},     {'5', {31, 16, 30, 1, 1, 17, 14}},
  {'6', {6, 8, 16, 30, 17, 17, 14}},   {'7', {31, 1, 2, 4, 8, 8, 8}},       {'8', {14, 17, 17, 14, 17, 17, 14}},
  {'9', {14, 17, 17, 15, 1, 2, 12}},   {':', {0, 12, 12, 0, 12, 12, 0}},    {'-', {0, 0, 0, 31, 0, 0, 0}},
  {'.', {0, 0, 0, 0, 0, 12, 12}},      {'T', {31, 4, 4, 4, 4, 4, 4}},       {'Z', {31, 1, 2, 4, 8, 16, 31}},
  {'+', {0, 4, 4, 31, 4, 4, 0}},
}};

} // namespace lucid::ffmpeg

// adapters/ffmpeg/picture_converter.hpp - BGRX to YUV 4:2:0, tile by tile where something changed.
#pragma once

#include <array>
#include <vector>

#include "adapters/ffmpeg/ffmpeg_types.hpp"
#include "messages/ports/frame_source.hpp"

namespace lucid::ffmpeg {

/// Keeps a YUV picture up to date with a BGRX one.
///
/// A tile is converted as if it were a picture of its own, so the result does not depend on which tiles changed together.
/// Owns: the YUV picture. Threads: none.
class picture_converter {
public:
  static outcome<picture_converter> make(std::uint32_t width, std::uint32_t height);

  /// Converts the tiles that `picture.damage` touches. Sizes must match.
  outcome<void> update(const frame_view& picture);

  AVFrame* frame() noexcept { return frame_.get(); }

private:
  /// Tiles of 256x16: wide enough that the call pays, low enough that a line of text costs only its rows.
  static constexpr std::uint32_t tile_width = 256;
  static constexpr std::uint32_t tile_height = 16;

  outcome<void> convert_tile(const frame_view& picture, std::uint32_t column, std::uint32_t row);
  outcome<SwsContext*> scaler(std::uint32_t width, std::uint32_t height);

  frame_ptr frame_;
  std::array<std::array<scaler_ptr, 2>, 2> scalers_; ///< [last column?][last row?]
  std::vector<bool> dirty_;
  std::uint32_t columns_ = 0;
  std::uint32_t rows_ = 0;
};

} // namespace lucid::ffmpeg

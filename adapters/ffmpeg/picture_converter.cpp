// adapters/ffmpeg/picture_converter.cpp - marks damaged tiles and converts them with libswscale.
#include "adapters/ffmpeg/picture_converter.hpp"

#include <algorithm>

namespace lucid::ffmpeg {
namespace {

tl::unexpected<error> no_memory() {
  return fail(errc::limit_exceeded, "encoder", "no memory for a picture of this size");
}

} // namespace

outcome<picture_converter> picture_converter::make(std::uint32_t width, std::uint32_t height) {
  picture_converter made;
  made.frame_.reset(av_frame_alloc());
  if (!made.frame_) return no_memory();
  made.frame_->format = AV_PIX_FMT_YUV420P;
  made.frame_->width = static_cast<int>(width);
  made.frame_->height = static_cast<int>(height);
  made.frame_->color_range = AVCOL_RANGE_MPEG;
  made.frame_->colorspace = AVCOL_SPC_SMPTE170M;
  if (av_frame_get_buffer(made.frame_.get(), 0) < 0) return no_memory();
  made.columns_ = (width + tile_width - 1) / tile_width;
  made.rows_ = (height + tile_height - 1) / tile_height;
  made.dirty_.resize(std::size_t{made.columns_} * made.rows_);
  return made;
}

outcome<void> picture_converter::update(const frame_view& picture) {
  if (picture.width != static_cast<std::uint32_t>(frame_->width) ||
      picture.height != static_cast<std::uint32_t>(frame_->height))
    return fail(errc::wrong_state, "encoder", "the picture's size is not the encoder's");
  // An encoder that still holds the last picture gets to keep it.
  if (av_frame_make_writable(frame_.get()) < 0) return no_memory();
  std::fill(dirty_.begin(), dirty_.end(), false);
  for (const auto& rect : picture.damage) {
    if (rect.width == 0 || rect.height == 0 || rect.x >= picture.width || rect.y >= picture.height) continue;
    auto right = std::min(picture.width - rect.x, rect.width) + rect.x - 1;
    auto bottom = std::min(picture.height - rect.y, rect.height) + rect.y - 1;
    for (auto row = rect.y / tile_height; row <= bottom / tile_height; ++row)
      for (auto column = rect.x / tile_width; column <= right / tile_width; ++column)
        dirty_[std::size_t{row} * columns_ + column] = true;
  }
  for (std::uint32_t row = 0; row < rows_; ++row)
    for (std::uint32_t column = 0; column < columns_; ++column)
      if (dirty_[std::size_t{row} * columns_ + column])
        if (auto done = convert_tile(picture, column, row); !done) return done;
  return {};
}

outcome<SwsContext*> picture_converter::scaler(std::uint32_t width, std::uint32_t height) {
  auto& slot = scalers_[width != tile_width][height != tile_height];
  if (!slot) {
    auto w = static_cast<int>(width), h = static_cast<int>(height);
    slot.reset(sws_getContext(w, h, AV_PIX_FMT_BGR0, w, h, AV_PIX_FMT_YUV420P, SWS_BILINEAR, nullptr, nullptr, nullptr));
    if (!slot) return fail(errc::unsupported, "encoder", "libswscale cannot convert a tile of this size");
  }
  return slot.get();
}

outcome<void> picture_converter::convert_tile(const frame_view& picture, std::uint32_t column, std::uint32_t row) {
  auto x = column * tile_width, y = row * tile_height;
  auto width = std::min(tile_width, picture.width - x);
  auto height = std::min(tile_height, picture.height - y);
  auto context = scaler(width, height);
  if (!context) return pass_on(std::move(context));
  const std::uint8_t* from[4] = {picture.pixels + std::size_t{y} * picture.stride_bytes + std::size_t{x} * 4};
  int from_stride[4] = {static_cast<int>(picture.stride_bytes)};
  std::uint8_t* to[4] = {};
  for (int plane = 0; plane < 3; ++plane) {
    auto shift = plane == 0 ? 0 : 1;
    to[plane] = frame_->data[plane] + static_cast<std::ptrdiff_t>(y >> shift) * frame_->linesize[plane] + (x >> shift);
  }
  sws_scale(*context, from, from_stride, 0, static_cast<int>(height), to, frame_->linesize);
  return {};
}

} // namespace lucid::ffmpeg

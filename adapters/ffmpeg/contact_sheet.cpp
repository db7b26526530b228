// adapters/ffmpeg/contact_sheet.cpp - moments of a recording in one PNG.
#include <algorithm>

#include "adapters/ffmpeg/digit_font.hpp"
#include "adapters/ffmpeg/fragment_stream.hpp"
#include "adapters/ffmpeg/media_reader.hpp"
#include "adapters/ffmpeg/video_decoder.hpp"

namespace lucid::ffmpeg {
namespace {

constexpr const char* who = "contact sheet";
constexpr std::size_t moment_count_max = 64;
constexpr std::uint32_t tile_width_max = 1920;
constexpr std::size_t label_length_max = 32;

/// Bound of packets between two key frames: 16 MiB, three times the longest distance in a recording of ours.
constexpr std::size_t group_size_bytes_max = 16u << 20;

constexpr std::uint32_t label_scale = 2;
constexpr std::uint32_t label_margin = 4;
constexpr std::uint32_t tile_gap = 4;

tl::unexpected<error> no_memory() { return fail(errc::limit_exceeded, who, "no memory for the picture"); }

/// An RGB picture that tiles are drawn into.
class canvas {
public:
  static outcome<canvas> make(std::uint32_t width, std::uint32_t height) {
    canvas made;
    made.frame_.reset(av_frame_alloc());
    if (!made.frame_) return no_memory();
    made.frame_->format = AV_PIX_FMT_RGB24;
    made.frame_->width = static_cast<int>(width);
    made.frame_->height = static_cast<int>(height);
    if (av_frame_get_buffer(made.frame_.get(), 0) < 0) return no_memory();
    made.fill(0, 0, width, height, 24);
    return made;
  }

  void fill(std::uint32_t x, std::uint32_t y, std::uint32_t width, std::uint32_t height, std::uint8_t grey) {
    auto right = std::min<std::uint32_t>(x + width, static_cast<std::uint32_t>(frame_->width));
    auto bottom = std::min<std::uint32_t>(y + height, static_cast<std::uint32_t>(frame_->height));
    for (; y < bottom; ++y)
      if (x < right) std::fill_n(at(x, y), std::size_t{right - x} * 3, grey);
  }

  /// White dots on black, at the tile's upper left corner.
  void write(std::uint32_t x, std::uint32_t y, const std::string& label) {
    auto advance = (glyph_width + 1) * label_scale;
    fill(x, y, static_cast<std::uint32_t>(label.size()) * advance + 2 * label_margin,
         glyph_height * label_scale + 2 * label_margin, 0);
    x += label_margin;
    for (auto c : label) {
      auto found = std::find_if(digit_font.begin(), digit_font.end(), [c](const glyph& g) { return g.character == c; });
      if (found != digit_font.end()) draw(*found, x, y + label_margin);
      x += advance;
    }
  }

  outcome<void> draw(const AVFrame& picture, std::uint32_t x, std::uint32_t y, std::uint32_t width, std::uint32_t height) {
    scaler_ptr scaler(sws_getContext(picture.width, picture.height, static_cast<AVPixelFormat>(picture.format),
                                     static_cast<int>(width), static_cast<int>(height), AV_PIX_FMT_RGB24, SWS_AREA,
                                     nullptr, nullptr, nullptr));
    if (!scaler) return fail(errc::unsupported, who, "a picture cannot be scaled");
    std::uint8_t* to[4] = {at(x, y)};
    sws_scale(scaler.get(), picture.data, picture.linesize, 0, picture.height, to, frame_->linesize);
    return {};
  }

  outcome<byte_buffer> to_png() {
    const auto* codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
    if (!codec) return fail(errc::missing_dependency, who, "this FFmpeg has no PNG encoder");
    codec_ptr context(avcodec_alloc_context3(codec));
    if (!context) return no_memory();
    context->width = frame_->width;
    context->height = frame_->height;
    context->pix_fmt = AV_PIX_FMT_RGB24;
    context->time_base = {1, 1};
    auto packet = new_packet();
    auto code = avcodec_open2(context.get(), codec, nullptr);
    if (code >= 0) code = avcodec_send_frame(context.get(), frame_.get());
    if (code >= 0) code = avcodec_receive_packet(context.get(), packet.packet.get());
    if (code < 0) return fail_with(code, who, "the picture cannot be encoded");
    return byte_buffer(packet.packet->data, packet.packet->data + packet.packet->size);
  }

private:
  std::uint8_t* at(std::uint32_t x, std::uint32_t y) {
    return frame_->data[0] + static_cast<std::ptrdiff_t>(y) * frame_->linesize[0] + static_cast<std::ptrdiff_t>(x) * 3;
  }

  void draw(const glyph& g, std::uint32_t x, std::uint32_t y) {
    for (std::uint32_t row = 0; row < glyph_height; ++row)
      for (std::uint32_t column = 0; column < glyph_width; ++column)
        if ((g.rows[row] >> (glyph_width - 1 - column) & 1) != 0)
          fill(x + column * label_scale, y + row * label_scale, label_scale, label_scale, 255);
  }

  frame_ptr frame_;
};

/// Where tiles go, and which moment is next.
class sheet {
public:
  sheet(const std::vector<sheet_moment>& moments, std::uint32_t columns, std::uint32_t tile_width)
    : moments_(moments), columns_(columns), tile_width_(tile_width) {}

  bool done() const noexcept { return next_ == moments_.size(); }
  std::int64_t wanted_us() const noexcept { return moments_[next_].at_us; }

  /// `picture` is the one shown at the wanted moment.
  outcome<void> place(const AVFrame& picture) {
    if (!canvas_)
      if (auto made = make_canvas(picture); !made) return made;
    auto x = tile_gap + static_cast<std::uint32_t>(next_ % columns_) * (tile_width_ + tile_gap);
    auto y = tile_gap + static_cast<std::uint32_t>(next_ / columns_) * (tile_height_ + tile_gap);
    // Another size than the first keeps its proportions inside the same tile.
    auto width = std::min(tile_width_, static_cast<std::uint32_t>(std::int64_t{tile_height_} * picture.width / picture.height));
    auto height = std::min(tile_height_, static_cast<std::uint32_t>(std::int64_t{width} * picture.height / picture.width));
    if (auto drawn = canvas_->draw(picture, x, y, std::max(width, 2u), std::max(height, 2u)); !drawn) return drawn;
    canvas_->write(x, y, moments_[next_].label.substr(0, label_length_max));
    ++next_;
    return {};
  }

  outcome<byte_buffer> to_png() {
    if (!canvas_) return fail(errc::not_found, who, "there is no frame to draw");
    return canvas_->to_png();
  }

private:
  outcome<void> make_canvas(const AVFrame& picture) {
    tile_height_ = std::clamp(static_cast<std::uint32_t>(std::int64_t{tile_width_} * picture.height / picture.width), 2u,
                              2 * tile_width_max);
    auto rows = static_cast<std::uint32_t>((moments_.size() + columns_ - 1) / columns_);
    auto made = canvas::make(tile_gap + columns_ * (tile_width_ + tile_gap), tile_gap + rows * (tile_height_ + tile_gap));
    if (!made) return pass_on(std::move(made));
    canvas_ = std::move(*made);
    return {};
  }

  const std::vector<sheet_moment>& moments_;
  std::uint32_t columns_;
  std::uint32_t tile_width_;
  std::uint32_t tile_height_ = 0;
  std::size_t next_ = 0;
  std::optional<canvas> canvas_;
};

/// Frames from one key frame to the next: decoded only if a moment lies within.
struct frame_group {
  std::vector<media_packet> packets;
  stream_parameters parameters;
  std::size_t size_bytes = 0;
};

outcome<void> draw_group(const frame_group& group, std::int64_t until_us, sheet& into) {
  if (group.packets.empty() || into.done() || into.wanted_us() >= until_us) return {};
  auto decoder = video_decoder::open(*group.parameters);
  if (!decoder) return pass_on(std::move(decoder));
  frame_ptr shown(av_frame_alloc());
  if (!shown) return no_memory();
  auto take = [&](AVFrame& frame) -> outcome<void> {
    while (!into.done() && shown->width > 0 && into.wanted_us() < frame.pts)
      if (auto placed = into.place(*shown); !placed) return placed;
    av_frame_unref(shown.get());
    av_frame_move_ref(shown.get(), &frame);
    return {};
  };
  for (const auto& packet : group.packets)
    if (auto decoded = decoder->decode(packet, take); !decoded) return decoded;
  if (auto finished = decoder->finish(take); !finished) return finished;
  while (!into.done() && shown->width > 0 && into.wanted_us() < until_us)
    if (auto placed = into.place(*shown); !placed) return placed;
  return {};
}

} // namespace

outcome<byte_buffer> contact_sheet(const media_parts& parts, const std::vector<sheet_moment>& moments,
                                   std::uint32_t columns, std::uint32_t tile_width) {
  if (moments.empty() || moments.size() > moment_count_max || columns == 0 || columns > moment_count_max ||
      tile_width < 32 || tile_width > tile_width_max)
    return fail(errc::invalid_input, who, "1 to 64 moments, 1 to 64 columns and tiles of 32 to 1920 pixels are possible");
  sheet drawn(moments, columns, tile_width);
  fragment_stream stream(parts);
  frame_group group;
  while (!drawn.done()) {
    auto next = stream.next();
    if (!next) return pass_on(std::move(next));
    if (!*next) break;
    auto& packet = **next;
    if (packet.key_frame()) {
      if (auto done = draw_group(group, packet.presented_us(), drawn); !done) return tl::unexpected(done.error());
      group = {};
      group.parameters = stream.parameters();
    }
    group.size_bytes += packet.size_bytes();
    if (group.size_bytes > group_size_bytes_max)
      return fail(errc::limit_exceeded, who, "more than 16 MiB without a key frame");
    group.packets.push_back(std::move(packet));
  }
  if (auto done = draw_group(group, INT64_MAX, drawn); !done) return tl::unexpected(done.error());
  return drawn.to_png();
}

} // namespace lucid::ffmpeg

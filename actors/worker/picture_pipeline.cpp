// actors/worker/picture_pipeline.cpp - opens, feeds and closes encoder and muxer.
#include "actors/worker/picture_pipeline.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace lucid {
namespace {

/// Least distance of two frames: 1 ms, a quarter of the highest frame rate's.
constexpr std::int64_t frame_distance_us_min = 1000;

/// How much worse the next attempt is when a frame came out too large for a fragment: 6 halves its bytes.
constexpr std::uint32_t quality_step = 6;
constexpr std::uint32_t quality_worst = 51;

void append(std::vector<fragment>& to, std::vector<fragment>&& from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

source_event encoder_event(const ffmpeg::video_encoder& encoder, unix_time_us at_us, std::uint32_t quality) {
  nlohmann::json detail{{"encoder", encoder.name()}, {"width", encoder.width()}, {"height", encoder.height()},
                        {"quality", quality}};
  for (const auto& refusal : encoder.refusals())
    detail["refused"].push_back({{"encoder", refusal.name}, {"reason", to_string(refusal.why)}});
  return {at_us, "encoder", detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

} // namespace

ffmpeg::encoder_options encoder_options_of(const worker_start& start) {
  ffmpeg::encoder_options o;
  o.name = start.what.encoder;
  o.frame_rate_max = start.what.frame_rate_max;
  o.quality = start.what.quality;
  o.preset = start.limits.encoder_preset;
  o.threads = start.limits.encoder_threads;
  o.key_frame_interval = start.limits.key_frame_interval;
  return o;
}

ffmpeg::muxer_options muxer_options_of(const worker_start& start) {
  return {start.base_us, start.limits.fragment_interval};
}

picture_pipeline::picture_pipeline(const worker_start& start)
  : encoder_options_(encoder_options_of(start)), muxer_options_(muxer_options_of(start)),
    earliest_us_(std::max<std::int64_t>(0, start.resume.recorded_until_us - start.base_us)) {}

outcome<void> picture_pipeline::open(const frame_view& picture, std::int64_t at_us, pipeline_output& into) {
  encoder_options_.width = picture.width;
  encoder_options_.height = picture.height;
  auto encoder = ffmpeg::video_encoder::open(encoder_options_);
  if (!encoder) return pass_on(std::move(encoder));
  auto muxer = ffmpeg::fragment_muxer::open(encoder->parameters(), muxer_options_);
  if (!muxer) return pass_on(std::move(muxer));
  into.events.push_back(encoder_event(*encoder, muxer_options_.base_us + at_us, encoder_options_.quality));
  encoder_ = std::move(*encoder);
  muxer_ = std::move(*muxer);
  return {};
}

outcome<void> picture_pipeline::mux(std::vector<ffmpeg::media_packet> packets, pipeline_output& into) {
  for (auto& packet : packets) {
    auto fragments = muxer_->add(std::move(packet));
    if (!fragments) return pass_on(std::move(fragments));
    append(into.fragments, std::move(*fragments));
  }
  return {};
}

outcome<void> picture_pipeline::close(pipeline_output& into) {
  if (!encoder_) return {};
  auto packets = encoder_->finish();
  if (!packets) return pass_on(std::move(packets));
  if (auto muxed = mux(std::move(*packets), into); !muxed) return muxed;
  auto fragments = muxer_->flush();
  if (!fragments) return pass_on(std::move(fragments));
  append(into.fragments, std::move(*fragments));
  encoder_.reset();
  muxer_.reset();
  return {};
}

/// One attempt. A packet too large for a fragment is thrown away with the encoder that made it.
outcome<void> picture_pipeline::add_once(const frame_view& picture, std::int64_t at_us, pipeline_output& into,
                                         bool& too_large) {
  if (encoder_ && (encoder_->width() != picture.width || encoder_->height() != picture.height))
    if (auto closed = close(into); !closed) return closed;
  auto whole = damage_rect{0, 0, picture.width, picture.height};
  auto view = picture;
  if (!encoder_) {
    view.damage = {&whole, 1};
    if (auto opened = open(picture, at_us, into); !opened) return opened;
  }
  auto packets = encoder_->encode(view, at_us);
  if (!packets) return pass_on(std::move(packets));
  too_large = std::any_of(packets->begin(), packets->end(), [](const ffmpeg::media_packet& p) {
    return p.size_bytes() > ffmpeg::fragment_muxer::packet_size_bytes_max;
  });
  if (!too_large) return mux(std::move(*packets), into);
  auto fragments = muxer_->flush();
  if (!fragments) return pass_on(std::move(fragments));
  append(into.fragments, std::move(*fragments));
  encoder_.reset();
  muxer_.reset();
  return {};
}

outcome<void> picture_pipeline::add(const frame_view& picture, pipeline_output& into) {
  auto at_us = std::max(picture.captured_us - muxer_options_.base_us, earliest_us_);
  for (;;) {
    auto too_large = false;
    if (auto done = add_once(picture, at_us, into, too_large); !done) return done;
    if (!too_large) break;
    if (encoder_options_.quality >= quality_worst)
      return fail(errc::limit_exceeded, "encoder", "a frame does not fit a fragment at the lowest quality");
    encoder_options_.quality = std::min(quality_worst, encoder_options_.quality + quality_step);
  }
  earliest_us_ = at_us + frame_distance_us_min;
  ++frame_count_;
  return {};
}

outcome<void> picture_pipeline::tick(unix_time_us now_us, pipeline_output& into) {
  if (!muxer_ || !muxer_->open_since_us()) return {};
  if (now_us - muxer_options_.base_us - *muxer_->open_since_us() < muxer_options_.fragment_interval.count()) return {};
  auto fragments = muxer_->flush();
  if (!fragments) return pass_on(std::move(fragments));
  append(into.fragments, std::move(*fragments));
  return {};
}

outcome<void> picture_pipeline::finish(std::optional<unix_time_us> shown_until_us, pipeline_output& into) {
  if (encoder_ && shown_until_us && *shown_until_us - muxer_options_.base_us > earliest_us_) {
    auto packets = encoder_->repeat(*shown_until_us - muxer_options_.base_us);
    if (!packets) return pass_on(std::move(packets));
    if (auto muxed = mux(std::move(*packets), into); !muxed) return muxed;
    ++frame_count_;
  }
  return close(into);
}

} // namespace lucid

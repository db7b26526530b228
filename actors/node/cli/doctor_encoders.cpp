// actors/node/cli/doctor_encoders.cpp - whether the configured encoder really opens at the configured size.
#include <fmt/core.h>

#include "actors/node/cli/doctor.hpp"
#include "adapters/ffmpeg/media_packet.hpp"
#include "adapters/ffmpeg/video_encoder.hpp"

namespace lucid {

std::vector<doctor_line> check_encoders(const configuration& settings) {
  // What FFmpeg would print is in the refusals, once.
  ffmpeg::redirect_log([](const char*, bool) {});
  ffmpeg::encoder_options options;
  options.name = settings.encode.encoder;
  options.width = settings.capture.width;
  options.height = settings.capture.height;
  options.frame_rate_max = settings.capture.frame_rate_max;
  options.quality = settings.encode.quality;
  options.preset = settings.encode.preset;
  options.threads = settings.encode.threads;
  auto encoder = ffmpeg::video_encoder::open(options);
  if (!encoder)
    return {{"encoder", verdict::fail, fmt::format("{}: {}", options.name, encoder.error().what),
             "set encode.encoder = \"libx264\", and install FFmpeg's libraries with it"}};
  auto found = fmt::format("{} opens at {}x{}", encoder->name(), options.width, options.height);
  for (auto& refusal : encoder->refusals()) found += fmt::format("; not {}: {}", refusal.name, refusal.why.what);
  if (encoder->name() == options.name || options.name == "auto") return {{"encoder", verdict::ok, found, {}}};
  return {{"encoder", verdict::warn, found, fmt::format("recordings use {} instead of encode.encoder {}", encoder->name(), options.name)}};
}

} // namespace lucid

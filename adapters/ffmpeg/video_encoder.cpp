// adapters/ffmpeg/video_encoder.cpp - opens an encoder by trying it, and drives it frame by frame.
#include "adapters/ffmpeg/video_encoder.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "adapters/ffmpeg/ffmpeg_types.hpp"
#include "adapters/ffmpeg/picture_converter.hpp"

namespace lucid::ffmpeg {
namespace {

constexpr const char* who = "encoder";

/// Hardware first; each is really tried, so a name without a device costs a few milliseconds.
constexpr std::array<const char*, 2> hardware_encoders{"h264_v4l2m2m", "h264_omx"};
constexpr const char* software_encoder = "libx264";

/// The largest packet that fits a fragment with its boxes: 4 MiB less 256 KiB.
constexpr std::int64_t packet_size_bits_max = std::int64_t{(4 << 20) - (256 << 10)} * 8;

/// Pictures above this size could exceed a fragment even as raw samples of 1.5 bytes; below it no rate bound is needed.
constexpr std::uint64_t unbounded_pixel_count_max = 2'500'000;

/// Names to try, in order. A named one falls back to software.
std::vector<std::string> candidates(const std::string& name) {
  std::vector<std::string> names;
  if (name == "auto")
    names.assign(hardware_encoders.begin(), hardware_encoders.end());
  else if (name != software_encoder)
    names.push_back(name);
  names.emplace_back(software_encoder);
  return names;
}

/// Bits a second that look alike at `quality`: 0.1 bit a pixel at 23, half as much every 6 steps.
std::int64_t bit_rate_of(const encoder_options& o) {
  auto at_23 = static_cast<double>(o.width) * o.height * o.frame_rate_max * 0.1;
  auto steps = (23.0 - static_cast<double>(o.quality)) / 6.0;
  return std::max<std::int64_t>(100'000, static_cast<std::int64_t>(at_23 * std::exp2(steps)));
}

void set_common(AVCodecContext& context, const encoder_options& o) {
  context.width = static_cast<int>(o.width);
  context.height = static_cast<int>(o.height);
  context.pix_fmt = AV_PIX_FMT_YUV420P;
  context.color_range = AVCOL_RANGE_MPEG;
  context.colorspace = AVCOL_SPC_SMPTE170M;
  context.time_base = microseconds;
  context.framerate = {static_cast<int>(o.frame_rate_max), 1};
  context.max_b_frames = 0;
  context.thread_count = static_cast<int>(o.threads);
  context.flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  // Key frames come when we ask for them: in shown time, not in frames.
  context.gop_size = 1 << 20;
}

void set_libx264(AVCodecContext& context, const encoder_options& o, options& extra) {
  extra.set("preset", o.preset);
  extra.set("tune", "zerolatency");
  extra.set("crf", std::to_string(o.quality));
  extra.set("forced-idr", "1");
  extra.set("sc_threshold", "0");
  if (std::uint64_t{o.width} * o.height > unbounded_pixel_count_max) {
    context.rc_buffer_size = static_cast<int>(packet_size_bits_max / 2);
    context.rc_max_rate = packet_size_bits_max / 2 * o.frame_rate_max;
  }
}

outcome<codec_ptr> open_codec(const std::string& name, const encoder_options& o) {
  const auto* codec = avcodec_find_encoder_by_name(name.c_str());
  if (!codec || codec->type != AVMEDIA_TYPE_VIDEO)
    return fail(errc::unsupported, who, "this FFmpeg has no video encoder named " + name);
  codec_ptr context(avcodec_alloc_context3(codec));
  if (!context) return fail(errc::limit_exceeded, who, "no memory for an encoder");
  set_common(*context, o);
  options extra;
  if (name == software_encoder)
    set_libx264(*context, o, extra);
  else
    context->bit_rate = bit_rate_of(o);
  if (auto code = avcodec_open2(context.get(), codec, extra.out()); code < 0)
    return fail_with(code, who, name + " does not open at " + std::to_string(o.width) + "x" + std::to_string(o.height));
  return context;
}

outcome<std::vector<media_packet>> receive_all(AVCodecContext& context) {
  std::vector<media_packet> packets;
  for (;;) {
    auto made = new_packet();
    auto code = avcodec_receive_packet(&context, made.packet.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return packets;
    if (code < 0) return fail_with(code, who, "no packet came out");
    packets.push_back(std::move(made));
  }
}

using owned_parameters = std::unique_ptr<AVCodecParameters, parameters_deleter>;

outcome<owned_parameters> parameters_of(const AVCodecContext& context) {
  owned_parameters made(avcodec_parameters_alloc());
  if (!made || avcodec_parameters_from_context(made.get(), &context) < 0)
    return fail(errc::limit_exceeded, who, "no memory for the stream's parameters");
  return made;
}

struct filter_deleter {
  void operator()(AVBSFContext* filter) const noexcept { av_bsf_free(&filter); }
};

/// Hardware that writes its parameter sets only before a key frame: they are taken from there.
outcome<void> take_parameter_sets(AVCodecParameters& parameters, media_packet key_frame) {
  AVBSFContext* raw = nullptr;
  if (av_bsf_alloc(av_bsf_get_by_name("extract_extradata"), &raw) < 0)
    return fail(errc::unsupported, who, "this FFmpeg cannot extract parameter sets");
  std::unique_ptr<AVBSFContext, filter_deleter> filter(raw);
  if (avcodec_parameters_copy(filter->par_in, &parameters) < 0 || av_bsf_init(filter.get()) < 0 ||
      av_bsf_send_packet(filter.get(), key_frame.packet.get()) < 0 ||
      av_bsf_receive_packet(filter.get(), key_frame.packet.get()) < 0)
    return fail(errc::unsupported, who, "the first frame could not be read");
  std::size_t size_bytes = 0;
  const auto* found = av_packet_get_side_data(key_frame.packet.get(), AV_PKT_DATA_NEW_EXTRADATA, &size_bytes);
  if (!found || size_bytes == 0) return fail(errc::unsupported, who, "the first frame has no parameter sets");
  parameters.extradata = static_cast<std::uint8_t*>(av_mallocz(size_bytes + AV_INPUT_BUFFER_PADDING_SIZE));
  if (!parameters.extradata) return fail(errc::limit_exceeded, who, "no memory for the stream's parameters");
  std::copy_n(found, size_bytes, parameters.extradata);
  parameters.extradata_size = static_cast<int>(size_bytes);
  return {};
}

/// Encodes a black picture with an encoder of its own, which is thrown away: what was tried never reaches a recording.
outcome<stream_parameters> try_encoder(const std::string& name, const encoder_options& o) {
  auto context = open_codec(name, o);
  if (!context) return pass_on(std::move(context));
  auto picture = picture_converter::make(o.width, o.height);
  if (!picture) return pass_on(std::move(picture));
  auto* frame = picture->frame();
  std::ptrdiff_t strides[4] = {frame->linesize[0], frame->linesize[1], frame->linesize[2], 0};
  av_image_fill_black(frame->data, strides, AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG, frame->width, frame->height);
  frame->pts = 0;
  if (auto code = avcodec_send_frame(context->get(), frame); code < 0)
    return fail_with(code, who, name + " does not take a picture");
  avcodec_send_frame(context->get(), nullptr);
  auto packets = receive_all(**context);
  if (!packets) return pass_on(std::move(packets));
  if (packets->empty()) return fail(errc::unsupported, who, name + " made nothing of a picture");
  auto parameters = parameters_of(**context);
  if (!parameters) return pass_on(std::move(parameters));
  if ((*parameters)->extradata_size == 0)
    if (auto taken = take_parameter_sets(**parameters, std::move(packets->front())); !taken)
      return tl::unexpected(taken.error());
  return stream_parameters(std::move(*parameters));
}

} // namespace

class video_encoder::impl {
public:
  impl(encoder_options o, codec_ptr context, picture_converter converter, stream_parameters parameters,
       std::vector<encoder_refusal> refusals)
    : options_(std::move(o)), context_(std::move(context)), converter_(std::move(converter)),
      parameters_(std::move(parameters)), refusals_(std::move(refusals)), name_(context_->codec->name) {}

  outcome<std::vector<media_packet>> encode(std::int64_t at_us) {
    if (last_us_ && at_us <= *last_us_)
      return fail(errc::wrong_state, who, "a picture must be later than the one before it");
    auto key = key_wanted_ || !last_us_ || at_us - last_key_us_ >= options_.key_frame_interval.count() ||
               since_key_bytes_ >= options_.key_frame_size_bytes_max;
    auto* frame = converter_.frame();
    frame->pts = at_us;
    frame->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    if (auto code = avcodec_send_frame(context_.get(), frame); code < 0)
      return fail_with(code, who, name_ + " refuses a picture");
    last_us_ = at_us;
    if (key) {
      key_wanted_ = false;
      last_key_us_ = at_us;
      since_key_bytes_ = 0;
    }
    return receive();
  }

  outcome<std::vector<media_packet>> receive() {
    auto packets = receive_all(*context_);
    if (!packets) return packets;
    for (auto& made : *packets) {
      since_key_bytes_ += made.size_bytes();
      made.packet->duration = 1'000'000 / options_.frame_rate_max;
      if (made.packet->dts == AV_NOPTS_VALUE) made.packet->dts = made.packet->pts;
    }
    return packets;
  }

  encoder_options options_;
  codec_ptr context_;
  picture_converter converter_;
  stream_parameters parameters_;
  std::vector<encoder_refusal> refusals_;
  std::string name_;
  std::optional<std::int64_t> last_us_;
  std::int64_t last_key_us_ = 0;
  std::size_t since_key_bytes_ = 0;
  bool key_wanted_ = false;
};

video_encoder::video_encoder(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
video_encoder::video_encoder(video_encoder&&) noexcept = default;
video_encoder& video_encoder::operator=(video_encoder&&) noexcept = default;
video_encoder::~video_encoder() = default;

outcome<video_encoder> video_encoder::open(const encoder_options& o) {
  if (o.width < 16 || o.height < 16 || o.width > 8192 || o.height > 8192 || o.width % 2 != 0 || o.height % 2 != 0)
    return fail(errc::invalid_input, who, "width and height must be even and from 16 to 8192, not " +
                                            std::to_string(o.width) + "x" + std::to_string(o.height));
  std::vector<encoder_refusal> refusals;
  for (const auto& name : candidates(o.name)) {
    auto parameters = try_encoder(name, o);
    if (!parameters) {
      refusals.push_back({name, parameters.error()});
      continue;
    }
    auto context = open_codec(name, o);
    if (!context) return pass_on(std::move(context));
    auto converter = picture_converter::make(o.width, o.height);
    if (!converter) return pass_on(std::move(converter));
    return video_encoder(std::make_unique<impl>(o, std::move(*context), std::move(*converter), std::move(*parameters),
                                                std::move(refusals)));
  }
  auto last = refusals.back().why;
  return fail(errc::unsupported, who, "no encoder can be used", std::move(last));
}

outcome<std::vector<media_packet>> video_encoder::encode(const frame_view& picture, std::int64_t at_us) {
  if (auto updated = impl_->converter_.update(picture); !updated) return tl::unexpected(updated.error());
  return impl_->encode(at_us);
}

outcome<std::vector<media_packet>> video_encoder::repeat(std::int64_t at_us) { return impl_->encode(at_us); }

void video_encoder::want_key_frame() noexcept { impl_->key_wanted_ = true; }

outcome<std::vector<media_packet>> video_encoder::finish() {
  avcodec_send_frame(impl_->context_.get(), nullptr);
  return impl_->receive();
}

const stream_parameters& video_encoder::parameters() const noexcept { return impl_->parameters_; }
const std::string& video_encoder::name() const noexcept { return impl_->name_; }
const std::vector<encoder_refusal>& video_encoder::refusals() const noexcept { return impl_->refusals_; }
std::uint32_t video_encoder::width() const noexcept { return impl_->options_.width; }
std::uint32_t video_encoder::height() const noexcept { return impl_->options_.height; }

} // namespace lucid::ffmpeg

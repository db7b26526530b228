// actors/mesh/tunnel_stream.cpp - the tunnel's frames, and one stream of them.
#include "actors/mesh/tunnel_stream.hpp"

#include <algorithm>

#include "actors/format/little_endian.hpp"

namespace lucid {
namespace {

/// Takes fields off the front of a frame.
class frame_reader {
public:
  explicit frame_reader(byte_view bytes) : bytes_(bytes) {}

  template <class Int>
  Int take() {
    if (bytes_.size() < sizeof(Int)) {
      short_ = true;
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Int); ++i) value |= std::uint64_t{bytes_[i]} << (8 * i);
    bytes_ = bytes_.subspan(sizeof(Int));
    return static_cast<Int>(value);
  }
  byte_view rest() const { return bytes_; }
  bool ran_short() const { return short_; }

private:
  byte_view bytes_;
  bool short_ = false;
};

tl::unexpected<error> violation(std::string what) { return fail(errc::protocol_violation, "tunnel", std::move(what)); }

/// The peer's words go to a log.
std::string printable(byte_view bytes) {
  std::string text(as_text(bytes));
  std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

/// A frame with `fields` after its head, and `body` behind them.
template <class... Ints>
byte_buffer frame_of(tunnel_frame_kind kind, std::uint32_t stream, byte_view body, Ints... fields) {
  byte_buffer frame;
  const std::size_t front_bytes = tunnel_head_bytes + (0 + ... + sizeof fields);
  frame.reserve(front_bytes + body.size());
  frame.resize(front_bytes);
  field_writer into(frame);
  into.put(static_cast<std::uint8_t>(mesh_channel::tunnel)).put(static_cast<std::uint8_t>(kind)).put(stream);
  (into.put(fields), ...);
  frame.insert(frame.end(), body.begin(), body.end());
  return frame;
}

byte_buffer encode_one(const tunnel_open& open) {
  return frame_of(tunnel_frame_kind::open, open.stream, {}, open.version, open.credit_bytes);
}

byte_buffer encode_one(const tunnel_data& data) {
  return frame_of(tunnel_frame_kind::data, data.stream, data.bytes, data.sequence);
}

byte_buffer encode_one(const tunnel_credit& credit) {
  return frame_of(tunnel_frame_kind::credit, credit.stream, {}, credit.bytes);
}

byte_buffer encode_one(const tunnel_close& close) {
  auto text = as_bytes(close.text).first(std::min(close.text.size(), tunnel_reason_bytes_max));
  return frame_of(tunnel_frame_kind::close, close.stream, text, static_cast<std::uint8_t>(close.code),
                  static_cast<std::uint16_t>(text.size()));
}

outcome<tunnel_frame> decode_close(std::uint32_t stream, frame_reader body) {
  auto code = body.take<std::uint8_t>();
  auto length = body.take<std::uint16_t>();
  if (body.ran_short() || body.rest().size() != length) return violation("a close frame of the wrong length");
  if (length > tunnel_reason_bytes_max) return fail(errc::limit_exceeded, "tunnel", "a close frame's text is too long");
  if (code == 0 || code > static_cast<std::uint8_t>(errc_last)) code = static_cast<std::uint8_t>(errc::unsupported);
  return tunnel_close{stream, static_cast<errc>(code), printable(body.rest())};
}

outcome<tunnel_frame> decode_body(std::uint8_t kind, std::uint32_t stream, frame_reader body) {
  switch (static_cast<tunnel_frame_kind>(kind)) {
    case tunnel_frame_kind::open: {
      auto version = body.take<std::uint32_t>();
      auto credit = body.take<std::uint64_t>();
      if (body.ran_short() || !body.rest().empty()) return violation("an open frame of the wrong length");
      return tunnel_open{stream, version, credit};
    }
    case tunnel_frame_kind::data: {
      auto sequence = body.take<std::uint64_t>();
      if (body.ran_short() || body.rest().empty()) return violation("a data frame without data");
      return tunnel_data{stream, sequence, body.rest()};
    }
    case tunnel_frame_kind::credit: {
      auto bytes = body.take<std::uint64_t>();
      if (body.ran_short() || !body.rest().empty()) return violation("a credit frame of the wrong length");
      return tunnel_credit{stream, bytes};
    }
    case tunnel_frame_kind::close: return decode_close(stream, body);
  }
  return violation("a frame of kind " + std::to_string(kind));
}

} // namespace

outcome<tunnel_frame> decode_tunnel_frame(byte_view frame) {
  if (frame.size() > mesh_frame_bytes_max) return fail(errc::limit_exceeded, "tunnel", "a frame beyond 64 KiB");
  frame_reader fields(frame);
  auto channel = fields.take<std::uint8_t>();
  auto kind = fields.take<std::uint8_t>();
  auto stream = fields.take<std::uint32_t>();
  if (fields.ran_short()) return fail(errc::truncated, "tunnel", "a frame without a head");
  if (channel != static_cast<std::uint8_t>(mesh_channel::tunnel)) return violation("a frame of another channel");
  return decode_body(kind, stream, fields);
}

byte_buffer encode(const tunnel_frame& frame) {
  return std::visit([](const auto& one) { return encode_one(one); }, frame);
}

tunnel_stream::tunnel_stream(tunnel_stream_settings settings)
    : settings_(settings), guard_(settings.side, settings.message_bytes_max), receiving_(settings.credit_bytes) {
  receiving_.grant(settings.credit_bytes);
}

byte_buffer tunnel_stream::open_frame() {
  return encode(tunnel_open{settings_.stream, tunnel_version, settings_.credit_bytes});
}

outcome<byte_buffer> tunnel_stream::accept(const tunnel_open& open) {
  if (settings_.side != basp_side::server || established_) return violation("an open frame where none belongs");
  if (open.version != tunnel_version)
    return fail(errc::unsupported, "tunnel", "the peer speaks version " + std::to_string(open.version));
  if (auto granted = take_credit(open.credit_bytes); !granted) return pass_on(std::move(granted));
  established_ = true;
  return encode(tunnel_credit{settings_.stream, settings_.credit_bytes});
}

/// What is granted beyond our own bound is no breach; it is not used.
outcome<void> tunnel_stream::take_credit(std::uint64_t bytes) {
  if (bytes == 0) return violation("credit of nothing");
  sending_available_ += std::min(bytes, tunnel_credit_bytes_max - sending_available_);
  return {};
}

outcome<void> tunnel_stream::receive(const tunnel_frame& frame, byte_buffer& to_local) {
  if (auto close = std::get_if<tunnel_close>(&frame))
    return fail(errc::unreachable, "tunnel", "the peer ended the stream", error{close->code, "peer", close->text, nullptr});
  if (std::holds_alternative<tunnel_open>(frame)) return violation("a stream is opened once");
  if (auto credit = std::get_if<tunnel_credit>(&frame)) {
    established_ = true;
    return take_credit(credit->bytes);
  }
  return take_data(std::get<tunnel_data>(frame), to_local);
}

outcome<void> tunnel_stream::take_data(const tunnel_data& data, byte_buffer& to_local) {
  if (!established_) return violation("data before the stream was accepted");
  if (data.sequence != next_received_)
    return fail(errc::corrupted, "tunnel",
                "bytes are missing: " + std::to_string(data.sequence) + " came, " + std::to_string(next_received_) + " was due");
  if (!receiving_.take(data.bytes.size())) return violation("data without credit");
  next_received_ += data.bytes.size();
  return guard_.from_peer(data.bytes, to_local);
}

std::size_t tunnel_stream::readable_bytes() const noexcept {
  if (!established_) return 0;
  auto held = guard_.held_from_local();
  auto available = sending_available_ > held ? sending_available_ - held : 0;
  return static_cast<std::size_t>(std::min<std::uint64_t>(available, tunnel_data_bytes_max - held));
}

outcome<byte_buffer> tunnel_stream::read_local(byte_view bytes) {
  if (bytes.size() > readable_bytes()) return fail(errc::internal, "tunnel", "more was read than there is credit for");
  byte_buffer passed;
  passed.reserve(bytes.size() + guard_.held_from_local());
  if (auto read = guard_.from_local(bytes, passed); !read) return pass_on(std::move(read));
  if (passed.empty()) return byte_buffer{};
  auto frame = encode(tunnel_data{settings_.stream, next_sent_, passed});
  next_sent_ += passed.size();
  sending_available_ -= passed.size();
  return frame;
}

byte_buffer tunnel_stream::wrote_local(std::uint64_t bytes) {
  if (!receiving_.give_back(bytes)) return {};
  owed_bytes_ += bytes;
  if (owed_bytes_ < settings_.credit_bytes / 4) return {};
  receiving_.grant(owed_bytes_);
  return encode(tunnel_credit{settings_.stream, std::exchange(owed_bytes_, 0)});
}

byte_buffer tunnel_stream::close_frame(const error& why) const {
  return encode(tunnel_close{settings_.stream, why.code, why.what});
}

} // namespace lucid

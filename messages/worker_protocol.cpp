// messages/worker_protocol.cpp - the byte form of the worker's messages.
#include "messages/worker_protocol.hpp"

#include <algorithm>
#include <optional>

namespace lucid {
namespace {

/// Type numbers. Append, never renumber.
enum class wire_type : std::uint8_t {
  start = 1,
  credit = 2,
  stop = 3,
  verdict = 4,
  hello = 16,
  fragment = 17,
  event = 18,
  certificate = 19,
  stats = 20,
  log = 21,
  end = 22,
};

// --- writing -----------------------------------------------------------------------------------------------------

class writer {
public:
  explicit writer(wire_type type) { bytes_ = {0, 0, 0, 0, static_cast<std::uint8_t>(type)}; }

  void u8(std::uint8_t value) { bytes_.push_back(value); }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void i64(std::int64_t value) { number(static_cast<std::uint64_t>(value), 8); }
  void flag(bool value) { u8(value ? 1 : 0); }
  void milliseconds(std::chrono::milliseconds value) { u32(static_cast<std::uint32_t>(value.count())); }

  void text(std::string_view value, std::size_t size_bytes_max) {
    value = value.substr(0, size_bytes_max);
    number(value.size(), 2);
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }

  wire_message finish(payload tail = {}) {
    auto length = bytes_.size() - worker_head_size_bytes + tail.size();
    for (std::size_t i = 0; i < 4; ++i) bytes_[i] = static_cast<std::uint8_t>(length >> (8 * i));
    return {std::move(bytes_), std::move(tail)};
  }

private:
  void number(std::uint64_t value, int size_bytes) {
    for (int i = 0; i < size_bytes; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }

  byte_buffer bytes_;
};

wire_message encode_one(const worker_start& m) {
  writer w(wire_type::start);
  w.text(m.what.source, worker_source_size_bytes_max);
  w.text(m.what.username, worker_word_size_bytes_max);
  w.text(m.what.password, worker_secret_size_bytes_max);
  w.u32(m.what.width);
  w.u32(m.what.height);
  w.u32(m.what.frame_rate_max);
  w.text(m.what.encoder, worker_word_size_bytes_max);
  w.u32(m.what.quality);
  w.u64(m.resume.frame_count);
  w.i64(m.resume.recorded_until_us);
  w.i64(m.base_us);
  w.u64(m.credit_bytes);
  w.milliseconds(m.limits.fragment_interval);
  w.milliseconds(m.limits.key_frame_interval);
  w.u32(m.limits.encoder_threads);
  w.text(m.limits.encoder_preset, worker_word_size_bytes_max);
  w.u8(static_cast<std::uint8_t>(m.limits.sandbox));
  w.u64(m.limits.memory_bytes_max);
  w.milliseconds(m.limits.connect_time_max);
  w.u32(m.limits.reconnect_attempts_max);
  w.milliseconds(m.limits.reconnect_pause_min);
  w.milliseconds(m.limits.reconnect_pause_max);
  return w.finish();
}

wire_message encode_one(const worker_credit& m) {
  writer w(wire_type::credit);
  w.u64(m.bytes);
  return w.finish();
}

wire_message encode_one(const worker_stop&) { return writer(wire_type::stop).finish(); }

wire_message encode_one(const worker_certificate_verdict& m) {
  writer w(wire_type::verdict);
  w.flag(m.accepted);
  w.text(m.reason, worker_text_size_bytes_max);
  return w.finish();
}

wire_message encode_one(const worker_hello& m) {
  writer w(wire_type::hello);
  w.u32(m.version);
  return w.finish();
}

wire_message encode_one(const fragment& m) {
  writer w(wire_type::fragment);
  w.u8(static_cast<std::uint8_t>(m.on));
  w.u8(static_cast<std::uint8_t>(m.kind));
  w.flag(m.key_frame);
  w.u32(m.frame_count);
  w.i64(m.start_us);
  w.i64(m.end_us);
  return w.finish(m.bytes);
}

wire_message encode_one(const source_event& m) {
  writer w(wire_type::event);
  w.i64(m.at_us);
  w.text(m.kind, worker_word_size_bytes_max);
  w.text(m.detail, worker_detail_size_bytes_max);
  return w.finish();
}

wire_message encode_one(const worker_certificate& m) {
  writer w(wire_type::certificate);
  for (const auto* field : {&m.host, &m.fingerprint}) w.text(*field, worker_word_size_bytes_max);
  for (const auto* field : {&m.subject, &m.issuer}) w.text(*field, worker_text_size_bytes_max);
  return w.finish();
}

wire_message encode_one(const worker_stats& m) {
  writer w(wire_type::stats);
  for (auto number : {m.frame_count, m.sent_bytes, m.merged_count, m.cpu_us, m.credit_bytes}) w.u64(number);
  return w.finish();
}

wire_message encode_one(const worker_log& m) {
  writer w(wire_type::log);
  w.u8(static_cast<std::uint8_t>(m.level));
  w.text(m.text, worker_text_size_bytes_max);
  return w.finish();
}

wire_message encode_one(const worker_end& m) {
  writer w(wire_type::end);
  w.u8(static_cast<std::uint8_t>(m.code));
  w.flag(m.failed);
  w.text(m.reason, worker_text_size_bytes_max);
  return w.finish();
}

// --- reading -----------------------------------------------------------------------------------------------------

/// Reads fields in order and remembers the first thing that was wrong.
class reader {
public:
  explicit reader(byte_view bytes) : rest_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::int64_t i64() { return static_cast<std::int64_t>(number(8)); }

  bool flag() { return in_range(u8(), 0, 1, "a flag") == 1; }

  std::uint64_t in_range(std::uint64_t value, std::uint64_t low, std::uint64_t high, const char* what) {
    if (value < low || value > high)
      refuse(errc::protocol_violation, std::string(what) + " is " + std::to_string(value) + ", allowed are " +
                                         std::to_string(low) + " to " + std::to_string(high));
    return value;
  }

  std::chrono::milliseconds milliseconds(std::uint64_t low, std::uint64_t high, const char* what) {
    return std::chrono::milliseconds(in_range(u32(), low, high, what));
  }

  std::string text(std::size_t size_bytes_max, const char* what) {
    auto size = number(2);
    if (size > size_bytes_max) refuse(errc::protocol_violation, std::string(what) + " is too long");
    if (size > rest_.size()) refuse(errc::truncated, std::string(what) + " ends before its length");
    if (failure_) return {};
    std::string value(as_text(rest_.first(size)));
    rest_ = rest_.subspan(size);
    return value;
  }

  /// Everything that is left.
  byte_view rest() { return std::exchange(rest_, {}); }

  /// The verdict, once all fields are read.
  outcome<void> done() {
    if (!failure_ && !rest_.empty())
      refuse(errc::protocol_violation, std::to_string(rest_.size()) + " bytes too many");
    if (failure_) return tl::unexpected(*failure_);
    return {};
  }

private:
  std::uint64_t number(std::size_t size_bytes) {
    if (rest_.size() < size_bytes) {
      refuse(errc::truncated, "the body ends inside a number");
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size_bytes; ++i) value |= std::uint64_t{rest_[i]} << (8 * i);
    rest_ = rest_.subspan(size_bytes);
    return value;
  }

  void refuse(errc code, std::string what) {
    if (!failure_) failure_ = error{code, "worker protocol", std::move(what), nullptr};
  }

  byte_view rest_;
  std::optional<error> failure_;
};

worker_start read_start(reader& r) {
  worker_start m;
  m.what.source = r.text(worker_source_size_bytes_max, "the source");
  m.what.username = r.text(worker_word_size_bytes_max, "the user name");
  m.what.password = r.text(worker_secret_size_bytes_max, "the password");
  m.what.width = r.u32();
  m.what.height = r.u32();
  m.what.frame_rate_max = static_cast<std::uint32_t>(r.in_range(r.u32(), 1, 240, "the frame rate"));
  m.what.encoder = r.text(worker_word_size_bytes_max, "the encoder's name");
  m.what.quality = static_cast<std::uint32_t>(r.in_range(r.u32(), 0, 51, "the quality"));
  m.resume.frame_count = r.u64();
  m.resume.recorded_until_us = r.i64();
  m.base_us = r.i64();
  m.credit_bytes = r.u64();
  m.limits.fragment_interval = r.milliseconds(50, 10'000, "the fragment interval in ms");
  m.limits.key_frame_interval = r.milliseconds(100, 60'000, "the key frame interval in ms");
  m.limits.encoder_threads = static_cast<std::uint32_t>(r.in_range(r.u32(), 0, 16, "the number of encoder threads"));
  m.limits.encoder_preset = r.text(worker_word_size_bytes_max, "the preset's name");
  m.limits.sandbox = static_cast<worker_sandbox>(r.in_range(r.u8(), 0, 2, "the sandbox"));
  m.limits.memory_bytes_max = r.in_range(r.u64(), 128ull << 20, 64ull << 30, "the memory in bytes");
  m.limits.connect_time_max = r.milliseconds(100, 300'000, "the time to connect in ms");
  m.limits.reconnect_attempts_max =
    static_cast<std::uint32_t>(r.in_range(r.u32(), 0, 10'000, "the number of attempts to reconnect"));
  m.limits.reconnect_pause_min = r.milliseconds(10, 60'000, "the shortest pause in ms");
  m.limits.reconnect_pause_max = r.milliseconds(10, 3'600'000, "the longest pause in ms");
  return m;
}

/// The tail of `body` becomes the payload without being copied to a new buffer.
fragment read_fragment(reader& r, byte_buffer& body) {
  fragment m;
  m.on = static_cast<track>(r.in_range(r.u8(), 0, track_count - 1, "the track"));
  m.kind = static_cast<fragment_kind>(r.in_range(r.u8(), 1, 3, "the kind of fragment"));
  r.in_range((m.on == track::events) == (m.kind == fragment_kind::event), 1, 1, "the match of track and kind");
  m.key_frame = r.flag();
  m.frame_count = r.u32();
  m.start_us = r.i64();
  m.end_us = r.i64();
  r.in_range(m.start_us <= m.end_us, 1, 1, "the order of start and end");
  r.in_range(m.kind == fragment_kind::event || (m.kind == fragment_kind::media) == (m.frame_count > 0), 1, 1,
             "the match of kind and frame count");
  r.in_range(!m.key_frame || m.kind == fragment_kind::media, 1, 1, "a key frame without media");
  auto size = r.rest().size();
  r.in_range(size, 1, fragment_size_bytes_max, "the size of a fragment in bytes");
  body.erase(body.begin(), body.end() - static_cast<std::ptrdiff_t>(size));
  m.bytes = payload(std::move(body));
  return m;
}

source_event read_event(reader& r) {
  source_event m;
  m.at_us = r.i64();
  m.kind = r.text(worker_word_size_bytes_max, "the kind of event");
  m.detail = r.text(worker_detail_size_bytes_max, "the event's detail");
  return m;
}

worker_certificate read_certificate(reader& r) {
  worker_certificate m;
  m.host = r.text(worker_word_size_bytes_max, "the host");
  m.fingerprint = r.text(worker_word_size_bytes_max, "the fingerprint");
  m.subject = r.text(worker_text_size_bytes_max, "the subject");
  m.issuer = r.text(worker_text_size_bytes_max, "the issuer");
  return m;
}

worker_stats read_stats(reader& r) {
  worker_stats m;
  for (auto* number : {&m.frame_count, &m.sent_bytes, &m.merged_count, &m.cpu_us, &m.credit_bytes}) *number = r.u64();
  return m;
}

worker_log read_log(reader& r) {
  worker_log m;
  m.level = static_cast<worker_log_level>(r.in_range(r.u8(), 1, 4, "the log level"));
  m.text = r.text(worker_text_size_bytes_max, "the log line");
  return m;
}

worker_end read_end(reader& r) {
  worker_end m;
  m.code = static_cast<errc>(r.in_range(r.u8(), 1, static_cast<std::uint64_t>(errc_last), "the error code"));
  m.failed = r.flag();
  m.reason = r.text(worker_text_size_bytes_max, "the reason");
  return m;
}

tl::unexpected<error> unknown_type(std::uint8_t type) {
  return fail(errc::protocol_violation, "worker protocol", "no message has type " + std::to_string(type));
}

/// One body. `body` may be moved from.
outcome<void> decode_body(std::uint8_t type, byte_buffer& body, std::vector<node_message>& into) {
  reader r(body);
  std::optional<node_message> message;
  switch (static_cast<wire_type>(type)) {
    case wire_type::start: message = read_start(r); break;
    case wire_type::credit: message = worker_credit{r.u64()}; break;
    case wire_type::stop: message = worker_stop{}; break;
    case wire_type::verdict: {
      auto accepted = r.flag();
      message = worker_certificate_verdict{accepted, r.text(worker_text_size_bytes_max, "the reason")};
      break;
    }
    default: return unknown_type(type);
  }
  if (auto done = r.done(); !done) return done;
  into.push_back(std::move(*message));
  return {};
}

outcome<void> decode_body(std::uint8_t type, byte_buffer& body, std::vector<worker_message>& into) {
  reader r(body);
  std::optional<worker_message> message;
  switch (static_cast<wire_type>(type)) {
    case wire_type::hello: message = worker_hello{r.u32()}; break;
    case wire_type::fragment: message = read_fragment(r, body); break;
    case wire_type::event: message = read_event(r); break;
    case wire_type::certificate: message = read_certificate(r); break;
    case wire_type::stats: message = read_stats(r); break;
    case wire_type::log: message = read_log(r); break;
    case wire_type::end: message = read_end(r); break;
    default: return unknown_type(type);
  }
  if (auto done = r.done(); !done) return done;
  into.push_back(std::move(*message));
  return {};
}

} // namespace

outcome<wire_message> encode(const node_message& message) {
  return std::visit([](const auto& m) { return encode_one(m); }, message);
}

outcome<wire_message> encode(const worker_message& message) {
  if (const auto* f = std::get_if<fragment>(&message))
    if (f->bytes.empty() || f->bytes.size() > fragment_size_bytes_max)
      return fail(errc::limit_exceeded, "worker protocol",
                  "a fragment has 1 to " + std::to_string(fragment_size_bytes_max) + " bytes, this one has " +
                    std::to_string(f->bytes.size()));
  return std::visit([](const auto& m) { return encode_one(m); }, message);
}

template <class Message>
outcome<std::vector<Message>> worker_decoder<Message>::feed(byte_view bytes) {
  std::vector<Message> messages;
  while (!failed_ && !bytes.empty())
    if (auto taken = take(bytes, messages); !taken) {
      failed_ = true;
      failure_ = taken.error();
    }
  if (failed_) return tl::unexpected(failure_);
  return messages;
}

/// Takes what the message under way still lacks, and the message itself once it is whole.
template <class Message>
outcome<void> worker_decoder<Message>::take(byte_view& bytes, std::vector<Message>& into) {
  while (head_.size() < worker_head_size_bytes && !bytes.empty()) {
    head_.push_back(bytes.front());
    bytes = bytes.subspan(1);
  }
  if (head_.size() < worker_head_size_bytes) return {};
  if (body_.empty()) {
    body_size_bytes_ = head_[0] | head_[1] << 8 | head_[2] << 16 | static_cast<std::size_t>(head_[3]) << 24;
    if (body_size_bytes_ > worker_body_size_bytes_max)
      return fail(errc::limit_exceeded, "worker protocol",
                  "a message of " + std::to_string(body_size_bytes_) + " bytes was announced, at most " +
                    std::to_string(worker_body_size_bytes_max) + " are allowed");
    body_.reserve(body_size_bytes_);
  }
  auto part = bytes.first(std::min(bytes.size(), body_size_bytes_ - body_.size()));
  body_.insert(body_.end(), part.begin(), part.end());
  bytes = bytes.subspan(part.size());
  if (body_.size() < body_size_bytes_) return {};
  auto type = head_[4];
  auto body = std::exchange(body_, {});
  head_.clear();
  return decode_body(type, body, into);
}

template class worker_decoder<node_message>;
template class worker_decoder<worker_message>;

} // namespace lucid

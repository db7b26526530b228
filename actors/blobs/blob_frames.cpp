// actors/blobs/blob_frames.cpp - the bytes of the frames.
#include "actors/blobs/blob_frames.hpp"

#include "actors/format/little_endian.hpp"

namespace lucid::blob_frames {
namespace {

constexpr std::size_t head_bytes = 2;
constexpr std::size_t id_bytes = sizeof(blob_id);
/// By kind - 1. Of a piece: with its first byte.
constexpr std::array<std::size_t, 7> length_min{head_bytes + id_bytes + 8 + 32 + 1,
                                                head_bytes + id_bytes + 8,
                                                head_bytes + id_bytes + 1,
                                                piece_head_bytes + 1,
                                                head_bytes + 4,
                                                head_bytes + id_bytes,
                                                head_bytes + id_bytes};
constexpr std::size_t piece_kind = 4;

void put(field_writer& w, const offer& f) {
  w.put(byte_view(f.what.id)).put(f.what.size_bytes).put(byte_view(f.what.content)).put(std::uint8_t{0});
}
void put(field_writer& w, const accept& f) { w.put(byte_view(f.id)).put(f.offset); }
void put(field_writer& w, const refuse& f) { w.put(byte_view(f.id)).put(static_cast<std::uint8_t>(f.reason)); }
void put(field_writer&, const piece&) {}
void put(field_writer& w, const credit& f) { w.put(f.bytes); }
void put(field_writer& w, const done& f) { w.put(byte_view(f.id)); }
void put(field_writer& w, const abort& f) { w.put(byte_view(f.id)); }

byte_buffer encode_piece(const piece& p) {
  byte_buffer bytes;
  bytes.reserve(piece_head_bytes + p.bytes.size());
  bytes.resize(piece_head_bytes);
  field_writer(bytes).put(static_cast<std::uint8_t>(mesh_channel::blob)).put(static_cast<std::uint8_t>(piece_kind))
    .put(byte_view(p.id)).put(p.offset);
  bytes.insert(bytes.end(), p.bytes.begin(), p.bytes.end()); // Not filled with zeros first.
  return bytes;
}

tl::unexpected<error> broken(std::string what) { return fail(errc::protocol_violation, "blobs", std::move(what)); }

outcome<frame> read_offer(field_reader& in) {
  offer f;
  in.get(f.what.id);
  f.what.size_bytes = in.get<std::uint64_t>();
  in.get(f.what.content);
  if (in.get<std::uint8_t>() != 0) return fail(errc::unsupported, "blobs", "an offer for an unknown purpose");
  if (f.what.size_bytes == 0 || f.what.size_bytes > payload::size_bytes_max)
    return broken("an offer of " + std::to_string(f.what.size_bytes) + " bytes");
  return f;
}

outcome<frame> read_refuse(field_reader& in) {
  refuse f;
  in.get(f.id);
  auto reason = in.get<std::uint8_t>();
  if (reason < static_cast<int>(refusal::busy) || reason > static_cast<int>(refusal::corrupted))
    return fail(errc::unsupported, "blobs", "a refusal for the unknown reason " + std::to_string(reason));
  f.reason = static_cast<refusal>(reason);
  return f;
}

} // namespace

byte_buffer encode(const frame& what) {
  if (auto p = std::get_if<piece>(&what)) return encode_piece(*p);
  byte_buffer bytes(length_min[what.index()]);
  field_writer w(bytes);
  w.put(static_cast<std::uint8_t>(mesh_channel::blob)).put(static_cast<std::uint8_t>(what.index() + 1));
  std::visit([&w](const auto& f) { put(w, f); }, what);
  return bytes;
}

outcome<frame> decode(byte_view bytes) {
  if (bytes.size() < head_bytes || bytes.size() > mesh_frame_bytes_max)
    return broken("a frame of " + std::to_string(bytes.size()) + " bytes");
  if (bytes[0] != static_cast<std::uint8_t>(mesh_channel::blob)) return broken("a frame of another channel");
  std::size_t kind = bytes[1];
  if (kind == 0 || kind > length_min.size())
    return fail(errc::unsupported, "blobs", "a frame of the unknown kind " + std::to_string(kind));
  auto expected = length_min[kind - 1];
  if (kind == piece_kind ? bytes.size() < expected : bytes.size() != expected)
    return broken("a frame of kind " + std::to_string(kind) + " has " + std::to_string(bytes.size()) + " bytes");
  field_reader in(bytes.subspan(head_bytes));
  switch (kind) {
    case 1: return read_offer(in);
    case 2: {
      accept f;
      in.get(f.id);
      f.offset = in.get<std::uint64_t>();
      return f;
    }
    case 3: return read_refuse(in);
    case 4: {
      piece f;
      in.get(f.id);
      f.offset = in.get<std::uint64_t>();
      f.bytes = bytes.subspan(piece_head_bytes);
      return f;
    }
    case 5: return credit{in.get<std::uint32_t>()};
    case 6: {
      done f;
      in.get(f.id);
      return f;
    }
    default: {
      abort f;
      in.get(f.id);
      return f;
    }
  }
}

} // namespace lucid::blob_frames

// actors/format/manifest_codec.cpp - canonical JSON of a manifest, its hash and signature.
#include "actors/format/manifest_codec.hpp"

#include <algorithm>

#include "actors/format/canonical_json.hpp"
#include "actors/format/chunk_codec.hpp"
#include "actors/format/contexts.hpp"
#include "actors/format/merkle.hpp"
#include "actors/format/signing.hpp"
#include "messages/session.hpp"

namespace lucid {
namespace {

constexpr const char* who = "manifest";
constexpr std::string_view format_name = "lucid manifest";

const char* name_of(track on) noexcept { return on == track::video ? "video" : "events"; }

json to_json(const chunk_record& c) {
  return {{"content", to_hex(c.content)},
          {"end_us", c.span.end_us},
          {"first_sequence", c.span.first_sequence},
          {"frame_count", c.span.frame_count},
          {"index", c.key.index},
          {"last_sequence", c.span.last_sequence},
          {"plain_size_bytes", c.plain_size_bytes},
          {"root", to_hex(c.root)},
          {"sealed_size_bytes", c.sealed_size_bytes},
          {"start_us", c.span.start_us}};
}

json to_json(const manifest_track& t) {
  auto chunks = json::array();
  for (const auto& chunk : t.chunks) chunks.push_back(to_json(chunk));
  return {{"chunks", std::move(chunks)}, {"media_type", t.media_type}, {"track", name_of(t.on)}};
}

json to_json(const manifest& m) {
  auto keys = json::array();
  for (const auto& key : m.keys)
    keys.push_back({{"recipient", to_hex(key.recipient)}, {"sealed", to_hex(key.sealed)}});
  auto tracks = json::array();
  for (const auto& t : m.tracks) tracks.push_back(to_json(t));
  return {{"ended_us", m.ended_us},
          {"format", format_name},
          {"gap_count", m.gap_count},
          {"interrupted", m.interrupted},
          {"key_commitment", to_hex(m.key_commitment)},
          {"keys", std::move(keys)},
          {"owner", m.owner},
          {"reason", m.reason},
          {"recorder", to_hex(m.recorder)},
          {"root", to_hex(m.root)},
          {"session", to_hex(m.session)},
          {"software", m.software},
          {"source", m.source},
          {"started_us", m.started_us},
          {"title", m.title},
          {"tracks", std::move(tracks)},
          {"version", m.version}};
}

chunk_record read_chunk(json_reader& outer, const json& value, const std::string& where, const chunk_key& key,
                        std::uint64_t sequence_before) {
  json_reader in(value, where, who);
  chunk_record c;
  c.key = key;
  in.hex("content", c.content);
  c.span.end_us = in.time("end_us");
  c.span.first_sequence = in.number("first_sequence");
  c.span.frame_count = static_cast<std::uint32_t>(in.number("frame_count", UINT32_MAX));
  if (in.number("index", chunk_count_max - 1) != key.index) in.refuse("index", "expected " + std::to_string(key.index));
  c.span.last_sequence = in.number("last_sequence");
  c.plain_size_bytes = in.number("plain_size_bytes", chunk_size_bytes_max);
  in.hex("root", c.root);
  c.sealed_size_bytes = in.number("sealed_size_bytes", chunk_size_bytes_max + chunk_overhead_size_bytes);
  c.span.start_us = in.time("start_us");
  if (c.span.first_sequence > c.span.last_sequence) in.refuse("first_sequence", "above last_sequence");
  if (key.index > 0 && c.span.first_sequence <= sequence_before)
    in.refuse("first_sequence", "not above that of the chunk before");
  if (c.span.start_us > c.span.end_us) in.refuse("start_us", "after end_us");
  if (c.sealed_size_bytes < chunk_overhead_size_bytes ||
      c.sealed_size_bytes > c.plain_size_bytes + chunk_overhead_size_bytes)
    in.refuse("sealed_size_bytes", "does not go with plain_size_bytes");
  if (auto done = in.finish(); !done) outer.absorb(in);
  return c;
}

manifest_track read_track(json_reader& outer, const json& value, std::size_t position, const session_id& session) {
  auto where = "tracks[" + std::to_string(position) + "]";
  json_reader in(value, where, who);
  manifest_track t;
  auto name = in.text("track", 6);
  t.on = name == name_of(track::events) ? track::events : track::video;
  if (name != name_of(t.on)) in.refuse("track", "expected \"video\" or \"events\"");
  t.media_type = in.text("media_type", manifest_text_size_bytes_max);
  const auto& chunks = in.list("chunks", chunk_count_max);
  t.chunks.reserve(chunks.size());
  std::uint64_t sequence_before = 0;
  for (const auto& chunk : chunks) {
    auto index = static_cast<std::uint32_t>(t.chunks.size());
    auto place = where + ".chunks[" + std::to_string(index) + "]";
    t.chunks.push_back(read_chunk(in, chunk, place, {session, t.on, index}, sequence_before));
    if (!in.good()) break;
    sequence_before = t.chunks.back().span.last_sequence;
  }
  if (auto done = in.finish(); !done) outer.absorb(in);
  return t;
}

void read_keys(json_reader& outer, std::vector<wrapped_key>& keys) {
  const auto& list = outer.list("keys", recipient_count_max);
  for (const auto& value : list) {
    json_reader in(value, "keys[" + std::to_string(keys.size()) + "]", who);
    wrapped_key key;
    in.hex("recipient", key.recipient);
    in.hex("sealed", key.sealed);
    auto same = [&](const wrapped_key& k) { return k.recipient == key.recipient; };
    if (std::any_of(keys.begin(), keys.end(), same)) in.refuse("recipient", "named twice");
    if (auto done = in.finish(); !done) return outer.absorb(in);
    keys.push_back(key);
  }
}

void read_tracks(json_reader& outer, manifest& m) {
  const auto& list = outer.list("tracks", track_count);
  for (const auto& value : list) {
    m.tracks.push_back(read_track(outer, value, m.tracks.size(), m.session));
    if (!outer.good()) return;
    if (m.tracks.size() > 1 && m.tracks[m.tracks.size() - 2].on >= m.tracks.back().on)
      return outer.refuse("tracks", "expected each track once, video first");
  }
}

outcome<manifest> from_json(const json& value) {
  json_reader in(value, "", who);
  manifest m;
  if (in.text("format", 64) != format_name) in.refuse("format", "expected \"lucid manifest\"");
  m.version = static_cast<std::uint32_t>(in.number("version", UINT32_MAX));
  if (in.good() && m.version != 1)
    in.refuse("version", std::to_string(m.version) + ", this build reads version 1", errc::unsupported);
  in.hex("session", m.session);
  m.title = in.text("title", manifest_text_size_bytes_max);
  m.owner = in.text("owner", manifest_text_size_bytes_max);
  m.source = in.text("source", manifest_source_size_bytes_max);
  in.hex("recorder", m.recorder);
  m.software = in.text("software", manifest_text_size_bytes_max);
  m.interrupted = in.flag("interrupted");
  m.reason = in.text("reason", manifest_reason_size_bytes_max);
  m.started_us = in.time("started_us");
  m.ended_us = in.time("ended_us");
  m.gap_count = in.number("gap_count");
  in.hex("key_commitment", m.key_commitment);
  read_keys(in, m.keys);
  if (in.good()) read_tracks(in, m);
  in.hex("root", m.root);
  if (m.started_us > m.ended_us) in.refuse("started_us", "after ended_us");
  if (in.good() && session_root(m.tracks) != m.root) in.refuse("root", "not the root over the chunks' roots");
  if (auto done = in.finish(); !done) return pass_on(std::move(done));
  return m;
}

/// What the JSON would not show because it does not repeat it.
outcome<void> check_chunk_places(const manifest& m) {
  for (const auto& t : m.tracks)
    for (std::size_t i = 0; i < t.chunks.size(); ++i)
      if (t.chunks[i].key != chunk_key{m.session, t.on, static_cast<std::uint32_t>(i)})
        return fail(errc::invalid_input, who,
                    std::string("tracks: chunk ") + std::to_string(i) + " of " + name_of(t.on) +
                      " has the key of another place");
  return {};
}

} // namespace

digest session_root(const std::vector<manifest_track>& tracks) {
  std::vector<digest> roots;
  for (const auto& t : tracks)
    for (const auto& chunk : t.chunks) roots.push_back(chunk.root);
  return merkle_root(roots);
}

outcome<std::string> encode_manifest(const manifest& m) {
  if (auto places = check_chunk_places(m); !places) return pass_on(std::move(places));
  auto value = to_json(m);
  auto text = canonical_text(value, who);
  if (!text) return text;
  if (text->size() > manifest_size_bytes_max)
    return fail(errc::limit_exceeded, who, "the manifest is above the bound of 32 MiB; record in shorter sessions");
  // Whoever writes a manifest is held to the rules of whoever reads it.
  if (auto checked = from_json(value); !checked) return pass_on(std::move(checked));
  return text;
}

outcome<manifest> decode_manifest(std::string_view canonical) {
  auto value = parse_canonical(canonical, manifest_size_bytes_max, who);
  if (!value) return pass_on(std::move(value));
  return from_json(*value);
}

outcome<signed_manifest> sign_manifest(const manifest& m, const sign_key& key) {
  if (m.recorder != key.public_key())
    return fail(errc::invalid_input, who, "recorder: not the public half of the signing key");
  auto text = encode_manifest(m);
  if (!text) return pass_on(std::move(text));
  signed_manifest result;
  result.hash = blake3(as_bytes(*text));
  result.by = key.sign(signed_message(contexts::manifest_signature, result.hash));
  result.canonical = std::move(*text);
  return result;
}

outcome<manifest> verify_manifest(const signed_manifest& document) {
  auto hash = blake3(as_bytes(document.canonical));
  auto m = decode_manifest(document.canonical);
  if (!m) return m;
  if (hash != document.hash)
    return fail(errc::corrupted, who, "the text has hash " + to_hex(hash) + ", stated is " + to_hex(document.hash));
  if (!verify_signature(document.by, signed_message(contexts::manifest_signature, hash), m->recorder))
    return fail(errc::bad_signature, who, "the signature of recorder " + to_hex(m->recorder) + " does not verify");
  return m;
}

} // namespace lucid

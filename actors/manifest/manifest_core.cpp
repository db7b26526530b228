// actors/manifest/manifest_core.cpp - from rows to manifest.
#include "actors/manifest/manifest_core.hpp"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "actors/format/manifest_codec.hpp"
#include "messages/version.hpp"

namespace lucid {
namespace {

const char* media_type_of(track on) noexcept {
  return on == track::video ? "video/mp4" : "application/jsonl";
}

outcome<void> check_follows(const manifest_track& of, const chunk_record& next) {
  auto what = std::string(of.media_type) + " chunk " + std::to_string(next.key.index);
  if (next.key.index != of.chunks.size())
    return fail(errc::corrupted, "manifest",
                what + " stands where chunk " + std::to_string(of.chunks.size()) + " is due: the store has lost one");
  if (!of.chunks.empty() && next.span.first_sequence <= of.chunks.back().span.last_sequence)
    return fail(errc::corrupted, "manifest", what + " overlaps the one before it");
  return {};
}

bool is_recipient(const session_policy& policy, const wrapped_key& key) {
  return std::find(policy.recipients.begin(), policy.recipients.end(), key.recipient) != policy.recipients.end();
}

// The video says when a recording began and ended; without any, the events do.
void set_times(manifest& m) {
  const manifest_track* seen = nullptr;
  for (auto& of : m.tracks)
    if (!seen || of.on == track::video) seen = &of;
  m.started_us = seen->chunks.front().span.start_us;
  for (auto& chunk : seen->chunks) m.ended_us = std::max(m.ended_us, chunk.span.end_us);
}

} // namespace

outcome<manifest> build_manifest(const session_row& row, std::vector<chunk_record> chunks,
                                 const manifest_facts& facts) {
  if (chunks.empty()) return fail(errc::wrong_state, "manifest", "the session has no chunks");
  std::sort(chunks.begin(), chunks.end(), [](const chunk_record& a, const chunk_record& b) {
    return std::tie(a.key.on, a.key.index) < std::tie(b.key.on, b.key.index);
  });

  manifest m;
  m.session = row.summary.id;
  m.title = row.policy.title;
  m.owner = row.policy.owner;
  m.source = row.summary.source;
  m.recorder = facts.recorder;
  m.software = software_name;
  m.interrupted = facts.interrupted;
  m.reason = row.summary.reason;
  m.key_commitment = facts.key_commitment;
  for (auto& key : row.keys)
    if (is_recipient(row.policy, key)) m.keys.push_back(key);
  if (m.keys.empty()) return fail(errc::wrong_state, "manifest", "nobody could open the recording: no recipient's key");

  for (auto& chunk : chunks) {
    if (m.tracks.empty() || m.tracks.back().on != chunk.key.on)
      m.tracks.push_back({chunk.key.on, media_type_of(chunk.key.on), {}});
    if (auto follows = check_follows(m.tracks.back(), chunk); !follows) return pass_on(std::move(follows));
    if (chunk.key.on == track::events) m.gap_count += chunk.span.frame_count;
    m.tracks.back().chunks.push_back(chunk);
  }
  set_times(m);
  m.root = session_root(m.tracks);
  return m;
}

anchor_entry anchor_entry_of(const manifest& m, const digest& manifest_hash) {
  return {m.session, manifest_hash, m.root, m.ended_us};
}

} // namespace lucid

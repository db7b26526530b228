// actors/adoption/adoption_core.cpp - the choice of chunks, and the words for what happened.
#include "actors/adoption/adoption_core.hpp"

#include <algorithm>
#include <tuple>

namespace lucid {
namespace {

std::string short_node_id(const node_id& id) { return to_hex(byte_view(id).first(6)); }

bool is_member(const cluster_view& cluster, const node_id& id) {
  return std::any_of(cluster.members.begin(), cluster.members.end(),
                     [&](auto& m) { return m.id == id && m.state != member_state::removed; });
}

bool is_before(const chunk_record& a, const chunk_record& b) {
  return std::tie(a.key.on, a.key.index) < std::tie(b.key.on, b.key.index);
}

/// Of each track the chunks 0, 1, 2 ... up to the first that is missing.
std::deque<chunk_record> without_holes(std::vector<chunk_record> chunks) {
  std::sort(chunks.begin(), chunks.end(), is_before);
  std::deque<chunk_record> whole;
  for (auto& chunk : chunks) {
    bool begins = whole.empty() || whole.back().key.on != chunk.key.on;
    if (chunk.key.index == (begins ? 0 : whole.back().key.index + 1)) whole.push_back(chunk);
  }
  return whole;
}

std::string count_of(std::size_t n, const std::string& one) { return std::to_string(n) + ' ' + one + (n == 1 ? "" : "s"); }

} // namespace

outcome<void> check_recorder_is_lost(const cluster_view& cluster, const node_id& origin) {
  if (cluster.name.empty() || !is_member(cluster, cluster.self))
    return fail(errc::wrong_state, "adoption",
                "this node is in no cluster at present: only a member knows whether the recorder is one still");
  if (!is_member(cluster, origin)) return {};
  auto name = name_in(cluster, origin);
  return fail(errc::wrong_state, "adoption",
              "its recorder " + name + " is a member of the cluster and finishes its recordings itself when it comes back; if it "
              "is lost for good: `lucid cluster remove " + name + "`, then adopt");
}

bool may_change_hands(const cluster_view& cluster, const node_id& from, const node_id& to) {
  return check_recorder_is_lost(cluster, from) && is_member(cluster, to);
}

std::string name_in(const cluster_view& cluster, const node_id& node) {
  for (auto& m : cluster.members)
    if (m.id == node) return m.name;
  for (auto& m : cluster.former)
    if (m.id == node) return m.name;
  return short_node_id(node);
}

outcome<void> check_can_be_finished(const lost_recording& lost) {
  auto name = short_id(lost.row.summary.id);
  if (lost.what) return {};
  if (without_holes(lost.chunks).empty())
    return fail(errc::not_found, "adoption",
                "of session " + name + " no track has its first chunk here: there is nothing to finish");
  if (lost.row.keys.empty())
    return fail(errc::wrong_state, "adoption", "of session " + name + " there is no recipient's key: nobody could open it");
  if (lost.row.key_commitment == digest{})
    return fail(errc::wrong_state, "adoption",
                "the recorder of session " + name + " was of an earlier version and told no commitment to its key, which a "
                "manifest states; the chunks stay as they are");
  return {};
}

adoption_core::adoption_core(lost_recording lost, std::string origin_name, std::string own_name)
  : lost_(std::move(lost)), origin_name_(std::move(origin_name)), own_name_(std::move(own_name)) {
  if (!lost_.what) {
    wanted_ = without_holes(lost_.chunks);
    known_ = lost_.chunks.size();
    return;
  }
  for (auto& track : lost_.what->tracks) wanted_.insert(wanted_.end(), track.chunks.begin(), track.chunks.end());
  known_ = wanted_.size();
}

session_put_request adoption_core::first_row() const {
  auto& row = lost_.row;
  session_put_request request{row.summary, row.what, row.policy, row.keys, row.key_commitment};
  auto& s = request.summary;
  s.state = session_state::sealing;
  s.block_height = 0; // It gets a place of its own: the recorder's chain may be lost with it.
  s.block_producer = {};
  s.chunk_count = 0;
  s.stored_bytes = 0;
  return request;
}

void adoption_core::has(const std::vector<chunk_record>& stored) {
  std::erase_if(wanted_, [&](const chunk_record& w) {
    return std::any_of(stored.begin(), stored.end(), [&](const chunk_record& s) { return s.key == w.key; });
  });
}

std::optional<chunk_record> adoption_core::next() const {
  if (wanted_.empty()) return std::nullopt;
  return wanted_.front();
}

void adoption_core::taken() { wanted_.pop_front(); }

void adoption_core::unfit() {
  auto on = wanted_.front().key.on;
  wanted_.pop_front();
  if (!lost_.what) std::erase_if(wanted_, [&](const chunk_record& w) { return w.key.on == on; });
}

session_summary adoption_core::row_with(const std::vector<chunk_record>& stored) const {
  auto s = first_row().summary;
  s.state = stored.empty() ? session_state::failed : session_state::storing;
  s.interrupted = lost_.what ? lost_.what->interrupted : true;
  s.chunk_count = static_cast<std::uint32_t>(stored.size());
  s.frame_count = s.gap_count = s.captured_bytes = s.fragment_count = 0;
  s.started_us = s.ended_us = 0;
  bool has_video = std::any_of(stored.begin(), stored.end(), [](const chunk_record& c) { return c.key.on == track::video; });
  for (auto& c : stored) {
    s.stored_bytes += c.sealed_size_bytes;
    s.captured_bytes += c.plain_size_bytes;
    s.fragment_count = std::max(s.fragment_count, c.span.last_sequence); // Numbered from 1 over all tracks.
    (c.key.on == track::video ? s.frame_count : s.gap_count) += c.span.frame_count;
    if (has_video && c.key.on != track::video) continue; // The video says when it began and ended, where there is any.
    if (s.started_us == 0 || c.span.start_us < s.started_us) s.started_us = c.span.start_us;
    s.ended_us = std::max(s.ended_us, c.span.end_us);
  }
  s.reason = reason(stored.size());
  return s;
}

std::string adoption_core::reason(std::size_t taken) const {
  auto left_out = known_ - std::min(known_, taken);
  if (taken == 0) return "the recorder " + origin_name_ + " was lost, and no copy of a chunk is what was sealed";
  if (lost_.what) {
    auto text = lost_.what->reason + "; the recorder " + origin_name_ + " was lost, " + own_name_ +
                " keeps its recording from copies";
    if (left_out > 0) text += "; " + count_of(left_out, "chunk") + " of " + std::to_string(known_) + " missing";
    return text;
  }
  auto text = "the recorder " + origin_name_ + " was lost; finished by " + own_name_ + " from copies";
  if (left_out > 0) text += "; " + count_of(left_out, "chunk") + " behind a hole left out";
  return text;
}

session_summary adoption_core::finished(session_summary row, std::uint64_t block_height,
                                        const sign_public_key& block_producer) {
  row.state = row.interrupted ? session_state::interrupted : session_state::completed;
  row.block_height = block_height;
  row.block_producer = block_producer;
  return row;
}

} // namespace lucid

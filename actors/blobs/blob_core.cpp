// actors/blobs/blob_core.cpp - offers, pieces, credit, and what a broken link leaves.
#include "actors/blobs/blob_core.hpp"

#include <algorithm>
#include <limits>

namespace lucid {
namespace {

using namespace blob_frames;

/// Credit that a peer may give at all: nobody sets more (mesh.chunk_credit_bytes ends at 64 MiB).
constexpr std::uint64_t credit_bytes_max = 64u << 20;
/// Credit goes back in quarters of the bound: a frame for each piece would be as many frames as pieces. In smaller parts of a
/// large one: it also tells the sender that there is room in its queue again (blob_links).
constexpr std::uint64_t credit_parts = 4;
constexpr std::uint64_t credit_part_bytes_max = 256u << 10;
/// A little credit is not worth a frame of its own. Below three quarters of the least credit that can be configured:
/// a receiver may hold back up to one quarter.
constexpr std::uint64_t piece_bytes_min = 16u << 10;
/// What the bucket holds: a tenth of a second, and at least one piece.
constexpr double bucket_seconds = 0.1;

std::string shown(const blob_id& id) { return to_hex(byte_view(id).first(6)); }

tl::unexpected<error> not_sent(errc code, const blob_id& id, std::string why) {
  return fail(code, "blobs", "blob " + shown(id) + " cannot be sent: " + std::move(why));
}

} // namespace

// --- the link ------------------------------------------------------------------------------------------------------

void blob_core::say(const node_id& to, const blob_frames::frame& what, blob_effects& out) {
  out.frames.push_back({to, encode(what)});
}

void blob_core::up(const node_id& id, time now, blob_effects& out) {
  auto& peer = peers_[id];
  if (peer.up) take_link_down(peer, now);
  peer.up = true;
  peer.owed = limits_.credit_bytes;
  give_credit(id, peer, true, out);
  for (auto& s : peer.sends) s.retry_at = now; // At once, whoever refused before.
  offer_more(id, peer, now, out);
}

void blob_core::down(const node_id& id, time now) {
  if (auto found = peers_.find(id); found != peers_.end()) take_link_down(found->second, now);
}

void blob_core::take_link_down(peer_state& peer, time now) {
  peer.up = false;
  peer.down_at = now;
  peer.may_send = peer.may_receive = peer.owed = 0;
  // Those that had begun are offered first: the receiver has parts of them, and room for no others.
  std::stable_partition(peer.sends.begin(), peer.sends.end(), [](const outgoing& s) { return s.offset > 0; });
  for (auto& s : peer.sends) s.at = stage::waiting;
  for (auto& [id, p] : peer.partial) {
    p.accepted = false;
    p.progress_at = now;
  }
}

void blob_core::violation(const node_id& id, std::string what, time now, blob_effects& out) {
  ++counters_.violations;
  out.cuts.push_back({id, error{errc::protocol_violation, "blobs", std::move(what), nullptr}});
  down(id, now);
}

void blob_core::frame(const node_id& from, byte_view bytes, time now, blob_effects& out) {
  auto found = peers_.find(from);
  if (found == peers_.end() || !found->second.up) return; // Behind a cut: what was under way then.
  auto decoded = decode(bytes);
  if (!decoded) return violation(from, decoded.error().what, now, out);
  std::visit([&](const auto& f) { on(f, from, found->second, now, out); }, *decoded);
}

// --- sending -------------------------------------------------------------------------------------------------------

void blob_core::send(std::uint64_t token, const node_id& to, const blob_id& id, payload bytes, const digest& content, time now,
                     blob_effects& out) {
  auto refuse_it = [&](errc code, std::string why) { out.sends.push_back({token, not_sent(code, id, std::move(why))}); };
  if (bytes.empty() || bytes.size() > payload::size_bytes_max)
    return refuse_it(errc::limit_exceeded, "it has " + std::to_string(bytes.size()) + " bytes");
  auto& peer = peers_[to];
  if (peer.sends.size() >= limits_.sends_per_peer_max)
    return refuse_it(errc::busy, std::to_string(peer.sends.size()) + " others wait for the same peer");
  if (find_send(peer, id) != peer.sends.end()) return refuse_it(errc::already_exists, "one of this id is on its way");
  outgoing s;
  s.token = token;
  s.what = {id, bytes.size(), content};
  s.bytes = std::move(bytes);
  s.retry_at = s.progress_at = now;
  peer.sends.push_back(std::move(s));
  offer_more(to, peer, now, out);
}

std::deque<blob_core::outgoing>::iterator blob_core::find_send(peer_state& peer, const blob_id& id) {
  return std::find_if(peer.sends.begin(), peer.sends.end(), [&](const outgoing& s) { return s.what.id == id; });
}

void blob_core::finish_send(peer_state& peer, std::deque<outgoing>::iterator which, outcome<blob_ref> result, blob_effects& out) {
  out.sends.push_back({which->token, std::move(result)});
  peer.sends.erase(which);
}

/// Keeps as many blobs on their way as may be at a time.
void blob_core::offer_more(const node_id& to, peer_state& peer, time now, blob_effects& out) {
  if (!peer.up) return;
  auto under_way = static_cast<std::size_t>(
    std::count_if(peer.sends.begin(), peer.sends.end(), [](const outgoing& s) { return s.at != stage::waiting; }));
  for (auto& s : peer.sends) {
    if (under_way >= limits_.offers_per_peer_max) return;
    if (s.at != stage::waiting || s.retry_at > now) continue;
    s.at = stage::offered;
    ++under_way;
    say(to, offer{s.what}, out);
  }
}

void blob_core::refill(time now) {
  if (!bandwidth_bound()) return;
  auto rate = static_cast<double>(limits_.bytes_per_second_max);
  auto bucket = std::max(rate * bucket_seconds, static_cast<double>(piece_bytes_max));
  auto passed = std::chrono::duration<double>(now - refilled_at_).count();
  if (passed > 0) {
    tokens_ = std::min(bucket, tokens_ + passed * rate);
    refilled_at_ = now;
  }
}

/// A piece for each peer in turn, until nobody may send any more.
void blob_core::pump(time now, blob_effects& out) {
  refill(now);
  if (peers_.empty()) return;
  for (bool sent = true; sent;) {
    sent = false;
    auto at = turn_ ? peers_.upper_bound(*turn_) : peers_.begin();
    for (std::size_t i = 0; i < peers_.size(); ++i, ++at) {
      if (at == peers_.end()) at = peers_.begin();
      if (!send_piece(at->first, at->second, now, out)) continue;
      turn_ = at->first;
      sent = true;
      break;
    }
  }
}

/// The next piece of the blob whose turn it is.
bool blob_core::send_piece(const node_id& to, peer_state& peer, time now, blob_effects& out) {
  if (!peer.up || peer.may_send == 0) return false;
  auto has_more = [](const outgoing& s) { return s.at == stage::active && s.offset < s.what.size_bytes; };
  auto which = std::find_if(peer.sends.begin(), peer.sends.end(), has_more);
  if (which == peer.sends.end()) return false;
  auto left = which->what.size_bytes - which->offset;
  auto size = std::min({left, std::uint64_t{piece_bytes_max}, peer.may_send});
  if (size < std::min(left, piece_bytes_min)) return false;
  if (bandwidth_bound() && tokens_ < static_cast<double>(size)) return false;
  tokens_ -= bandwidth_bound() ? static_cast<double>(size) : 0;
  say(to, piece{which->what.id, which->offset, which->bytes.view().subspan(which->offset, size)}, out);
  which->offset += size;
  which->progress_at = peer.progress_at = now;
  peer.may_send -= size;
  counters_.sent_bytes += size;
  auto moved = std::move(*which); // Behind the others: they take turns.
  peer.sends.erase(which);
  peer.sends.push_back(std::move(moved));
  return true;
}

void blob_core::on(const accept& f, const node_id& from, peer_state& peer, time now, blob_effects& out) {
  auto which = find_send(peer, f.id);
  if (which == peer.sends.end()) return; // Given up meanwhile.
  if (which->at != stage::offered) return violation(from, "it accepts a blob that was not offered", now, out);
  if (f.offset > which->what.size_bytes) return violation(from, "it has more of a blob than there is", now, out);
  which->at = stage::active;
  which->offset = f.offset;
  which->progress_at = now;
  if (f.offset > 0) ++counters_.resumed_count;
  pump(now, out);
}

void blob_core::on(const refuse& f, const node_id& from, peer_state& peer, time now, blob_effects& out) {
  auto which = find_send(peer, f.id);
  if (which == peer.sends.end()) return;
  if (which->at == stage::waiting) return violation(from, "it refuses a blob that was not offered", now, out);
  ++counters_.refused_count;
  if (f.reason == refusal::corrupted && ++which->corrupted_count >= limits_.corrupted_max) {
    finish_send(peer, which, not_sent(errc::corrupted, f.id, "it arrives changed"), out);
  } else {
    which->at = stage::waiting;
    which->offset = 0;
    which->retry_at = now + limits_.retry_after;
  }
  offer_more(from, peer, now, out);
}

void blob_core::on(const credit& f, const node_id& from, peer_state& peer, time now, blob_effects& out) {
  if (f.bytes > credit_bytes_max - peer.may_send) return violation(from, "it gives more credit than there may be", now, out);
  peer.may_send += f.bytes;
  pump(now, out);
}

void blob_core::on(const done& f, const node_id& from, peer_state& peer, time now, blob_effects& out) {
  auto which = find_send(peer, f.id);
  if (which == peer.sends.end()) return;
  if (which->at == stage::waiting) return violation(from, "it has a blob that was not offered", now, out);
  ++counters_.sent_count;
  peer.progress_at = now;
  auto what = which->what;
  finish_send(peer, which, what, out);
  offer_more(from, peer, now, out);
}

// --- receiving -----------------------------------------------------------------------------------------------------

/// What is given back grows until it is worth a frame.
void blob_core::give_credit(const node_id& to, peer_state& peer, bool at_once, blob_effects& out) {
  if (peer.owed == 0 || (!at_once && peer.owed < std::min(limits_.credit_bytes / credit_parts, credit_part_bytes_max))) return;
  peer.may_receive += peer.owed;
  say(to, credit{static_cast<std::uint32_t>(peer.owed)}, out);
  peer.owed = 0;
}

void blob_core::on(const offer& f, const node_id& from, peer_state& peer, time now, blob_effects& out) {
  auto& id = f.what.id;
  if (std::find(peer.finished.begin(), peer.finished.end(), id) != peer.finished.end()) return say(from, done{id}, out);
  if (auto whole = peer.whole.find(id); whole != peer.whole.end()) {
    if (whole->second.what == f.what) return say(from, done{id}, out);
    return violation(from, "it offers another blob under an old id", now, out);
  }
  auto which = peer.partial.find(id);
  if (which != peer.partial.end() && which->second.what != f.what)
    return violation(from, "it offers another blob under an old id", now, out);
  if (which == peer.partial.end()) {
    if (peer.partial.size() >= limits_.partial_per_peer_max) {
      // Those of an earlier link make room: a sender that wants them offers them first.
      auto stale = std::find_if(peer.partial.begin(), peer.partial.end(), [](const auto& p) { return !p.second.accepted; });
      if (stale == peer.partial.end()) return say(from, refuse{id, refusal::busy}, out);
      drop_partial(peer, stale);
    }
    if (memory_ + f.what.size_bytes > limits_.memory_bytes_max) return say(from, refuse{id, refusal::busy}, out);
    which = peer.partial.emplace(id, incoming{}).first;
    which->second.what = f.what;
    which->second.bytes.reserve(f.what.size_bytes);
    memory_ += f.what.size_bytes;
  }
  auto& in = which->second;
  if (in.accepted) return violation(from, "it offers a blob twice", now, out);
  in.accepted = true;
  in.progress_at = now;
  say(from, accept{id, in.bytes.size()}, out);
}

void blob_core::on(const piece& f, const node_id& from, peer_state& peer, time now, blob_effects& out) {
  if (f.bytes.size() > peer.may_receive) return violation(from, "it sends without credit", now, out);
  peer.may_receive -= f.bytes.size();
  peer.owed += f.bytes.size();
  counters_.received_bytes += f.bytes.size();
  auto which = peer.partial.find(f.id);
  if (which != peer.partial.end() && which->second.accepted) { // Else let go of meanwhile: the sender has been told.
    auto& in = which->second;
    if (f.offset != in.bytes.size() || f.bytes.size() > in.what.size_bytes - f.offset)
      return violation(from, "it sends a piece out of its place", now, out);
    in.bytes.insert(in.bytes.end(), f.bytes.begin(), f.bytes.end());
    in.hash.update(f.bytes);
    in.progress_at = now;
    if (in.bytes.size() == in.what.size_bytes) arrive(from, peer, which, now, out);
  }
  give_credit(from, peer, false, out);
}

void blob_core::on(const abort& f, const node_id&, peer_state& peer, time, blob_effects&) {
  if (auto which = peer.partial.find(f.id); which != peer.partial.end()) drop_partial(peer, which);
}

void blob_core::drop_partial(peer_state& peer, std::map<blob_id, incoming>::iterator which) {
  memory_ -= which->second.what.size_bytes;
  ++counters_.dropped_count;
  peer.partial.erase(which);
}

void blob_core::arrive(const node_id& from, peer_state& peer, std::map<blob_id, incoming>::iterator which, time now,
                       blob_effects& out) {
  auto& in = which->second;
  if (in.hash.finish() != in.what.content) {
    ++counters_.corrupted_count;
    say(from, refuse{in.what.id, refusal::corrupted}, out);
    drop_partial(peer, which);
    return;
  }
  ++counters_.received_count;
  auto what = in.what;
  peer.whole.emplace(what.id, arrived{what, payload(std::move(in.bytes)), now + limits_.unclaimed_kept});
  peer.partial.erase(which); // Its memory is the whole one's from here on.
  say(from, done{what.id}, out);
  settle_takes(from, peer, out);
}

void blob_core::note_finished(peer_state& peer, const blob_id& id) {
  peer.finished.push_back(id);
  if (peer.finished.size() > finished_max) peer.finished.pop_front();
}

void blob_core::take(std::uint64_t token, const node_id& from, const blob_ref& what, time now, blob_effects& out) {
  if (takes_.size() >= limits_.takes_max) {
    out.takes.push_back({token, fail(errc::busy, "blobs", "too many wait for blobs")});
    return;
  }
  takes_.push_back({token, from, what, now + limits_.take_patience});
  if (auto peer = peers_.find(from); peer != peers_.end()) settle_takes(from, peer->second, out);
}

/// Hands out what has arrived to who waits for it. Each blob once.
void blob_core::settle_takes(const node_id& from, peer_state& peer, blob_effects& out) {
  std::erase_if(takes_, [&](const waiting_take& t) {
    if (t.from != from) return false;
    auto which = peer.whole.find(t.what.id);
    if (which == peer.whole.end()) return false;
    if (which->second.what != t.what) {
      out.takes.push_back({t.token, fail(errc::corrupted, "blobs", "what arrived as blob " + shown(t.what.id) + " is another")});
      return true;
    }
    out.takes.push_back({t.token, std::move(which->second.bytes)});
    memory_ -= t.what.size_bytes;
    note_finished(peer, t.what.id);
    peer.whole.erase(which);
    return true;
  });
}

// --- time ----------------------------------------------------------------------------------------------------------

void blob_core::forget_asked(blob_effects& out) {
  takes_.clear();
  for (auto& [id, peer] : peers_) {
    for (auto& s : peer.sends)
      if (peer.up && s.at != stage::waiting) say(id, abort{s.what.id}, out);
    peer.sends.clear();
  }
}

void blob_core::tick(time now, blob_effects& out) {
  for (auto at = peers_.begin(); at != peers_.end();) {
    auto& [id, peer] = *at;
    for (auto s = peer.sends.begin(); s != peer.sends.end();) {
      if (std::max(s->progress_at, peer.progress_at) + limits_.idle_max > now) { // Others of the peer may be in front.
        ++s;
        continue;
      }
      if (peer.up && s->at != stage::waiting) say(id, abort{s->what.id}, out);
      out.sends.push_back({s->token, not_sent(errc::timeout, s->what.id, "the peer takes nothing")});
      s = peer.sends.erase(s);
    }
    for (auto p = peer.partial.begin(); p != peer.partial.end();) {
      auto next = std::next(p);
      if (p->second.progress_at + limits_.partial_kept <= now) {
        if (peer.up && p->second.accepted) say(id, refuse{p->first, refusal::busy}, out);
        drop_partial(peer, p);
      }
      p = next;
    }
    for (auto w = peer.whole.begin(); w != peer.whole.end();) {
      if (w->second.until > now) {
        ++w;
        continue;
      }
      memory_ -= w->second.what.size_bytes;
      ++counters_.dropped_count;
      w = peer.whole.erase(w);
    }
    offer_more(id, peer, now, out);
    bool idle = !peer.up && peer.sends.empty() && peer.partial.empty() && peer.whole.empty() &&
                peer.down_at + limits_.partial_kept <= now; // Until then an offer may repeat what is finished.
    at = idle ? peers_.erase(at) : std::next(at);
  }
  std::erase_if(takes_, [&](const waiting_take& t) {
    if (t.until > now) return false;
    out.takes.push_back({t.token, fail(errc::timeout, "blobs", "blob " + shown(t.what.id) + " did not arrive")});
    return true;
  });
  pump(now, out);
}

std::optional<blob_core::time> blob_core::wake_at() const {
  std::optional<time> first;
  auto at = [&first](time t) { first = first ? std::min(*first, t) : t; };
  for (auto& [id, peer] : peers_) {
    for (auto& s : peer.sends) {
      at(std::max(s.progress_at, peer.progress_at) + limits_.idle_max);
      if (peer.up && s.at == stage::waiting && s.retry_at > s.progress_at) at(s.retry_at);
      auto size = std::min({s.what.size_bytes - s.offset, std::uint64_t{piece_bytes_max}, peer.may_send});
      if (bandwidth_bound() && peer.up && s.at == stage::active && size > 0)
        at(refilled_at_ + std::chrono::nanoseconds(static_cast<std::int64_t>(
             std::max(0.0, static_cast<double>(size) - tokens_) / static_cast<double>(limits_.bytes_per_second_max) * 1e9) + 1));
    }
    for (auto& [key, p] : peer.partial) at(p.progress_at + limits_.partial_kept);
    for (auto& [key, w] : peer.whole) at(w.until);
  }
  for (auto& t : takes_) at(t.until);
  return first;
}

std::size_t blob_core::sending_count() const noexcept {
  std::size_t count = 0;
  for (auto& [id, peer] : peers_) count += peer.sends.size();
  return count;
}

} // namespace lucid

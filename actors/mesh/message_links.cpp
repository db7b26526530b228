// actors/mesh/message_links.cpp - frames by their channel.
#include "actors/mesh/message_links.hpp"

#include <algorithm>
#include <utility>

namespace lucid {

std::set<link_id> message_links::attach(calls present) {
  std::lock_guard lock(mutex_);
  calls_ = std::make_shared<const calls>(std::move(present));
  std::set<link_id> left;
  for (auto& [link, box] : live_) {
    left.insert(link);
    box = {box.outside, true, 0}; // What was on its way to the one before is gone.
  }
  return left;
}

void message_links::set_outsiders(std::set<transport_key> keys) {
  std::lock_guard lock(mutex_);
  outsiders_ = std::move(keys);
}

void message_links::handled(link_id link, std::size_t frame_bytes) {
  std::lock_guard lock(mutex_);
  auto known = live_.find(link);
  if (known == live_.end()) return;
  known->second.bytes -= std::min(known->second.bytes, frame_bytes + inbox_frame_overhead_bytes);
}

std::shared_ptr<const message_links::calls> message_links::present() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

void message_links::up(link_id link, const transport_key& peer, bool dialled) {
  {
    std::lock_guard lock(mutex_);
    live_[link].outside = outsiders_.contains(peer);
  }
  if (auto now = present(); now->up) now->up(link, peer, dialled);
}

void message_links::down(link_id link, const error& why) {
  {
    std::lock_guard lock(mutex_);
    live_.erase(link);
  }
  if (tunnel_) tunnel_->down(link, why);
  if (auto now = present(); now->down) now->down(link, why);
}

/// Whether the frame may be passed on. An error is told once; then nothing more of the link is.
outcome<void> message_links::admit(link_id link, byte_view frame) {
  auto channel = static_cast<mesh_channel>(frame.front());
  std::lock_guard lock(mutex_);
  auto known = live_.find(link);
  if (known == live_.end() || known->second.broken) return fail(errc::unreachable, "mesh", "the link is ending");
  auto& box = known->second;
  bool known_channel = channel == mesh_channel::envelope || (channel == mesh_channel::tunnel && !box.outside);
  bool room = box.bytes + frame.size() + inbox_frame_overhead_bytes <= inbox_bytes_max;
  box.broken = !known_channel || (channel == mesh_channel::envelope && !room);
  if (!known_channel)
    return fail(errc::invalid_input, "mesh", "a frame of channel " + std::to_string(frame.front()) + " on a link that has none");
  if (box.broken) return fail(errc::busy, "mesh", "frames come faster than they can be handled");
  if (channel == mesh_channel::envelope) box.bytes += frame.size() + inbox_frame_overhead_bytes;
  return {};
}

void message_links::frame(link_id link, byte_view bytes) {
  auto now = present();
  if (auto admitted = admit(link, bytes); !admitted) {
    if (admitted.error().code != errc::unreachable && now->breach) now->breach(link, admitted.error());
    return;
  }
  if (static_cast<mesh_channel>(bytes.front()) == mesh_channel::envelope) {
    if (now->envelope) now->envelope(link, byte_buffer(bytes.begin(), bytes.end()));
  } else if (tunnel_) {
    tunnel_->frame(link, bytes);
  }
}

void message_links::beacon(byte_view bytes) {
  if (auto now = present(); now->beacon) now->beacon(byte_buffer(bytes.begin(), bytes.end()));
}

void message_links::set_own_beacon(byte_buffer bytes) {
  std::lock_guard lock(mutex_);
  own_beacon_ = std::move(bytes);
}

byte_buffer message_links::own_beacon() const {
  std::lock_guard lock(mutex_);
  return own_beacon_;
}

void message_links::refused(const link_refusal& refusal) {
  if (auto now = present(); now->refused) now->refused(refusal);
}

} // namespace lucid

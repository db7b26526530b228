// actors/mesh/message_links.cpp - frames by their channel.
#include "actors/mesh/message_links.hpp"

#include <utility>

namespace lucid {

std::set<link_id> message_links::attach(calls present) {
  std::lock_guard lock(mutex_);
  calls_ = std::make_shared<const calls>(std::move(present));
  return live_;
}

std::shared_ptr<const message_links::calls> message_links::present() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

void message_links::up(link_id link, const transport_key& peer, bool dialled) {
  {
    std::lock_guard lock(mutex_);
    live_.insert(link);
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

void message_links::frame(link_id link, byte_view bytes) {
  auto channel = static_cast<mesh_channel>(bytes.front());
  if (channel == mesh_channel::tunnel && tunnel_) return tunnel_->frame(link, bytes);
  if (channel != mesh_channel::envelope) return; // Chunks have links of their own.
  if (auto now = present(); now->envelope) now->envelope(link, byte_buffer(bytes.begin(), bytes.end()));
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

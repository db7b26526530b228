// actors/mesh/chunk_links.cpp - links by member, members by link.
#include "actors/mesh/chunk_links.hpp"

#include <algorithm>
#include <utility>

namespace lucid {

void chunk_links::connect(mesh_transport* transport, blob_link_events* events, std::size_t queue_bytes_max) {
  transport_ = transport;
  events_ = events;
  queue_bytes_max_ = queue_bytes_max;
}

void chunk_links::set_members(std::map<transport_key, node_id> members) {
  std::lock_guard lock(mutex_);
  members_ = std::move(members);
}

bool chunk_links::linked(const node_id& peer) const {
  std::lock_guard lock(mutex_);
  return by_node_.contains(peer);
}

void chunk_links::dial(const node_id& peer, dial_request request) {
  std::lock_guard lock(mutex_);
  if (by_node_.contains(peer) || dialling_.contains(peer)) return;
  if (auto link = transport_->dial(std::move(request))) dialling_[peer] = *link;
}

std::size_t chunk_links::room_bytes(const node_id& to) const {
  std::lock_guard lock(mutex_);
  auto known = by_node_.find(to);
  if (known == by_node_.end()) return 0;
  auto queued = transport_->queued_bytes(known->second);
  return queue_bytes_max_ - std::min(queued, queue_bytes_max_);
}

outcome<void> chunk_links::send(const node_id& to, byte_buffer frame) {
  link_id link = 0;
  {
    std::lock_guard lock(mutex_);
    auto known = by_node_.find(to);
    if (known == by_node_.end()) return fail(errc::unreachable, "chunk links", "the node is not connected");
    link = known->second;
  }
  return transport_->send(link, std::move(frame));
}

void chunk_links::cut(const node_id& peer, const error&) {
  std::lock_guard lock(mutex_);
  if (auto known = by_node_.find(peer); known != by_node_.end()) transport_->close(known->second);
}

// The events of one member come in order, since all of them come on one thread.
void chunk_links::up(link_id link, const transport_key& peer, bool) {
  std::optional<link_id> before;
  node_id who{};
  {
    std::lock_guard lock(mutex_);
    auto known = members_.find(peer);
    if (known == members_.end()) return transport_->close(link);
    who = known->second;
    dialling_.erase(who);
    if (auto other = by_node_.find(who); other != by_node_.end()) {
      before = other->second;
      by_link_.erase(*before);
    }
    by_node_[who] = link;
    by_link_[link] = who;
  }
  if (before) {
    transport_->close(*before);
    events_->link_down(who);
  }
  events_->link_up(who);
}

std::optional<node_id> chunk_links::forget(link_id link) {
  std::lock_guard lock(mutex_);
  std::erase_if(dialling_, [&](auto& one) { return one.second == link; });
  auto known = by_link_.extract(link);
  if (!known) return {};
  by_node_.erase(known.mapped());
  return known.mapped();
}

void chunk_links::down(link_id link, const error&) {
  if (auto who = forget(link)) events_->link_down(*who);
}

void chunk_links::frame(link_id link, byte_view bytes) {
  node_id who{};
  {
    std::lock_guard lock(mutex_);
    auto known = by_link_.find(link);
    if (known == by_link_.end()) return;
    who = known->second;
  }
  events_->link_frame(who, bytes);
}

} // namespace lucid

// actors/blobs/blob_exchange.hpp - the blobs of a node: fed by the thread of the links, asked by actors.
//
// Pieces come at ten thousand a second: they are handled where they are read, and an actor hears of whole blobs alone.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>

#include "actors/blobs/blob_core.hpp"
#include "messages/ports/blob_links.hpp"
#include "messages/ports/clock.hpp"

namespace lucid {

/// What is heard of requests. Called from any thread that calls the exchange, outside of its lock; must be quick.
struct blob_answers {
  std::function<void(std::uint64_t token, outcome<blob_ref>)> sent;
  std::function<void(std::uint64_t token, outcome<payload>)> taken;
};

/// Owned by the composition root, which gives it to the links as their `blob_link_events` and to the actor mesh/blobs.
/// Uses: clock and links, which must outlive it. Hand it the links by `connect` before they tell anything.
/// Threads: all calls from any. One lock, held while a piece is copied and hashed (some 50 us).
class blob_exchange final : public blob_link_events {
public:
  blob_exchange(const blob_limits& limits, const clock_port& clock)
    : core_(limits), clock_(&clock), outbox_bytes_max_(limits.credit_bytes + outbox_extra_bytes_max) {}

  void connect(blob_links* links);

  void link_up(const node_id& peer) override;
  void link_down(const node_id& peer) override;
  void link_frame(const node_id& peer, byte_view frame) override;

  /// From now on answers go there; those that were owed to an earlier one are given up. Answers a number to detach by.
  std::uint64_t attach(blob_answers answers);
  /// Harmless when another one has attached since.
  void detach(std::uint64_t attachment);

  /// The answer comes by `blob_answers`, possibly before the call returns.
  void send(std::uint64_t token, const blob_send_request& what);
  void take(std::uint64_t token, const blob_take_request& what);

  /// To be called when `next_tick_in` says, or sooner.
  void tick();
  std::optional<std::chrono::nanoseconds> next_tick_in() const;

  blob_counters counters() const;
  std::uint64_t memory_bytes() const;
  std::size_t sending_count() const;

private:
  /// Frames that the link has no room for at present. Pieces in it are under credit; the rest is small.
  struct outbox {
    std::deque<byte_buffer> frames;
    std::size_t bytes = 0;
  };
  /// Beyond the credit: answers to a peer that asks and does not read. Then it is cut.
  static constexpr std::size_t outbox_extra_bytes_max = 1u << 20;

  template <class Step>
  void run(Step&& step);
  void carry_out(blob_effects& effects, blob_core::time now);
  void flush(const node_id& to, blob_core::time now);
  void flush_all(blob_core::time now);
  void cut(const node_id& peer, const error& why, blob_core::time now);

  mutable std::mutex mutex_;
  blob_core core_;
  const clock_port* clock_;
  blob_links* links_ = nullptr;
  std::size_t outbox_bytes_max_;
  std::map<node_id, outbox> outboxes_; ///< None of a peer that is down.
  blob_answers answers_;
  std::uint64_t attachment_ = 0;
};

} // namespace lucid

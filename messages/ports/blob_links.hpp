// messages/ports/blob_links.hpp - the links that blobs travel on, as a part a test can replace.
#pragma once

#include "messages/bytes.hpp"
#include "messages/identity.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// One link for each peer that is up: frames in order, none twice, none lost without the link going down.
///
/// Threads: all calls from any thread. They must not block, and must not call back into who calls them: what happens to
/// a link is told later, or on the thread that the links have of their own.
class blob_links {
public:
  virtual ~blob_links() = default;

  /// How many bytes of frames `send` takes at present; 0 without a link. Less than a frame's length: later again. An idle
  /// link takes at least 512 KiB: what a peer has read of that is enough for it to answer, and the answer is when room is
  /// asked for again.
  virtual std::size_t room_bytes(const node_id& to) const = 0;

  /// Hands a frame of at most mesh_frame_bytes_max over. Errors: `unreachable`, `busy`; the frame is lost then, and the sender
  /// cuts the link, since what follows would not be in step.
  virtual outcome<void> send(const node_id& to, byte_buffer frame) = 0;

  /// Ends the link to a peer that broke the rules, or that frames got lost to. It may come up again.
  virtual void cut(const node_id& peer, const error& why) = 0;
};

/// What is told of the links, by the thread that reads them. Implemented by whoever moves blobs; calls are quick.
/// For one peer: up, then frames, then down; never two links at a time.
class blob_link_events {
public:
  virtual ~blob_link_events() = default;
  virtual void link_up(const node_id& peer) = 0;
  virtual void link_down(const node_id& peer) = 0;
  virtual void link_frame(const node_id& peer, byte_view frame) = 0; ///< The view is good for the call.
};

} // namespace lucid

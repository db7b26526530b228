// actors/mesh/link_core.hpp - whom to dial and when, which of two links counts, who has fallen silent; pure logic.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "messages/identity.hpp"
#include "messages/ports/mesh_transport.hpp"

namespace lucid {

struct link_settings {
  std::string self;                          ///< This node's name.
  std::chrono::nanoseconds silence_max{};    ///< mesh.peer_timeout
  std::chrono::nanoseconds retry_min{};      ///< Before the second attempt; doubles up to retry_max.
  std::chrono::nanoseconds retry_max{};
};

/// A member that this node should be linked to.
struct link_target {
  std::string name;
  transport_key key{};
  std::vector<std::string> addresses; ///< Of one transport that this node can use; may be none.
  friend bool operator==(const link_target&, const link_target&) = default;
};

struct link_dial {
  std::string name;
  transport_key key{};
  std::string address;
};

/// One link to each member.
///
/// Of two members the one whose name comes first dials, the other one when it has waited for `patience` in vain: the first
/// may not be able to. When both did, the link that the first one dialled counts: both sides decide alike.
/// Threads: none. One owner calls it. Times are monotonic.
class link_core {
public:
  using time = std::chrono::nanoseconds;
  static constexpr int patience = 5; ///< In silence_max.
  static constexpr std::uint32_t failures_trusted = 2; ///< Dials that may fail before the way is doubted.

  explicit link_core(link_settings settings) : settings_(std::move(settings)) {}

  /// Whom to be linked to. Those that are no longer among them are let go of: the links to end.
  std::vector<link_id> set_targets(std::vector<link_target> targets, time now);

  /// The attempts to begin now; each is answered by `dialling` or `dial_failed`.
  std::vector<link_dial> due(time now);
  void dialling(const std::string& name, link_id link);
  void dial_failed(const std::string& name, time now);
  /// True once when dials of a peer have failed three times in a row, then six, twelve times and so on: what is remembered
  /// of the way there (circuits, where the peer's service is found) may be outdated.
  bool wants_new_ways() { return std::exchange(wants_new_ways_, false); }

  /// The peer of a link has said who it is. The links to end: the other one of two, or this one.
  std::vector<link_id> named(link_id link, const std::string& name, bool dialled, time now);
  void heard(link_id link, time now);
  void down(link_id link, time now);

  /// Links whose peer has been silent for too long.
  std::vector<link_id> silent(time now) const;

  std::optional<link_id> link_of(const std::string& name) const;
  const std::string* name_of(link_id link) const;
  /// Whom an attempt is to reach that has not come to anything yet.
  const std::string* target_of(link_id link) const;

private:
  struct peer {
    link_target target;
    std::optional<link_id> link;    ///< That counts.
    bool dialled = false;           ///< By this node.
    time heard_at{};
    std::optional<link_id> dialling;
    time down_since{};
    time next_dial{};
    time pause{};
    std::size_t attempts = 0;
    std::uint32_t failures = 0;     ///< Of dials, in a row.
  };
  bool dials(const peer& p, time now) const;
  void lost(peer& p, time now);

  link_settings settings_;
  std::map<std::string, peer> peers_; ///< At most mesh.peers_max.
  bool wants_new_ways_ = false;
};

} // namespace lucid

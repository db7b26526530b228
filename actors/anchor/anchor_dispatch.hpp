// actors/anchor/anchor_dispatch.hpp - who is asked to anchor, and whose answer counts; pure logic.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "messages/manifest.hpp"
#include "messages/outcome.hpp"
#include "messages/ports/cluster.hpp"

namespace lucid {

inline constexpr std::string_view anchor_role = "anchor"; ///< Its lease says in whose chain recordings are anchored.

/// Who anchors at present: the holder of the lease, its number, and the way there.
struct anchor_holder {
  node_id node{};
  std::uint64_t fence = 0;
  std::uint64_t road = 0; ///< Another one whenever the connection to it is: what was asked over the old one is lost.
  friend bool operator==(const anchor_holder&, const anchor_holder&) = default;
};

/// The lease of the role that somebody holds; none: nobody does.
const lease_view* anchor_lease(const cluster_view& view);

/// The one attempt to have a batch anchored that counts. An entry that two holders anchored stands in two chains, which is
/// harmless: the store keeps the first place it is told.
///
/// Threads: none. One owner calls it.
class anchor_dispatch {
public:
  /// The present holder; none: nobody, so nothing is begun, but what is under way may still arrive. True: an attempt was
  /// under way and counts no more, since it is another holder, number or way: the batch is to be sent again.
  bool set_holder(std::optional<anchor_holder> holder);

  /// Begins an attempt with the present holder; its number. None: nobody has the role, or one is under way.
  std::optional<std::uint64_t> begin();

  /// The attempt was answered. False: it does not count any more.
  bool end(std::uint64_t attempt);

  const std::optional<anchor_holder>& holder() const noexcept { return holder_; }

private:
  std::optional<anchor_holder> holder_;
  std::optional<anchor_holder> asked_; ///< With whom the attempt under way was begun.
  std::uint64_t attempt_ = 0;          ///< Under way; 0: none.
  std::uint64_t last_attempt_ = 0;
};

/// What another node answered to a batch, looked at before anything of it is stored. One verdict an entry, in their order:
/// an error is `protocol_violation`. The block must be the producer's and signed, the entry the one that was asked for and
/// in that block.
std::vector<outcome<void>> check_anchored(const std::vector<anchor_entry>& asked, const std::vector<anchored_entry>& answered,
                                          const sign_public_key& producer);

} // namespace lucid

// messages/mesh_api.hpp - the typed interfaces of the mesh's actors.
#pragma once

#include <caf/actor_control_block.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "messages/type_ids.hpp"

namespace lucid {

/// Membership and leases. Nobody outside of the node reaches it but by envelopes.
using links_api = caf::typed_actor<
  caf::replies_to<cluster_init_request>::with<cluster_ack>,
  caf::replies_to<cluster_invite_request>::with<cluster_invitation>,
  caf::replies_to<cluster_invitations_request>::with<cluster_invitations>,
  caf::replies_to<cluster_uninvite_request>::with<cluster_ack>,
  caf::replies_to<cluster_join_request>::with<cluster_ack>,
  caf::replies_to<cluster_remove_request>::with<cluster_ack>,
  caf::replies_to<keys_rotate_request>::with<cluster_ack>>;

/// The door between two nodes' actors, published to the members of the cluster.
using gateway_api = caf::typed_actor<
  caf::reacts_to<gateway_news>,
  caf::replies_to<node_tree_request>::with<std::vector<inspection>>,
  caf::replies_to<remote_action_request>::with<child_ack>,
  caf::replies_to<cluster_tree_request>::with<std::vector<inspection>>>;

/// Seals for recorders on other nodes.
using sealing_api = caf::typed_actor<
  /// `wrong_state` when this node does not hold the lease of that number.
  caf::replies_to<remote_seal_request>::with<remote_seal_answer>>;

/// Anchors for recorders on other nodes, in the chain of this one.
using anchoring_api = caf::typed_actor<
  /// `wrong_state` when this node does not hold the lease of that number; `limit_exceeded` for none or too many entries.
  caf::replies_to<remote_anchor_request>::with<std::vector<anchored_entry>>>;

} // namespace lucid

// messages/storage_api.hpp - the typed interfaces of the node's storage: store, anchor, ledger.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "messages/type_ids.hpp"

namespace lucid {

/// Metadata and chunk files of all sessions.
using store_api = caf::typed_actor<
  /// Answers once file and row are synced. A chunk that is there already keeps its bytes: its record is the answer.
  caf::replies_to<sealed_chunk>::with<chunk_record>,
  caf::replies_to<chunk_list_request>::with<std::vector<chunk_record>>,
  caf::replies_to<session_put_request>::with<session_summary>,
  caf::replies_to<session_update_request>::with<session_summary>,
  caf::replies_to<session_get_request>::with<session_row>,
  caf::replies_to<session_list_request>::with<std::vector<session_summary>>,
  caf::replies_to<session_remove_request>::with<session_summary>,
  caf::replies_to<manifest_put_request>::with<signed_manifest>,
  caf::replies_to<anchor_put_request>::with<stored_anchor>,
  caf::replies_to<unanchored_list_request>::with<std::vector<anchor_entry>>>;

/// Has manifests put into a chain, in batches: that of this node, or of the node that has the role.
using anchor_api = caf::typed_actor<
  /// Answers once the entry stands in a block and the store knows it. Repeats get the same answer.
  caf::replies_to<anchor_entry>::with<stored_anchor>>;

/// The chain of this node. Consensus will replace the single producer behind this interface.
using ledger_api = caf::typed_actor<
  caf::replies_to<ledger_append_request>::with<std::vector<anchored_entry>>,
  caf::replies_to<ledger_status_request>::with<ledger_status>>;

} // namespace lucid

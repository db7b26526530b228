// messages/replication_api.hpp - the typed interfaces of copies: the holder's, and the recorder's.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "messages/type_ids.hpp"

namespace lucid {

/// What a holder answers other nodes: copies/replicas, which they know as nodes/<name>/copies/replicas.
using replica_api = caf::typed_actor<
  caf::replies_to<replica_have_request>::with<replica_have>,
  caf::replies_to<replica_put_request>::with<chunk_record>,
  caf::replies_to<replica_news_request>::with<replica_status>,
  caf::replies_to<replica_remove_request>::with<replica_status>,
  caf::replies_to<replica_challenge_request>::with<challenge_answer>,
  caf::replies_to<replica_verify_request>::with<replica_verify>>;

/// What copies/replication answers its own node.
using replication_api = caf::typed_actor<
  caf::replies_to<replication_status_request>::with<replication_status>,
  caf::replies_to<replication_audit_request>::with<replication_audit>>;

} // namespace lucid

// messages/inspect.hpp - wire form of the values: their fields in this order. A changed record is a new type.
#pragma once

#include <string>
#include <type_traits>

#include "messages/anchoring.hpp"
#include "messages/blob.hpp"
#include "messages/gateway.hpp"
#include "messages/mesh.hpp"
#include "messages/pipeline.hpp"
#include "messages/replication.hpp"
#include "messages/sealing.hpp"
#include "messages/standby.hpp"

namespace caf::detail {
class stringification_inspector; // Named only: what CAF prints messages with.
}

namespace lucid {

/// Inspectors that write for people: CAF's own, and those that say so by a member type `for_people`.
template <class Inspector>
inline constexpr bool writes_for_people =
  std::is_same_v<Inspector, caf::detail::stringification_inspector> || requires { typename Inspector::for_people; };

/// A secret among the fields: it travels, and nobody is shown it or whether there is one.
template <class Inspector>
decltype(auto) hidden(std::string& secret) {
  if constexpr (writes_for_people<Inspector>)
    return static_cast<const char*>("***");
  else
    return static_cast<std::string&>(secret);
}

/// A source as it was asked for. A password in it will be refused, but the message with it is printed all the same:
/// everything from the scheme to the last '@' is kept from people. Rather too much than too little.
inline std::string without_user(const std::string& source) {
  auto at = source.rfind('@');
  if (at == std::string::npos) return source;
  auto begin = source.find("://");
  begin = begin < at ? begin + 3 : 0;
  return std::string(source, 0, begin).append("***").append(source, at);
}
template <class Inspector>
decltype(auto) without_user(std::string& source) {
  if constexpr (writes_for_people<Inspector>)
    return without_user(static_cast<const std::string&>(source));
  else
    return static_cast<std::string&>(source);
}

/// Travels as a byte sequence; shared again on arrival.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, payload& x) {
  if constexpr (writes_for_people<Inspector>) {
    std::string shown = std::to_string(x.size()).append(" bytes");
    return f(shown);
  } else if constexpr (Inspector::writes_state) {
    byte_buffer bytes;
    auto result = f(bytes);
    x = payload(std::move(bytes));
    return result;
  } else {
    byte_buffer bytes(x.view().begin(), x.view().end());
    return f(bytes);
  }
}

// One line a type: the macro saves repeating the signature of an inspect function, and tells those who write for
// people what the fields are called.
#define LUCID_INSPECT(type, ...)                                                                             \
  template <class Inspector>                                                                                 \
  typename Inspector::result_type inspect(Inspector& f, type& x) {                                           \
    if constexpr (requires { f.fields(#__VA_ARGS__); }) f.fields(#__VA_ARGS__);                              \
    return f(__VA_ARGS__);                                                                                   \
  }

LUCID_INSPECT(fragment, x.sequence, x.on, x.kind, x.key_frame, x.frame_count, x.start_us, x.end_us, x.bytes)
LUCID_INSPECT(chunk_key, x.session, x.on, x.index)
LUCID_INSPECT(chunk_span, x.first_sequence, x.last_sequence, x.frame_count, x.start_us, x.end_us)
LUCID_INSPECT(plain_chunk, x.key, x.span, x.last_of_track, x.parts)
LUCID_INSPECT(chunk_record, x.key, x.span, x.plain_size_bytes, x.sealed_size_bytes, x.content, x.root)
LUCID_INSPECT(store_fence, x.role, x.number)
LUCID_INSPECT(sealed_chunk, x.record, x.file, x.leaves, x.fence)
LUCID_INSPECT(capture_request, without_user<Inspector>(x.source), x.username, hidden<Inspector>(x.password), x.width,
              x.height, x.frame_rate_max, x.encoder, x.quality)
LUCID_INSPECT(session_policy, x.title, x.owner, x.recipients, x.length_seconds_max)
LUCID_INSPECT(session_summary, x.id, x.state, x.title, x.owner, x.source, x.created_us, x.started_us, x.ended_us,
              x.frame_count, x.fragment_count, x.gap_count, x.captured_bytes, x.stored_bytes, x.chunk_count,
              x.block_height, x.block_producer, x.reason, x.interrupted)
LUCID_INSPECT(wrapped_key, x.recipient, x.sealed)
LUCID_INSPECT(signed_manifest, x.canonical, x.hash, x.by)
LUCID_INSPECT(anchor_entry, x.session, x.manifest_hash, x.root, x.sealed_us)
LUCID_INSPECT(block_header, x.version, x.height, x.slot, x.previous, x.time_us, x.entries_root, x.entry_count,
              x.producer, x.by)
LUCID_INSPECT(anchor_record, x.entry, x.block_height, x.entry_index, x.path)
LUCID_INSPECT(anchored_entry, x.record, x.block)

/// The block travels as a list of none or one.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stored_anchor& x) {
  if constexpr (requires { f.fields("x.record, x.block"); }) f.fields("x.record, x.block");
  std::vector<block_header> block;
  if constexpr (Inspector::writes_state) {
    auto result = f(x.record, block);
    x.block.reset();
    if (!block.empty()) x.block = block.front();
    return result;
  } else {
    if (x.block) block.push_back(*x.block);
    return f(x.record, block);
  }
}
LUCID_INSPECT(capture_start_request, x.session, x.what)
LUCID_INSPECT(capture_stop_request, x.reason)
LUCID_INSPECT(source_position, x.frame_count, x.recorded_until_us)
LUCID_INSPECT(capture_position, x.last_sequence, x.source)
LUCID_INSPECT(capture_end, x.reason, x.code, x.failed)
LUCID_INSPECT(journal_read_request, x.after_sequence, x.size_bytes)
LUCID_INSPECT(journal_page, x.fragments)
LUCID_INSPECT(journal_drop_request, x.video_up_to, x.events_up_to)
LUCID_INSPECT(chunk_totals, x.chunk_count, x.last_sequence)
LUCID_INSPECT(session_put_request, x.summary, x.what, x.policy, x.keys, x.key_commitment)
LUCID_INSPECT(session_row, x.summary, x.what, x.policy, x.keys, x.key_commitment)
LUCID_INSPECT(session_update_request, x.summary)
LUCID_INSPECT(session_get_request, x.session)
LUCID_INSPECT(session_list_request, x.unfinished_only, x.offset, x.count)
LUCID_INSPECT(chunk_list_request, x.session)
LUCID_INSPECT(manifest_put_request, x.session, x.document, x.entry)
LUCID_INSPECT(anchor_put_request, x.what)
LUCID_INSPECT(session_remove_request, x.session)
LUCID_INSPECT(session_adopt_request, x.session)
LUCID_INSPECT(manifest_build_request, x.session, x.interrupted)
LUCID_INSPECT(ledger_append_request, x.entries)
LUCID_INSPECT(ledger_status, x.height, x.entry_count, x.last_block_us)
LUCID_INSPECT(session_stop_request, x.reason)
LUCID_INSPECT(session_extend_request, x.seconds)
LUCID_INSPECT(session_create_request, x.what, x.policy)
LUCID_INSPECT(session_end, x.summary)
LUCID_INSPECT(session_progress, x.started_us, x.ended_us, x.frame_count, x.fragment_count, x.gap_count,
              x.captured_bytes, x.stored_bytes, x.chunk_count)
LUCID_INSPECT(pipeline_trouble, x.code, x.who, x.what)
LUCID_INSPECT(cluster_init_request, x.name)
LUCID_INSPECT(cluster_invite_request, x.valid_seconds)
LUCID_INSPECT(cluster_invitation, hidden<Inspector>(x.text), x.address, x.expires_us, x.id)
LUCID_INSPECT(open_invitation, x.id, x.issued_us, x.expires_us)
LUCID_INSPECT(cluster_invitations, x.open)
LUCID_INSPECT(cluster_uninvite_request, x.id)
LUCID_INSPECT(cluster_join_request, hidden<Inspector>(x.invitation))
LUCID_INSPECT(cluster_remove_request, x.who)
LUCID_INSPECT(keys_rotate_request, x.onion)
LUCID_INSPECT(cluster_ack, x.text, x.list_version)
LUCID_INSPECT(remote_action_request, x.path, x.action, x.by)

/// People are told the path; the handle is for the middleman.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, exported_actor& x) {
  if constexpr (writes_for_people<Inspector>) return f(x.path);
  else return f(x.path, x.actor);
}

LUCID_INSPECT(gateway_news, x.from, x.actors)
LUCID_INSPECT(remote_anchor_request, x.fence, x.entries)
LUCID_INSPECT(remote_seal_request, x.recorder, x.fence, x.key, x.chunk, x.span, x.last_of_track, x.zstd_level, x.plain)
LUCID_INSPECT(remote_seal_answer, x.record, x.leaves, x.file)
LUCID_INSPECT(blob_ref, x.id, x.size_bytes, x.content)
LUCID_INSPECT(blob_send_request, x.to, x.id, x.bytes, x.content)
LUCID_INSPECT(blob_take_request, x.from, x.what)
LUCID_INSPECT(chunk_mark, x.on, x.index, x.content)
LUCID_INSPECT(block_proof, x.session, x.chunk_position, x.chunk_count, x.block_index, x.block_count, x.block, x.chunk_path,
              x.session_path)
LUCID_INSPECT(replica_have_request, x.origin, x.session, x.chunks)
LUCID_INSPECT(replica_have, x.session, x.held, x.state, x.has_manifest, x.has_anchor)
LUCID_INSPECT(replica_put_request, x.origin, x.row, x.record, x.file)
LUCID_INSPECT(replica_news_request, x.origin, x.row, x.manifest, x.manifest_by, x.entry, x.anchors)
LUCID_INSPECT(replica_remove_request, x.origin, x.session)
LUCID_INSPECT(replica_status, x.session, x.chunk_count, x.has_manifest, x.has_anchor)
LUCID_INSPECT(replica_verify_request, x.origin, x.session, x.chunks)
LUCID_INSPECT(replica_verify, x.session, x.damaged, x.missing)
LUCID_INSPECT(storage_challenge, x.challenger, x.holder, x.session, x.on, x.index, x.block_index, x.nonce, x.asked_us)
LUCID_INSPECT(replica_challenge_request, x.what)
LUCID_INSPECT(challenge_answer, x.what, x.proof, x.answered_us, x.by)
LUCID_INSPECT(challenge_result, x.what, x.chunk_position, x.answered_us, x.outcome, x.leaf, x.holder_by, x.challenger_by)
LUCID_INSPECT(holder_status, x.node, x.name, x.up, x.chunk_count, x.bytes, x.challenges_ok, x.challenges_failed,
              x.challenges_late)
LUCID_INSPECT(replication_status, x.copies, x.session_count, x.chunk_count, x.replicated_count, x.without_copy_count,
              x.in_flight, x.last_failure, x.holders)
LUCID_INSPECT(replication_audit_request, x.session, x.from)
LUCID_INSPECT(copy_audit, x.node, x.name, x.held, x.verified, x.damaged, x.missing, x.failure)
LUCID_INSPECT(replication_audit, x.session, x.chunk_count, x.from, x.next, x.done, x.short_count, x.copies)
LUCID_INSPECT(standby_plan, x.recorder, x.session, x.wish, x.created_us, x.goes_on_from)
LUCID_INSPECT(standby_put_request, x.plan)
LUCID_INSPECT(standby_drop_request, x.recorder, x.session)
LUCID_INSPECT(standby_status, x.plan_count)
LUCID_INSPECT(standby_return_request, x.recorder, x.session)
LUCID_INSPECT(standby_returned_plan, x.plan, x.sealed_password)

// Requests without fields.
#define LUCID_INSPECT_EMPTY(type)                                                                            \
  template <class Inspector>                                                                                 \
  typename Inspector::result_type inspect(Inspector& f, type&) {                                             \
    return f();                                                                                              \
  }
LUCID_INSPECT_EMPTY(journal_sync_request)
LUCID_INSPECT_EMPTY(chunk_finish_request)
LUCID_INSPECT_EMPTY(unanchored_list_request)
LUCID_INSPECT_EMPTY(ledger_status_request)
LUCID_INSPECT_EMPTY(session_status_request)
LUCID_INSPECT_EMPTY(cluster_invitations_request)
LUCID_INSPECT_EMPTY(node_tree_request)
LUCID_INSPECT_EMPTY(cluster_tree_request)
LUCID_INSPECT_EMPTY(replication_status_request)

#undef LUCID_INSPECT
#undef LUCID_INSPECT_EMPTY

} // namespace lucid

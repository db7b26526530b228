// actors/store/recording_copies.cpp - copies of other nodes' recordings.
#include "actors/store/recording_store.hpp"

#include <algorithm>

#include "actors/store/store_rows.hpp"
#include "messages/data_layout.hpp"

namespace lucid {

using namespace store_rows;

outcome<std::optional<node_id>> recording_store::origin_of(const session_id& session) {
  auto query = db_.prepare("SELECT origin FROM sessions WHERE id = ? AND removed = 0");
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(byte_view(session)).step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return no_session(session);
  if ((*row)->is_null(0)) return std::optional<node_id>();
  auto origin = (*row)->fixed<32>(0);
  auto sound = (*row)->check("sessions", short_id(session));
  if (!sound) return pass_on(std::move(sound));
  return std::optional(origin);
}

outcome<void> recording_store::check_origin(const node_id& origin, const session_id& session) {
  auto known = origin_of(session);
  if (!known) return pass_on(std::move(known));
  if (*known == origin) return {};
  return fail(errc::permission_denied, "store",
              "session " + short_id(session) + " is of " + (*known ? "node " + to_hex(byte_view(**known).first(6)) : "this node") +
                ", not of node " + to_hex(byte_view(origin).first(6)));
}

outcome<session_summary> recording_store::mirror_session(const node_id& origin, const session_row& row) {
  auto& s = row.summary;
  session_put_request as_put{s, row.what, row.policy, {}, row.key_commitment};
  for (auto& key : row.keys) // A node's own key would open the recording where nobody asked for it.
    if (std::find(row.policy.recipients.begin(), row.policy.recipients.end(), key.recipient) != row.policy.recipients.end())
      as_put.keys.push_back(key);
  auto fits = check_request(as_put);
  if (fits && (s.state < session_state::created || s.state > session_state::failed))
    fits = fail(errc::invalid_input, "store", "session " + short_id(s.id) + " is in no state that is known");
  if (!fits) return pass_on(std::move(fits));
  auto ours = check_origin(origin, s.id);
  if (!ours && ours.error().code != errc::not_found) return pass_on(std::move(ours));
  if (!ours) {
    auto free = files_->free_bytes(options_.folder);
    if (!free) return pass_on(std::move(free));
    if (*free < options_.free_bytes_min)
      return fail(errc::disk_full, "store", "there are " + std::to_string(*free >> 20) + " MiB left for copies");
    auto made = files_->make_folder(session_folder(options_.folder, s.id));
    if (!made) return pass_on(std::move(made));
  }
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  auto done = ours ? write_summary(s) : insert_session_row(as_put);
  if (done && ours) done = replace_people(s.id, {s, row.what, row.policy, as_put.keys, {}});
  if (!done) return pass_on(std::move(done));
  auto mark = db_.prepare("UPDATE sessions SET origin = ?, key_commitment = coalesce(nullif(?, zeroblob(32)), key_commitment)"
                          " WHERE id = ?");
  if (!mark) return pass_on(std::move(mark));
  done = mark->bind(byte_view(origin)).bind(byte_view(row.key_commitment)).bind(byte_view(s.id)).run();
  if (done) done = change->commit();
  if (!done) return pass_on(std::move(done));
  return summary(s.id);
}

/// Recipients and keys as the origin has them now.
outcome<void> recording_store::replace_people(const session_id& session, const session_row& row) {
  for (auto table : {"DELETE FROM recipients WHERE session = ?", "DELETE FROM wrapped_keys WHERE session = ?"}) {
    auto clear = db_.prepare(table);
    if (!clear) return pass_on(std::move(clear));
    auto done = clear->bind(byte_view(session)).run();
    if (!done) return done;
  }
  return insert_people(session, row.policy.recipients, row.keys);
}

outcome<chunk_record> recording_store::mirror_chunk(const node_id& origin, const sealed_chunk& c) {
  auto fits = check_chunk(c);
  if (fits) fits = check_origin(origin, c.record.key.session);
  if (!fits) return pass_on(std::move(fits));
  auto there = holds(c.record.key, c.record.content);
  if (!there) return pass_on(std::move(there));
  if (*there) return c.record;
  auto free = files_->free_bytes(options_.folder);
  if (!free) return pass_on(std::move(free));
  if (*free < options_.free_bytes_min + c.file.size())
    return fail(errc::disk_full, "store", "there are " + std::to_string(*free >> 20) + " MiB left for copies");
  return write_chunk(c);
}

outcome<signed_manifest> recording_store::mirror_manifest(const node_id& origin, const manifest_put_request& request) {
  auto ours = check_origin(origin, request.session);
  if (!ours) return pass_on(std::move(ours));
  return put_manifest(request);
}

outcome<stored_anchor> recording_store::mirror_anchor(const node_id& origin, const stored_anchor& anchor) {
  auto ours = check_origin(origin, anchor.record.entry.session);
  if (!ours) return pass_on(std::move(ours));
  return put_anchor(anchor);
}

outcome<void> recording_store::mirror_remove(const node_id& origin, const session_id& session) {
  auto ours = check_origin(origin, session);
  if (!ours && ours.error().code == errc::not_found) return {};
  if (!ours) return ours;
  auto mark = db_.prepare("UPDATE sessions SET removed = 1 WHERE id = ?");
  if (!mark) return pass_on(std::move(mark));
  auto marked = mark->bind(byte_view(session)).run();
  if (!marked) return marked;
  return finish_removal(session);
}

outcome<void> recording_store::mirror_drop(const node_id& origin, const chunk_key& key) {
  auto ours = check_origin(origin, key.session);
  if (!ours) return ours;
  return files_->remove(chunk_path(key));
}

outcome<void> recording_store::mirror_take_over(const node_id& from, const node_id& to, const session_id& session,
                                                const digest& manifest_hash) {
  auto ours = check_origin(from, session);
  if (!ours) return ours;
  auto held = manifest_entry(session);
  if (!held) return pass_on(std::move(held));
  // A manifest that was signed is evidence: it does not give way to one that says less.
  if (*held && (*held)->manifest_hash != manifest_hash)
    return fail(errc::already_exists, "store",
                "session " + short_id(session) + " has the manifest of its recorder here; it is not given to a node that "
                "has another");
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  auto forget = db_.prepare("DELETE FROM anchors WHERE session = ?");
  if (!forget) return pass_on(std::move(forget));
  auto done = forget->bind(byte_view(session)).run();
  if (!done) return done;
  auto mark = db_.prepare("UPDATE sessions SET origin = ?, block_height = 0, block_producer = NULL WHERE id = ?");
  if (!mark) return pass_on(std::move(mark));
  done = mark->bind(byte_view(to)).bind(byte_view(session)).run();
  if (!done) return done;
  return change->commit();
}

outcome<bool> recording_store::holds(const chunk_key& key, const digest& content) {
  auto known = chunk(key);
  if (!known) return pass_on(std::move(known));
  if (!*known || (*known)->content != content) return false;
  return is_stored(**known);
}

outcome<byte_buffer> recording_store::chunk_part(const chunk_key& key, std::uint64_t offset, std::size_t size_bytes) {
  return files_->read(chunk_path(key), offset, size_bytes);
}

} // namespace lucid

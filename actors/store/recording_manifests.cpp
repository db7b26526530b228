// actors/store/recording_manifests.cpp - manifests, and where they stand in the chain.
#include "actors/store/recording_store.hpp"

#include <algorithm>

#include "actors/format/ledger_codec.hpp"
#include "actors/store/store_rows.hpp"

namespace lucid {

using namespace store_rows;

outcome<std::optional<anchor_entry>> recording_store::manifest_entry(const session_id& session) {
  auto query = db_.prepare("SELECT hash, root, sealed_us FROM manifests WHERE session = ?");
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(byte_view(session)).step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return std::optional<anchor_entry>();
  anchor_entry entry{session, (*row)->fixed<32>(0), (*row)->fixed<32>(1), (*row)->integer(2)};
  auto sound = (*row)->check("manifests", short_id(session));
  if (!sound) return pass_on(std::move(sound));
  return std::optional(entry);
}

outcome<signed_manifest> recording_store::put_manifest(const manifest_put_request& request) {
  if (request.entry.session != request.session || request.entry.manifest_hash != request.document.hash)
    return fail(errc::invalid_input, "store",
                "the entry to be anchored for session " + short_id(request.session) + " is not of its manifest");
  if (request.document.canonical.size() > manifest_size_bytes_max)
    return fail(errc::limit_exceeded, "store", "the manifest of session " + short_id(request.session) + " is too large");
  auto owner = summary(request.session);
  if (!owner) return pass_on(std::move(owner));
  auto known = manifest_entry(request.session);
  if (!known) return pass_on(std::move(known));
  if (*known) {
    if ((*known)->manifest_hash == request.document.hash) return manifest_of(request.session);
    return fail(errc::already_exists, "store",
                "session " + short_id(request.session) + " has another manifest already; it is not replaced");
  }
  auto row = db_.prepare("INSERT INTO manifests(session, canonical, hash, signature, root, sealed_us)"
                         " VALUES(?,?,?,?,?,?)");
  if (!row) return pass_on(std::move(row));
  auto done = row->bind(byte_view(request.session)).bind(std::string_view(request.document.canonical))
                .bind(byte_view(request.document.hash)).bind(byte_view(request.document.by))
                .bind(byte_view(request.entry.root)).bind(request.entry.sealed_us).run();
  if (!done) return pass_on(std::move(done));
  return request.document;
}

outcome<signed_manifest> recording_store::manifest_of(const session_id& session) {
  auto query = db_.prepare("SELECT canonical, hash, signature FROM manifests WHERE session = ?");
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(byte_view(session)).step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return fail(errc::not_found, "store", "session " + short_id(session) + " has no manifest yet");
  signed_manifest document{(*row)->text(0, manifest_size_bytes_max), (*row)->fixed<32>(1), (*row)->fixed<64>(2)};
  auto sound = (*row)->check("manifests", short_id(session));
  if (!sound) return pass_on(std::move(sound));
  return document;
}

outcome<bool> recording_store::has_manifest(const session_id& session) {
  return manifest_entry(session).map([](const std::optional<anchor_entry>& entry) { return entry.has_value(); });
}

outcome<std::optional<manifest_put_request>> recording_store::manifest_with_entry(const session_id& session) {
  auto entry = manifest_entry(session);
  if (!entry) return pass_on(std::move(entry));
  if (!*entry) return std::optional<manifest_put_request>();
  auto document = manifest_of(session);
  if (!document) return pass_on(std::move(document));
  return manifest_put_request{session, std::move(*document), **entry};
}

outcome<stored_anchor> recording_store::put_anchor(const stored_anchor& anchor) {
  auto& record = anchor.record;
  auto& session = record.entry.session;
  auto stored = manifest_entry(session);
  if (!stored) return pass_on(std::move(stored));
  if (!*stored) return fail(errc::not_found, "store", "session " + short_id(session) + " has no manifest to anchor");
  if ((*stored)->manifest_hash != record.entry.manifest_hash)
    return fail(errc::invalid_input, "store", "the anchor of session " + short_id(session) + " is of another manifest");
  auto known = anchor_with_block(session);
  if (known || known.error().code != errc::not_found) return known;
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  auto row = db_.prepare("INSERT INTO anchors(session, manifest_hash, root, sealed_us, block_height, entry_index, path, block)"
                         " VALUES(?,?,?,?,?,?,?,nullif(?,zeroblob(0)))");
  if (!row) return pass_on(std::move(row));
  auto block = anchor.block ? encode_block_header(*anchor.block) : byte_buffer();
  auto done = row->bind(byte_view(session)).bind(byte_view(record.entry.manifest_hash))
                .bind(byte_view(record.entry.root)).bind(record.entry.sealed_us).bind_count(record.block_height)
                .bind_count(record.entry_index).bind(bytes_of(record.path)).bind(byte_view(block)).run();
  if (!done) return pass_on(std::move(done));
  auto height = db_.prepare("UPDATE sessions SET block_height = ?, block_producer = nullif(?, zeroblob(32)) WHERE id = ?");
  if (!height) return pass_on(std::move(height));
  auto producer = anchor.block ? anchor.block->producer : sign_public_key{};
  done = height->bind_count(record.block_height).bind(byte_view(producer)).bind(byte_view(session)).run();
  if (done) done = change->commit();
  if (!done) return pass_on(std::move(done));
  return anchor;
}

outcome<anchor_record> recording_store::anchor_of(const session_id& session) {
  return anchor_with_block(session).map([](stored_anchor anchor) { return std::move(anchor.record); });
}

outcome<stored_anchor> recording_store::anchor_with_block(const session_id& session) {
  auto query = db_.prepare(sql({"SELECT manifest_hash, root, sealed_us, block_height, entry_index, path, ",
                                has_blocks_ ? "block" : "NULL", " FROM anchors WHERE session = ?"}));
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(byte_view(session)).step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return fail(errc::not_found, "store", "session " + short_id(session) + " is not anchored yet");
  auto& r = **row;
  stored_anchor anchor;
  auto& record = anchor.record;
  record.entry = {session, r.fixed<32>(0), r.fixed<32>(1), r.integer(2)};
  record.block_height = r.count(3);
  record.entry_index = r.count_as<std::uint32_t>(4);
  record.path = read_digests(r, 5, path_size_bytes_max);
  if (!r.is_null(6)) {
    auto block = decode_block_header(r.blob(6, block_header_size_bytes));
    if (block) anchor.block = std::move(*block);
    else r.spoil(6, "the header of a block");
  }
  auto sound = r.check("anchors", short_id(session));
  if (!sound) return pass_on(std::move(sound));
  return anchor;
}

outcome<std::vector<anchor_entry>> recording_store::unanchored() {
  auto query = db_.prepare("SELECT m.session, m.hash, m.root, m.sealed_us FROM manifests m"
                           " JOIN sessions s ON s.id = m.session AND s.removed = 0"
                           " LEFT JOIN anchors a ON a.session = m.session WHERE a.session IS NULL"
                           " ORDER BY m.sealed_us, m.session LIMIT ?");
  if (!query) return pass_on(std::move(query));
  query->bind_count(unanchored_count_max);
  std::vector<anchor_entry> found;
  for (;;) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return found;
    auto& r = **row;
    found.push_back({r.fixed<32>(0), r.fixed<32>(1), r.fixed<32>(2), r.integer(3)});
    auto sound = r.check("manifests", short_id(found.back().session));
    if (!sound) return pass_on(std::move(sound));
  }
}

} // namespace lucid

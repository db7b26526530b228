// actors/store/recording_chunks.cpp - chunk files and their rows, and the fences they come under.
#include "actors/store/recording_store.hpp"

#include <algorithm>

#include "actors/store/store_rows.hpp"
#include "adapters/files/atomic_write.hpp"
#include "messages/data_layout.hpp"

namespace lucid {

using namespace store_rows;

namespace {

/// Whether the file is there and is these bytes: what a crash left behind, or what shares a copy's bytes.
bool has_bytes(file_system& files, const std::filesystem::path& file, byte_view bytes) {
  auto size = files.size_of(file);
  if (!size || *size != bytes.size()) return false;
  auto there = read_whole(files, file, bytes.size());
  return there && std::equal(there->begin(), there->end(), bytes.begin(), bytes.end());
}

} // namespace

// --- chunks ----------------------------------------------------------------------------------------------------

std::filesystem::path recording_store::chunk_path(const chunk_key& key) const {
  return chunk_file(options_.folder, key);
}

outcome<bool> recording_store::is_stored(const chunk_record& record) {
  auto size = files_->size_of(chunk_path(record.key));
  if (size) return *size == record.sealed_size_bytes;
  if (size.error().code == errc::not_found) return false;
  return pass_on(std::move(size));
}

outcome<void> recording_store::check_chunk(const sealed_chunk& c) {
  if (c.record.sealed_size_bytes == c.file.size() && !c.file.empty() && c.record.key.index < chunk_count_max) return {};
  return fail(errc::invalid_input, "store",
              "chunk " + name_of(c.record.key) + " of " + std::to_string(c.file.size()) + " bytes does not fit its record");
}

outcome<chunk_record> recording_store::put_chunk(const sealed_chunk& chunk_to_put) {
  auto& record = chunk_to_put.record;
  auto fits = check_chunk(chunk_to_put);
  if (fits) fits = check_fence(chunk_to_put.fence);
  if (!fits) return pass_on(std::move(fits));
  auto owner = summary(record.key.session);
  if (!owner) return pass_on(std::move(owner));
  auto known = chunk(record.key);
  if (!known) return pass_on(std::move(known));
  if (*known) {
    auto there = is_stored(**known);
    if (!there) return pass_on(std::move(there));
    if (*there) {
      auto kept = keep_fence(chunk_to_put.fence);
      if (!kept) return pass_on(std::move(kept));
      return **known;
    }
  }
  if (is_final(owner->state))
    return fail(errc::wrong_state, "store",
                "session " + short_id(record.key.session) + " is " + std::string(to_string(owner->state)) +
                  ", it takes no chunk");
  return write_chunk(chunk_to_put);
}

outcome<chunk_record> recording_store::write_chunk(const sealed_chunk& c) {
  auto path = chunk_path(c.record.key);
  auto written = has_bytes(*files_, path, c.file.view()) ? files_->sync_folder(path.parent_path())
                                                         : write_atomically(*files_, path, c.file.view());
  if (!written)
    return fail(written.error().code, "store", "chunk " + name_of(c.record.key) + " cannot be stored", written.error());
  auto inserted = insert_chunk(c);
  if (!inserted) return pass_on(std::move(inserted));
  return c.record;
}

// --- fences ----------------------------------------------------------------------------------------------------

outcome<std::uint64_t> recording_store::fence_of(const std::string& role) {
  auto query = db_.prepare("SELECT number FROM fences WHERE role = ?");
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(std::string_view(role)).step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return std::uint64_t{0};
  auto number = (*row)->count(0);
  auto sound = (*row)->check("fences", role);
  if (!sound) return pass_on(std::move(sound));
  return number;
}

outcome<void> recording_store::check_fence(const store_fence& fence) {
  if (fence.number == 0) return {};
  if (fence.role.empty() || fence.role.size() > fence_role_bytes_max)
    return fail(errc::invalid_input, "store", "a fence names its role in 1 to 64 bytes");
  auto highest = fence_of(fence.role);
  if (!highest) return pass_on(std::move(highest));
  if (fence.number >= *highest) return {};
  return fail(errc::wrong_state, "store",
              "the lease of " + fence.role + " with number " + std::to_string(fence.number) + " is over; number " +
                std::to_string(*highest) + " holds");
}

/// Part of the transaction that writes under the fence, where there is one.
outcome<void> recording_store::keep_fence(const store_fence& fence) {
  if (fence.number == 0) return {};
  auto highest = fence_of(fence.role);
  if (!highest) return pass_on(std::move(highest));
  if (fence.number <= *highest) return {};
  auto row = db_.prepare("INSERT INTO fences(role, number) SELECT ?1, ?2 WHERE (SELECT count(*) FROM fences) < ?3"
                         " OR EXISTS(SELECT 1 FROM fences WHERE role = ?1)"
                         " ON CONFLICT(role) DO UPDATE SET number = max(number, excluded.number)");
  if (!row) return pass_on(std::move(row));
  auto done = row->bind(std::string_view(fence.role)).bind_count(fence.number).bind_count(fence_roles_max).run();
  if (!done) return done;
  auto kept = fence_of(fence.role);
  if (!kept) return pass_on(std::move(kept));
  if (*kept == fence.number) return {};
  return fail(errc::limit_exceeded, "store", "there are fences of " + std::to_string(fence_roles_max) + " roles already");
}

outcome<void> recording_store::insert_chunk(const sealed_chunk& c) {
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  auto& r = c.record;
  auto row = db_.prepare(sql({"INSERT OR REPLACE INTO chunks(session, ", chunk_columns,
                              ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"}));
  if (!row) return pass_on(std::move(row));
  auto done = row->bind(byte_view(r.key.session)).bind_count(static_cast<std::uint64_t>(r.key.on))
                .bind_count(r.key.index).bind_count(r.span.first_sequence).bind_count(r.span.last_sequence)
                .bind_count(r.span.frame_count).bind(r.span.start_us).bind(r.span.end_us)
                .bind_count(r.plain_size_bytes).bind_count(r.sealed_size_bytes).bind(byte_view(r.content))
                .bind(byte_view(r.root)).run();
  if (!done) return done;
  auto table = db_.prepare("INSERT OR REPLACE INTO chunk_leaves(session, track, place, leaves) VALUES(?,?,?,?)");
  if (!table) return pass_on(std::move(table));
  done = table->bind(byte_view(r.key.session)).bind_count(static_cast<std::uint64_t>(r.key.on))
           .bind_count(r.key.index).bind(bytes_of(c.leaves)).run();
  if (done) done = keep_fence(c.fence);
  if (!done) return done;
  return change->commit();
}

outcome<std::vector<chunk_record>> recording_store::read_chunks(statement& query, const session_id& session) {
  std::vector<chunk_record> records;
  for (;;) {
    auto row = query.step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return records;
    auto record = read_chunk(**row, session);
    if (!record) return pass_on(std::move(record));
    records.push_back(*record);
  }
}

outcome<std::vector<chunk_record>> recording_store::chunks(const session_id& session) {
  auto query = db_.prepare(sql({"SELECT ", chunk_columns, " FROM chunks WHERE session = ? ORDER BY track, place"}));
  if (!query) return pass_on(std::move(query));
  query->bind(byte_view(session));
  return read_chunks(*query, session);
}

outcome<std::vector<chunk_record>> recording_store::chunk_page(const session_id& session, track on,
                                                               std::uint32_t from, std::uint32_t count) {
  auto query = db_.prepare(sql({"SELECT ", chunk_columns,
                                " FROM chunks WHERE session = ? AND track = ? AND place >= ? ORDER BY place LIMIT ?"}));
  if (!query) return pass_on(std::move(query));
  query->bind(byte_view(session)).bind_count(static_cast<std::uint64_t>(on)).bind_count(from).bind_count(count);
  return read_chunks(*query, session);
}

outcome<std::optional<chunk_record>> recording_store::chunk(const chunk_key& key) {
  auto page = chunk_page(key.session, key.on, key.index, 1);
  if (!page) return pass_on(std::move(page));
  if (page->empty() || page->front().key != key) return std::optional<chunk_record>();
  return std::optional(page->front());
}

outcome<std::vector<digest>> recording_store::leaves(const chunk_key& key) {
  auto query = db_.prepare("SELECT leaves FROM chunk_leaves WHERE session = ? AND track = ? AND place = ?");
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(byte_view(key.session)).bind_count(static_cast<std::uint64_t>(key.on))
               .bind_count(key.index).step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return fail(errc::not_found, "store", "there is no leaf table of chunk " + name_of(key));
  auto digests = read_digests(**row, 0, leaves_size_bytes_max);
  auto sound = (*row)->check("chunk_leaves", name_of(key));
  if (!sound) return pass_on(std::move(sound));
  return digests;
}

outcome<byte_buffer> recording_store::chunk_bytes(const chunk_key& key) {
  return read_whole(*files_, chunk_path(key), payload::size_bytes_max);
}

} // namespace lucid

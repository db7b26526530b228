// actors/store/recording_store.cpp - rows and files kept in step.
#include "actors/store/recording_store.hpp"

#include <algorithm>

#include "actors/store/store_schema.hpp"
#include "adapters/files/atomic_write.hpp"
#include "messages/data_layout.hpp"

namespace lucid {
namespace {

/// Bounds of what is written and read back. Those of the messages, where they have one.
constexpr std::size_t label_size_bytes_max = 200;                  // title, owner: session_policy
constexpr std::size_t source_size_bytes_max = 2000;
constexpr std::size_t name_size_bytes_max = 256;                   // user name, encoder
constexpr std::size_t manifest_size_bytes_max = 64u << 20;         // Twice the format's own bound.
constexpr std::size_t leaves_size_bytes_max = (payload::size_bytes_max / (16u << 10) + 1) * sizeof(digest);
constexpr std::size_t path_size_bytes_max = 64 * sizeof(digest);   // A tree of 2^64 leaves.
constexpr std::size_t key_count_max = recipient_count_max + 1;     // And the node's own.

constexpr std::string_view summary_columns =
  "id, state, title, owner, source, created_us, started_us, ended_us, frame_count, fragment_count, gap_count,"
  " captured_bytes, stored_bytes, chunk_count, block_height, reason, interrupted";
constexpr std::string_view chunk_columns =
  "track, place, first_sequence, last_sequence, frame_count, start_us, end_us, plain_size_bytes, sealed_size_bytes,"
  " content, root";

std::string sql(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (auto part : parts) all += part;
  return all;
}

std::string name_of(const chunk_key& key) {
  return short_id(key.session) + '/' + std::string(track_name(key.on)) + '/' + std::to_string(key.index);
}

outcome<session_summary> read_summary(row_reader& row) {
  session_summary s;
  s.id = row.fixed<32>(0);
  auto state = row.count_as<std::uint8_t>(1);
  if (state < static_cast<int>(session_state::created) || state > static_cast<int>(session_state::failed))
    row.spoil(1, "one of the states 1 to 8");
  s.state = static_cast<session_state>(state);
  s.title = row.text(2, label_size_bytes_max);
  s.owner = row.text(3, label_size_bytes_max);
  s.source = row.text(4, source_size_bytes_max);
  s.created_us = row.integer(5);
  s.started_us = row.integer(6);
  s.ended_us = row.integer(7);
  s.frame_count = row.count(8);
  s.fragment_count = row.count(9);
  s.gap_count = row.count(10);
  s.captured_bytes = row.count(11);
  s.stored_bytes = row.count(12);
  s.chunk_count = row.count_as<std::uint32_t>(13);
  s.block_height = row.count(14);
  s.reason = row.text(15, recording_store::reason_size_bytes_max);
  s.interrupted = row.count(16) != 0;
  auto sound = row.check("sessions", short_id(s.id));
  if (!sound) return pass_on(std::move(sound));
  return s;
}

outcome<chunk_record> read_chunk(row_reader& row, const session_id& session) {
  chunk_record r;
  r.key.session = session;
  auto on = row.count_as<std::uint8_t>(0);
  if (on >= track_count) row.spoil(0, "a track, 0 or 1");
  r.key.on = static_cast<track>(on);
  r.key.index = row.count_as<std::uint32_t>(1);
  r.span.first_sequence = row.count(2);
  r.span.last_sequence = row.count(3);
  r.span.frame_count = row.count_as<std::uint32_t>(4);
  r.span.start_us = row.integer(5);
  r.span.end_us = row.integer(6);
  r.plain_size_bytes = row.count(7);
  r.sealed_size_bytes = row.count(8);
  if (r.sealed_size_bytes > payload::size_bytes_max) row.spoil(8, "the size of a chunk file");
  r.content = row.fixed<32>(9);
  r.root = row.fixed<32>(10);
  auto sound = row.check("chunks", name_of(r.key));
  if (!sound) return pass_on(std::move(sound));
  return r;
}

/// A blob as digests. Spoils the row unless it is a whole number of them.
std::vector<digest> read_digests(row_reader& row, int column, std::size_t size_bytes_max) {
  auto bytes = row.blob(column, size_bytes_max);
  if (bytes.size() % sizeof(digest) != 0) {
    row.spoil(column, "a whole number of digests");
    return {};
  }
  std::vector<digest> digests(bytes.size() / sizeof(digest));
  for (std::size_t i = 0; i < digests.size(); ++i)
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(i * sizeof(digest)), sizeof(digest), digests[i].begin());
  return digests;
}

byte_view bytes_of(const std::vector<digest>& digests) {
  return {reinterpret_cast<const std::uint8_t*>(digests.data()), digests.size() * sizeof(digest)};
}

outcome<void> check_length(std::string_view field, const std::string& text, std::size_t size_bytes_max) {
  if (text.size() <= size_bytes_max) return {};
  return fail(errc::limit_exceeded, "store",
              std::string(field) + " has " + std::to_string(text.size()) + " bytes, at most " +
                std::to_string(size_bytes_max) + " are allowed");
}

outcome<void> check_request(const session_put_request& request) {
  auto fits = check_length("title", request.summary.title, label_size_bytes_max);
  if (fits) fits = check_length("owner", request.summary.owner, label_size_bytes_max);
  if (fits) fits = check_length("source", request.summary.source, source_size_bytes_max);
  if (fits) fits = check_length("source", request.what.source, source_size_bytes_max);
  if (fits) fits = check_length("username", request.what.username, name_size_bytes_max);
  if (fits) fits = check_length("encoder", request.what.encoder, name_size_bytes_max);
  if (!fits) return fits;
  if (request.policy.recipients.size() > recipient_count_max || request.keys.size() > key_count_max)
    return fail(errc::limit_exceeded, "store",
                "a session has at most " + std::to_string(recipient_count_max) + " recipients");
  return {};
}

/// At most so many bytes, cut between two characters of UTF-8.
std::string_view cut_text(std::string_view text, std::size_t size_bytes_max) {
  if (text.size() <= size_bytes_max) return text;
  auto end = size_bytes_max;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

bool is_same_session(const session_summary& a, const session_summary& b) {
  return a.id == b.id && a.created_us == b.created_us && a.title == b.title && a.owner == b.owner &&
         a.source == b.source;
}

tl::unexpected<error> no_session(const session_id& id) {
  return fail(errc::not_found, "store", "there is no session " + short_id(id));
}

} // namespace

std::string without_password(const std::string& source) {
  auto scheme = source.find("://");
  if (scheme == source.npos) return source;
  auto begin = scheme + 3;
  auto host_end = std::min(source.find_first_of("/?#", begin), source.size());
  auto at = source.rfind('@', host_end);
  if (at == source.npos || at < begin) return source;
  auto colon = source.find(':', begin);
  if (colon >= at) return source;
  return source.substr(0, colon) + source.substr(at);
}

// --- opening ---------------------------------------------------------------------------------------------------

outcome<recording_store> recording_store::open(const store_options& options, file_system& files) {
  auto made = files.make_folder(sessions_folder(options.folder));
  if (!made) return pass_on(std::move(made));
  auto db = database::open(store_file(options.folder), store_migrations);
  if (!db) return pass_on(std::move(db));
  // SQLite takes a negative number as KiB.
  if (auto set = db->execute("PRAGMA cache_size=-" + std::to_string(options.cache_bytes_max >> 10)); !set)
    return pass_on(std::move(set));
  recording_store store(std::move(*db), options, files);
  auto tidied = store.tidy();
  if (!tidied) return pass_on(std::move(tidied));
  return store;
}

outcome<recording_store> recording_store::open_read_only(const store_options& options, file_system& files) {
  auto db = database::open_read_only(store_file(options.folder), static_cast<int>(store_migrations.size()),
                                     store_version_readable_min);
  if (!db) return pass_on(std::move(db));
  return recording_store(std::move(*db), options, files);
}

/// Only unfinished sessions are compared with their files: those of the others were complete when they ended, and
/// `lucid verify` reads every byte of them. So a start takes no longer the more recordings there are.
outcome<void> recording_store::tidy() {
  auto query = db_.prepare("SELECT id, removed FROM sessions WHERE removed = 1 OR state < ?");
  if (!query) return pass_on(std::move(query));
  query->bind(static_cast<std::int64_t>(session_state::completed));
  std::vector<std::pair<session_id, bool>> open_ones;
  for (;;) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) break;
    auto id = (*row)->fixed<32>(0);
    auto removed = (*row)->count(1) != 0;
    auto sound = (*row)->check("sessions", short_id(id));
    if (sound)
      open_ones.emplace_back(id, removed);
    else
      note(std::move(sound).error());
  }
  for (auto& [id, removed] : open_ones) {
    auto done = removed ? finish_removal(id) : tidy_session(id);
    if (!done) note(std::move(done).error());
  }
  return {};
}

outcome<void> recording_store::tidy_session(const session_id& session) {
  auto stored = chunks(session);
  if (!stored) return pass_on(std::move(stored));
  auto folder = session_folder(options_.folder, session);
  auto names = files_->list(folder);
  if (!names) return pass_on(std::move(names));
  auto has_row = [&](const std::string& name) {
    return std::any_of(stored->begin(), stored->end(), [&](const chunk_record& r) {
      return chunk_file_name(r.key.on, r.key.index) == name;
    });
  };
  for (auto& name : *names) {
    // Only what is the store's: beside it a journal may be writing, since a store that is restarted tidies, too.
    auto unfinished = name.ends_with(part_suffix) && chunk_of(std::string_view(name).substr(0, name.size() - part_suffix.size()));
    if (!unfinished && !(chunk_of(name) && !has_row(name))) continue;
    auto removed = files_->remove(folder / name);
    if (!removed) return removed;
  }
  for (auto& record : *stored) {
    auto there = is_stored(record);
    if (!there) return pass_on(std::move(there));
    if (!*there)
      note(error{errc::corrupted, "store",
                 "chunk " + name_of(record.key) + " has a row, but " + chunk_path(record.key).string() +
                   " is missing or not of " + std::to_string(record.sealed_size_bytes) + " bytes",
                 nullptr});
  }
  return {};
}

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
  auto written = write_atomically(*files_, chunk_path(c.record.key), c.file.view());
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

// --- sessions --------------------------------------------------------------------------------------------------

outcome<session_summary> recording_store::summary(const session_id& id) {
  auto query = db_.prepare(sql({"SELECT ", summary_columns, " FROM sessions WHERE id = ? AND removed = 0"}));
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(byte_view(id)).step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return no_session(id);
  return read_summary(**row);
}

outcome<session_summary> recording_store::put_session(const session_put_request& request) {
  auto fits = check_request(request);
  if (!fits) return pass_on(std::move(fits));
  auto known = summary(request.summary.id);
  if (known) {
    if (is_same_session(*known, request.summary)) return update_session(request.summary);
    return fail(errc::already_exists, "store",
                "session " + short_id(request.summary.id) + " is there already and is another one");
  }
  if (known.error().code != errc::not_found) return known;
  auto free = files_->free_bytes(options_.folder);
  if (!free) return pass_on(std::move(free));
  if (*free < options_.free_bytes_min)
    return fail(errc::disk_full, "store",
                "a new session needs " + std::to_string(options_.free_bytes_min >> 20) + " MiB free under " +
                  options_.folder.string() + ", there are " + std::to_string(*free >> 20) + " MiB");
  auto made = files_->make_folder(session_folder(options_.folder, request.summary.id));
  if (!made) return pass_on(std::move(made));
  auto inserted = insert_session(request);
  if (!inserted) return pass_on(std::move(inserted));
  return summary(request.summary.id);
}

outcome<void> recording_store::insert_session(const session_put_request& request) {
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  auto done = insert_session_row(request);
  if (!done) return done;
  return change->commit();
}

outcome<void> recording_store::insert_session_row(const session_put_request& request) {
  auto& s = request.summary;
  auto& w = request.what;
  auto row = db_.prepare(sql({"INSERT INTO sessions(", summary_columns,
                              ", asked_source, asked_username, asked_width, asked_height, asked_frame_rate_max,"
                              " asked_encoder, asked_quality, length_seconds_max)"
                              " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"}));
  if (!row) return pass_on(std::move(row));
  auto source = without_password(s.source), asked_source = without_password(w.source);
  auto done = row->bind(byte_view(s.id)).bind_count(static_cast<std::uint64_t>(s.state)).bind(s.title).bind(s.owner)
                .bind(source).bind(s.created_us).bind(s.started_us).bind(s.ended_us).bind_count(s.frame_count)
                .bind_count(s.fragment_count).bind_count(s.gap_count).bind_count(s.captured_bytes)
                .bind_count(s.stored_bytes).bind_count(s.chunk_count).bind_count(s.block_height)
                .bind(cut_text(s.reason, reason_size_bytes_max)).bind_count(s.interrupted ? 1u : 0u).bind(asked_source).bind(w.username)
                .bind_count(w.width).bind_count(w.height).bind_count(w.frame_rate_max).bind(w.encoder)
                .bind_count(w.quality).bind_count(request.policy.length_seconds_max).run();
  if (!done) return done;
  return insert_people(s.id, request.policy.recipients, request.keys);
}

outcome<void> recording_store::insert_people(const session_id& session, const std::vector<box_public_key>& people,
                                             const std::vector<wrapped_key>& keys) {
  outcome<void> done;
  for (std::size_t i = 0; done && i < people.size(); ++i) {
    auto add = db_.prepare("INSERT INTO recipients(session, place, recipient) VALUES(?,?,?)");
    if (!add) return pass_on(std::move(add));
    done = add->bind(byte_view(session)).bind_count(i).bind(byte_view(people[i])).run();
  }
  for (std::size_t i = 0; done && i < keys.size(); ++i) {
    auto add = db_.prepare("INSERT INTO wrapped_keys(session, place, recipient, sealed) VALUES(?,?,?,?)");
    if (!add) return pass_on(std::move(add));
    done = add->bind(byte_view(session)).bind_count(i).bind(byte_view(keys[i].recipient)).bind(byte_view(keys[i].sealed)).run();
  }
  return done;
}

outcome<session_summary> recording_store::update_session(const session_summary& news) {
  auto known = summary(news.id);
  if (!known) return known;
  if (!may_follow(known->state, news.state))
    return fail(errc::wrong_state, "store",
                "session " + short_id(news.id) + " is " + std::string(to_string(known->state)) + " and cannot become " +
                  std::string(to_string(news.state)));
  bool ends = is_final(news.state) && !is_final(known->state);
  if (ends && news.state != session_state::failed) {
    // Everything is in stored, anchored chunks. Before the row, so that a crash leaves no journal behind; a failed
    // session keeps its journal: it may be all there is.
    auto removed = remove_files(news.id, true);
    if (!removed) return pass_on(std::move(removed));
  }
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  auto done = write_summary(news);
  if (done && ends) done = drop_node_keys(news.id);
  if (done) done = change->commit();
  // The dropped key must not linger in the log; if a reader holds it back, the next checkpoint does it.
  if (done && ends) (void)db_.checkpoint();
  if (!done) return pass_on(std::move(done));
  return summary(news.id);
}

outcome<void> recording_store::write_summary(const session_summary& s) {
  auto row = db_.prepare("UPDATE sessions SET state = ?, started_us = ?, ended_us = ?, frame_count = ?,"
                         " fragment_count = ?, gap_count = ?, captured_bytes = ?, stored_bytes = ?, chunk_count = ?,"
                         " block_height = max(block_height, ?), reason = ?, interrupted = max(interrupted, ?) WHERE id = ?");
  if (!row) return pass_on(std::move(row));
  return row->bind_count(static_cast<std::uint64_t>(s.state)).bind(s.started_us).bind(s.ended_us)
    .bind_count(s.frame_count).bind_count(s.fragment_count).bind_count(s.gap_count).bind_count(s.captured_bytes)
    .bind_count(s.stored_bytes).bind_count(s.chunk_count).bind_count(s.block_height)
    .bind(cut_text(s.reason, reason_size_bytes_max)).bind_count(s.interrupted ? 1u : 0u).bind(byte_view(s.id)).run();
}

/// The node's own copy of the key is for finishing what it began. After the end only the recipients can read.
outcome<void> recording_store::drop_node_keys(const session_id& session) {
  auto row = db_.prepare("DELETE FROM wrapped_keys WHERE session = ?1 AND recipient NOT IN"
                         " (SELECT recipient FROM recipients WHERE session = ?1)");
  if (!row) return pass_on(std::move(row));
  return row->bind(byte_view(session)).run();
}

outcome<session_row> recording_store::session(const session_id& id) {
  auto query = db_.prepare(sql({"SELECT ", summary_columns,
                                ", asked_source, asked_username, asked_width, asked_height, asked_frame_rate_max,"
                                " asked_encoder, asked_quality, length_seconds_max"
                                " FROM sessions WHERE id = ? AND removed = 0"}));
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(byte_view(id)).step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return no_session(id);
  session_row all;
  auto& r = **row;
  all.what.source = r.text(17, source_size_bytes_max);
  all.what.username = r.text(18, name_size_bytes_max);
  all.what.width = r.count_as<std::uint32_t>(19);
  all.what.height = r.count_as<std::uint32_t>(20);
  all.what.frame_rate_max = r.count_as<std::uint32_t>(21);
  all.what.encoder = r.text(22, name_size_bytes_max);
  all.what.quality = r.count_as<std::uint32_t>(23);
  all.policy.length_seconds_max = r.count_as<std::uint32_t>(24);
  auto head = read_summary(r); // Checks all columns read so far.
  if (!head) return pass_on(std::move(head));
  all.summary = std::move(*head);
  all.policy.title = all.summary.title;
  all.policy.owner = all.summary.owner;
  auto people = recipients(id);
  if (!people) return pass_on(std::move(people));
  all.policy.recipients = std::move(*people);
  auto wrapped = keys(id);
  if (!wrapped) return pass_on(std::move(wrapped));
  all.keys = std::move(*wrapped);
  return all;
}

outcome<std::vector<box_public_key>> recording_store::recipients(const session_id& session) {
  auto query = db_.prepare("SELECT recipient FROM recipients WHERE session = ? ORDER BY place");
  if (!query) return pass_on(std::move(query));
  query->bind(byte_view(session));
  std::vector<box_public_key> found;
  for (;;) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return found;
    found.push_back((*row)->fixed<32>(0));
    if (found.size() > recipient_count_max) (*row)->spoil(0, "one of at most 64 recipients");
    auto sound = (*row)->check("recipients", short_id(session));
    if (!sound) return pass_on(std::move(sound));
  }
}

outcome<std::vector<wrapped_key>> recording_store::keys(const session_id& session) {
  auto query = db_.prepare("SELECT recipient, sealed FROM wrapped_keys WHERE session = ? ORDER BY place");
  if (!query) return pass_on(std::move(query));
  query->bind(byte_view(session));
  std::vector<wrapped_key> found;
  for (;;) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return found;
    found.push_back({(*row)->fixed<32>(0), (*row)->fixed<80>(1)});
    if (found.size() > key_count_max) (*row)->spoil(0, "one of at most 65 keys");
    auto sound = (*row)->check("wrapped_keys", short_id(session));
    if (!sound) return pass_on(std::move(sound));
  }
}

outcome<std::vector<session_summary>> recording_store::sessions(const session_list_request& which) {
  auto query = db_.prepare(sql({"SELECT ", summary_columns, " FROM sessions WHERE removed = 0 AND state < ?"
                                " ORDER BY created_us DESC, id LIMIT ? OFFSET ?"}));
  if (!query) return pass_on(std::move(query));
  query->bind(which.unfinished_only ? static_cast<std::int64_t>(session_state::completed) : std::int64_t{256})
    .bind_count(std::min(which.count, session_page_count_max)).bind_count(which.offset);
  std::vector<session_summary> found;
  for (;;) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return found;
    auto one = read_summary(**row);
    if (one)
      found.push_back(std::move(*one));
    else
      note(std::move(one).error()); // One damaged row must not hide the others.
  }
}

void recording_store::note(error what) {
  auto same = [&](const error& e) { return e.what == what.what; };
  if (findings_.size() < findings_count_max && std::none_of(findings_.begin(), findings_.end(), same))
    findings_.push_back(std::move(what));
}

outcome<std::vector<session_id>> recording_store::find(const std::string& prefix, std::uint32_t count) {
  auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  if (prefix.empty() || prefix.size() > 64 || !std::all_of(prefix.begin(), prefix.end(), is_digit))
    return fail(errc::invalid_input, "store", "a session is named by 1 to 64 hexadecimal digits, not \"" +
                                                std::string(cut_text(prefix, 80)) + '"');
  auto query = db_.prepare("SELECT id FROM sessions WHERE removed = 0 AND substr(hex(id), 1, ?) = upper(?)"
                           " ORDER BY id LIMIT ?");
  if (!query) return pass_on(std::move(query));
  query->bind_count(prefix.size()).bind(std::string_view(prefix)).bind_count(count);
  std::vector<session_id> found;
  for (;;) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return found;
    found.push_back((*row)->fixed<32>(0));
    auto sound = (*row)->check("sessions", prefix);
    if (!sound) return pass_on(std::move(sound));
  }
}

// --- removal ---------------------------------------------------------------------------------------------------

/// Marked, then the files, then the row: after a crash in between, the next start goes on where this ended.
outcome<session_summary> recording_store::remove_session(const session_id& id) {
  auto known = summary(id);
  if (!known) return known;
  if (!is_final(known->state))
    return fail(errc::wrong_state, "store",
                "session " + short_id(id) + " is " + std::string(to_string(known->state)) +
                  "; only finished sessions can be removed");
  auto mark = db_.prepare("UPDATE sessions SET removed = 1 WHERE id = ?");
  if (!mark) return pass_on(std::move(mark));
  auto marked = mark->bind(byte_view(id)).run();
  if (!marked) return pass_on(std::move(marked));
  auto done = finish_removal(id);
  if (!done) return pass_on(std::move(done));
  return known;
}

outcome<void> recording_store::finish_removal(const session_id& session) {
  auto removed = remove_files(session, false);
  if (!removed) return removed;
  auto row = db_.prepare("DELETE FROM sessions WHERE id = ?");
  if (!row) return pass_on(std::move(row));
  return row->bind(byte_view(session)).run();
}

/// The journal of a session, or all its files and the folder itself. Files of other names are not ours: they stay,
/// and with them the folder.
outcome<void> recording_store::remove_files(const session_id& session, bool journal_only) {
  auto folder = session_folder(options_.folder, session);
  auto names = files_->list(folder);
  if (!names) return pass_on(std::move(names));
  bool foreign = false;
  for (auto& name : *names) {
    bool journal = journal_segment_of(name).has_value();
    bool ours = journal || name.ends_with(part_suffix) || chunk_of(name);
    foreign = foreign || !ours;
    if (journal_only ? !journal : !ours) continue;
    auto removed = files_->remove(folder / name);
    if (!removed) return removed;
  }
  if (journal_only || foreign) return {};
  return files_->remove(folder);
}

// --- copies of other nodes' recordings -------------------------------------------------------------------------

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
  session_put_request as_put{s, row.what, row.policy, {}};
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
  if (done && ours) done = replace_people(s.id, {s, row.what, row.policy, as_put.keys});
  if (!done) return pass_on(std::move(done));
  auto mark = db_.prepare("UPDATE sessions SET origin = ? WHERE id = ?");
  if (!mark) return pass_on(std::move(mark));
  done = mark->bind(byte_view(origin)).bind(byte_view(s.id)).run();
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

outcome<anchor_record> recording_store::mirror_anchor(const node_id& origin, const anchor_record& record) {
  auto ours = check_origin(origin, record.entry.session);
  if (!ours) return pass_on(std::move(ours));
  return put_anchor(record);
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

outcome<bool> recording_store::holds(const chunk_key& key, const digest& content) {
  auto known = chunk(key);
  if (!known) return pass_on(std::move(known));
  if (!*known || (*known)->content != content) return false;
  return is_stored(**known);
}

outcome<byte_buffer> recording_store::chunk_part(const chunk_key& key, std::uint64_t offset, std::size_t size_bytes) {
  return files_->read(chunk_path(key), offset, size_bytes);
}

// --- manifests and anchors -------------------------------------------------------------------------------------

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

outcome<anchor_record> recording_store::put_anchor(const anchor_record& record) {
  auto& session = record.entry.session;
  auto stored = manifest_entry(session);
  if (!stored) return pass_on(std::move(stored));
  if (!*stored) return fail(errc::not_found, "store", "session " + short_id(session) + " has no manifest to anchor");
  if ((*stored)->manifest_hash != record.entry.manifest_hash)
    return fail(errc::invalid_input, "store", "the anchor of session " + short_id(session) + " is of another manifest");
  auto known = anchor_of(session);
  if (known) {
    if (known->block_height == record.block_height && known->entry_index == record.entry_index) return known;
    return fail(errc::already_exists, "store",
                "session " + short_id(session) + " is anchored in block " + std::to_string(known->block_height) +
                  " already");
  }
  if (known.error().code != errc::not_found) return known;
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  auto row = db_.prepare("INSERT INTO anchors(session, manifest_hash, root, sealed_us, block_height, entry_index, path)"
                         " VALUES(?,?,?,?,?,?,?)");
  if (!row) return pass_on(std::move(row));
  auto done = row->bind(byte_view(session)).bind(byte_view(record.entry.manifest_hash))
                .bind(byte_view(record.entry.root)).bind(record.entry.sealed_us).bind_count(record.block_height)
                .bind_count(record.entry_index).bind(bytes_of(record.path)).run();
  if (!done) return pass_on(std::move(done));
  auto height = db_.prepare("UPDATE sessions SET block_height = ? WHERE id = ?");
  if (!height) return pass_on(std::move(height));
  done = height->bind_count(record.block_height).bind(byte_view(session)).run();
  if (done) done = change->commit();
  if (!done) return pass_on(std::move(done));
  return record;
}

outcome<anchor_record> recording_store::anchor_of(const session_id& session) {
  auto query = db_.prepare("SELECT manifest_hash, root, sealed_us, block_height, entry_index, path FROM anchors"
                           " WHERE session = ?");
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(byte_view(session)).step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return fail(errc::not_found, "store", "session " + short_id(session) + " is not anchored yet");
  auto& r = **row;
  anchor_record record;
  record.entry = {session, r.fixed<32>(0), r.fixed<32>(1), r.integer(2)};
  record.block_height = r.count(3);
  record.entry_index = r.count_as<std::uint32_t>(4);
  record.path = read_digests(r, 5, path_size_bytes_max);
  auto sound = r.check("anchors", short_id(session));
  if (!sound) return pass_on(std::move(sound));
  return record;
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

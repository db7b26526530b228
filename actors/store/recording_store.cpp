// actors/store/recording_store.cpp - opening, sessions, removal: rows and files kept in step.
#include "actors/store/recording_store.hpp"

#include <algorithm>

#include "actors/store/store_rows.hpp"
#include "actors/store/store_schema.hpp"
#include "adapters/files/atomic_write.hpp"
#include "messages/data_layout.hpp"

namespace lucid {

using namespace store_rows;

namespace {

bool is_same_session(const session_summary& a, const session_summary& b) {
  return a.id == b.id && a.created_us == b.created_us && a.title == b.title && a.owner == b.owner &&
         a.source == b.source;
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
  recording_store store(std::move(*db), options, files, true);
  auto tidied = store.tidy();
  if (!tidied) return pass_on(std::move(tidied));
  return store;
}

outcome<recording_store> recording_store::open_read_only(const store_options& options, file_system& files) {
  auto db = database::open_read_only(store_file(options.folder), static_cast<int>(store_migrations.size()),
                                     store_version_readable_min);
  if (!db) return pass_on(std::move(db));
  auto version = db->version();
  if (!version) return pass_on(std::move(version));
  return recording_store(std::move(*db), options, files, *version >= store_version_with_blocks);
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

// --- sessions --------------------------------------------------------------------------------------------------

outcome<session_summary> recording_store::summary(const session_id& id) {
  auto query = db_.prepare(sql({"SELECT ", summary_columns, producer_column(), " FROM sessions WHERE id = ? AND removed = 0"}));
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
                              " asked_encoder, asked_quality, length_seconds_max, key_commitment, block_producer)"
                              " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,nullif(?,zeroblob(32)),"
                              "nullif(?,zeroblob(32)))"}));
  if (!row) return pass_on(std::move(row));
  auto source = without_password(s.source), asked_source = without_password(w.source);
  auto done = row->bind(byte_view(s.id)).bind_count(static_cast<std::uint64_t>(s.state)).bind(s.title).bind(s.owner)
                .bind(source).bind(s.created_us).bind(s.started_us).bind(s.ended_us).bind_count(s.frame_count)
                .bind_count(s.fragment_count).bind_count(s.gap_count).bind_count(s.captured_bytes)
                .bind_count(s.stored_bytes).bind_count(s.chunk_count).bind_count(s.block_height)
                .bind(cut_text(s.reason, reason_size_bytes_max)).bind_count(s.interrupted ? 1u : 0u).bind(asked_source).bind(w.username)
                .bind_count(w.width).bind_count(w.height).bind_count(w.frame_rate_max).bind(w.encoder)
                .bind_count(w.quality).bind_count(request.policy.length_seconds_max)
                .bind(byte_view(request.key_commitment)).bind(byte_view(s.block_producer)).run();
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
                         " block_height = max(block_height, ?), reason = ?, interrupted = max(interrupted, ?),"
                         " block_producer = coalesce(nullif(?, zeroblob(32)), block_producer) WHERE id = ?");
  if (!row) return pass_on(std::move(row));
  return row->bind_count(static_cast<std::uint64_t>(s.state)).bind(s.started_us).bind(s.ended_us)
    .bind_count(s.frame_count).bind_count(s.fragment_count).bind_count(s.gap_count).bind_count(s.captured_bytes)
    .bind_count(s.stored_bytes).bind_count(s.chunk_count).bind_count(s.block_height)
    .bind(cut_text(s.reason, reason_size_bytes_max)).bind_count(s.interrupted ? 1u : 0u)
    .bind(byte_view(s.block_producer)).bind(byte_view(s.id)).run();
}

/// The node's own copy of the key is for finishing what it began. After the end only the recipients can read.
outcome<void> recording_store::drop_node_keys(const session_id& session) {
  auto row = db_.prepare("DELETE FROM wrapped_keys WHERE session = ?1 AND recipient NOT IN"
                         " (SELECT recipient FROM recipients WHERE session = ?1)");
  if (!row) return pass_on(std::move(row));
  return row->bind(byte_view(session)).run();
}

outcome<session_row> recording_store::session(const session_id& id) {
  auto query = db_.prepare(sql({"SELECT ", summary_columns, producer_column(),
                                ", asked_source, asked_username, asked_width, asked_height, asked_frame_rate_max,"
                                " asked_encoder, asked_quality, length_seconds_max"
                                " FROM sessions WHERE id = ? AND removed = 0"}));
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(byte_view(id)).step();
  if (!row) return pass_on(std::move(row));
  if (!*row) return no_session(id);
  session_row all;
  auto& r = **row;
  all.what.source = r.text(18, source_size_bytes_max);
  all.what.username = r.text(19, name_size_bytes_max);
  all.what.width = r.count_as<std::uint32_t>(20);
  all.what.height = r.count_as<std::uint32_t>(21);
  all.what.frame_rate_max = r.count_as<std::uint32_t>(22);
  all.what.encoder = r.text(23, name_size_bytes_max);
  all.what.quality = r.count_as<std::uint32_t>(24);
  all.policy.length_seconds_max = r.count_as<std::uint32_t>(25);
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
  auto commitment = key_commitment(id);
  if (!commitment) return pass_on(std::move(commitment));
  all.key_commitment = *commitment;
  return all;
}

/// Zero where there is none, as in a file that no node of this version has opened yet.
outcome<digest> recording_store::key_commitment(const session_id& session) {
  auto column = db_.prepare("SELECT 1 FROM pragma_table_info('sessions') WHERE name = 'key_commitment'");
  if (!column) return pass_on(std::move(column));
  auto is_there = column->step();
  if (!is_there) return pass_on(std::move(is_there));
  if (!*is_there) return digest{};
  auto query = db_.prepare("SELECT key_commitment FROM sessions WHERE id = ?");
  if (!query) return pass_on(std::move(query));
  auto row = query->bind(byte_view(session)).step();
  if (!row) return pass_on(std::move(row));
  if (!*row || (*row)->is_null(0)) return digest{};
  auto commitment = (*row)->fixed<32>(0);
  auto sound = (*row)->check("sessions", short_id(session));
  if (!sound) return pass_on(std::move(sound));
  return commitment;
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
  auto query = db_.prepare(sql({"SELECT ", summary_columns, producer_column(), " FROM sessions WHERE removed = 0 AND state < ?"
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

} // namespace lucid

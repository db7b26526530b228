// actors/node/stored_recording.cpp - the store as an auditor reads it.
#include "actors/node/stored_recording.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "actors/audit/audit.hpp"
#include "actors/format/chunk_codec.hpp"
#include "actors/format/manifest_codec.hpp"
#include "actors/format/proof_codec.hpp"
#include "actors/ledger/ledger_file.hpp"
#include "adapters/files/atomic_write.hpp"
#include "messages/data_layout.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

constexpr const char* who = "lucid"; // These sentences stand alone on a terminal.
constexpr std::uint32_t ambiguous_count_shown_max = 5;
constexpr std::uint32_t blocks_shown_max = 1000; // What the port allows.

outcome<session_id> find_session(recording_store& store, const std::string& id) {
  if (id.size() < id_prefix_length_min)
    return fail(errc::invalid_input, who,
                fmt::format("\"{}\" is too short for a recording's id; give at least {} of its digits", printable(id),
                            id_prefix_length_min));
  auto found = store.find(id, ambiguous_count_shown_max + 1);
  if (!found) return pass_on(std::move(found));
  if (found->empty())
    return fail(errc::not_found, who,
                fmt::format("there is no recording {}; `lucid sessions list` shows those that are there", printable(id)));
  if (found->size() == 1) return found->front();
  std::string names;
  for (std::size_t i = 0; i < found->size() && i < ambiguous_count_shown_max; ++i)
    names += (i == 0 ? "" : ", ") + to_hex((*found)[i]).substr(0, std::max<std::size_t>(12, id.size() + 4));
  return fail(errc::invalid_input, who,
              fmt::format("several recordings begin with {}: {}{}; give more digits", printable(id), names,
                          found->size() > ambiguous_count_shown_max ? " ..." : ""));
}

error failed_error(const stored_recording& recording, std::string_view how) {
  return {errc::wrong_state, who,
          fmt::format("recording {} failed{}: {}", recording.name(), how, printable(recording.row().summary.reason)), nullptr};
}

} // namespace

outcome<std::unique_ptr<stored_recording>> stored_recording::open(const std::filesystem::path& data_dir, const std::string& id) {
  return open_found(data_dir, [&](recording_store& store) { return find_session(store, id); });
}

outcome<std::unique_ptr<stored_recording>> stored_recording::open(const std::filesystem::path& data_dir, const session_id& id) {
  return open_found(data_dir, [&](recording_store&) { return outcome<session_id>(id); });
}

outcome<std::unique_ptr<stored_recording>>
stored_recording::open_found(const std::filesystem::path& data_dir,
                             const std::function<outcome<session_id>(recording_store&)>& find) {
  auto files = std::make_shared<posix_file_system>();
  auto size = files->size_of(store_file(data_dir));
  if (!size && size.error().code == errc::not_found)
    return fail(errc::not_found, who,
                fmt::format("nothing has been recorded in {}; --data-dir names another folder", data_dir.string()));
  auto store = recording_store::open_read_only({.folder = data_dir}, *files);
  if (!store) return pass_on(std::move(store));
  auto found = find(*store);
  if (!found) return pass_on(std::move(found));
  auto row = store->session(*found);
  if (!row) return pass_on(std::move(row));
  auto origin = store->origin_of(*found); // A file of an earlier version has none, and no copies.
  bool is_copy = origin && *origin;
  return std::unique_ptr<stored_recording>(
    new stored_recording(data_dir, std::move(files), std::move(*store), std::move(*row), is_copy));
}

outcome<signed_manifest> stored_recording::document() {
  std::lock_guard lock(mutex_);
  return store_.manifest_of(row_.summary.id);
}

outcome<anchor_record> stored_recording::anchor() {
  std::lock_guard lock(mutex_);
  return store_.anchor_of(row_.summary.id);
}

outcome<stored_anchor> stored_recording::anchored() {
  std::lock_guard lock(mutex_);
  return store_.anchor_with_block(row_.summary.id);
}

outcome<std::vector<block_header>> stored_recording::blocks() {
  auto place_and_block = anchored();
  if (!place_and_block) return pass_on(std::move(place_and_block));
  // Of another node's chain there is the one block, which was checked before it was stored.
  if (place_and_block->block) return std::vector{*place_and_block->block};
  auto place = &place_and_block->record;
  auto chain = ledger_file::open_read_only(ledger_file_name(data_dir_));
  if (!chain) return pass_on(std::move(chain));
  auto headers = chain->headers(place->block_height, blocks_shown_max);
  if (headers && headers->empty())
    return fail(errc::not_found, "ledger", fmt::format("block {} is not in the chain", place->block_height));
  return headers;
}

outcome<payload> stored_recording::chunk(const chunk_record& record) {
  auto bytes = read_whole(*files_, store_.chunk_path(record.key), payload::size_bytes_max);
  if (!bytes) return pass_on(std::move(bytes));
  return payload(std::move(*bytes));
}

outcome<byte_buffer> stored_recording::leaves(const chunk_record& record) {
  std::lock_guard lock(mutex_);
  auto digests = store_.leaves(record.key);
  if (!digests) return pass_on(std::move(digests));
  return encode_leaves(*digests);
}

outcome<std::vector<chunk_record>> stored_recording::chunks() {
  std::lock_guard lock(mutex_);
  return store_.chunks(row_.summary.id);
}

outcome<payload> stored_recording::chunk(track on, std::uint32_t index) {
  auto record = record_of(on, index);
  if (!record) return pass_on(std::move(record));
  return chunk(*record);
}

outcome<chunk_record> stored_recording::record_of(track on, std::uint32_t index) {
  std::lock_guard lock(mutex_);
  auto page = store_.chunk_page(row_.summary.id, on, index, 1);
  if (!page) return pass_on(std::move(page));
  if (page->empty() || page->front().key.index != index)
    return fail(errc::not_found, who,
                fmt::format("recording {} has no {} chunk {}", name(), track_name(on), index));
  return page->front();
}

outcome<recording_content> stored_recording::content() {
  auto stored = document();
  if (!stored && stored.error().code == errc::not_found) return content_so_far();
  if (!stored) return pass_on(std::move(stored));
  auto m = verify_manifest(*stored);
  if (!m) return pass_on(std::move(m));
  if (m->session != row_.summary.id)
    return fail(errc::corrupted, "manifest",
                fmt::format("the manifest stored for recording {} is that of {}", name(), short_id(m->session)));
  return recording_content{std::move(*m), true};
}

/// What is stored of a recording that is not finished; it has as many chunks as it has now.
outcome<recording_content> stored_recording::content_so_far() {
  auto stored = chunks();
  if (!stored) return pass_on(std::move(stored));
  recording_content content;
  auto& m = content.what;
  m.session = row_.summary.id;
  m.title = row_.summary.title;
  m.owner = row_.summary.owner;
  m.source = row_.summary.source;
  m.keys = row_.keys;
  for (auto& chunk : *stored) {
    if (m.tracks.empty() || m.tracks.back().on != chunk.key.on) m.tracks.push_back({chunk.key.on, {}, {}});
    m.tracks.back().chunks.push_back(chunk);
    m.started_us = m.started_us == 0 ? chunk.span.start_us : std::min(m.started_us, chunk.span.start_us);
    m.ended_us = std::max(m.ended_us, chunk.span.end_us);
  }
  return content;
}

outcome<void> check_readable(const stored_recording& recording, const recording_content& content) {
  if (!content.what.tracks.empty()) return {};
  auto& summary = recording.row().summary;
  if (summary.state == session_state::failed) return tl::unexpected(failed_error(recording, ""));
  return fail(errc::wrong_state, who,
              fmt::format("recording {} is {} and has no stored chunk yet; `lucid sessions show {}` tells how far it is",
                          recording.name(), to_string(summary.state), recording.name()));
}

outcome<void> check_verifiable(stored_recording& recording) {
  auto& summary = recording.row().summary;
  auto document = recording.document();
  if (document || document.error().code != errc::not_found) return {};
  if (summary.state == session_state::failed) return tl::unexpected(failed_error(recording, " and was never sealed"));
  if (is_final(summary.state)) return {}; // Its manifest is gone: that is for the audit to say.
  return fail(errc::wrong_state, who,
              fmt::format("recording {} is not finished (it is in the state \"{}\"); it can be verified once it is completed",
                          recording.name(), to_string(summary.state)));
}

outcome<std::string> proof_text(stored_recording& recording, bool with_leaves) {
  auto& summary = recording.row().summary;
  auto anchored = recording.anchor();
  if (!anchored && anchored.error().code == errc::not_found) {
    if (summary.state == session_state::failed) return tl::unexpected(failed_error(recording, " and was never anchored"));
    if (!is_final(summary.state))
      return fail(errc::wrong_state, who,
                  fmt::format("recording {} is not finished (it is in the state \"{}\"); it can be proved once it is anchored",
                              recording.name(), to_string(summary.state)));
  }
  auto proof = prove_recording(recording, with_leaves);
  if (!proof) return pass_on(std::move(proof));
  auto text = encode_proof(*proof);
  if (text) *text += '\n';
  return text;
}

} // namespace lucid

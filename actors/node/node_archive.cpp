// actors/node/node_archive.cpp - what `lucid verify`, `prove` and `ledger` read, for the console.
#include "actors/node/node_archive.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "actors/ledger/ledger_file.hpp"
#include "actors/node/stored_recording.hpp"
#include "actors/node/verdict.hpp"
#include "messages/data_layout.hpp"

namespace lucid {
namespace {

constexpr const char* who = "archive";

/// Holds the place of the one verification that may run.
class sole_turn {
public:
  explicit sole_turn(std::atomic<bool>& taken) : taken_(taken), mine_(!taken.exchange(true)) {}
  sole_turn(const sole_turn&) = delete;
  sole_turn& operator=(const sole_turn&) = delete;
  ~sole_turn() {
    if (mine_) taken_ = false;
  }
  bool mine() const noexcept { return mine_; }

private:
  std::atomic<bool>& taken_;
  bool mine_;
};

} // namespace

outcome<signed_manifest> node_archive::manifest(const session_id& session) {
  auto recording = stored_recording::open(data_dir_, session);
  if (!recording) return pass_on(std::move(recording));
  auto document = (*recording)->document();
  if (document || document.error().code != errc::not_found) return document;
  if (auto due = check_verifiable(**recording); !due) return pass_on(std::move(due));
  return fail(errc::corrupted, who, fmt::format("the manifest of recording {} is gone from the store", short_id(session)));
}

outcome<std::vector<chunk_record>> node_archive::chunks(const session_id& session) {
  auto recording = stored_recording::open(data_dir_, session);
  if (!recording) return pass_on(std::move(recording));
  return (*recording)->chunks();
}

outcome<payload> node_archive::chunk(const session_id& session, track on, std::uint32_t index) {
  auto recording = stored_recording::open(data_dir_, session);
  if (!recording) return pass_on(std::move(recording));
  return (*recording)->chunk(on, index);
}

outcome<std::string> node_archive::proof(const session_id& session) {
  auto recording = stored_recording::open(data_dir_, session);
  if (!recording) return pass_on(std::move(recording));
  return proof_text(**recording, false);
}

outcome<recording_verdict> node_archive::verify(const session_id& session, const std::function<bool()>& cancelled) {
  sole_turn turn(verifying_);
  if (!turn.mine()) return fail(errc::busy, who, "another recording is being verified; ask again when that is done");
  auto recording = stored_recording::open(data_dir_, session);
  if (!recording) return pass_on(std::move(recording));
  if (auto ready = check_verifiable(**recording); !ready) return pass_on(std::move(ready));
  audit_options how;
  how.thread_count = 1; // The other cores are for those who record.
  how.cancelled = cancelled;
  auto report = audit_stored(**recording, how);
  if (!report) return pass_on(std::move(report));
  auto names = cluster_ ? chain_names_of(cluster_->view()) : chain_names();
  return verdict_of(*report, anchor_verdict_of(**recording, *report), other_block_of(**recording, *report, names));
}

outcome<std::vector<block_header>> node_archive::blocks(std::optional<std::uint64_t> before, std::uint32_t count) {
  auto chain = ledger_file::open_read_only(ledger_file_name(data_dir_));
  if (!chain) return pass_on(std::move(chain));
  auto head = chain->head();
  if (!head) return pass_on(std::move(head));
  if (!*head) return std::vector<block_header>();
  auto end = std::min(before.value_or(UINT64_MAX), (*head)->height + 1);
  auto wanted = static_cast<std::uint32_t>(std::min<std::uint64_t>({end, count, archive_blocks_max}));
  if (wanted == 0) return std::vector<block_header>();
  auto headers = chain->headers(end - wanted, wanted);
  if (headers) std::reverse(headers->begin(), headers->end());
  return headers;
}

outcome<full_block> node_archive::block(std::uint64_t height) {
  auto chain = ledger_file::open_read_only(ledger_file_name(data_dir_));
  if (!chain) return pass_on(std::move(chain));
  auto headers = chain->headers(height, 1);
  if (!headers) return pass_on(std::move(headers));
  if (headers->empty()) return fail(errc::not_found, who, fmt::format("there is no block {} yet", height));
  if (headers->front().height != height)
    return fail(errc::corrupted, who, fmt::format("block {} is missing; `lucid ledger verify` checks the whole chain", height));
  auto entries = chain->entries(height);
  if (!entries) return pass_on(std::move(entries));
  return full_block{headers->front(), std::move(*entries)};
}

outcome<std::vector<found_entry>> node_archive::search(const std::string& digits) {
  auto chain = ledger_file::open_read_only(ledger_file_name(data_dir_));
  if (!chain) return pass_on(std::move(chain));
  return chain->search(digits);
}

} // namespace lucid

// actors/ledger/ledger.cpp - opening, appending and verifying the chain.
#include "actors/ledger/ledger.hpp"

#include <map>

namespace lucid {
namespace {

constexpr std::uint32_t header_page_count = 1000; // 200 bytes each.

using entry_key = std::pair<session_id, digest>;
entry_key key_of(const anchor_entry& entry) { return {entry.session, entry.manifest_hash}; }

std::string block_name(std::uint64_t height) { return "block " + std::to_string(height); }

outcome<void> verify_producer(const block_header& header, const sign_public_key& producer) {
  if (header.producer == producer) return {};
  return fail(errc::permission_denied, "ledger",
              block_name(header.height) + " is signed by " + to_hex(header.producer) + ", expected is " +
                to_hex(producer));
}

outcome<void> verify_entries(ledger_store& store, const block_header& header) {
  auto entries = store.entries(header.height);
  if (!entries) return pass_on(std::move(entries));
  if (entries->size() != header.entry_count)
    return fail(errc::corrupted, "ledger",
                block_name(header.height) + " has " + std::to_string(entries->size()) + " entries at rest, its header says " +
                  std::to_string(header.entry_count));
  if (entries_root(*entries) != header.entries_root)
    return fail(errc::corrupted, "ledger", block_name(header.height) + ": its entries do not lead to its entries root");
  return {};
}

/// Walks the chain from its first block.
class chain_check {
public:
  chain_check(ledger_store& store, const std::optional<sign_public_key>& producer) : store_(store), producer_(producer) {}

  outcome<void> take(const block_header& header) {
    if (!before_ && header.height != 0)
      return fail(errc::corrupted, "ledger", "the chain begins with " + block_name(header.height) + ", not with block 0");
    auto sound = verify_block(header);
    if (sound && before_) sound = verify_link(*before_, header);
    if (!producer_) producer_ = header.producer;
    if (sound) sound = verify_producer(header, *producer_);
    if (sound) sound = verify_entries(store_, header);
    before_ = header;
    entry_count_ += header.entry_count;
    return sound;
  }

  std::uint64_t next_height() const { return before_ ? before_->height + 1 : 0; }
  ledger_status status() const { return {before_->height, entry_count_, before_->time_us}; }

private:
  ledger_store& store_;
  std::optional<sign_public_key> producer_;
  std::optional<block_header> before_;
  std::uint64_t entry_count_ = 0;
};

} // namespace

outcome<ledger> ledger::open(ledger_store& store, const sign_key& producer) {
  auto head = store.head();
  if (!head) return pass_on(std::move(head));
  if (!*head) {
    auto genesis = make_genesis(producer);
    auto begun = store.append(genesis, {});
    if (!begun) return pass_on(std::move(begun));
    return ledger(store, producer, ledger_core(genesis, 0));
  }
  auto sound = verify_block(**head);
  if (sound) sound = verify_producer(**head, producer.public_key());
  if (!sound) return pass_on(std::move(sound));
  auto count = store.entry_count();
  if (!count) return pass_on(std::move(count));
  return ledger(store, producer, ledger_core(**head, *count));
}

outcome<void> ledger::append_new(std::span<const anchor_entry> entries, unix_time_us now) {
  std::map<entry_key, bool> seen;
  std::vector<anchor_entry> fresh;
  for (auto& entry : entries) {
    if (!seen.emplace(key_of(entry), true).second) continue;
    auto place = store_->find(entry.session, entry.manifest_hash);
    if (!place) return pass_on(std::move(place));
    if (!*place) fresh.push_back(entry);
  }
  if (fresh.empty()) return {};
  auto block = core_.make(std::move(fresh), now, *producer_);
  if (!block) return pass_on(std::move(block));
  auto appended = store_->append(block->header, block->entries);
  if (appended)
    core_.appended(block->header, now);
  else
    stale_ = true;
  return appended;
}

outcome<std::vector<anchored_entry>> ledger::append(std::span<const anchor_entry> entries, unix_time_us now) {
  if (entries.empty() || entries.size() > ledger_entries_max)
    return fail(errc::limit_exceeded, "ledger",
                "a batch has 1 to " + std::to_string(ledger_entries_max) + " entries, not " +
                  std::to_string(entries.size()));
  if (stale_) {
    auto again = open(*store_, *producer_);
    if (!again) return pass_on(std::move(again));
    core_ = again->core_;
    stale_ = false;
  }
  auto appended = append_new(entries, now);
  if (!appended) return pass_on(std::move(appended));
  std::map<std::uint64_t, ledger_block> blocks; // Those that the entries stand in, each read once.
  std::vector<anchored_entry> records;
  for (auto& entry : entries) {
    auto place = store_->find(entry.session, entry.manifest_hash);
    if (!place) return pass_on(std::move(place));
    if (!*place) return fail(errc::corrupted, "ledger", "an entry of " + short_id(entry.session) + " is not where it was put");
    auto at = blocks.find((*place)->height);
    if (at == blocks.end()) {
      auto header = store_->headers((*place)->height, 1);
      if (!header) return pass_on(std::move(header));
      auto inside = store_->entries((*place)->height);
      if (!inside) return pass_on(std::move(inside));
      if (header->empty() || (*place)->index >= inside->size())
        return fail(errc::corrupted, "ledger", block_name((*place)->height) + " does not hold what its index says");
      at = blocks.emplace((*place)->height, ledger_block{header->front(), std::move(*inside)}).first;
    }
    auto& block = at->second;
    records.push_back({make_anchor(block.header, block.entries, (*place)->index), block.header});
  }
  return records;
}

outcome<ledger_status> verify_chain(ledger_store& store, const std::optional<sign_public_key>& producer,
                                    const ledger_progress& progress) {
  auto head = store.head();
  if (!head) return pass_on(std::move(head));
  if (!*head) return fail(errc::not_found, "ledger", "the chain is empty: it has no block 0");
  chain_check check(store, producer);
  while (check.next_height() <= (*head)->height) {
    auto page = store.headers(check.next_height(), header_page_count);
    if (!page) return pass_on(std::move(page));
    if (page->empty()) return fail(errc::corrupted, "ledger", block_name(check.next_height()) + " is missing");
    for (auto& header : *page) {
      auto sound = check.take(header);
      if (!sound) return pass_on(std::move(sound));
    }
    if (progress && !progress(check.next_height(), (*head)->height + 1))
      return fail(errc::cancelled, "ledger", "stopped at " + block_name(check.next_height()));
  }
  auto count = store.entry_count();
  if (!count) return pass_on(std::move(count));
  if (*count != check.status().entry_count)
    return fail(errc::corrupted, "ledger",
                "there are " + std::to_string(*count) + " entries at rest, the blocks hold " +
                  std::to_string(check.status().entry_count));
  return check.status();
}

} // namespace lucid

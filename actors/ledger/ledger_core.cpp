// actors/ledger/ledger_core.cpp - the next block of a single producer.
#include "actors/ledger/ledger_core.hpp"

namespace lucid {

outcome<ledger_block> ledger_core::make(std::vector<anchor_entry> entries, unix_time_us now,
                                        const sign_key& producer) const {
  auto header = make_block(head_, entries, now, producer);
  if (!header) return pass_on(std::move(header));
  return ledger_block{std::move(*header), std::move(entries)};
}

void ledger_core::appended(const block_header& header, unix_time_us now) {
  if (now < head_.time_us) ++clock_step_count_;
  head_ = header;
  entry_count_ += header.entry_count;
}

} // namespace lucid

// actors/anchor/anchor_dispatch.cpp - one current attempt; answers of other nodes are checked, not believed.
#include "actors/anchor/anchor_dispatch.hpp"

#include <algorithm>
#include <string>

#include "actors/format/ledger_codec.hpp"

namespace lucid {
namespace {

tl::unexpected<error> not_as_asked(std::string what) {
  return fail(errc::protocol_violation, "anchor", "the node that anchors answered " + std::move(what));
}

outcome<void> check_block(const block_header& block, const sign_public_key& producer) {
  if (block.producer != producer) return not_as_asked("with a block of another chain than its own");
  if (auto sound = verify_block(block); !sound) return not_as_asked("with a block that is not sound: " + sound.error().what);
  return {};
}

outcome<void> check_entry(const anchor_entry& asked, const anchored_entry& answered) {
  if (answered.record.entry != asked) return not_as_asked("with another entry than it was asked for");
  if (auto inside = verify_anchor(answered.record, answered.block); !inside)
    return not_as_asked("with a place that is not the entry's: " + inside.error().what);
  return {};
}

} // namespace

const lease_view* anchor_lease(const cluster_view& view) {
  auto found = std::find_if(view.leases.begin(), view.leases.end(),
                            [](auto& one) { return one.role == anchor_role && one.holder != node_id{}; });
  return found == view.leases.end() ? nullptr : &*found;
}

bool anchor_dispatch::set_holder(std::optional<anchor_holder> holder) {
  holder_ = holder;
  if (!holder || attempt_ == 0 || asked_ == holder) return false;
  attempt_ = 0;
  return true;
}

std::optional<std::uint64_t> anchor_dispatch::begin() {
  if (!holder_ || attempt_ != 0) return std::nullopt;
  asked_ = holder_;
  attempt_ = ++last_attempt_;
  return attempt_;
}

bool anchor_dispatch::end(std::uint64_t attempt) {
  if (attempt == 0 || attempt != attempt_) return false;
  attempt_ = 0;
  return true;
}

std::vector<outcome<void>> check_anchored(const std::vector<anchor_entry>& asked, const std::vector<anchored_entry>& answered,
                                          const sign_public_key& producer) {
  if (answered.size() != asked.size())
    return std::vector<outcome<void>>(asked.size(), not_as_asked(std::to_string(answered.size()) + " entries to " +
                                                                 std::to_string(asked.size())));
  std::vector<outcome<void>> verdicts;
  // Mostly all stand in one block: its signature is verified once.
  outcome<void> block_verdict;
  byte_buffer judged;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    auto block = encode_block_header(answered[i].block);
    if (block != judged) {
      block_verdict = check_block(answered[i].block, producer);
      judged = std::move(block);
    }
    verdicts.push_back(block_verdict ? check_entry(asked[i], answered[i]) : block_verdict);
  }
  return verdicts;
}

} // namespace lucid

// actors/replication/audit_part.hpp - a part of a recording's chunks, while their holders read their copies; pure.
#pragma once

#include <string>
#include <vector>

#include "actors/replication/copy_tally.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// Holders first, then what each found. Threads: none. One owner calls it.
class audit_part {
public:
  /// `page`: the chunks from `asked.from` on, of `chunk_count` in all. `wished`: copies of each.
  audit_part(const replication_audit_request& asked, std::uint32_t chunk_count, const std::vector<chunk_mark>& page, std::uint32_t wished);

  /// A node that should hold these chunks of the page; passed over when there are none.
  void add_holder(const node_id& node, const std::string& name, std::vector<chunk_mark> held);
  std::size_t holder_count() const { return held_.size(); }
  const node_id& holder(std::size_t i) const { return answer_.copies[i].node; }
  const std::vector<chunk_mark>& held_by(std::size_t i) const { return held_[i]; }

  /// Once for each holder: places in `held_by(i)`, or why it could not be asked.
  void answered(std::size_t i, const outcome<replica_verify>& found);
  bool is_complete() const { return answered_count_ == held_.size(); }
  /// Complete: what all of them have.
  replication_audit answer() const;

private:
  replication_audit answer_;
  copy_tally tally_;
  std::vector<std::vector<chunk_mark>> held_; ///< By row of `answer_.copies`.
  std::size_t answered_count_ = 0;
};

} // namespace lucid

// actors/node/verdict.hpp - what a verification found out, in the words of `lucid verify` and of the console.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "actors/audit/audit.hpp"
#include "actors/node/session_text.hpp"
#include "actors/node/stored_recording.hpp"
#include "messages/ports/archive.hpp"

namespace lucid {

/// verify_recording, and that the manifest is this recording's.
outcome<audit_report> audit_stored(stored_recording& recording, const audit_options& options);

/// What the verdict says of the anchor.
enum class anchor_verdict : std::uint8_t {
  judged,
  pending,  ///< Nothing is wrong, and the recording is not finished: no finding but the missing anchor.
  no_chain, ///< Nothing is wrong with a copy, in a folder of copies, which has no chain to look into.
};
anchor_verdict anchor_verdict_of(const stored_recording& recording, const audit_report& report);

/// "block 12 of pi-2's chain", for a recording that is anchored in the chain of another node; else empty.
std::string other_block_of(stored_recording& recording, const audit_report& report, const chain_names& names);

/// A row for each thing that was checked. `key_name` is of the key that opened it, if any; `other_block` as told above.
std::vector<verdict_check> checks_of(const audit_report& report, anchor_verdict anchor, const std::optional<std::string>& key_name,
                                     const std::string& other_block = {});

/// The sentence that says it all.
std::string verdict_text(const audit_report& report, anchor_verdict anchor);

/// All of it. What failed is told with the first thing that was found wrong, since here is no list of all of them.
recording_verdict verdict_of(const audit_report& report, anchor_verdict anchor, const std::string& other_block = {});

} // namespace lucid

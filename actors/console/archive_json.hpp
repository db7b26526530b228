// actors/console/archive_json.hpp - what the node keeps, as JSON: chunks, keys, verdicts, blocks and their entries.
//
// Source: docs/api/console.openapi.yaml. Also what `lucid ledger --json` prints.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "messages/ports/archive.hpp"

namespace lucid {

nlohmann::json to_json(const chunk_record& chunk);
nlohmann::json to_json(const wrapped_key& key);
nlohmann::json to_json(const recording_verdict& verdict);
nlohmann::json to_json(const block_header& block); ///< Without entries.
nlohmann::json to_json(const full_block& block);
nlohmann::json to_json(const anchor_entry& entry);
nlohmann::json to_json(const found_entry& found);

} // namespace lucid

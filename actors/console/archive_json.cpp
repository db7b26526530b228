// actors/console/archive_json.cpp - one object a value; digests in hexadecimal digits.
#include "actors/console/archive_json.hpp"

#include <nlohmann/json.hpp>

#include "actors/format/ledger_codec.hpp"
#include "messages/data_layout.hpp"

namespace lucid {

using nlohmann::json;

json to_json(const chunk_record& chunk) {
  return {{"track", track_name(chunk.key.on)},
          {"index", chunk.key.index},
          {"start_us", chunk.span.start_us},
          {"end_us", chunk.span.end_us},
          {"first_sequence", chunk.span.first_sequence},
          {"last_sequence", chunk.span.last_sequence},
          {"frame_count", chunk.span.frame_count},
          {"plain_size_bytes", chunk.plain_size_bytes},
          {"sealed_size_bytes", chunk.sealed_size_bytes},
          {"content", to_hex(chunk.content)},
          {"root", to_hex(chunk.root)}};
}

json to_json(const wrapped_key& key) { return {{"recipient", to_hex(key.recipient)}, {"sealed", to_hex(key.sealed)}}; }

json to_json(const recording_verdict& verdict) {
  json object{{"verdict", verdict.text}, {"checks", json::array()}, {"damage", json::array()}};
  for (auto& check : verdict.checks)
    object["checks"].push_back({{"name", check.name}, {"verdict", check.verdict}, {"found", check.found}});
  for (auto& one : verdict.damage)
    object["damage"].push_back(
      {{"chunk", one.chunk}, {"track", track_name(one.on)}, {"block", one.block}, {"offset", one.offset_bytes}});
  return object;
}

json to_json(const block_header& block) {
  return {{"height", block.height},
          {"hash", to_hex(hash_of(block))},
          {"previous", to_hex(block.previous)},
          {"slot", block.slot},
          {"time_us", block.time_us},
          {"entry_count", block.entry_count},
          {"entries_root", to_hex(block.entries_root)},
          {"producer", to_hex(block.producer)},
          {"signature", to_hex(block.by)}};
}

json to_json(const full_block& block) {
  auto object = to_json(block.header);
  object["entries"] = json::array();
  for (auto& entry : block.entries) object["entries"].push_back(to_json(entry));
  return object;
}

json to_json(const anchor_entry& entry) {
  return {{"session", to_hex(entry.session)},
          {"manifest", to_hex(entry.manifest_hash)},
          {"root", to_hex(entry.root)},
          {"sealed_us", entry.sealed_us}};
}

json to_json(const found_entry& found) {
  auto object = to_json(found.entry);
  object["height"] = found.place.height;
  object["entry_index"] = found.place.index;
  return object;
}

} // namespace lucid

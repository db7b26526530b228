// actors/console/serve_records.cpp - what is kept: recordings, the chain, capsules, the audit log.
#include "actors/console/archive_json.hpp"
#include "actors/console/capsule_json.hpp"
#include "actors/console/console_shell.hpp"
#include "actors/format/manifest_codec.hpp"
#include "runtime/work_pool.hpp"

namespace lucid {

using nlohmann::json;

namespace {

template <class Range>
json list_of(const char* name, const Range& all) {
  auto list = json::array();
  for (auto& one : all) list.push_back(to_json(one));
  return {{name, std::move(list)}};
}

json entry_json(const audit_entry& entry) {
  return {{"number", entry.number},           {"at_us", entry.at_us},
          {"operator", entry.what.by},        {"action", entry.what.action},
          {"target", entry.what.target},      {"consequence", entry.what.consequence},
          {"outcome", entry.what.result},     {"previous", to_hex(entry.previous)},
          {"hash", to_hex(entry.hash)},       {"signature", to_hex(entry.by)}};
}

std::string text_of(byte_view bytes) { return std::string(as_text(bytes)); }

} // namespace

void console_shell::carry_out(const asker& from, const api::get_manifest& wish) const {
  answer_from_pool(from, [records = state().parts.records, wish] { return records->manifest(wish.id); },
                   [me = *this, from](const signed_manifest& document) {
                     me.answer_bytes(from, document.canonical, {{"x-lucid-signature", to_hex(document.by)}});
                   });
}

void console_shell::carry_out(const asker& from, const api::get_keys& wish) const {
  auto read = [records = state().parts.records, wish]() -> outcome<manifest> {
    auto document = records->manifest(wish.id);
    if (!document) return pass_on(std::move(document));
    return decode_manifest(document->canonical);
  };
  answer_from_pool(from, read, [me = *this, from](const manifest& m) { me.answer(from, list_of("keys", m.keys)); });
}

void console_shell::carry_out(const asker& from, const api::list_chunks& wish) const {
  answer_from_pool(from, [records = state().parts.records, wish] { return records->chunks(wish.id); },
                   [me = *this, from](const std::vector<chunk_record>& chunks) {
                     me.answer(from, list_of("chunks", chunks));
                   });
}

void console_shell::carry_out(const asker& from, const api::get_chunk& wish) const {
  answer_from_pool(from, [records = state().parts.records, wish] { return records->chunk(wish.id, wish.on, wish.index); },
                   [me = *this, from](const payload& file) { me.answer_bytes(from, text_of(file.view())); });
}

void console_shell::carry_out(const asker& from, const api::get_proof& wish) const {
  answer_from_pool(from, [records = state().parts.records, wish] { return records->proof(wish.id); },
                   [me = *this, from](std::string proof) { me.answer_bytes(from, std::move(proof)); });
}

// A client that left does not end it; the node's end does.
void console_shell::carry_out(const asker& from, const api::verify_session& wish) const {
  auto& parts = state().parts;
  auto examine = [records = parts.records, ending = parts.ending, wish] { return records->verify(wish.id, ending); };
  answer_from_pool(from, examine, [me = *this, from](const recording_verdict& found) { me.answer(from, to_json(found)); });
}

void console_shell::carry_out(const asker& from, const api::list_blocks& wish) const {
  answer_from_pool(from, [records = state().parts.records, wish] { return records->blocks(wish.before, wish.count); },
                   [me = *this, from](const std::vector<block_header>& blocks) {
                     me.answer(from, list_of("blocks", blocks));
                   });
}

void console_shell::carry_out(const asker& from, const api::get_block& wish) const {
  answer_from_pool(from, [records = state().parts.records, wish] { return records->block(wish.height); },
                   [me = *this, from](const full_block& block) { me.answer(from, to_json(block)); });
}

void console_shell::carry_out(const asker& from, const api::search_ledger& wish) const {
  answer_from_pool(from, [records = state().parts.records, wish] { return records->search(wish.prefix); },
                   [me = *this, from](const std::vector<found_entry>& found) { me.answer(from, list_of("found", found)); });
}

void console_shell::carry_out(const asker& from, const api::list_capsules&) const {
  answer_from_pool(from, [capsules = state().parts.capsules] { return capsules->list(); },
                   [me = *this, from](const std::vector<capsule_summary>& kept) {
                     me.answer(from, list_of("capsules", kept));
                   });
}

void console_shell::carry_out(const asker& from, const api::get_capsule& wish) const {
  answer_from_pool(from, [capsules = state().parts.capsules, wish] { return capsules->get(wish.id); },
                   [me = *this, from](const crash_capsule& capsule) { me.answer(from, to_json(capsule)); });
}

void console_shell::carry_out(const asker& from, const api::get_audit& wish) const {
  state().audit.request(self_, audit_patience, audit_read_request{wish.before, wish.count, true})
    .then(
      [me = *this, from](const audit_page& page) {
        auto entries = json::array();
        for (auto& one : page.entries) entries.push_back(entry_json(one));
        json told{{"entries", std::move(entries)}, {"intact", page.intact}};
        if (!page.intact) told["broken"] = page.broken;
        me.answer(from, told);
      },
      refusing(from));
}

} // namespace lucid

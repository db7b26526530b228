// actors/console/audit_entry.cpp - canonical JSON, hash and signature of an entry.
#include "actors/console/audit_entry.hpp"

#include <fmt/format.h>

#include "actors/format/canonical_json.hpp"
#include "actors/format/contexts.hpp"
#include "actors/format/signing.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace lucid {
namespace {

constexpr const char* who = "audit";

/// What hash and signature are over.
json statement_of(const audit_entry& entry) {
  return {{"action", entry.what.action},
          {"at_us", entry.at_us},
          {"consequence", entry.what.consequence},
          {"number", entry.number},
          {"operator", entry.what.by},
          {"outcome", entry.what.result},
          {"previous", to_hex(entry.previous)},
          {"target", entry.what.target}};
}

digest hash_of(std::string_view statement) { return blake3_derive(contexts::audit_entry, {as_bytes(statement)}); }

outcome<void> check_texts(const audit_action& what) {
  auto check = [](const char* name, const std::string& text, std::size_t bytes_max) -> outcome<void> {
    if (text.size() <= bytes_max) return {};
    return fail(errc::limit_exceeded, who,
                fmt::format("{} has {} bytes; an entry takes {} at most", name, text.size(), bytes_max));
  };
  return check("operator", what.by, audit_name_bytes_max)
    .and_then([&] { return check("action", what.action, audit_name_bytes_max); })
    .and_then([&] { return check("target", what.target, audit_name_bytes_max); })
    .and_then([&] { return check("consequence", what.consequence, audit_text_bytes_max); })
    .and_then([&] { return check("outcome", what.result, audit_text_bytes_max); });
}

} // namespace

outcome<audit_entry> make_audit_entry(std::uint64_t number, const digest& previous, unix_time_us at_us,
                                      const audit_action& what, const sign_key& key) {
  if (auto checked = check_texts(what); !checked) return pass_on(std::move(checked));
  audit_entry entry;
  entry.number = number;
  entry.at_us = at_us;
  entry.what = what;
  entry.previous = previous;
  auto statement = canonical_text(statement_of(entry), who);
  if (!statement) return pass_on(std::move(statement));
  entry.hash = hash_of(*statement);
  entry.by = key.sign(signed_message(contexts::audit_signature, entry.hash));
  return entry;
}

std::string encode_audit_entry(const audit_entry& entry) {
  auto line = statement_of(entry);
  line["signature"] = to_hex(entry.by);
  return line.dump();
}

outcome<audit_entry> decode_audit_entry(std::string_view line) {
  auto value = parse_canonical(line, audit_line_bytes_max, who);
  if (!value) return pass_on(std::move(value));
  json_reader in(*value, "", who);
  audit_entry entry;
  entry.what.action = in.text("action", audit_name_bytes_max);
  entry.at_us = in.time("at_us");
  entry.what.consequence = in.text("consequence", audit_text_bytes_max);
  entry.number = in.number("number");
  entry.what.by = in.text("operator", audit_name_bytes_max);
  entry.what.result = in.text("outcome", audit_text_bytes_max);
  in.hex("previous", entry.previous);
  in.hex("signature", entry.by);
  entry.what.target = in.text("target", audit_name_bytes_max);
  if (auto read = in.finish(); !read) return pass_on(std::move(read));
  auto statement = canonical_text(statement_of(entry), who);
  if (!statement) return pass_on(std::move(statement));
  entry.hash = hash_of(*statement);
  return entry;
}

outcome<void> verify_audit_entry(const audit_entry& entry, std::uint64_t before_number, const digest& before_hash,
                                 const sign_public_key& key) {
  if (entry.number != before_number + 1)
    return fail(errc::corrupted, who, fmt::format("entry {} follows entry {}", entry.number, before_number));
  if (entry.previous != before_hash)
    return fail(errc::corrupted, who,
                fmt::format("entry {} names another entry before it than the one that is there", entry.number));
  if (!verify_signature(entry.by, signed_message(contexts::audit_signature, entry.hash), key))
    return fail(errc::bad_signature, who, fmt::format("entry {} is not signed by this node", entry.number));
  return {};
}

} // namespace lucid

// actors/format/journal_codec.cpp - records of a journal file, chained by the tag of the one before.
#include "actors/format/journal_codec.hpp"

#include <algorithm>

#include "actors/format/contexts.hpp"
#include "actors/format/little_endian.hpp"
#include "adapters/blake3/blake3_hasher.hpp"

namespace lucid {
namespace {

constexpr std::array<std::uint8_t, 8> magic{'l', 'u', 'c', 'i', 'd', 'j', 'n', 'l'};
constexpr std::uint16_t version = 1;
constexpr std::size_t checked_header_size_bytes = journal_header_size_bytes - 32;
constexpr std::size_t check_size_bytes = 8;
constexpr std::size_t checked_record_size_bytes = journal_record_header_size_bytes - check_size_bytes;
constexpr std::uint8_t flag_key_frame = 1;

using tag = std::array<std::uint8_t, aead_tag_size_bytes>;
using record_header = std::array<std::uint8_t, journal_record_header_size_bytes>;

secret_key derive_journal_key(const session_key& key, std::uint32_t segment) {
  std::array<std::uint8_t, 4> number;
  field_writer(number).put(segment);
  secret_key result;
  blake3_derive_into(contexts::journal_key, {key.view(), number}, result.span());
  return result;
}

digest commit_journal_key(const secret_key& key) {
  return blake3_derive(contexts::journal_commitment, {key.view()});
}

byte_view digest_of_header(byte_view file) noexcept { return file.subspan(checked_header_size_bytes, 32); }

/// The first 8 bytes of a digest over the record's fields and its place: a length is believed only with this.
std::array<std::uint8_t, check_size_bytes> record_check(byte_view header_digest, const tag& previous, byte_view fields) {
  std::array<std::uint8_t, check_size_bytes> result;
  blake3_derive_into(contexts::journal_record, {header_digest, previous, fields}, result);
  return result;
}

/// Associated data of a record: its file, its predecessor, its own header.
std::array<std::uint8_t, 32 + aead_tag_size_bytes + journal_record_header_size_bytes>
associated_data(byte_view header_digest, const tag& previous, byte_view header) {
  std::array<std::uint8_t, 32 + aead_tag_size_bytes + journal_record_header_size_bytes> result;
  field_writer(result).put(header_digest).put(previous).put(header);
  return result;
}

std::string fragment_defect(const fragment& f) {
  if (static_cast<std::uint8_t>(f.on) >= track_count) return "there is no such track";
  if (f.kind < fragment_kind::init || f.kind > fragment_kind::event) return "there is no such kind of fragment";
  if (f.sequence == 0) return "sequences begin with 1";
  return {};
}

/// Where the last byte that is not zero ends: a crash may leave zeros behind it, never anything else.
std::size_t written_size(byte_view file) noexcept {
  auto size = file.size();
  while (size > 0 && file[size - 1] == 0) --size;
  return size;
}

/// Whether a sector of the file that touches [begin, end) is all zeros: no sealed record ever looks so.
bool has_hole(byte_view file, std::size_t begin, std::size_t end) noexcept {
  constexpr std::size_t sector_size_bytes = 512;
  for (auto at = begin / sector_size_bytes * sector_size_bytes; at < std::min(end, file.size()); at += sector_size_bytes) {
    auto sector = file.subspan(at, std::min(sector_size_bytes, file.size() - at));
    if (sector.size() == sector_size_bytes && std::ranges::all_of(sector, [](auto byte) { return byte == 0; }))
      return true;
  }
  return false;
}

} // namespace

outcome<journal_header> read_journal_header(byte_view file) {
  if (file.size() < journal_header_size_bytes)
    return fail(errc::truncated, "journal",
                "a journal header has 112 bytes, the file ends after " + std::to_string(file.size()));
  if (!std::equal(magic.begin(), magic.end(), file.begin()))
    return fail(errc::corrupted, "journal", "byte offset 0: this is no journal file");
  field_reader in(file.subspan(magic.size()));
  auto found = in.get<std::uint16_t>();
  if (found > version)
    return fail(errc::unsupported, "journal",
                "byte offset 8: version " + std::to_string(found) + ", this build reads version 1");
  auto check = blake3_derive(contexts::journal_header, {file.first(checked_header_size_bytes)});
  auto reserved = in.get<std::uint16_t>();
  if (!std::ranges::equal(check, digest_of_header(file)) || found != version || reserved != 0)
    return fail(errc::corrupted, "journal", "byte offset 0: the header does not have the digest at byte offset 80");
  journal_header h;
  h.segment = in.get<std::uint32_t>();
  in.get(h.session);
  in.get(h.key_commitment);
  return h;
}

// --- writing ---------------------------------------------------------------------------------------------------

journal_encoder::journal_encoder(const session_id& session, std::uint32_t segment, const session_key& key,
                                 random_port& random)
  : random_(random), key_(derive_journal_key(key, segment)) {
  field_writer(header_).put(magic).put(version).put(std::uint16_t{0}).put(segment).put(session).put(
    commit_journal_key(key_));
  auto check = blake3_derive(contexts::journal_header, {byte_view(header_).first(checked_header_size_bytes)});
  field_writer(std::span(header_).subspan(checked_header_size_bytes)).put(check);
}

outcome<void> journal_encoder::append(const fragment& f, byte_buffer& out) {
  if (f.bytes.empty() || f.bytes.size() > fragment_size_bytes_max)
    return fail(errc::limit_exceeded, "journal",
                "fragment " + std::to_string(f.sequence) + " has " + std::to_string(f.bytes.size()) +
                  " bytes, allowed are 1.." + std::to_string(fragment_size_bytes_max));
  if (auto defect = fragment_defect(f); !defect.empty())
    return fail(errc::invalid_input, "journal", "fragment " + std::to_string(f.sequence) + ": " + defect);
  if (last_sequence_ != 0 && f.sequence != last_sequence_ + 1)
    return fail(errc::wrong_state, "journal",
                "fragment " + std::to_string(f.sequence) + " does not follow " + std::to_string(last_sequence_));

  auto sealed_size_bytes = journal_record_prefix_size_bytes + f.bytes.size() + aead_tag_size_bytes;
  aead_nonce nonce;
  random_.fill(nonce);
  record_header head;
  field_writer(head).put(static_cast<std::uint32_t>(sealed_size_bytes)).put(std::uint32_t{0}).put(f.sequence).put(nonce);
  auto check = record_check(digest_of_header(header_), previous_tag_, byte_view(head).first(checked_record_size_bytes));
  field_writer(std::span(head).subspan(checked_record_size_bytes)).put(check);

  std::array<std::uint8_t, journal_record_prefix_size_bytes> prefix;
  field_writer(prefix)
    .put(static_cast<std::uint8_t>(f.on)).put(static_cast<std::uint8_t>(f.kind))
    .put(f.key_frame ? flag_key_frame : std::uint8_t{0}).put(std::uint8_t{0})
    .put(f.frame_count).put(f.start_us).put(f.end_us);
  out.reserve(out.size() + head.size() + sealed_size_bytes);
  out.insert(out.end(), head.begin(), head.end());
  auto body_at = out.size();
  out.insert(out.end(), prefix.begin(), prefix.end());
  out.insert(out.end(), f.bytes.view().begin(), f.bytes.view().end());
  out.resize(body_at + sealed_size_bytes);
  auto body = std::span(out).subspan(body_at);
  aead_seal(body, body.first(sealed_size_bytes - aead_tag_size_bytes),
            associated_data(digest_of_header(header_), previous_tag_, head), nonce, key_);
  std::copy_n(out.end() - aead_tag_size_bytes, aead_tag_size_bytes, previous_tag_.begin());
  last_sequence_ = f.sequence;
  return {};
}

// --- reading ---------------------------------------------------------------------------------------------------

journal_decoder::journal_decoder(byte_view file, journal_header header, secret_key key)
  : file_(file), header_(header), key_(std::move(key)), written_size_bytes_(written_size(file)) {}

outcome<journal_decoder> journal_decoder::open(byte_view file, const session_key& key) {
  auto header = read_journal_header(file);
  if (!header) return pass_on(std::move(header));
  auto journal_key = derive_journal_key(key, header->segment);
  if (commit_journal_key(journal_key) != header->key_commitment)
    return fail(errc::wrong_key, "journal", "sealed under another session key than that of " + short_id(header->session));
  return journal_decoder(file, *header, std::move(journal_key));
}

tl::unexpected<error> journal_decoder::stop(errc code, std::string what) {
  stopped_ = error{code, "journal",
                   "segment " + std::to_string(header_.segment) + " of " + short_id(header_.session) + ", byte offset " +
                     std::to_string(offset_) + ": " + what,
                   nullptr};
  return tl::unexpected(*stopped_);
}

tl::unexpected<error> journal_decoder::stop_at_damage(std::size_t record_end, std::string what) {
  // A crash tears the record that nothing was written behind, or leaves whole sectors of what was not synced zero.
  bool torn = record_end >= file_.size() || written_size_bytes_ <= record_end || has_hole(file_, offset_, record_end);
  return stop(torn ? errc::truncated : errc::corrupted, std::move(what));
}

outcome<std::optional<fragment>> journal_decoder::next() {
  if (stopped_) return tl::unexpected(*stopped_);
  auto rest = file_.subspan(offset_);
  if (rest.empty()) return std::nullopt;
  if (rest.size() < journal_record_header_size_bytes || written_size_bytes_ <= offset_)
    return stop(errc::truncated, "a record was begun and not written");

  auto head = rest.first(journal_record_header_size_bytes);
  auto fields = head.first(checked_record_size_bytes);
  auto header_digest = digest_of_header(file_);
  if (!std::ranges::equal(record_check(header_digest, previous_tag_, fields), head.subspan(checked_record_size_bytes)))
    return stop_at_damage(offset_ + journal_record_header_size_bytes, "the record's header is damaged, or it is not the next one");

  field_reader in(fields);
  std::size_t sealed_size_bytes = in.get<std::uint32_t>();
  auto reserved = in.get<std::uint32_t>();
  fragment f;
  f.sequence = in.get<std::uint64_t>();
  aead_nonce nonce;
  in.get(nonce);
  constexpr auto least = journal_record_prefix_size_bytes + aead_tag_size_bytes + 1;
  if (sealed_size_bytes < least || sealed_size_bytes > least - 1 + fragment_size_bytes_max || reserved != 0)
    return stop(errc::corrupted, "the record has an impossible length");
  auto record_size_bytes = journal_record_header_size_bytes + sealed_size_bytes;
  if (rest.size() < record_size_bytes) return stop(errc::truncated, "the last record is incomplete");

  auto sealed = rest.subspan(journal_record_header_size_bytes, sealed_size_bytes);
  byte_buffer body(sealed_size_bytes - aead_tag_size_bytes);
  if (!aead_open(body, sealed, associated_data(header_digest, previous_tag_, head), nonce, key_))
    return stop_at_damage(offset_ + record_size_bytes, "the record's sealed bytes are damaged");
  return accept(std::move(f), std::move(body), sealed.last(aead_tag_size_bytes), record_size_bytes);
}

outcome<std::optional<fragment>> journal_decoder::accept(fragment f, byte_buffer body, byte_view tag_bytes,
                                                         std::size_t record_size_bytes) {
  field_reader in(body);
  f.on = static_cast<track>(in.get<std::uint8_t>());
  f.kind = static_cast<fragment_kind>(in.get<std::uint8_t>());
  auto flags = in.get<std::uint8_t>();
  auto reserved = in.get<std::uint8_t>();
  f.key_frame = flags == flag_key_frame;
  f.frame_count = in.get<std::uint32_t>();
  f.start_us = in.get<std::int64_t>();
  f.end_us = in.get<std::int64_t>();
  if (auto defect = fragment_defect(f); !defect.empty() || flags > flag_key_frame || reserved != 0)
    return stop(errc::corrupted, "the record was written wrong: " + defect);
  if (last_sequence_ != 0 && f.sequence != last_sequence_ + 1)
    return stop(errc::corrupted, "fragment " + std::to_string(f.sequence) + " follows " + std::to_string(last_sequence_));
  body.erase(body.begin(), body.begin() + journal_record_prefix_size_bytes);
  f.bytes = payload(std::move(body));
  std::ranges::copy(tag_bytes, previous_tag_.begin());
  last_sequence_ = f.sequence;
  offset_ += record_size_bytes;
  return f;
}

} // namespace lucid

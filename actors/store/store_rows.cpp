// actors/store/store_rows.cpp - columns read and checked.
#include "actors/store/store_rows.hpp"

#include <algorithm>

#include "messages/data_layout.hpp"

namespace lucid::store_rows {
namespace {

outcome<void> check_length(std::string_view field, const std::string& text, std::size_t size_bytes_max) {
  if (text.size() <= size_bytes_max) return {};
  return fail(errc::limit_exceeded, "store",
              std::string(field) + " has " + std::to_string(text.size()) + " bytes, at most " +
                std::to_string(size_bytes_max) + " are allowed");
}

} // namespace

std::string sql(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (auto part : parts) all += part;
  return all;
}

std::string name_of(const chunk_key& key) {
  return short_id(key.session) + '/' + std::string(track_name(key.on)) + '/' + std::to_string(key.index);
}

outcome<session_summary> read_summary(row_reader& row) {
  session_summary s;
  s.id = row.fixed<32>(0);
  auto state = row.count_as<std::uint8_t>(1);
  if (state < static_cast<int>(session_state::created) || state > static_cast<int>(session_state::failed))
    row.spoil(1, "one of the states 1 to 8");
  s.state = static_cast<session_state>(state);
  s.title = row.text(2, label_size_bytes_max);
  s.owner = row.text(3, label_size_bytes_max);
  s.source = row.text(4, source_size_bytes_max);
  s.created_us = row.integer(5);
  s.started_us = row.integer(6);
  s.ended_us = row.integer(7);
  s.frame_count = row.count(8);
  s.fragment_count = row.count(9);
  s.gap_count = row.count(10);
  s.captured_bytes = row.count(11);
  s.stored_bytes = row.count(12);
  s.chunk_count = row.count_as<std::uint32_t>(13);
  s.block_height = row.count(14);
  s.reason = row.text(15, reason_size_bytes_max);
  s.interrupted = row.count(16) != 0;
  if (!row.is_null(17)) s.block_producer = row.fixed<32>(17);
  auto sound = row.check("sessions", short_id(s.id));
  if (!sound) return pass_on(std::move(sound));
  return s;
}

outcome<chunk_record> read_chunk(row_reader& row, const session_id& session) {
  chunk_record r;
  r.key.session = session;
  auto on = row.count_as<std::uint8_t>(0);
  if (on >= track_count) row.spoil(0, "a track, 0 or 1");
  r.key.on = static_cast<track>(on);
  r.key.index = row.count_as<std::uint32_t>(1);
  r.span.first_sequence = row.count(2);
  r.span.last_sequence = row.count(3);
  r.span.frame_count = row.count_as<std::uint32_t>(4);
  r.span.start_us = row.integer(5);
  r.span.end_us = row.integer(6);
  r.plain_size_bytes = row.count(7);
  r.sealed_size_bytes = row.count(8);
  if (r.sealed_size_bytes > payload::size_bytes_max) row.spoil(8, "the size of a chunk file");
  r.content = row.fixed<32>(9);
  r.root = row.fixed<32>(10);
  auto sound = row.check("chunks", name_of(r.key));
  if (!sound) return pass_on(std::move(sound));
  return r;
}

std::vector<digest> read_digests(row_reader& row, int column, std::size_t size_bytes_max) {
  auto bytes = row.blob(column, size_bytes_max);
  if (bytes.size() % sizeof(digest) != 0) {
    row.spoil(column, "a whole number of digests");
    return {};
  }
  std::vector<digest> digests(bytes.size() / sizeof(digest));
  for (std::size_t i = 0; i < digests.size(); ++i)
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(i * sizeof(digest)), sizeof(digest), digests[i].begin());
  return digests;
}

byte_view bytes_of(const std::vector<digest>& digests) {
  return {reinterpret_cast<const std::uint8_t*>(digests.data()), digests.size() * sizeof(digest)};
}

outcome<void> check_request(const session_put_request& request) {
  auto fits = check_length("title", request.summary.title, label_size_bytes_max);
  if (fits) fits = check_length("owner", request.summary.owner, label_size_bytes_max);
  if (fits) fits = check_length("source", request.summary.source, source_size_bytes_max);
  if (fits) fits = check_length("source", request.what.source, source_size_bytes_max);
  if (fits) fits = check_length("username", request.what.username, name_size_bytes_max);
  if (fits) fits = check_length("encoder", request.what.encoder, name_size_bytes_max);
  if (!fits) return fits;
  if (request.policy.recipients.size() > recipient_count_max || request.keys.size() > key_count_max)
    return fail(errc::limit_exceeded, "store",
                "a session has at most " + std::to_string(recipient_count_max) + " recipients");
  return {};
}

std::string_view cut_text(std::string_view text, std::size_t size_bytes_max) {
  if (text.size() <= size_bytes_max) return text;
  auto end = size_bytes_max;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

tl::unexpected<error> no_session(const session_id& id) {
  return fail(errc::not_found, "store", "there is no session " + short_id(id));
}

} // namespace lucid::store_rows

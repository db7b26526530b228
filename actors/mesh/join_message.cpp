// actors/mesh/join_message.cpp - the bytes of a request to join and its answer.
#include "actors/mesh/join_message.hpp"

#include <algorithm>

#include "actors/mesh/bounded_codec.hpp"

namespace lucid {
namespace {

constexpr const char* who = "join";
constexpr std::uint8_t format_version = 1;
enum class answer_kind : std::uint8_t { accepted = 1, refused };

void check_version(bounded_reader& in) {
  if (auto version = in.get<std::uint8_t>(); in.good() && version != format_version)
    in.refuse(errc::unsupported, "version " + std::to_string(version) + ", this build reads version 1");
}

outcome<byte_buffer> encode_accepted(const join_accepted& answer) {
  bounded_writer out;
  out.put(format_version).put(static_cast<std::uint8_t>(answer_kind::accepted));
  out.put(static_cast<std::uint32_t>(answer.entries.size()));
  for (auto& entry : answer.entries) out.put_sized<std::uint16_t>(encode_member_entry(entry));
  bounded_writer statements;
  std::uint16_t count = 0;
  for (auto& statement : answer.statements) {
    auto bytes = encode_statement(statement);
    if (out.bytes().size() + statements.bytes().size() + bytes.size() + 4 > join_answer_bytes_max) break;
    statements.put_sized<std::uint16_t>(bytes);
    ++count;
  }
  out.put(count).put(statements.bytes());
  if (out.bytes().size() > join_answer_bytes_max)
    return fail(errc::limit_exceeded, who, "the list of members does not fit into one answer");
  return out.take();
}

outcome<join_answer> read_accepted(bounded_reader& in) {
  join_accepted answer;
  auto entries = in.get_count<std::uint32_t>(2 * cluster_entries_max, "entries");
  for (std::size_t i = 0; i < entries && in.good(); ++i) {
    auto bytes = in.get_sized<std::uint16_t>(member_entry_bytes_max, "entry");
    if (!in.good()) break;
    auto entry = decode_member_entry(bytes);
    if (!entry) return pass_on(std::move(entry));
    answer.entries.push_back(std::move(*entry));
  }
  auto statements = in.get_count<std::uint16_t>(cluster_members_max, "statements");
  for (std::size_t i = 0; i < statements && in.good(); ++i) {
    auto bytes = in.get_sized<std::uint16_t>(statement_bytes_max, "statement");
    if (!in.good()) break;
    auto statement = decode_statement(bytes);
    if (!statement) return pass_on(std::move(statement));
    answer.statements.push_back(std::move(*statement));
  }
  return join_answer(std::move(answer));
}

join_refused read_refused(bounded_reader& in) {
  join_refused answer;
  auto code = in.get<std::uint8_t>();
  if (in.good() && (code == 0 || code > static_cast<std::uint8_t>(errc_last))) in.refuse(errc::invalid_input, "an unknown code");
  answer.code = static_cast<errc>(code);
  answer.what = as_text(in.get_sized<std::uint16_t>(join_refusal_text_bytes_max, "reason"));
  // It is shown on a terminal: nothing that could steer one.
  if (!std::ranges::all_of(answer.what, [](char c) { return c >= ' ' && c <= '~'; }))
    in.refuse(errc::invalid_input, "a reason that is not printable");
  return answer;
}

std::string printable(std::string_view text) {
  std::string clean(text.substr(0, join_refusal_text_bytes_max));
  std::ranges::replace_if(clean, [](char c) { return c < ' ' || c > '~'; }, '?');
  return clean;
}

} // namespace

byte_buffer encode_join_request(const join_request& request) {
  bounded_writer out;
  out.put(format_version).put(request.cluster_id).put(encode_statement(request.joiner));
  return out.take();
}

outcome<join_request> decode_join_request(byte_view bytes) {
  bounded_reader in(bytes, who);
  check_version(in);
  join_request request;
  in.get(request.cluster_id);
  auto statement = decode_statement(in.take(in.left()));
  if (auto whole = in.finish(); !whole) return pass_on(std::move(whole));
  if (!statement) return pass_on(std::move(statement));
  request.joiner = std::move(*statement);
  return request;
}

outcome<byte_buffer> encode_join_answer(const join_answer& answer) {
  if (auto accepted = std::get_if<join_accepted>(&answer)) return encode_accepted(*accepted);
  auto& refused = std::get<join_refused>(answer);
  bounded_writer out;
  out.put(format_version).put(static_cast<std::uint8_t>(answer_kind::refused)).put(static_cast<std::uint8_t>(refused.code));
  return out.put_sized<std::uint16_t>(as_bytes(printable(refused.what))).take();
}

outcome<join_answer> decode_join_answer(byte_view bytes) {
  if (bytes.size() > join_answer_bytes_max) return fail(errc::limit_exceeded, who, "it is longer than an answer may be");
  bounded_reader in(bytes, who);
  check_version(in);
  auto kind = static_cast<answer_kind>(in.get<std::uint8_t>());
  if (in.good() && kind != answer_kind::accepted && kind != answer_kind::refused)
    in.refuse(errc::invalid_input, "an answer of an unknown kind");
  if (!in.good()) return pass_on(in.finish());
  outcome<join_answer> answer = kind == answer_kind::accepted ? read_accepted(in) : outcome<join_answer>(read_refused(in));
  if (!answer) return answer;
  if (auto whole = in.finish(); !whole) return pass_on(std::move(whole));
  return answer;
}

outcome<member_list> accept_membership(const join_accepted& answer, const digest& cluster_id, const node_id& inviter,
                                       const node_id& self) {
  member_list list(cluster_origin{cluster_id, {}, nullptr});
  auto merged = list.merge(answer.entries);
  if (!merged.refused.empty()) return tl::unexpected(std::move(merged.refused.front()));
  if (!list.is_member(inviter))
    return fail(errc::protocol_violation, who, "the list of members in the answer lacks the node that invited");
  if (!list.is_member(self)) return fail(errc::protocol_violation, who, "the list of members in the answer lacks this node");
  return list;
}

} // namespace lucid

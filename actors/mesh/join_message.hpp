// actors/mesh/join_message.hpp - what a joining node and its inviter say to each other.
#pragma once

#include <variant>

#include "actors/mesh/member_list.hpp"

namespace lucid {

inline constexpr std::size_t join_request_bytes_max = 33 + statement_bytes_max;
inline constexpr std::size_t join_answer_bytes_max = 1u << 20;
inline constexpr std::size_t join_refusal_text_bytes_max = 512;

/// "Admit me." Sent over a connection with the invitation's key, which is the proof.
struct join_request {
  digest cluster_id{};
  node_statement joiner;
  friend bool operator==(const join_request&, const join_request&) = default;
};

/// "You are a member": the list, with the joiner on it, and statements to reach the others by.
struct join_accepted {
  std::vector<member_entry> entries;
  std::vector<node_statement> statements; ///< As many as fit; the rest comes with the first summary.
  friend bool operator==(const join_accepted&, const join_accepted&) = default;
};

struct join_refused {
  errc code = errc::refused;
  std::string what; ///< A sentence for people.
  friend bool operator==(const join_refused&, const join_refused&) = default;
};

using join_answer = std::variant<join_accepted, join_refused>;

byte_buffer encode_join_request(const join_request& request);
/// The statement's signature is verified. Errors: those of decode_statement.
outcome<join_request> decode_join_request(byte_view bytes);

/// Errors: `limit_exceeded` if the entries alone do not fit.
outcome<byte_buffer> encode_join_answer(const join_answer& answer);
outcome<join_answer> decode_join_answer(byte_view bytes);

/// What the joiner makes of an acceptance: the list, checked to be of the cluster it was invited to, with the inviter and
/// itself on it. Errors: `protocol_violation` if it is not; those of verify_entry.
outcome<member_list> accept_membership(const join_accepted& answer, const digest& cluster_id, const node_id& inviter,
                                       const node_id& self);

} // namespace lucid

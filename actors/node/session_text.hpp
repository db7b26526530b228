// actors/node/session_text.hpp - sessions as people read them.
#pragma once

#include <map>
#include <string>

#include "messages/ports/cluster.hpp"
#include "messages/session.hpp"

namespace lucid {

std::string duration_text(unix_time_us length_us);  ///< "0:00:12", "1:02:03"
std::string size_text(std::uint64_t size_bytes);    ///< "12.3 MiB"
std::string time_text(unix_time_us at_us);          ///< "2026-11-20 12:00:07 UTC"; "-" for 0.

/// The members of a cluster by their signing keys, to name the chain that a block is of.
using chain_names = std::map<sign_public_key, std::string>;
chain_names chain_names_of(const cluster_view& cluster);

/// "12", "12 of pi-2", "12 of 3f9a01c2": for a table. A zero producer is this node.
std::string block_text(std::uint64_t height, const sign_public_key& producer, const chain_names& names);
/// "block 12", "block 12 of pi-2's chain", "block 12 of the chain of 3f9a01c2..."
std::string block_sentence(std::uint64_t height, const sign_public_key& producer, const chain_names& names);

/// How long was recorded so far.
unix_time_us recorded_length_us(const session_summary& s) noexcept;

} // namespace lucid

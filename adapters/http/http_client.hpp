// adapters/http/http_client.hpp - one HTTP exchange over a Unix socket.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "adapters/http/http_message.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// The largest response a client accepts: 1,000 listed sessions of 4 KiB each, and room.
inline constexpr std::uint64_t http_response_bytes_max = 16u << 20;

/// Sends one request and waits for its answer.
/// Threads: blocks the caller for at most `patience`.
/// Errors: `unreachable` when nobody serves the socket, `timeout`, `protocol_violation`, `permission_denied`.
outcome<http_response> http_call(const std::filesystem::path& socket, const std::string& method,
                                 const std::string& target, const std::string& body,
                                 std::chrono::milliseconds patience);

} // namespace lucid

// adapters/tor/control_socket.hpp - connects to a control port within a stated time.
#pragma once

#include <chrono>
#include <string>

#include "adapters/tor/posix.hpp"

namespace lucid {

/// A connected, blocking stream socket. `address`: "127.0.0.1:9051", "[::1]:9051" or "unix:/run/tor/control".
/// Errors: `invalid_input` for another form, `unreachable`, `not_found`, `permission_denied`, `timeout`.
outcome<tor_posix::file_descriptor> connect_control(const std::string& address, std::chrono::milliseconds within);

} // namespace lucid

// actors/node/cli/passphrase.hpp - asks for a passphrase where nobody can read along.
#pragma once

#include <ostream>
#include <string>

#include "messages/outcome.hpp"
#include "runtime/config/secret_text.hpp"

namespace lucid {

inline constexpr int keyboard_input = 0;
inline constexpr std::size_t passphrase_size_bytes_max = 1024;

/// Writes `prompt` to `to` and reads one line from `terminal` without showing it. Ctrl-C and Ctrl-D answer `cancelled`.
/// The terminal is as before when this returns.
/// Errors: `cancelled`, `limit_exceeded`, `invalid_input` for an empty line, `io_failed` if it is no terminal.
outcome<secret_text> ask_passphrase(int terminal, std::ostream& to, const std::string& prompt);

/// Twice the same. Errors: as above; `invalid_input` if the two differ.
outcome<secret_text> ask_new_passphrase(int terminal, std::ostream& to, const std::string& prompt);

} // namespace lucid

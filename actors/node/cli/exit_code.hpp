// actors/node/cli/exit_code.hpp - what a command's exit code tells a script.
#pragma once

#include <span>
#include <string_view>

#include "messages/error.hpp"

namespace lucid {

/// Exit codes of `lucid`. Documented in docs/cli.md; never renumbered.
enum class exit_code : int {
  ok = 0,
  failure = 1,
  usage = 2,
  not_found = 3,
  damaged = 4,
  source = 5,
  permission = 6,
  storage = 7,
  not_now = 8,
  missing = 9,
  cancelled = 130,
};

struct exit_code_line {
  exit_code code;
  std::string_view meaning;
};

/// All of them, for help and documentation.
std::span<const exit_code_line> exit_codes() noexcept;

/// The exit code of a command that ended with this error.
exit_code exit_code_for(errc code) noexcept;

} // namespace lucid

// actors/node/cli/exit_code.cpp - the table of exit codes.
#include "actors/node/cli/exit_code.hpp"

namespace lucid {
namespace {

constexpr exit_code_line lines[] = {
    {exit_code::ok, "done, and all is well"},
    {exit_code::failure, "failed for a reason not listed here"},
    {exit_code::usage, "the command line, the configuration or another input breaks its rules"},
    {exit_code::not_found, "there is no such session, key, file or command"},
    {exit_code::damaged, "damage was found, or a signature or proof does not verify"},
    {exit_code::source, "the desktop or node could not be reached, refused, or broke its protocol"},
    {exit_code::permission, "login, permission, key or passphrase was not accepted"},
    {exit_code::storage, "the disk is full, cannot be written or failed"},
    {exit_code::not_now, "right request, wrong time: busy, already there, or in another state"},
    {exit_code::missing, "a library, program or kernel feature is not there"},
    {exit_code::cancelled, "interrupted by a signal, or the question was answered with no"},
};

} // namespace

std::span<const exit_code_line> exit_codes() noexcept { return lines; }

exit_code exit_code_for(errc code) noexcept {
  switch (code) {
    case errc::invalid_input:
    case errc::limit_exceeded: return exit_code::usage;
    case errc::not_found: return exit_code::not_found;
    case errc::corrupted:
    case errc::truncated:
    case errc::bad_signature: return exit_code::damaged;
    case errc::timeout:
    case errc::unreachable:
    case errc::refused:
    case errc::certificate_changed:
    case errc::protocol_violation: return exit_code::source;
    case errc::permission_denied:
    case errc::login_failed:
    case errc::wrong_key: return exit_code::permission;
    case errc::disk_full:
    case errc::read_only:
    case errc::io_failed: return exit_code::storage;
    case errc::already_exists:
    case errc::wrong_state:
    case errc::busy: return exit_code::not_now;
    case errc::unsupported:
    case errc::missing_dependency: return exit_code::missing;
    case errc::cancelled: return exit_code::cancelled;
    case errc::clock_stepped:
    case errc::crashed:
    case errc::internal: return exit_code::failure;
  }
  return exit_code::failure;
}

} // namespace lucid

// messages/error.hpp - the one error value: a code to act on, and who, what and because of what.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace lucid {

/// Why something was refused or failed. A new code only where a caller acts differently.
/// The numbers travel between processes: append, never renumber. 0 means "no error" to CAF.
enum class errc : std::uint8_t {
  invalid_input = 1,     ///< A value from outside that breaks its grammar or bounds.
  limit_exceeded,        ///< Larger, longer or more than a named bound.
  not_found,             ///< No such session, key, file, actor.
  already_exists,        ///< There is one already, and it is another.
  wrong_state,           ///< Right request, wrong time.
  permission_denied,     ///< The peer or the process may not.
  corrupted,             ///< Bytes at rest or in transit are not what was written.
  truncated,             ///< Bytes end before they should.
  unsupported,           ///< A version, codec or feature this build does not have.
  wrong_key,             ///< The key or passphrase does not open it.
  bad_signature,         ///< A signature does not verify.
  disk_full,             ///< No space left, or over quota.
  read_only,             ///< The folder or file may not be written.
  io_failed,             ///< The system failed to read, write or sync.
  timeout,               ///< No answer within the stated time.
  unreachable,           ///< The peer could not be reached or vanished.
  refused,               ///< The peer answered, and said no.
  login_failed,          ///< The peer did not accept the credentials.
  certificate_changed,   ///< The peer's certificate is not the pinned one.
  protocol_violation,    ///< The peer sent what the protocol forbids.
  cancelled,             ///< Asked to stop before it was done.
  busy,                  ///< Try again later; a named bound is reached for now.
  clock_stepped,         ///< The wall clock jumped further than is tolerated.
  missing_dependency,    ///< A library, program or kernel feature is not there.
  crashed,               ///< An actor or a worker process ended abnormally.
  internal,              ///< A broken promise of our own code.
};

inline constexpr errc errc_last = errc::internal;

/// The name of `code` as it is written in logs and JSON, e.g. "disk_full".
std::string_view to_string(errc code) noexcept;

/// What went wrong. A value: copied freely, immutable by convention.
struct error {
  errc code = errc::internal;
  std::string who;   ///< Which part speaks: "store", "config", "rdp".
  std::string what;  ///< A sentence for people: what was wrong, where, what would be right.
  std::shared_ptr<const error> because; ///< The cause, if another error led to this one.
};

/// "who: what (code), because of: who: what (code) ..."
std::string to_string(const error& e);

/// The innermost cause of `e`.
const error& root_cause(const error& e) noexcept;

} // namespace lucid

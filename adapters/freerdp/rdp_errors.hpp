// adapters/freerdp/rdp_errors.hpp - FreeRDP's reasons in our words. Private to this folder.
#pragma once

#include <cstdint>
#include <string>

#include "messages/error.hpp"

namespace lucid::rdp {

/// What a connection's end means. `freerdp_error` as freerdp_get_last_error gives it.
struct ending {
  errc code = errc::unreachable;
  std::string what;
  bool regular = false; ///< The user logged off: there is nothing to go back to.
};

/// While connecting. `peer` is "host:port".
ending why_not_connected(std::uint32_t freerdp_error, const std::string& peer);

/// After it was connected.
ending why_disconnected(std::uint32_t freerdp_error, const std::string& peer);

} // namespace lucid::rdp

// adapters/http/http_failure.hpp - why a node could not be asked, in our words. Private to the clients.
#pragma once

#include <string>

#include <boost/system/error_code.hpp>

#include "messages/outcome.hpp"

namespace lucid {

/// `socket` names the control socket. Errors: `timeout`, `permission_denied`, `unreachable`, `protocol_violation`.
tl::unexpected<error> explain_failure(const boost::system::error_code& failed, const std::string& socket);

} // namespace lucid

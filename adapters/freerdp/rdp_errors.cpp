// adapters/freerdp/rdp_errors.cpp - the tables from FreeRDP's and the server's codes to ours.
#include "adapters/freerdp/rdp_errors.hpp"

#include <freerdp/error.h>
#include <freerdp/freerdp.h>

namespace lucid::rdp {
namespace {

/// FreeRDP's own name and sentence for a code, to go with ours.
std::string foreign(std::uint32_t code) {
  const char* name = freerdp_get_last_error_name(code);
  return std::string(" [") + (name ? name : "unknown") + "]";
}

/// The server's own reasons (MS-RDPBCGR 2.2.5.1.1), which may come at any time.
bool by_server(std::uint32_t code, const std::string& peer, ending& result) {
  switch (code) {
    case FREERDP_ERROR_RPC_INITIATED_LOGOFF:
    case FREERDP_ERROR_LOGOFF_BY_USER:
      result = {errc::refused, "the user was logged off at " + peer, true};
      return true;
    case FREERDP_ERROR_RPC_INITIATED_DISCONNECT:
    case FREERDP_ERROR_RPC_INITIATED_DISCONNECT_BY_USER:
      result = {errc::refused, peer + " ended the session on an administrator's or the user's request", false};
      return true;
    case FREERDP_ERROR_DISCONNECTED_BY_OTHER_CONNECTION:
      result = {errc::refused, "another connection to " + peer + " took the session over", false};
      return true;
    case FREERDP_ERROR_SERVER_DENIED_CONNECTION:
      result = {errc::refused, peer + " denies the connection", false};
      return true;
    case FREERDP_ERROR_IDLE_TIMEOUT:
    case FREERDP_ERROR_LOGON_TIMEOUT:
      result = {errc::refused, peer + " ended the session after its idle or logon time", false};
      return true;
    case FREERDP_ERROR_SERVER_INSUFFICIENT_PRIVILEGES:
    case FREERDP_ERROR_INSUFFICIENT_PRIVILEGES:
    case FREERDP_ERROR_SERVER_FRESH_CREDENTIALS_REQUIRED:
      result = {errc::login_failed, "the user may not log in at " + peer, false};
      return true;
    default: return false;
  }
}

} // namespace

ending why_not_connected(std::uint32_t code, const std::string& peer) {
  ending result;
  if (by_server(code, peer, result)) {
    result.what += foreign(code);
    return result;
  }
  switch (code) {
    case FREERDP_ERROR_DNS_ERROR:
    case FREERDP_ERROR_DNS_NAME_NOT_FOUND: result = {errc::unreachable, "no address is known for " + peer, false}; break;
    case FREERDP_ERROR_CONNECT_FAILED:
      result = {errc::unreachable, "nobody answers at " + peer + "; is an RDP server running there?", false};
      break;
    case FREERDP_ERROR_CONNECT_TRANSPORT_FAILED:
      result = {errc::unreachable, peer + " ended the connection while it was being made", false};
      break;
    case FREERDP_ERROR_TLS_CONNECT_FAILED:
    case FREERDP_ERROR_MCS_CONNECT_INITIAL_ERROR:
      result = {errc::protocol_violation, peer + " does not speak the protocol as it should", false};
      break;
    case FREERDP_ERROR_SECURITY_NEGO_CONNECT_FAILED:
      result = {errc::refused, peer + " offers neither NLA nor TLS that both sides support, or is no RDP server", false};
      break;
    case FREERDP_ERROR_CONNECT_NO_OR_MISSING_CREDENTIALS:
      result = {errc::login_failed, peer + " wants a user and a password", false};
      break;
    case FREERDP_ERROR_AUTHENTICATION_FAILED:
    case FREERDP_ERROR_CONNECT_LOGON_FAILURE:
    case FREERDP_ERROR_CONNECT_WRONG_PASSWORD:
    case FREERDP_ERROR_CONNECT_ACCESS_DENIED:
      result = {errc::login_failed, peer + " does not accept this user and password", false};
      break;
    case FREERDP_ERROR_CONNECT_PASSWORD_EXPIRED:
    case FREERDP_ERROR_CONNECT_PASSWORD_CERTAINLY_EXPIRED:
    case FREERDP_ERROR_CONNECT_PASSWORD_MUST_CHANGE:
      result = {errc::login_failed, "the password has expired at " + peer, false};
      break;
    case FREERDP_ERROR_CONNECT_ACCOUNT_DISABLED:
    case FREERDP_ERROR_CONNECT_ACCOUNT_RESTRICTION:
    case FREERDP_ERROR_CONNECT_ACCOUNT_LOCKED_OUT:
    case FREERDP_ERROR_CONNECT_ACCOUNT_EXPIRED:
    case FREERDP_ERROR_CONNECT_LOGON_TYPE_NOT_GRANTED:
    case FREERDP_ERROR_CONNECT_CLIENT_REVOKED:
      result = {errc::login_failed, "the account is disabled, locked or restricted at " + peer, false};
      break;
    case FREERDP_ERROR_CONNECT_KDC_UNREACHABLE:
      result = {errc::unreachable, "the Kerberos server that " + peer + " relies on cannot be reached", false};
      break;
    case FREERDP_ERROR_CONNECT_ACTIVATION_TIMEOUT:
    case FREERDP_ERROR_CONNECT_CANCELLED:
      result = {errc::timeout, peer + " did not complete the connection in time", false};
      break;
    default: result = {errc::protocol_violation, "the connection to " + peer + " could not be made", false};
  }
  result.what += foreign(code);
  return result;
}

ending why_disconnected(std::uint32_t code, const std::string& peer) {
  ending result;
  if (code == FREERDP_ERROR_SUCCESS) return {errc::unreachable, peer + " ended the connection without a reason", false};
  if (by_server(code, peer, result)) {
  } else if (code == FREERDP_ERROR_CONNECT_TRANSPORT_FAILED) {
    result = {errc::unreachable, "the connection to " + peer + " is lost", false};
  } else if (code == FREERDP_ERROR_CONNECT_CANCELLED) {
    result = {errc::timeout, peer + " stopped in the middle of a message", false};
  } else {
    result = {errc::protocol_violation, "the connection to " + peer + " ended with a protocol error", false};
  }
  result.what += foreign(code);
  return result;
}

} // namespace lucid::rdp

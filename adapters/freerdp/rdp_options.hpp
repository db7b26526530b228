// adapters/freerdp/rdp_options.hpp - where to connect, as whom, and whom to trust.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "messages/outcome.hpp"

namespace lucid {

/// What a server shows of itself. All texts but the fingerprint are the server's claims, at most 500 bytes each.
struct certificate_info {
  std::string host; ///< As asked for.
  std::uint16_t port = 0;
  std::string sha256_fingerprint; ///< Of the certificate in DER: 64 lower-case hexadecimal digits.
  std::string subject;
  std::string issuer;
};

/// One RDP connection to be made.
struct rdp_options {
  std::string host;
  std::uint16_t port = 3389;
  std::string username; ///< Empty: only a server that asks for none, or shows a login screen, lets one in.
  std::string domain;
  std::string password; ///< Secret.
  std::uint32_t width = 1280; ///< Wished size; the server decides. Even, 200 .. 8192.
  std::uint32_t height = 720;
  std::chrono::milliseconds connect_time_max{15'000}; ///< For all of `open`.

  /// Asked for each connection, before any credential is sent, whatever a certificate authority says of the
  /// certificate. Nobody is trusted if it is empty.
  std::function<bool(const certificate_info&)> trusted;

  /// RDP's own encryption of before 2003 has no certificate that could be pinned: anybody on the way can pose as the
  /// server. A server that offers nothing else is refused unless this is set.
  bool legacy_security_allowed = false;

  /// FreeRDP's warnings, one line of at most 500 bytes each, at most 100 a connection. Nobody gets them if it is empty.
  std::function<void(std::string_view)> log;
};

/// `rdp://[user@]host[:port]`; the user may be DOMAIN\user, an IPv6 address stands in brackets, %XX is a byte.
/// Errors: `invalid_input` for anything else, also for a password: it belongs in a file, the environment or a prompt.
outcome<rdp_options> rdp_options_from(std::string_view source);

} // namespace lucid

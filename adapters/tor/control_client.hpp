// adapters/tor/control_client.hpp - a connection to Tor's control port: authenticated, one question at a time, events beside.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/tor/control_reply.hpp"
#include "adapters/tor/secret_text.hpp"
#include "messages/tor.hpp"

namespace lucid {

struct control_options {
  std::string address;                          ///< "127.0.0.1:9051", "[::1]:9051", "unix:/run/tor/control". No host names.
  std::filesystem::path cookie;                 ///< Empty: where Tor says.
  std::chrono::milliseconds answer_max{10'000}; ///< For each answer, and for connecting.
};

/// What ADD_ONION answers.
struct added_onion {
  std::string onion;       ///< "<56 letters>.onion"
  tor_secret_text new_key; ///< "ED25519-V3:..."; empty unless Tor made it.
};

/// Owns: one socket, one thread; at most one unanswered question.
/// Threads: `ask` and what stands on it from any, one after the other; the two callbacks run on a thread of its own and
/// may not call back.
/// Errors: `refused` with what Tor said; `timeout`, after which the connection is closed, since the late answer would be
/// taken for the next one's; `unreachable` when it is closed; `protocol_violation`.
class control_client {
public:
  using event_sink = std::function<void(const control_reply&)>;
  using end_sink = std::function<void(const error&)>; ///< Once, unless the client is destroyed before.

  /// Connects and authenticates: SAFECOOKIE, else COOKIE, else nothing if Tor asks for nothing.
  /// Errors: as above; `wrong_key` for a cookie that is not Tor's; `permission_denied` for one that cannot be read;
  /// `unsupported` if Tor wants a password; `invalid_input` for the address.
  static outcome<std::unique_ptr<control_client>> connect(const control_options& options, event_sink events, end_sink end);

  ~control_client();
  control_client(const control_client&) = delete;
  control_client& operator=(const control_client&) = delete;

  /// Sends one line and waits for its reply. Errors: `invalid_input` for a line end within it.
  outcome<control_reply> ask(std::string_view command);

  /// "0.4.9.11"
  const std::string& version() const noexcept;

  /// The value of `key`: "status/bootstrap-phase".
  outcome<std::string> get_info(std::string_view key);
  outcome<void> set_events(std::string_view names);

  /// Tor ends when this connection does.
  outcome<void> take_ownership();

  /// "NEWNYM", "SHUTDOWN" ...
  outcome<void> signal(std::string_view name);

  /// `key`: "ED25519-V3:..."; empty: a new one. The service lives as long as this connection.
  outcome<added_onion> add_onion(const tor_secret_text& key, const std::vector<onion_port>& ports,
                                 const std::vector<box_public_key>& clients);
  outcome<void> del_onion(std::string_view onion);

  /// `secret`: X25519, base64. For this run of Tor.
  outcome<void> add_client_auth(std::string_view onion, const tor_secret_text& secret);
  outcome<void> remove_client_auth(std::string_view onion);

private:
  class impl;
  explicit control_client(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

} // namespace lucid

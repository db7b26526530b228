// messages/ports/onion_router.hpp - a running Tor, as the actor that looks after it sees it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "messages/outcome.hpp"
#include "messages/tor.hpp"

namespace lucid {

/// How far Tor is in joining its network.
struct onion_progress {
  std::uint32_t percent = 0; ///< 100: joined.
  std::string summary;       ///< "Connecting to a relay"
  std::string trouble;       ///< What Tor complains of; empty: nothing.
};

/// Circuits can, or can no longer, be built.
struct onion_circuits {
  bool established = false;
  std::string reason; ///< Of their loss.
};

/// A descriptor of an onion service of ours was stored by the network, or refused.
struct onion_upload {
  std::string onion;
  bool stored = false;
  std::string reason; ///< Of the refusal.
};

/// A line that Tor wrote at level warn or err.
struct onion_warning {
  std::string text;
};

/// Tor is gone, or the connection to it. Always the last thing heard.
struct onion_gone {
  error why;
};

using onion_news = std::variant<onion_progress, onion_circuits, onion_upload, onion_warning, onion_gone>;

/// Takes what is heard. Called from threads of the router's own, one at a time; must not block for long.
using onion_sink = std::function<void(onion_news)>;

/// What Tor says of itself when asked.
struct onion_health {
  onion_progress progress;
  bool circuits = false;     ///< At least one was built, and the network answers.
  std::uint64_t read_bytes = 0, written_bytes = 0; ///< Since Tor started.
};

/// Tor with a control connection. Destroying it withdraws its onion services and ends a Tor of its own; nothing more
/// is heard of it.
///
/// Threads: the functions from any one thread, each blocks for at most `onion_answer_max`; the sink runs on others.
/// Errors: `unreachable` when Tor is gone, `timeout`, `refused` with what Tor said, `invalid_input`.
class onion_router {
public:
  virtual ~onion_router() = default;

  virtual outcome<onion_health> health() = 0;

  /// Publishes the node's service with the kept key, which is made at the first time; exactly these ports and clients.
  /// Answers its host name.
  virtual outcome<std::string> publish(const std::vector<onion_port>& ports, const std::vector<box_public_key>& clients) = 0;

  /// Publishes under a new key, which replaces the kept one. What was published before stays until `withdraw`.
  virtual outcome<std::string> rotate(const std::vector<onion_port>& ports, const std::vector<box_public_key>& clients) = 0;

  virtual outcome<void> withdraw(const std::string& onion) = 0;

  /// Has the node's client key used, or no longer used, for a peer's service.
  virtual outcome<void> authorise(const std::string& onion) = 0;
  virtual outcome<void> forget(const std::string& onion) = 0;

  /// New connections take new circuits.
  virtual outcome<void> renew_circuits() = 0;

  virtual std::string socks_address() const = 0;      ///< "127.0.0.1:9050"
  virtual box_public_key client_key() const = 0;      ///< The public half.
  virtual std::string version() const = 0;            ///< "0.4.9.11"
  virtual std::optional<int> process_id() const = 0;  ///< Of a Tor of its own.
};

/// Starts Tor, or connects to a given one. Blocks for at most `onion_start_max`.
/// Errors: `missing_dependency`, `io_failed`, `crashed` with what Tor said last, `timeout`, `wrong_key` for a cookie
/// that Tor does not know, `permission_denied`, `unreachable`.
using onion_router_starter = std::function<outcome<std::unique_ptr<onion_router>>(onion_sink)>;

inline constexpr std::chrono::seconds onion_answer_max{10};
inline constexpr std::chrono::seconds onion_start_max{30};

} // namespace lucid

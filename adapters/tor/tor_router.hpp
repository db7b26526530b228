// adapters/tor/tor_router.hpp - the port onion_router with a real tor behind it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "messages/ports/onion_router.hpp"

namespace lucid {

struct tor_router_options {
  std::filesystem::path state_folder;   ///< Made with mode 0700; kept from start to start. Of a tor of our own.
  std::filesystem::path key_folder;     ///< Made with mode 0700; files onion_service.secret, onion_client.secret (0600).
  std::string program = "tor";          ///< A path, or a name looked up in PATH.
  std::filesystem::path extra_torrc;    ///< More lines for its torrc; empty: none.
  std::string control;                  ///< Of a given tor: "127.0.0.1:9051", "unix:/run/tor/control". Empty: our own.
  std::filesystem::path control_cookie; ///< Of a given tor; empty: where it says.
  std::string socks = "127.0.0.1:9050"; ///< Of a given tor.
};

/// Starts a tor of our own, or connects to a given one. A tor of our own ends when this process does, however it ends.
/// Owns: the process, the control connection, their threads; the private keys are wiped when no longer needed.
/// Threads and errors: as the port.
outcome<std::unique_ptr<onion_router>> start_tor_router(const tor_router_options& options, onion_sink sink);

/// A starter for the actor.
onion_router_starter tor_router_starter(tor_router_options options);

} // namespace lucid

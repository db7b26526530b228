// actors/node/node.hpp - the composition root: reads the configuration, builds the tree, owns what it stands on.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "messages/outcome.hpp"
#include "runtime/config/load.hpp"

namespace lucid {

/// What a node is given beside its configuration.
struct node_options {
  std::string worker_executable = "/proc/self/exe"; ///< A `lucid`: it is started as `lucid worker --fd 3`.
  std::optional<int> input_fd = {};                 ///< What the source `-` reads; without it that source is empty.
  std::map<std::string, value_origin> origins = {}; ///< Of the configuration, for those who look at it.
};

/// A running node in this process.
///
/// Owns: the data folder's lock, keys in memory, the work pool, the actor system and all actors.
/// Threads: one owner.
/// Errors: of `start`: `busy` when another process holds the data folder, naming it; `wrong_key` for the node key's
/// passphrase; those of store, ledger and socket.
class node {
public:
  /// Starts everything and returns when the node can be asked for sessions.
  static outcome<std::unique_ptr<node>> start(const configuration& settings, const node_options& options = {});

  /// Stops in order: sessions that still record are ended first and finished at the next start.
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Waits until the node was asked to stop, or its root ended by itself: then with its last word.
  /// Empty: neither happened within `patience`.
  std::optional<outcome<void>> wait(std::chrono::milliseconds patience);

  /// Ends the actor at `path` as a fault would: for fault injection. Errors: `not_found` when nobody is there.
  outcome<void> kill_actor(const std::string& path);

  /// The paths of all actors that are there at present.
  std::vector<std::string> actor_paths() const;

private:
  struct parts;
  explicit node(std::unique_ptr<parts> owned);
  std::unique_ptr<parts> parts_;
};

} // namespace lucid

// actors/node/node_tree.hpp - the supervision tree of a node, from its configuration and what it owns.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/node/node_keys.hpp"
#include "actors/node/node_mesh.hpp"
#include "actors/recorder/session_vault.hpp"
#include "actors/console/refusal_book.hpp"
#include "messages/ports/archive.hpp"
#include "messages/ports/capsule_store.hpp"
#include "messages/ports/pin_table.hpp"
#include "runtime/config/configuration.hpp"
#include "runtime/supervision/specs.hpp"
#include "runtime/work_pool.hpp"

namespace lucid {

/// What the actors stand on. The pool, the random source and the clock outlive the actor system.
struct node_parts {
  configuration settings;
  node_keys keys;
  std::vector<box_public_key> recipients;
  std::shared_ptr<file_system> files;
  std::shared_ptr<pin_table> pins;
  std::shared_ptr<capsule_store> capsules; ///< For whoever shows them; written by the node.
  std::shared_ptr<archive> records;
  std::shared_ptr<refusal_book> refusals;
  std::shared_ptr<session_vault> vault;
  node_mesh* mesh = nullptr;               ///< Null: the node stands alone. Outlives the actor system.
  std::string configuration_json;          ///< What the console tells of the settings and where they come from.
  work_pool* pool = nullptr;
  work_pool* readers = nullptr;            ///< For what the console reads from the disk.
  random_port* random = nullptr;
  unix_time_us started_us = 0;
  std::string worker_executable;
  std::optional<int> input_fd;
  std::function<void()> stop_node;
  std::function<bool()> ending;            ///< The node is being taken down.
};

/// docs/architecture.md, "Supervision tree".
supervisor_spec node_tree(const node_parts& parts);

} // namespace lucid

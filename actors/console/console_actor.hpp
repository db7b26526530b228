// actors/console/console_actor.hpp - serves the node's API: on the control socket, and to browsers over TCP.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/console/access_core.hpp"
#include "actors/console/machine_core.hpp"
#include "actors/console/refusal_book.hpp"
#include "adapters/http/http_server.hpp"
#include "messages/ports/archive.hpp"
#include "messages/ports/capsule_store.hpp"
#include "messages/ports/machine.hpp"
#include "messages/session.hpp"
#include "runtime/supervision/specs.hpp"
#include "runtime/work_pool.hpp"

namespace lucid {

/// What the console shows and acts on beside actors. Shared by both faces.
struct console_parts {
  std::string node_name;
  std::filesystem::path data_dir;
  unix_time_us started_us = 0;
  std::string configuration;              ///< The answer to GET /v1/config, as JSON.
  std::vector<memory_part> memory_bounds;
  std::function<void()> stop_node;        ///< Asks the process to end; returns at once.
  std::function<void(bool on)> drain;     ///< No new sessions, or again. Threads: any.
  std::function<bool()> draining;
  std::function<bool()> ending;           ///< The node goes: what takes long is cut short. Threads: any.
  std::shared_ptr<archive> records;
  std::shared_ptr<capsule_store> capsules;
  std::shared_ptr<refusal_book> refusals;
  std::shared_ptr<cluster_port> cluster;  ///< Null: the node stands alone.
  std::shared_ptr<machine_port> machine;  ///< Looked at by one face only, on the pool.
  work_pool* pool = nullptr;              ///< Of its own: a verification takes minutes.
  random_port* random = nullptr;
};

/// The face for this machine's programs: whoever may open the socket is heard.
struct control_door {
  std::filesystem::path socket;
  http_limits limits;
};

/// The face for browsers.
struct browser_door {
  http_tcp_door tcp;
  std::vector<std::string> names; ///< Host names beside the address.
  http_limits limits;
  access_limits access;
};

/// Child specs of the two. A restarted one serves its door anew; clients ask again, browsers log in again.
/// The control socket is what a node is reached by: without it the child fails. A browser's door that cannot be opened, say
/// since another process has the port, is tried again every ten seconds, and told of by `lucid console open`.
child_spec control_child(console_parts parts, control_door door);
child_spec console_child(console_parts parts, browser_door door);

} // namespace lucid

// actors/console/console_actor.hpp - serves the control socket: each request goes to the actor that can answer it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "adapters/http/http_server.hpp"
#include "messages/session.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

struct control_options {
  std::filesystem::path socket;
  http_limits limits;
  std::string node_name;
  std::filesystem::path data_dir;
  unix_time_us started_us = 0;
  std::function<void()> stop_node; ///< Asks the process to end; returns at once.
};

/// Child spec of the control actor. A restarted one serves the socket anew; clients ask again.
child_spec control_child(control_options options);

} // namespace lucid

// actors/recorder/standby_actor.hpp - tells others what is recorded here, and records on: for others, and after a restart.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "actors/recorder/session_vault.hpp"
#include "messages/ports/cluster.hpp"
#include "runtime/supervision/specs.hpp"

namespace lucid {

struct standby_options {
  node_id self{};
  std::string self_name;
  std::shared_ptr<const secret_key> box_secret; ///< Opens passwords that come back to this node.
  std::shared_ptr<cluster_port> cluster;
  std::shared_ptr<session_vault> vault;    ///< Which sessions run here, and their passwords.
  std::function<bool(const std::string&)> may_record; ///< By name of a node: placement.capture.
  std::chrono::milliseconds lost_after{};  ///< How long a recorder is down before it counts as lost.
};

/// Path: "standby". Interface: standby_api. Keeps what it was told in memory alone; a restarted one is told again by the
/// recorders that are up. What it had begun goes on, but is not ended when its recorder comes back. What an earlier process of
/// this node was recording is gone on with, if another node still has its plan.
child_spec standby_child(standby_options options);

} // namespace lucid

// messages/gateway.hpp - which actors a node lends to another one.
#pragma once

#include <string>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "messages/identity.hpp"

namespace lucid {

inline constexpr std::size_t exported_actors_max = 16; ///< Of one node; they are named in the code.

/// One of them, in its present incarnation; null: nobody is there at present.
struct exported_actor {
  std::string path; ///< On the node that lends it.
  caf::strong_actor_ptr actor;
};

/// From gateway to gateway: when they meet, and whenever it changes.
struct gateway_news {
  node_id from{};
  std::vector<exported_actor> actors;
};

} // namespace lucid

// runtime/supervision/consequence.hpp - what an action on an actor would lead to, said before it is done; pure logic.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "messages/inspection.hpp"
#include "messages/outcome.hpp"
#include "messages/supervision.hpp"

namespace lucid {

/// What would happen.
struct consequence {
  std::string text;                   ///< For people: "restarts 4 children: chunk, seal, manifest, session".
  std::vector<std::string> restarted; ///< Paths, in start order, with all that is below them.
  std::vector<std::string> ended;     ///< Paths of those that nobody starts again.
};

/// How many names a text spells out; the others are counted.
inline constexpr std::size_t consequence_names_max = 16;

/// What `action` on the actor at `path` leads to, from the strategies and specs in `tree`, a look at the whole tree.
/// Errors: `not_found`; `wrong_state` and `unsupported` where the supervisor would refuse, with the same reason.
outcome<consequence> consequence_of(child_action action, std::string_view path, const std::vector<inspection>& tree);

} // namespace lucid

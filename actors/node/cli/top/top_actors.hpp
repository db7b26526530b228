// actors/node/cli/top/top_actors.hpp - actors as rows of a list and as a page; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/node/cli/top/top_data.hpp"
#include "adapters/terminal/screen.hpp"

namespace lucid {

enum class actor_column : std::uint8_t { path, state, mailbox, rate, busy, restarts, p99 };
inline constexpr int actor_column_count = 7;
std::string_view to_string(actor_column column);

/// Whether `a` stands before `b` in a list sorted by `column`: the most first.
bool comes_before(const top_actor& a, const top_actor& b, actor_column column);

/// The head of the list and one row of it, within `width` bytes. `name` is how the actor is called there.
std::string actor_head(int width);
std::string actor_row(const top_actor& actor, const std::string& name, int width);

/// All that is known of one actor. Lines may be longer than a screen is wide.
std::vector<text_line> actor_page(const top_actor& actor);

int depth_of(std::string_view path);                            ///< 0 for the root, of this node or another.
bool is_below(std::string_view path, std::string_view top);     ///< Strictly.
bool is_elsewhere(std::string_view path);                       ///< On another node of the cluster: "nodes/attic/storage".
bool is_other_root(std::string_view path);                      ///< The root there: "nodes/attic".
std::string last_name(const std::string& path);                 ///< Its last segment, as it is shown; a node's with "nodes/".

} // namespace lucid

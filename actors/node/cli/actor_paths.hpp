// actors/node/cli/actor_paths.hpp - actors by the paths people write and read; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "messages/outcome.hpp"

namespace lucid {

/// How many digits of a session's id are shown, and the fewest that are taken for it.
inline constexpr std::size_t shown_id_length = 12, written_id_length_min = 4;

/// "sessions/67d0fc966324/seal": a path, or a sentence with paths in it; ids as short as in every other list.
std::string with_short_ids(std::string text);

/// Whether `path` is what `pattern` names, or below it. Each segment of a pattern is a glob ("sessions/*/seal"), or the
/// beginning of a session's id. An empty pattern and "root" name all.
bool path_matches(std::string_view pattern, std::string_view path);

/// The one path that `written` names: in full, or with the beginnings of ids.
/// Errors: `not_found` with the nearest one; `invalid_input` where it stands for several.
outcome<std::string> find_path(const std::string& written, const std::vector<std::string>& paths);

} // namespace lucid

// tests/isolation/include_rules.hpp - which folder may include what: the arrows of docs/architecture.md as a check.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lucid {

/// An #include that breaks a rule.
struct include_violation {
  std::string file; ///< Relative to the root.
  std::size_t line = 0;
  std::string what; ///< The include and the rule that it breaks.
};

/// Reads all sources in messages/, adapters/, runtime/ and actors/ below `root` and names every include that
/// points against the arrows, at a library that belongs elsewhere, or at nothing.
std::vector<include_violation> check_includes(const std::filesystem::path& root);

/// How many sources `check_includes` looks at: a check of nothing finds nothing.
std::size_t source_count(const std::filesystem::path& root);

} // namespace lucid

// runtime/supervision/rules.cpp - the words for the rules.
#include "runtime/supervision/rules.hpp"

#include <array>

namespace lucid {

std::string_view to_string(restart when) noexcept {
  constexpr std::array<std::string_view, 3> names{"permanent", "transient", "temporary"};
  return names[static_cast<std::size_t>(when)];
}

std::string_view to_string(strategy how) noexcept {
  constexpr std::array<std::string_view, 3> names{"one_for_one", "one_for_all", "rest_for_one"};
  return names[static_cast<std::size_t>(how)];
}

} // namespace lucid

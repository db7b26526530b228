// runtime/config/nearest.hpp - the known word nearest to an unknown one, for "did you mean".
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lucid {

/// How many letters must be added, dropped, replaced or swapped with their neighbour to get from `a` to `b`.
/// Words beyond 64 letters count as entirely different.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The nearest of `known`, the first one of equals; empty when even that differs in more than a third of its letters.
std::string nearest(std::string_view word, std::span<const std::string> known);

} // namespace lucid

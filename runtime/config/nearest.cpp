// runtime/config/nearest.cpp - edit distance with swaps, and the nearest word by it.
#include "runtime/config/nearest.hpp"

#include <algorithm>
#include <array>

namespace lucid {
namespace {
constexpr std::size_t word_length_max = 64;
} // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  if (a.size() > word_length_max || b.size() > word_length_max) return std::max(a.size(), b.size());
  // Three rows of the table: the present one and the two before it.
  std::array<std::array<std::size_t, word_length_max + 1>, 3> rows{};
  auto row = [&](std::size_t i) -> auto& { return rows[i % 3]; };
  for (std::size_t j = 0; j <= b.size(); ++j) row(0)[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row(i)[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto replaced = row(i - 1)[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      auto best = std::min({replaced, row(i - 1)[j] + 1, row(i)[j - 1] + 1});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      row(i)[j] = swapped ? std::min(best, row(i - 2)[j - 2] + 1) : best;
    }
  }
  return row(a.size())[b.size()];
}

std::string nearest(std::string_view word, std::span<const std::string> known) {
  std::string_view best;
  auto best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (auto& candidate : known) {
    auto distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return std::string(best);
}

} // namespace lucid

// tests/doubles/chunk_marks.hpp - chunks of a recording's video, by their indices alone.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "messages/replication.hpp"

namespace lucid::testing {

inline std::vector<chunk_mark> chunks(std::initializer_list<std::uint32_t> indices) {
  std::vector<chunk_mark> marks;
  for (auto index : indices) marks.push_back({track::video, index, {}});
  return marks;
}

} // namespace lucid::testing

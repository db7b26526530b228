// runtime/log/recent.hpp - the last lines of the log in memory, for whoever looks into a running process.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "messages/identity.hpp"
#include "runtime/log/line.hpp"

namespace lucid::log {

/// Keeps the newest `recent_lines_max` lines.
/// Threads: any.
class recent_lines {
public:
  void add(const record& said);

  /// Those that `wanted` describes, oldest first: the newest `wanted.count` of them.
  std::vector<recent_line> find(const recent_query& wanted) const;

private:
  mutable std::mutex mutex_;
  std::deque<recent_line> lines_;
};

} // namespace lucid::log

// runtime/log/recent.cpp - a bounded queue of lines, and looking through it from its end.
#include "runtime/log/recent.hpp"

#include <algorithm>
#include <chrono>

#include "runtime/log/text.hpp"

namespace lucid::log {
namespace {

bool at_or_below(std::string_view path, std::string_view wanted) {
  return wanted.empty() || (path.starts_with(wanted) && (path.size() == wanted.size() || path[wanted.size()] == '/'));
}

bool matches(const recent_line& line, const recent_query& wanted) {
  return line.severity >= wanted.lowest && at_or_below(line.path, wanted.path) &&
         (wanted.session.empty() || line.session == wanted.session);
}

} // namespace

void recent_lines::add(const record& said) {
  auto at_us = std::chrono::duration_cast<std::chrono::microseconds>(said.at.time_since_epoch()).count();
  recent_line line{at_us, said.severity, printable(said.path), printable(said.session),
                   shortened(printable(said.message), recent_text_bytes_max)};
  std::lock_guard lock(mutex_);
  lines_.push_back(std::move(line));
  if (lines_.size() > recent_lines_max) lines_.pop_front();
}

std::vector<recent_line> recent_lines::find(const recent_query& wanted) const {
  std::vector<recent_line> found;
  std::lock_guard lock(mutex_);
  for (auto line = lines_.rbegin(); line != lines_.rend() && found.size() < wanted.count; ++line)
    if (matches(*line, wanted)) found.push_back(*line);
  std::reverse(found.begin(), found.end());
  return found;
}

} // namespace lucid::log

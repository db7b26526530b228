// runtime/inspection/message_tap.cpp - a bounded queue, and whose messages they were.
#include "runtime/inspection/message_tap.hpp"

#include <algorithm>
#include <utility>

#include "runtime/directory/directory.hpp"

namespace lucid {

void message_tap::add(tapped_message one) {
  std::lock_guard lock(mutex_);
  if (!on()) return; // The last watcher has just gone.
  ++count_;
  messages_.push_back(std::move(one));
  if (messages_.size() > messages_max) messages_.pop_front();
}

std::vector<tapped_message> message_tap::read(std::uint64_t& seen, std::uint64_t& missed) const {
  std::lock_guard lock(mutex_);
  const auto kept = std::min<std::uint64_t>(count_ - seen, messages_.size());
  missed = count_ - seen - kept;
  seen = count_;
  return {messages_.end() - static_cast<std::ptrdiff_t>(kept), messages_.end()};
}

std::uint64_t message_tap::count() const {
  std::lock_guard lock(mutex_);
  return count_;
}

void message_tap::end_watch() {
  std::lock_guard lock(mutex_);
  if (watchers_.fetch_sub(1, std::memory_order_relaxed) == 1) messages_ = {};
}

tap_reader::tap_reader(directory& names, std::string_view path) : names_(names), tap_(names.slot(path)->tap()) {
  tap_->begin_watch();
  seen_ = tap_->count();
}

tap_reader::~tap_reader() { tap_->end_watch(); }

tap_reader::news tap_reader::read() {
  news found;
  auto tapped = tap_->read(seen_, found.missed);
  if (tapped.empty()) return found;
  const auto paths = names_.paths_by_actor();
  for (auto& one : tapped) {
    auto sender = paths.find(one.sender);
    if (sender != paths.end()) one.seen.sender = sender->second;
    found.messages.push_back(std::move(one.seen));
  }
  return found;
}

} // namespace lucid

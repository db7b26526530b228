// actors/blobs/blob_exchange.cpp - one lock around the core; frames go out under it, answers behind it.
#include "actors/blobs/blob_exchange.hpp"

#include <algorithm>

namespace lucid {

/// Frames go to the links under the lock: two threads must not swap them. Answers are told behind it, since whoever hears
/// them may ask at once.
template <class Step>
void blob_exchange::run(Step&& step) {
  blob_effects effects;
  blob_answers answers;
  {
    std::lock_guard lock(mutex_);
    auto now = clock_->monotonic();
    step(now, effects);
    carry_out(effects, now);
    if (effects.sends.empty() && effects.takes.empty()) return;
    answers = answers_;
  }
  if (answers.sent)
    for (auto& s : effects.sends) answers.sent(s.token, std::move(s.result));
  if (answers.taken)
    for (auto& t : effects.takes) answers.taken(t.token, std::move(t.result));
}

void blob_exchange::carry_out(blob_effects& effects, blob_core::time now) {
  if (!links_) return;
  for (auto& f : effects.frames) {
    auto& box = outboxes_[f.to];
    box.bytes += f.bytes.size();
    box.frames.push_back(std::move(f.bytes));
  }
  flush_all(now);
  for (auto& c : effects.cuts) cut(c.peer, c.why, now);
}

/// What the link has room for. Called whenever a frame comes or goes, and by the tick.
void blob_exchange::flush(const node_id& to, blob_core::time now) {
  auto found = outboxes_.find(to);
  if (found == outboxes_.end()) return;
  auto& box = found->second;
  while (!box.frames.empty()) {
    auto size = box.frames.front().size();
    if (links_->room_bytes(to) < size) break;
    auto sent = links_->send(to, std::move(box.frames.front()));
    if (!sent) return cut(to, sent.error(), now);
    box.frames.pop_front();
    box.bytes -= size;
  }
  if (box.bytes > outbox_bytes_max_)
    return cut(to, {errc::protocol_violation, "blobs", "the peer asks and does not read the answers", nullptr}, now);
  if (box.frames.empty()) outboxes_.erase(found);
}

void blob_exchange::flush_all(blob_core::time now) {
  for (auto at = outboxes_.begin(); at != outboxes_.end();) {
    auto to = at->first;
    flush(to, now);
    at = outboxes_.upper_bound(to);
  }
}

void blob_exchange::cut(const node_id& peer, const error& why, blob_core::time now) {
  core_.down(peer, now);
  outboxes_.erase(peer);
  links_->cut(peer, why);
}

void blob_exchange::connect(blob_links* links) {
  std::lock_guard lock(mutex_);
  links_ = links;
}

void blob_exchange::link_up(const node_id& peer) {
  run([&](auto now, blob_effects& out) {
    outboxes_.erase(peer);
    core_.up(peer, now, out);
  });
}

void blob_exchange::link_down(const node_id& peer) {
  run([&](auto now, blob_effects&) {
    outboxes_.erase(peer);
    core_.down(peer, now);
  });
}

void blob_exchange::link_frame(const node_id& peer, byte_view frame) {
  run([&](auto now, blob_effects& out) { core_.frame(peer, frame, now, out); });
}

std::uint64_t blob_exchange::attach(blob_answers answers) {
  std::uint64_t number = 0;
  run([&](auto, blob_effects& out) {
    core_.forget_asked(out);
    answers_ = std::move(answers);
    number = ++attachment_;
  });
  return number;
}

void blob_exchange::detach(std::uint64_t attachment) {
  run([&](auto, blob_effects& out) {
    if (attachment != attachment_) return;
    core_.forget_asked(out);
    answers_ = {};
  });
}

void blob_exchange::send(std::uint64_t token, const blob_send_request& what) {
  auto content = what.content == digest{} ? blake3(what.bytes.view()) : what.content; // Before the lock: it takes milliseconds.
  run([&](auto now, blob_effects& out) { core_.send(token, what.to, what.id, what.bytes, content, now, out); });
}

void blob_exchange::take(std::uint64_t token, const blob_take_request& what) {
  run([&](auto now, blob_effects& out) { core_.take(token, what.from, what.what, now, out); });
}

void blob_exchange::tick() {
  run([&](auto now, blob_effects& out) { core_.tick(now, out); });
}

std::optional<std::chrono::nanoseconds> blob_exchange::next_tick_in() const {
  std::lock_guard lock(mutex_);
  if (!outboxes_.empty()) return std::chrono::nanoseconds(0); // Nobody tells when there is room.
  auto at = core_.wake_at();
  if (!at) return std::nullopt;
  return std::max(*at - clock_->monotonic(), std::chrono::nanoseconds(0));
}

blob_counters blob_exchange::counters() const {
  std::lock_guard lock(mutex_);
  return core_.counters();
}

std::uint64_t blob_exchange::memory_bytes() const {
  std::lock_guard lock(mutex_);
  return core_.memory_bytes();
}

std::size_t blob_exchange::sending_count() const {
  std::lock_guard lock(mutex_);
  return core_.sending_count();
}

} // namespace lucid

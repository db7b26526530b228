// runtime/inspection/actor_stats.cpp - counting without locks: plain loads and stores, since there is one writer.
#include "runtime/inspection/actor_stats.hpp"

#include <algorithm>
#include <bit>

namespace lucid {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

// One writer: no read-modify-write instruction is needed.
template <class T, class U>
void add(std::atomic<T>& to, U amount) noexcept {
  to.store(static_cast<T>(to.load(relaxed) + static_cast<T>(amount)), relaxed);
}

template <std::size_t N>
void copy_text(std::array<char, N>& to, std::string_view from) noexcept {
  auto end = std::copy_n(from.begin(), std::min(from.size(), N - 1), to.begin());
  *end = '\0';
}

} // namespace

void actor_stats::set_kind(std::string_view kind) noexcept {
  if (kind_set_.load(relaxed)) return;
  copy_text(kind_, kind);
  kind_set_.store(true, std::memory_order_release);
}

std::size_t actor_stats::add_row(std::uint64_t key, std::string_view name) noexcept {
  auto used = rows_used_.load(relaxed);
  if (used == rows_.size()) return used - 1; // "other"
  bool last = used == rows_.size() - 1;
  rows_[used].key = last ? 0 : key; // No message has key 0.
  copy_text(rows_[used].name, last ? std::string_view("other") : name);
  rows_used_.store(used + 1, std::memory_order_release);
  return used;
}

void actor_stats::begin(std::size_t row, std::uint64_t mailbox_length, nanoseconds now) noexcept {
  add(rows_[row].count, 1);
  mailbox_length_.store(mailbox_length, relaxed);
  running_since_.store(std::max<std::int64_t>(now.count(), 1), relaxed); // 0 means idle.
}

void actor_stats::end(nanoseconds now) noexcept {
  auto since = running_since_.load(relaxed);
  auto took = std::max<std::int64_t>(now.count() - since, 0);
  add(buckets_[bucket_of(static_cast<std::uint64_t>(took))], 1);
  if (static_cast<std::uint64_t>(took) > max_ns_.load(relaxed)) max_ns_.store(static_cast<std::uint64_t>(took), relaxed);
  add(busy_ns_, took);
  running_since_.store(0, relaxed);
  if (now.count() - window_start_.load(relaxed) < window_ns) return;
  window_before_.store(window_start_.load(relaxed), relaxed);
  window_before_busy_.store(window_start_busy_.load(relaxed), relaxed);
  window_start_.store(now.count(), relaxed);
  window_start_busy_.store(busy_ns_.load(relaxed), relaxed);
}

std::size_t actor_stats::bucket_of(std::uint64_t ns) noexcept {
  if (ns < (std::uint64_t{1} << octave_min)) return 0;
  auto octave = static_cast<unsigned>(std::bit_width(ns)) - 1;
  if (octave >= octave_max) return bucket_count - 1;
  auto quarter = (ns >> (octave - 2)) & 3;
  return 1 + (octave - octave_min) * 4 + static_cast<std::size_t>(quarter);
}

std::uint64_t actor_stats::upper_bound_of(std::size_t bucket) noexcept {
  if (bucket == 0) return std::uint64_t{1} << octave_min;
  auto octave = octave_min + (bucket - 1) / 4;
  auto quarter = (bucket - 1) % 4;
  return (std::uint64_t{1} << octave) + ((quarter + 1) << (octave - 2));
}

handler_times actor_stats::quantiles() const {
  std::array<std::uint64_t, bucket_count> counts;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) total += counts[i] = buckets_[i].load(relaxed);
  const auto max_ns = max_ns_.load(relaxed);
  handler_times times{0, 0, 0, max_ns};
  if (total == 0) return times;
  struct wanted {
    std::uint64_t rank;
    std::uint64_t* into;
  };
  const std::array<wanted, 3> quantile{{{(total * 50 + 99) / 100, &times.p50_ns},
                                        {(total * 90 + 99) / 100, &times.p90_ns},
                                        {(total * 99 + 99) / 100, &times.p99_ns}}};
  std::size_t next = 0;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bucket_count && next < quantile.size(); ++i) {
    seen += counts[i];
    for (; next < quantile.size() && seen >= quantile[next].rank; ++next)
      *quantile[next].into = std::min(upper_bound_of(i), max_ns);
  }
  return times;
}

void actor_stats::read(inspection& into, nanoseconds now) const {
  if (kind_set_.load(std::memory_order_acquire)) into.kind = kind_.data();
  into.handled.clear();
  into.handled_count = 0;
  auto used = rows_used_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < used; ++i) {
    auto count = rows_[i].count.load(relaxed);
    into.handled.push_back({rows_[i].name.data(), count});
    into.handled_count += count;
  }
  into.times = quantiles();
  into.mailbox_length = mailbox_length_.load(relaxed);
  auto since = running_since_.load(relaxed);
  auto running = since == 0 ? 0 : std::max<std::int64_t>(now.count() - since, 0);
  into.running_ns = static_cast<std::uint64_t>(running);
  auto busy = busy_ns_.load(relaxed) + running - window_before_busy_.load(relaxed);
  auto whole = now.count() - window_before_.load(relaxed);
  into.busy_share = whole <= 0 ? 0 : std::clamp(static_cast<double>(busy) / static_cast<double>(whole), 0.0, 1.0);
}

} // namespace lucid

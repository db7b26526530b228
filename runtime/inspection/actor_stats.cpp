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

std::size_t actor_stats::add_row(std::uint64_t key, std::string_view name) {
  auto used = rows_used_.load(relaxed);
  if (used == rows_.size()) return used - 1; // "other"
  bool last = used == rows_.size() - 1;
  rows_[used].key = last ? 0 : key; // No message has key 0.
  copy_text(rows_[used].name, last ? std::string_view("other") : name);
  rows_[used].times = std::make_unique<histogram>();
  rows_used_.store(used + 1, std::memory_order_release);
  return used;
}

std::string actor_stats::type_name(std::size_t row) const {
  return row < rows_used_.load(std::memory_order_acquire) ? rows_[row].name.data() : "";
}

void actor_stats::begin(std::size_t row, std::uint64_t mailbox_length, nanoseconds now, std::uint64_t size_bytes,
                        std::uint64_t sender) noexcept {
  row_ = row;
  add(rows_[row].count, 1);
  add(count_, 1);
  senders_.count(sender);
  recent_.add({now.count(), row, size_bytes, sender});
  mailbox_length_.store(mailbox_length, relaxed);
  running_since_.store(std::max<std::int64_t>(now.count(), 1), relaxed); // 0 means idle.
}

void actor_stats::end(nanoseconds now) noexcept {
  auto since = running_since_.load(relaxed);
  auto took = static_cast<std::uint64_t>(std::max<std::int64_t>(now.count() - since, 0));
  auto& times = *rows_[row_].times;
  add(times.buckets[bucket_of(took)], 1);
  if (took > times.max_ns.load(relaxed)) times.max_ns.store(took, relaxed);
  add(busy_ns_, took);
  running_since_.store(0, relaxed);
  if (now.count() - window_start_.at_ns.load(relaxed) >= window_ns) turn_window(now.count());
}

void actor_stats::turn_window(std::int64_t now) noexcept {
  window_before_.at_ns.store(window_start_.at_ns.load(relaxed), relaxed);
  window_before_.busy_ns.store(window_start_.busy_ns.load(relaxed), relaxed);
  window_before_.count.store(window_start_.count.load(relaxed), relaxed);
  window_start_.at_ns.store(now, relaxed);
  window_start_.busy_ns.store(busy_ns_.load(relaxed), relaxed);
  window_start_.count.store(count_.load(relaxed), relaxed);
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

handler_times actor_stats::quantiles(const counts& of, std::uint64_t max_ns) {
  std::uint64_t total = 0;
  for (auto count : of) total += count;
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
    seen += of[i];
    for (; next < quantile.size() && seen >= quantile[next].rank; ++next)
      *quantile[next].into = std::min(upper_bound_of(i), max_ns);
  }
  return times;
}

void actor_stats::read(inspection& into, nanoseconds now) const {
  if (kind_set_.load(std::memory_order_acquire)) into.kind = kind_.data();
  into.handled.clear();
  into.handled_count = 0;
  counts all{};
  std::uint64_t all_max_ns = 0;
  auto used = rows_used_.load(std::memory_order_acquire);
  into.handled.reserve(used);
  for (std::size_t i = 0; i < used; ++i) {
    counts of_type;
    for (std::size_t bucket = 0; bucket < bucket_count; ++bucket)
      all[bucket] += of_type[bucket] = rows_[i].times->buckets[bucket].load(relaxed);
    auto max_ns = rows_[i].times->max_ns.load(relaxed);
    all_max_ns = std::max(all_max_ns, max_ns);
    auto times = quantiles(of_type, max_ns);
    auto count = rows_[i].count.load(relaxed);
    into.handled.push_back({rows_[i].name.data(), count, times.p50_ns, times.p99_ns, max_ns});
    into.handled_count += count;
  }
  into.times = quantiles(all, all_max_ns);
  into.senders = senders_.read();
  into.mailbox_length = mailbox_length_.load(relaxed);
  auto since = running_since_.load(relaxed);
  auto running = since == 0 ? 0 : std::max<std::int64_t>(now.count() - since, 0);
  into.running_ns = static_cast<std::uint64_t>(running);
  auto busy = busy_ns_.load(relaxed) + running - window_before_.busy_ns.load(relaxed);
  auto whole = static_cast<double>(now.count() - window_before_.at_ns.load(relaxed));
  into.busy_share = whole <= 0 ? 0 : std::clamp(static_cast<double>(busy) / whole, 0.0, 1.0);
  auto before = window_before_.count.load(relaxed);
  auto since_then = std::max(count_.load(relaxed), before) - before; // The window may have turned in between.
  into.rate = whole <= 0 ? 0 : static_cast<double>(since_then) * 1e9 / whole;
}

} // namespace lucid

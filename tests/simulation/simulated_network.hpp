// tests/simulation/simulated_network.hpp - a network that loses, delays, doubles and reorders, all from one seed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>

namespace lucid::simulation {

using time = std::chrono::nanoseconds;

/// Numbers of one seed; the same on every machine, which the distributions of the standard library are not.
class chance {
public:
  explicit chance(std::uint64_t seed) : engine_(seed) {}

  /// 0 .. bound - 1.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : engine_() % bound; }
  /// Both ends included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  time between(time low, time high) { return time(between(low.count(), high.count())); }
  bool happens(double probability) { return static_cast<double>(engine_() >> 11) * 0x1p-53 < probability; }

private:
  std::mt19937_64 engine_;
};

struct conditions {
  double loss = 0;
  double doubling = 0;
  double straggling = 0; ///< Messages that come as late as `straggler_max`.
  time delay_min = std::chrono::milliseconds(1);
  time delay_max = std::chrono::milliseconds(20);
  time straggler_max = std::chrono::seconds(8);
};

/// Carries any message between numbered nodes. Reordering comes of the delays. A cut is of one direction, and swallows
/// what is sent after it; what is under way arrives.
template <class Message>
class simulated_network {
public:
  struct delivery {
    std::size_t from = 0, to = 0;
    Message message;
  };

  explicit simulated_network(std::uint64_t seed) : chance_(seed) {}

  conditions now_is;

  void send(std::size_t from, std::size_t to, const Message& message, time now) {
    if (cut_.contains({from, to}) || chance_.happens(now_is.loss)) return;
    for (int copies = chance_.happens(now_is.doubling) ? 2 : 1; copies > 0; --copies) {
      auto late = chance_.happens(now_is.straggling) ? now_is.straggler_max : now_is.delay_max;
      under_way_.emplace(std::pair(now + chance_.between(now_is.delay_min, late), ++sent_), delivery{from, to, message});
    }
  }

  void cut(std::size_t from, std::size_t to) { cut_.insert({from, to}); }
  void cut_both(std::size_t a, std::size_t b) { cut(a, b), cut(b, a); }
  void heal() { cut_.clear(); }

  /// When the next message arrives.
  [[nodiscard]] std::optional<time> next() const {
    return under_way_.empty() ? std::nullopt : std::optional(under_way_.begin()->first.first);
  }
  /// REQUIRES: there is one.
  delivery take() {
    auto first = under_way_.extract(under_way_.begin());
    return std::move(first.mapped());
  }

private:
  chance chance_;
  std::uint64_t sent_ = 0;
  std::set<std::pair<std::size_t, std::size_t>> cut_;
  std::map<std::pair<time, std::uint64_t>, delivery> under_way_;
};

} // namespace lucid::simulation

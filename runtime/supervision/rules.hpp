// runtime/supervision/rules.hpp - the rules of supervision as data, free of CAF. Words and meaning are OTP's.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lucid {

/// When a child that ended is started again.
enum class restart : std::uint8_t {
  permanent, ///< Always.
  transient, ///< Only after an abnormal end; a normal one is its regular end.
  temporary, ///< Never; it is also not brought back when siblings are.
};

/// Which siblings share a child's fate.
enum class strategy : std::uint8_t {
  one_for_one,  ///< None.
  one_for_all,  ///< All.
  rest_for_one, ///< Those started after it.
};

std::string_view to_string(restart when) noexcept;
std::string_view to_string(strategy how) noexcept;

/// Whether the end of significant children ends the supervisor, in a normal way.
enum class auto_shutdown : std::uint8_t {
  never,
  any_significant, ///< The first one that ends by itself.
  all_significant, ///< The last one that ends by itself.
};

enum class child_type : std::uint8_t { worker, supervisor };

/// Time between a failure and the next start: `min` doubled with each failure in a row up to `max`, of which a random
/// part between half and all is taken (all of it when min == max). The row ends when a child lived longer than `max`.
struct backoff {
  std::chrono::milliseconds min{10};
  std::chrono::milliseconds max{5000};
};

/// How one child is treated.
struct child_rules {
  std::string id;
  restart when = restart::permanent;
  std::chrono::milliseconds shutdown_timeout{5000}; ///< Then it is killed. 0: killed at once.
  backoff delay = {};
  bool significant = false;                         ///< Not for permanent ones.
};

/// How a supervisor treats its children.
struct supervisor_rules {
  strategy how = strategy::one_for_one;
  unsigned restarts_max = 3;                    ///< More than this many within `period` end the supervisor.
  std::chrono::milliseconds period{60'000};
  auto_shutdown shutdown = auto_shutdown::never;
  bool dynamic = false;                         ///< one_for_one; children come and go, and stop side by side.
  std::size_t children_max = 64;                ///< Static lists are written by us; dynamic ones are bounded by this.
};

} // namespace lucid

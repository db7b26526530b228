// actors/recorder/standby_plan.hpp - a plan by which another node, or a later process, records on: its bounds and its password.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/outcome.hpp"
#include "messages/source_url.hpp"
#include "messages/standby.hpp"

namespace lucid {

/// Whether another node sees the same: not a display, a file or an input of this machine, nor what listens on its loopback.
bool is_seen_by_others(const source_url& source);

/// "<title> (goes on from <12 digits> on <recorder>)". A title that ends so already gets the new end in its place; it is cut,
/// before that end, to 200 bytes in all, between characters of UTF-8.
std::string continued_title(std::string_view title, const session_id& from, std::string_view recorder);

/// Whether `plan` is within the bounds that a wish at the control socket has. Errors: `invalid_input`, `unsupported` for a
/// source that only its own node sees.
outcome<void> check_plan(const standby_plan& plan);

/// What is left of the length that was asked for; none: nothing. 0 stands for a node's own maximum.
std::optional<std::uint32_t> remaining_seconds(const standby_plan& plan, unix_time_us wall);

/// The wish for a session that goes on with it, `length_seconds` long. Without the password.
session_create_request continued_wish(const standby_plan& plan, std::string_view recorder, std::uint32_t length_seconds);

/// A plan, with its password wiped when it goes.
class kept_plan {
public:
  kept_plan() = default;
  explicit kept_plan(const standby_plan& plan) : plan_(plan) {} ///< The caller wipes its own.
  kept_plan(const standby_plan& plan, const session_id& goes_on_from) : plan_(plan) { plan_.goes_on_from = goes_on_from; }
  ~kept_plan() { wipe_password(); }
  kept_plan(const kept_plan&) = delete;
  kept_plan& operator=(const kept_plan&) = delete;
  kept_plan(kept_plan&& other) noexcept;
  kept_plan& operator=(kept_plan&& other) noexcept;

  const standby_plan& operator*() const noexcept { return plan_; }
  const standby_plan* operator->() const noexcept { return &plan_; }
  void wipe_password() noexcept;

private:
  standby_plan plan_;
};

} // namespace lucid

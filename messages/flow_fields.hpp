// messages/flow_fields.hpp - rows of the own state of the actors that fragments pass through, all numbers of bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "messages/inspection.hpp"

namespace lucid::flow_fields {

inline constexpr std::string_view passed = "passed bytes";           ///< On, by this incarnation.
inline constexpr std::string_view queued = "queued bytes";           ///< Held and not passed on.
inline constexpr std::string_view credit = "credit bytes";           ///< What it may still take. Only where it knows credit.
inline constexpr std::string_view credit_max = "credit bytes max";
inline constexpr std::string_view at_store = "bytes at store";       ///< Of seal: handed over and not answered.

inline state_field row(std::string_view key, std::uint64_t bytes) { return {std::string(key), std::to_string(bytes)}; }

/// What is left of `max` when `used` of it is: a bound may be overdrawn by one step.
constexpr std::uint64_t left_of(std::uint64_t max, std::uint64_t used) noexcept { return max - (used < max ? used : max); }

} // namespace lucid::flow_fields

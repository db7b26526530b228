// tests/unit/standby_fixture.hpp - nodes, sessions and plans by number.
#pragma once

#include <chrono>
#include <string>

#include "actors/recorder/standby_core.hpp"

namespace lucid::testing {

inline constexpr unix_time_us wall_at_start = 1'700'000'000'000'000;
inline unix_time_us wall(standby_core::time now) {
  return wall_at_start + std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

inline node_id node(std::uint8_t n) {
  node_id id{};
  id[0] = n;
  return id;
}
inline session_id session(std::uint8_t n) {
  session_id id{};
  id.fill(n);
  return id;
}

inline standby_plan plan(std::uint8_t recorder, std::uint8_t s, std::uint32_t length_seconds = 0) {
  standby_plan p{node(recorder), session(s), {}, wall_at_start};
  p.wish.what.source = "rdp://admin@10.0.0.5";
  p.wish.what.username = "operator";
  p.wish.what.password = "secret";
  p.wish.policy.title = "desk";
  p.wish.policy.owner = "anna";
  p.wish.policy.recipients = {box_public_key{7}};
  p.wish.policy.length_seconds_max = length_seconds;
  return p;
}

inline standby_member member(std::uint8_t n, bool up = true, std::uint64_t road = 1) {
  return {node(n), "pi-" + std::to_string(n), up, true, up ? road : 0};
}

} // namespace lucid::testing

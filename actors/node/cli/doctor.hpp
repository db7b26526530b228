// actors/node/cli/doctor.hpp - checks of the machine. A new one is a function and a line in `doctor_checks`.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/config/configuration.hpp"

namespace lucid {

enum class verdict : std::uint8_t { ok, warn, fail };

std::string_view to_string(verdict v) noexcept;

/// One finding.
struct doctor_line {
  std::string check;
  verdict what = verdict::ok;
  std::string found;
  std::string advice; ///< Empty if all is well.
};

/// Looks at one side of the machine under these settings. Takes at most some seconds, leaves nothing behind.
using doctor_check = std::vector<doctor_line> (*)(const configuration& settings);

/// All of them, in the order they are shown.
std::vector<doctor_check> doctor_checks();

std::vector<doctor_line> check_clock(const configuration& settings);
std::vector<doctor_line> check_disk(const configuration& settings);
std::vector<doctor_line> check_encoders(const configuration& settings);
std::vector<doctor_line> check_kernel(const configuration& settings);
std::vector<doctor_line> check_limits(const configuration& settings);
std::vector<doctor_line> check_memory(const configuration& settings);

/// What a time between syncs means: the median of some syncs, in microseconds, against the journal's interval.
doctor_line judge_sync(std::int64_t median_us, std::chrono::milliseconds sync_interval);

} // namespace lucid

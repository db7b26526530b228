// actors/node/cli/doctor_system.cpp - clock, kernel features, limits and memory.
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include "actors/node/cli/doctor.hpp"
#include "runtime/config/explain.hpp"
#include "runtime/config/quantity.hpp"

namespace lucid {
namespace {

// landlock_create_ruleset with this flag answers the version of its interface. Source: landlock(7).
constexpr long landlock_version_flag = 1;

doctor_line feature(std::string name, bool there, std::string found, bool required) {
  if (there) return {std::move(name), verdict::ok, std::move(found), {}};
  return {std::move(name), required ? verdict::fail : verdict::warn, std::move(found),
          required ? "worker.sandbox = \"require\" refuses to record without it"
                   : "capture processes are less locked in; a newer kernel, or one built with it, helps"};
}

std::uint64_t memory_available_bytes() {
  std::ifstream in("/proc/meminfo");
  std::string name, unit;
  std::uint64_t size_kib = 0;
  while (in >> name >> size_kib) {
    std::getline(in, unit);
    if (name == "MemAvailable:") return size_kib * 1024;
  }
  return 0;
}

} // namespace

std::vector<doctor_line> check_clock(const configuration&) {
  using namespace std::chrono;
  auto now = system_clock::to_time_t(system_clock::now());
  auto found = fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(now));
  // A Raspberry Pi has no clock of its own and starts in the past.
  auto year = year_month_day(floor<days>(system_clock::from_time_t(now))).year();
  if (year < std::chrono::year(2024) || year > std::chrono::year(2100))
    return {{"clock", verdict::fail, found, "the time is wrong, and recordings state it; set it or start a time service"}};
  timex state{};
  bool synchronised = adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  if (!synchronised)
    return {{"clock", verdict::warn, found + ", not synchronised", "start a time service (systemd-timesyncd, chrony): recordings state the time"}};
  return {{"clock", verdict::ok, found + ", synchronised", {}}};
}

std::vector<doctor_line> check_kernel(const configuration& settings) {
  utsname system{};
  uname(&system);
  bool required = settings.worker.sandbox == "require";
  auto landlock = syscall(SYS_landlock_create_ruleset, nullptr, 0, landlock_version_flag);
  std::ifstream actions("/proc/sys/kernel/seccomp/actions_avail");
  std::string seccomp;
  std::getline(actions, seccomp);
  bool filters = seccomp.find("errno") != std::string::npos;
  return {{"kernel", verdict::ok, fmt::format("{} {} {}", system.sysname, system.release, system.machine), {}},
          feature("landlock", landlock > 0, landlock > 0 ? fmt::format("version {}", landlock) : "not there", required),
          feature("seccomp", filters, filters ? "filters" : "no filters", required)};
}

std::vector<doctor_line> check_limits(const configuration& settings) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  // A session holds its journal, a chunk, a socket pair and its actors' own; 32 has room to spare. 64 for the rest.
  rlim_t wanted = 64 + settings.control.connections_max + 32 * rlim_t{settings.session.count_max};
  auto found = fmt::format("{} open files allowed, {} may be needed", files.rlim_cur, wanted);
  auto enough = files.rlim_cur == RLIM_INFINITY || files.rlim_cur >= wanted;
  auto cores = std::thread::hardware_concurrency();
  return {{"open files", enough ? verdict::ok : verdict::fail, found, enough ? "" : "raise the limit (ulimit -n, LimitNOFILE=)"},
          {"processor", cores >= 2 ? verdict::ok : verdict::warn, fmt::format("{} core{}", cores, cores == 1 ? "" : "s"),
           cores >= 2 ? "" : "encoding and sealing share one core: keep capture.frame_rate_max low"}};
}

std::vector<doctor_line> check_memory(const configuration& settings) {
  std::uint64_t wanted = 0;
  for (auto& bound : memory_bounds(settings)) wanted += bound.size_bytes * (bound.per_session ? settings.session.count_max : 1);
  auto available = memory_available_bytes();
  auto found = fmt::format("{} available, {} at session.count_max {}", show_size_rounded(available), show_size_rounded(wanted),
                           settings.session.count_max);
  if (available >= wanted) return {{"memory", verdict::ok, found, {}}};
  return {{"memory", verdict::warn, found, "lower session.count_max or capture.credit_bytes: `lucid config explain memory`"}};
}

} // namespace lucid

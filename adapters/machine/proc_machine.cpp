// adapters/machine/proc_machine.cpp - files read and bounded; the texts are proc_text's.
#include "adapters/machine/proc_machine.hpp"

#include <algorithm>
#include <fstream>
#include <thread>

#include <sys/statvfs.h>
#include <unistd.h>

#include "adapters/machine/proc_text.hpp"

namespace lucid {
namespace {

namespace fs = std::filesystem;

constexpr const char* who = "machine";
constexpr std::size_t file_bytes_max = 64u << 10;
constexpr std::size_t open_files_counted_max = 65'536;
constexpr std::size_t sensors_max = 64;
constexpr std::size_t cores_max = 256;

/// What the Raspberry Pi's firmware says of now: under-voltage, capped, throttled, near the limit of temperature.
constexpr std::int64_t throttled_now_bits = 0xf;

std::optional<std::string> read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return {};
  std::string text(file_bytes_max, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

outcome<std::string> must_read(const fs::path& file) {
  auto text = read_text(file);
  if (!text) return fail(errc::io_failed, who, "cannot read " + file.string());
  return std::move(*text);
}

tl::unexpected<error> unreadable(const fs::path& file) {
  return fail(errc::corrupted, who, file.string() + " is not as proc(5) has it");
}

std::chrono::milliseconds time_of(std::uint64_t ticks) {
  static const auto per_second = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
  return std::chrono::milliseconds(static_cast<std::int64_t>(ticks * 1000 / per_second));
}

std::optional<std::int64_t> read_number(const fs::path& file, int base = 10) {
  auto text = read_text(file);
  return text ? parse_number(*text, base) : std::nullopt;
}

/// Calls `visit` with at most `count_max` entries of a folder; one that is not there has none.
template <class Visit>
void visit_entries(const fs::path& folder, std::size_t count_max, Visit visit) {
  std::error_code failed;
  std::size_t count = 0;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end && count < count_max; at.increment(failed), ++count)
    visit(at->path());
}

} // namespace

outcome<machine_facts> proc_machine::look() {
  machine_facts facts;
  if (auto read = read_processor(facts); !read) return pass_on(std::move(read));
  if (auto read = read_memory(facts); !read) return pass_on(std::move(read));
  if (auto read = read_disk(facts); !read) return pass_on(std::move(read));
  read_threads(facts);
  read_open_files(facts);
  read_temperature(facts);
  read_throttling(facts);
  if (auto text = read_text(root_ / "proc/net/dev")) facts.network = parse_network(*text);
  return facts;
}

outcome<void> proc_machine::read_processor(machine_facts& facts) const {
  auto stat_file = root_ / "proc/stat", load_file = root_ / "proc/loadavg";
  auto stat = must_read(stat_file);
  if (!stat) return pass_on(std::move(stat));
  auto ticks = parse_cpu(*stat);
  if (!ticks) return unreadable(stat_file);
  auto loadavg = must_read(load_file);
  if (!loadavg) return pass_on(std::move(loadavg));
  auto load = parse_load(*loadavg);
  if (!load) return unreadable(load_file);
  facts.cpu_busy = time_of(ticks->busy);
  facts.cpu_total = time_of(ticks->total);
  facts.load = *load;
  facts.cores = std::max(1u, std::thread::hardware_concurrency());
  return {};
}

outcome<void> proc_machine::read_memory(machine_facts& facts) const {
  auto memory_file = root_ / "proc/meminfo", own_file = root_ / "proc/self/statm";
  auto meminfo = must_read(memory_file);
  if (!meminfo) return pass_on(std::move(meminfo));
  auto total = parse_memory(*meminfo, "MemTotal"), available = parse_memory(*meminfo, "MemAvailable");
  if (!total || !available) return unreadable(memory_file);
  auto statm = must_read(own_file);
  if (!statm) return pass_on(std::move(statm));
  auto pages = parse_resident_pages(*statm);
  if (!pages) return unreadable(own_file);
  facts.memory_bytes = *total;
  facts.memory_available_bytes = *available;
  facts.resident_bytes = *pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return {};
}

outcome<void> proc_machine::read_disk(machine_facts& facts) const {
  struct statvfs info {};
  if (::statvfs(data_.c_str(), &info) != 0)
    return fail(errc::io_failed, who, "cannot tell how full the disk of " + data_.string() + " is");
  facts.disk.path = data_.string();
  facts.disk.free_bytes = info.f_bavail * info.f_frsize;
  facts.disk.size_bytes = info.f_blocks * info.f_frsize;
  facts.disk.used_bytes = (info.f_blocks - info.f_bfree) * info.f_frsize;
  return {};
}

void proc_machine::read_threads(machine_facts& facts) const {
  visit_entries(root_ / "proc/self/task", machine_threads_max, [&](const fs::path& task) {
    auto id = parse_number(task.filename().string());
    auto text = read_text(task / "stat"); // One that has just ended is not there any more.
    auto thread = text ? parse_thread(*text) : std::nullopt;
    if (id && thread) facts.threads.push_back({*id, std::move(thread->name), time_of(thread->ticks)});
  });
}

void proc_machine::read_open_files(machine_facts& facts) const {
  visit_entries(root_ / "proc/self/fd", open_files_counted_max, [&](const fs::path&) { ++facts.open_files; });
  if (auto limits = read_text(root_ / "proc/self/limits"))
    facts.open_files_max = parse_open_files_max(*limits).value_or(0);
}

void proc_machine::read_temperature(machine_facts& facts) const {
  visit_entries(root_ / "sys/class/thermal", sensors_max, [&](const fs::path& zone) {
    auto millidegrees = read_number(zone / "temp");
    if (!millidegrees || *millidegrees < -50'000 || *millidegrees > 200'000) return; // Some sensors say nonsense.
    auto degrees = static_cast<double>(*millidegrees) / 1000;
    facts.temperature_c = std::max(facts.temperature_c.value_or(degrees), degrees);
  });
}

void proc_machine::read_throttling(machine_facts& facts) const {
  if (auto flags = read_number(root_ / "sys/devices/platform/soc/soc:firmware/get_throttled", 16))
    facts.throttled_now = (*flags & throttled_now_bits) != 0;
  for (std::size_t core = 0; core < cores_max; ++core) {
    auto counter = root_ / "sys/devices/system/cpu" / ("cpu" + std::to_string(core)) / "thermal_throttle/core_throttle_count";
    auto count = read_number(counter);
    if (!count || *count < 0) return;
    facts.throttle_count = facts.throttle_count.value_or(0) + static_cast<std::uint64_t>(*count);
  }
}

} // namespace lucid

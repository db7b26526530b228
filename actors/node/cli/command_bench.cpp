// actors/node/cli/command_bench.cpp - `lucid bench`: this machine's numbers, as ratios measured in one run.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "actors/node/bench/node_bench.hpp"
#include "actors/node/bench/pipeline_bench.hpp"
#include "actors/node/bench/verify_bench.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/signals.hpp"
#include "adapters/files/posix_file_system.hpp"

namespace lucid {
namespace {

namespace fs = std::filesystem;

constexpr const char* memory_folder = "/dev/shm";
constexpr std::uint64_t free_bytes_min = 1ull << 30; ///< The verified files, or a round as far as it lies there at once.

struct bench_options {
  std::vector<std::string> parts;
  unsigned seconds = 24;
};

/// A folder of its own below `where`, gone afterwards.
class bench_folder {
public:
  static outcome<bench_folder> below(const fs::path& where) {
    posix_file_system files;
    if (auto made = files.make_folder(where); !made) return pass_on(std::move(made));
    auto free = files.free_bytes(where);
    if (!free) return pass_on(std::move(free));
    if (*free < free_bytes_min)
      return fail(errc::disk_full, "bench", "the benchmark needs 1 GiB free under " + where.string());
    auto pattern = (where / "bench-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      return fail(errc::permission_denied, "bench", "cannot make a folder below " + where.string());
    return bench_folder(pattern);
  }
  bench_folder(bench_folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  bench_folder& operator=(bench_folder&&) = delete;
  ~bench_folder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const noexcept { return path_; }

private:
  explicit bench_folder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

/// One target of the project and what this run found.
struct goal {
  std::string what;
  double found = 0;
  double wanted = 0;
  bool at_least = true;
  std::string unit;
  bool met() const { return at_least ? found >= wanted : found <= wanted; }
};

struct bench_report {
  table rows{{{"what"}, {"pipeline", table::align::right}, {"roofline", table::align::right},
              {"disk", table::align::right}, {"of roofline", table::align::right}, {"zstd over all", table::align::right},
              {"sealing alone", table::align::right}, {"cpu", table::align::right},
              {"of roofline+disk", table::align::right}, {"p50", table::align::right}, {"p99", table::align::right}}};
  json pipeline = json::array();
  json verify, idle;
  std::vector<goal> goals;
  std::map<std::string, double> one_core; ///< Throughput by input and place.
};

std::string mega(double per_second) { return fmt::format("{:.0f} MB/s", per_second / 1e6); }

double load_average() {
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  return load;
}

void add_pipeline(bench_report& report, const pipeline_options& options, std::string_view place,
                  const pipeline_result& r) {
  auto input = std::string(to_string(options.input));
  auto name = fmt::format("{} to {}, {} {}", input, place, options.cores, options.cores == 1 ? "core" : "cores");
  report.rows.add({name, mega(r.pipeline_per_second), mega(r.roofline_per_second), mega(r.disk_per_second),
                   fmt::format("{:.2f}", r.of_roofline), fmt::format("{:.2f}", r.of_roofline_all),
                   fmt::format("{:.2f}", r.sealing_of_roofline),
                   fmt::format("{:.2f}", r.cpu_of_roofline),
                   fmt::format("{:.2f}", r.of_roofline_and_disk), fmt::format("{:.1f} ms", r.latency_p50_ms),
                   fmt::format("{:.1f} ms", r.latency_p99_ms)});
  json entry{{"input", input}, {"place", place}, {"cores", options.cores}, {"zstd_level", options.zstd_level},
             {"rounds", r.round_count}, {"chunks", r.chunk_count}, {"compression", r.compression},
             {"pipeline_bytes_per_s", r.pipeline_per_second}, {"roofline_bytes_per_s", r.roofline_per_second},
             {"roofline_zstd_over_all_bytes_per_s", r.roofline_all_per_second},
             {"disk_bytes_per_s", r.disk_per_second}, {"of_roofline", r.of_roofline}, {"sealing_of_roofline", r.sealing_of_roofline},
             {"of_roofline_zstd_over_all", r.of_roofline_all}, {"of_roofline_in_cpu_time", r.cpu_of_roofline},
             {"of_roofline_and_disk", r.of_roofline_and_disk}, {"share_of_time_in_disk", r.disk_share},
             {"latency_p50_ms", r.latency_p50_ms}, {"latency_p99_ms", r.latency_p99_ms},
             {"latency_chunks", r.latency_count}};
  auto key = fmt::format("{} to {}", input, place);
  if (options.cores == 1) {
    report.one_core[key] = r.pipeline_per_second;
    report.goals.push_back({name + ": of roofline, writing included", r.of_roofline, 0.9, true, ""});
    report.goals.push_back({name + ": the same, zstd over all bytes", r.of_roofline_all, 0.9, true, ""});
    report.goals.push_back({name + ": of roofline, until handed to the disk", r.sealing_of_roofline, 0.9, true, ""});
    report.goals.push_back({name + ": of roofline and disk in turn", r.of_roofline_and_disk, 0.9, true, ""});
    if (options.input == input_kind::video)
      report.goals.push_back({name + ": chunk to disk, p99", r.latency_p99_ms, 60, false, " ms"});
  } else {
    auto speed_up = r.pipeline_per_second / report.one_core[key];
    entry["speed_up"] = speed_up;
    report.goals.push_back({name + ": speed-up", speed_up, 1.8, true, ""});
  }
  report.pipeline.push_back(std::move(entry));
}

outcome<void> run_pipeline(bench_report& report, const fs::path& data, std::chrono::milliseconds length, int zstd_level,
                           const stop_signals& signals, command_context& context) {
  std::vector<std::pair<std::string, fs::path>> places{{"disk", data}, {"memory", memory_folder}};
  auto cores_max = std::min(2u, std::max(1u, std::thread::hardware_concurrency()));
  auto cells = places.size() * 2 * cores_max;
  auto line = context.make_progress("pipeline", cells, progress_unit::count);
  std::uint64_t done = 0;
  for (auto& [place, where] : places)
    for (auto input : {input_kind::video, input_kind::text})
      for (std::size_t cores = 1; cores <= cores_max; ++cores) {
        line.update(done++, fmt::format("{} to {}, {} cores", to_string(input), place, cores));
        auto folder = bench_folder::below(where);
        if (!folder && place == "memory") continue; // No memory file system here: the disk's rows stand alone.
        if (!folder) return pass_on(std::move(folder));
        pipeline_options options;
        options.folder = folder->path();
        options.input = input;
        options.cores = cores;
        options.zstd_level = zstd_level;
        options.length = length / cells;
        options.stop_wanted = [&signals] { return signals.wait(std::chrono::milliseconds(0)).has_value(); };
        auto result = measure_pipeline(options);
        if (!result) return pass_on(std::move(result));
        add_pipeline(report, options, place, *result);
      }
  return {};
}

outcome<void> run_verify(bench_report& report, const fs::path& data, std::chrono::milliseconds length) {
  auto folder = bench_folder::below(data);
  if (!folder) return pass_on(std::move(folder));
  auto r = measure_verify(folder->path(), length);
  if (!r) return pass_on(std::move(r));
  report.verify = {{"bytes_per_s", r->per_second}, {"bytes_per_cpu_s", r->cpu_per_second}, {"of_roofline", r->of_roofline}};
  report.goals.push_back({"verification without a key, one core", r->per_second / 1e9, 1, true, " GB/s"});
  report.goals.push_back({"the same by processor time", r->cpu_per_second / 1e9, 1, true, " GB/s"});
  return {};
}

outcome<void> run_idle(bench_report& report, const fs::path& data, std::chrono::milliseconds length) {
  auto folder = bench_folder::below(data);
  if (!folder) return pass_on(std::move(folder));
  auto r = measure_idle_node(folder->path(), length);
  if (!r) return pass_on(std::move(r));
  report.idle = {{"start_to_ready_s", r->start_to_ready_s}, {"first_start_s", r->first_start_s},
                 {"resident_bytes", r->resident_bytes}, {"private_bytes", r->private_bytes},
                 {"core_share", r->core_share}};
  report.goals.push_back({"idle node: resident", r->resident_bytes / 1e6, 60, false, " MB"});
  report.goals.push_back({"idle node: of this its own, not shared", r->private_bytes / 1e6, 60, false, " MB"});
  report.goals.push_back({"idle node: start to ready", r->start_to_ready_s, 0.5, false, " s"});
  report.goals.push_back({"idle node: first start, with new keys", r->first_start_s, 0.5, false, " s"});
  report.goals.push_back({"idle node: share of a core", r->core_share * 100, 2, false, " %"});
  return {};
}

void print(const bench_report& report, command_context& context, double load_before) {
  json goals = json::array();
  table lines({{"goal"}, {"found", table::align::right}, {"wanted", table::align::right}, {"met"}});
  for (auto& g : report.goals) {
    goals.push_back({{"goal", g.what}, {"found", g.found}, {"wanted", g.wanted}, {"at_least", g.at_least}, {"met", g.met()}});
    lines.add({g.what, fmt::format("{:.2f}{}", g.found, g.unit),
               fmt::format("{} {}{}", g.at_least ? ">=" : "<=", g.wanted, g.unit), g.met() ? "yes" : "no"});
  }
  if (context.options.json) {
    print_json(context.out, {{"cores", std::thread::hardware_concurrency()}, {"load_before", load_before},
                             {"load_after", load_average()}, {"pipeline", report.pipeline}, {"verify", report.verify},
                             {"idle", report.idle}, {"goals", goals}});
    return;
  }
  if (!report.pipeline.empty()) {
    report.rows.print(context.out);
    context.out << "roofline: zstd, libsodium and BLAKE3 alone on one core, same policy and level; disk: the same files written\n"
                   "and synced alone; of roofline: writing and sync included; zstd over all: the roofline compresses every byte,\n"
                   "also where sealing gives that up; sealing alone: a chunk at a time, until it is handed to the disk (p50, p99);\n"
                   "cpu: of roofline in processor time; of roofline+disk: against both in turn.\n"
                   "With one core the process is kept on it, the store's writing included.\n\n";
  }
  lines.print(context.out);
  context.out << fmt::format("load average {:.1f} before, {:.1f} after, {} cores\n", load_before, load_average(),
                             std::thread::hardware_concurrency());
}

command_result bench(command_context& context, const bench_options& options) {
  stop_signals signals; // So that what lies in the temporary folders goes with an interrupted run.
  auto settings = context.start(false);
  if (!settings) return pass_on(std::move(settings));
  auto wants = [&](std::string_view part) {
    return options.parts.empty() || std::find(options.parts.begin(), options.parts.end(), part) != options.parts.end();
  };
  auto load_before = load_average();
  std::chrono::milliseconds length = std::chrono::seconds(options.seconds);
  bench_report report;
  outcome<void> done;
  if (wants("pipeline"))
    done = run_pipeline(report, settings->values.node.data_dir, length, static_cast<int>(settings->values.seal.zstd_level), signals,
                        context);
  if (done && wants("verify")) done = run_verify(report, settings->values.node.data_dir, length / 8);
  if (done && wants("idle")) done = run_idle(report, settings->values.node.data_dir, length / 8);
  if (!done) return pass_on(std::move(done));
  print(report, context, load_before);
  return exit_code::ok;
}

} // namespace

command_spec bench_command() {
  return {.name = "bench",
          .summary = "Measure sealing, storing, verifying and an idle node on this machine.",
          .details = "Every ratio is measured in one run, in turns, on the same bytes. Works in temporary folders below "
                     "the data folder and /dev/shm, and removes them. Parts: pipeline, verify, idle; all of them by default.",
          .examples = {{"lucid bench", "everything, as a table"},
                       {"lucid bench pipeline --seconds 60 --json", "sealing and storing for longer, for a program"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto o = std::make_shared<bench_options>();
            app.add_option("PART", o->parts, "What to measure (default: everything)")
              .one_of({"pipeline", "verify", "idle"});
            app.add_option("--seconds", o->seconds, "How long to measure the pipeline, about")
              .between(1, 3600).shows_default().type_name("N");
            return [o](command_context& context) { return bench(context, *o); };
          }};
}

} // namespace lucid

// actors/node/bench/pipeline_bench.cpp - a small tree of the real actors, fed as chunk feeds them.
#include "actors/node/bench/pipeline_bench.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include <sched.h>
#include <time.h>

#include <caf/all.hpp>

#include "actors/chunk/chunk_core.hpp"
#include "actors/node/bench/roofline.hpp"
#include "actors/node/bench/timed_files.hpp"
#include "actors/seal/seal_actor.hpp"
#include "actors/store/store_actor.hpp"
#include "adapters/files/atomic_write.hpp"
#include "adapters/sodium/system_random.hpp"
#include "messages/data_layout.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "runtime/actor_system.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/directory/ref.hpp"

namespace lucid {
namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t round_chunk_count = 32; ///< 320 MiB a round: long against the pipeline's filling and emptying.
constexpr std::size_t latency_chunk_count = 100; ///< The fewest a 99th percentile can be told from.
constexpr std::uint32_t round_count_min = 5;
constexpr auto request_patience = 60s;
constexpr auto ready_patience = 10s;

double seconds_since(steady::time_point begun) { return std::chrono::duration<double>(steady::now() - begun).count(); }

double cpu_seconds() { // Of all threads of this process.
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double quantile(std::vector<double> values, double at) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(at * static_cast<double>(values.size())))];
}

/// Keeps this thread and those it starts on one core, until destroyed.
class core_limit {
public:
  explicit core_limit(std::size_t cores) {
    ::sched_getaffinity(0, sizeof before_, &before_);
    if (cores != 1) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu)
      if (CPU_ISSET(cpu, &before_)) {
        CPU_SET(cpu, &one);
        break;
      }
    ::sched_setaffinity(0, sizeof one, &one);
  }
  ~core_limit() { ::sched_setaffinity(0, sizeof before_, &before_); }
  core_limit(const core_limit&) = delete;
  core_limit& operator=(const core_limit&) = delete;

private:
  cpu_set_t before_{};
};

/// The actors between chunk's cut and the disk, as the node runs them.
class small_node {
public:
  explicit small_node(const pipeline_options& options)
    : options_(options), pool_(options.cores), settings_(options.cores), system_(settings_),
      key_(std::make_shared<session_key>(make_session_key(random_))) {
    random_.fill(session_);
  }
  ~small_node() {
    if (root_) (void)stop_root(root_, 20s);
  }

  outcome<void> begin() {
    supervisor_spec storage{.id = "storage"};
    storage.children = {store_child(recording_store_opener({options_.folder, 0}, files_, {}))};
    supervisor_spec session{.id = to_hex(session_)};
    session.children = {seal_child({key_, options_.zstd_level, &pool_, &random_})};
    supervisor_spec sessions{.id = "sessions"};
    sessions.children = {nested(session)};
    supervisor_spec tree{.id = "root"};
    tree.children = {nested(storage), nested(sessions)};
    auto root = start_root(system_, {names_, clock_, random_}, tree);
    if (!root) return pass_on(std::move(root));
    root_ = std::move(*root);
    return put_session();
  }

  /// Seals and stores the chunks, at most `under_way_max` at a time; how long each took until it was handed to the disk.
  outcome<std::vector<double>> run(const std::vector<plain_chunk>& chunks, std::size_t under_way_max) {
    auto progress = std::make_shared<feeding>();
    progress->handed.resize(chunks.size());
    auto ended = progress->ended.get_future();
    system_.spawn([this, &chunks, progress, under_way_max](caf::event_based_actor* self) {
      ref<seal_api> seal(names_, paths::of_session(session_, "seal"));
      for (std::size_t i = 0; i < under_way_max; ++i) feed(self, seal, chunks, progress);
    });
    auto done = ended.get();
    if (!done) return pass_on(std::move(done));
    std::vector<double> latencies;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      auto opened = files_->opened_at(chunk_file_name(chunks[i].key.on, chunks[i].key.index));
      latencies.push_back(std::chrono::duration<double>(opened - progress->handed[i]).count());
    }
    return latencies;
  }

  /// The files have done their part; the disk is not what is measured for size.
  void remove_files() const {
    std::error_code ignored;
    for (auto& entry : std::filesystem::directory_iterator(session_folder(options_.folder, session_), ignored))
      std::filesystem::remove(entry.path(), ignored);
  }

  const session_id& session() const noexcept { return session_; }
  timed_files& files() noexcept { return *files_; }

private:
  struct feeding {
    std::vector<steady::time_point> handed;
    std::size_t next = 0;
    std::size_t stored = 0;
    bool failed = false;
    std::promise<outcome<void>> ended;
  };

  static void feed(caf::event_based_actor* self, const ref<seal_api>& seal, const std::vector<plain_chunk>& chunks,
                   const std::shared_ptr<feeding>& progress) {
    if (progress->next == chunks.size() || progress->failed) return;
    auto at = progress->next++;
    progress->handed[at] = steady::now();
    seal.request(self, request_patience, chunks[at])
      .then(
        [self, seal, &chunks, progress](const chunk_record&) {
          if (++progress->stored == chunks.size()) return progress->ended.set_value({});
          feed(self, seal, chunks, progress);
        },
        [progress](const caf::error& failed) {
          if (!std::exchange(progress->failed, true)) progress->ended.set_value(tl::unexpected(from_caf(failed)));
        });
  }

  outcome<void> put_session() {
    session_put_request request;
    request.summary.id = session_;
    request.summary.state = session_state::recording;
    request.summary.title = "benchmark";
    ref<store_api> store(names_, paths::store);
    for (auto until = steady::now() + ready_patience; !store.reachable() && steady::now() < until;)
      std::this_thread::sleep_for(1ms);
    if (!store.reachable()) return fail(errc::timeout, "bench", "the store did not start within 10 s");
    caf::scoped_actor self(system_);
    outcome<void> done;
    self->request(store.get(), request_patience, request)
      .receive([](const session_summary&) {}, [&](const caf::error& e) { done = tl::unexpected(from_caf(e)); });
    return done;
  }

  const pipeline_options& options_;
  system_random random_;
  system_clock_port clock_;
  thread_pool pool_;
  directory names_;
  std::shared_ptr<timed_files> files_ = std::make_shared<timed_files>();
  runtime_config settings_;
  caf::actor_system system_;
  std::shared_ptr<session_key> key_;
  session_id session_{};
  caf::actor root_;
};

/// Cuts `count` chunks out of the same fragments again and again, as the chunk actor does.
class cutter {
public:
  cutter(const session_id& session, const pipeline_options& options, const bench_input& input)
    : core_({session, options.chunk_size_bytes, 1000}, {}), input_(input) {}

  outcome<std::vector<plain_chunk>> cut(std::size_t count) {
    std::vector<plain_chunk> chunks;
    while (chunks.size() < count) {
      auto piece = input_.fragments[at_++ % input_.fragments.size()];
      piece.sequence = at_;
      auto complete = core_.add(piece);
      if (!complete) return pass_on(std::move(complete));
      for (auto& chunk : *complete) {
        core_.stored({chunk.key, chunk.span, 0, 0, {}, {}}); // It need not keep them: this one never restarts.
        chunks.push_back(std::move(chunk));
      }
    }
    return chunks;
  }

private:
  chunk_core core_;
  const bench_input& input_;
  std::size_t at_ = 0;
};

struct round_times {
  double bare = 0, bare_cpu = 0, bare_all = 0, disk = 0, pipeline = 0, pipeline_cpu = 0, disk_inside = 0, sealing = 0;
};

/// The bytes of sealed chunks, written and synced as the store does it, and nothing else.
outcome<double> write_alone(const std::filesystem::path& folder, byte_view file, std::size_t count) {
  posix_file_system files;
  auto begun = steady::now();
  for (std::size_t i = 0; i < count; ++i)
    if (auto done = write_atomically(files, folder / "alone", file); !done) return pass_on(std::move(done));
  auto took = seconds_since(begun);
  (void)files.remove(folder / "alone");
  return took;
}

double median_of(const std::vector<round_times>& rounds, auto&& value) {
  std::vector<double> values;
  for (auto& r : rounds) values.push_back(value(r));
  return quantile(std::move(values), 0.5);
}

class pipeline_run {
public:
  explicit pipeline_run(const pipeline_options& options)
    : options_(options), input_(make_input(options.input, options.chunk_size_bytes)),
      bare_(options.chunk_size_bytes, options.zstd_level), node_(options), cutter_(node_.session(), options_, input_) {}

  outcome<pipeline_result> run() {
    if (auto begun = node_.begin(); !begun) return pass_on(std::move(begun));
    if (auto sealed = seal_one(); !sealed) return pass_on(std::move(sealed));
    if (auto warm = round(); !warm) return pass_on(std::move(warm));
    latencies_.clear();
    std::vector<round_times> rounds;
    for (auto begun = steady::now(); rounds.size() < round_count_min || steady::now() - begun < options_.length;) {
      auto times = round();
      if (!times) return pass_on(std::move(times));
      rounds.push_back(*times);
    }
    while (options_.input == input_kind::video && latencies_.size() < latency_chunk_count)
      if (auto more = one_at_a_time(); !more) return pass_on(std::move(more));
    return summary(rounds);
  }

private:
  // One sealed file for the disk alone, and its size.
  outcome<void> seal_one() {
    plain_chunk chunk;
    chunk.parts.push_back(payload(input_.whole));
    system_random random;
    seal_scratch scratch;
    compress_options how;
    how.level = options_.zstd_level;
    auto sealed = seal_chunk(chunk, make_session_key(random), random, scratch, how);
    if (!sealed) return pass_on(std::move(sealed));
    sealed_ = sealed->file;
    return {};
  }

  void bare(roofline::policy how) {
    for (std::size_t i = 0; i < round_chunk_count; ++i) bare_.run(input_.whole, how);
  }

  outcome<round_times> round() {
    if (options_.stop_wanted && options_.stop_wanted()) return fail(errc::cancelled, "bench", "stopped");
    round_times times;
    auto cpu = cpu_seconds();
    auto begun = steady::now();
    bare(options_.input == input_kind::video ? roofline::policy::probe_only : roofline::policy::all);
    times.bare = seconds_since(begun);
    times.bare_cpu = cpu_seconds() - cpu;
    begun = steady::now();
    bare(roofline::policy::all);
    times.bare_all = seconds_since(begun);
    auto disk = write_alone(options_.folder, sealed_.view(), round_chunk_count);
    if (!disk) return pass_on(std::move(disk));
    times.disk = *disk;
    return pipeline(times);
  }

  outcome<round_times> pipeline(round_times times) {
    auto chunks = cutter_.cut(round_chunk_count);
    if (!chunks) return pass_on(std::move(chunks));
    auto cpu = cpu_seconds();
    auto writing = node_.files().writing();
    auto begun = steady::now();
    auto done = node_.run(*chunks, options_.cores + 1); // One more than can be sealed: that one is being written.
    if (!done) return pass_on(std::move(done));
    times.pipeline = seconds_since(begun);
    times.pipeline_cpu = cpu_seconds() - cpu;
    times.disk_inside = (node_.files().writing() - writing).count();
    node_.remove_files();
    auto sealing = one_at_a_time();
    if (!sealing) return pass_on(std::move(sealing));
    times.sealing = *sealing;
    return times;
  }

  /// The median time of a chunk that meets no other, until it is handed to the disk.
  outcome<double> one_at_a_time() {
    auto chunks = cutter_.cut(round_chunk_count);
    if (!chunks) return pass_on(std::move(chunks));
    auto some = node_.run(*chunks, 1);
    if (!some) return pass_on(std::move(some));
    node_.remove_files();
    latencies_.insert(latencies_.end(), some->begin(), some->end());
    return quantile(std::move(*some), 0.5);
  }

  pipeline_result summary(const std::vector<round_times>& rounds) const {
    auto bytes = static_cast<double>(round_chunk_count * options_.chunk_size_bytes);
    pipeline_result r;
    r.round_count = static_cast<std::uint32_t>(rounds.size());
    r.chunk_count = r.round_count * round_chunk_count;
    r.pipeline_per_second = bytes / median_of(rounds, [](auto& t) { return t.pipeline; });
    r.roofline_per_second = bytes / median_of(rounds, [](auto& t) { return t.bare; });
    r.roofline_all_per_second = bytes / median_of(rounds, [](auto& t) { return t.bare_all; });
    r.disk_per_second = bytes / median_of(rounds, [](auto& t) { return t.disk; });
    r.of_roofline = median_of(rounds, [](auto& t) { return t.bare / t.pipeline; });
    r.sealing_of_roofline = median_of(rounds, [](auto& t) { return t.bare / round_chunk_count / t.sealing; });
    r.of_roofline_all = median_of(rounds, [](auto& t) { return t.bare_all / t.pipeline; });
    r.of_roofline_and_disk = median_of(rounds, [](auto& t) { return (t.bare + t.disk) / t.pipeline; });
    r.cpu_of_roofline = median_of(rounds, [](auto& t) { return t.bare_cpu / t.pipeline_cpu; });
    r.disk_share = median_of(rounds, [](auto& t) { return t.disk_inside / t.pipeline; });
    r.compression = static_cast<double>(options_.chunk_size_bytes) / static_cast<double>(sealed_.size());
    r.latency_p50_ms = quantile(latencies_, 0.5) * 1e3;
    r.latency_p99_ms = quantile(latencies_, 0.99) * 1e3;
    r.latency_count = static_cast<std::uint32_t>(latencies_.size());
    return r;
  }

  const pipeline_options& options_;
  bench_input input_;
  roofline bare_;
  small_node node_;
  cutter cutter_;
  payload sealed_;
  std::vector<double> latencies_;
};

} // namespace

outcome<pipeline_result> measure_pipeline(const pipeline_options& options) {
  core_limit limit(options.cores); // Before the first thread is started.
  return pipeline_run(options).run();
}

} // namespace lucid

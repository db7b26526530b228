// tests/integration/worker_process_tests.cpp - real worker processes: recorded, killed, resumed, confined, misbehaving.
//
// The program is its own worker: called with the argument `worker` it records, with other words it misbehaves.
#define BOOST_TEST_MODULE worker_process_tests
#define BOOST_TEST_NO_MAIN
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include "actors/worker/worker.hpp"
#include "adapters/ffmpeg/media_packet.hpp"
#include "adapters/ffmpeg/media_reader.hpp"
#include "adapters/process/sandbox.hpp"
#include "adapters/process/worker_process.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

constexpr unix_time_us base_us = 1'700'000'000'000'000;

/// Far beyond what any step takes; only a hang reaches it.
constexpr auto patience = 60s;

/// Everything a worker says, in order.
class inbox {
public:
  worker_sink sink() {
    return [this](worker_news news) {
      std::lock_guard lock(mutex_);
      news_.push_back(std::move(news));
      ready_.notify_all();
    };
  }

  worker_news next() {
    std::unique_lock lock(mutex_);
    BOOST_REQUIRE(ready_.wait_for(lock, patience, [this] { return !news_.empty(); }));
    auto first = std::move(news_.front());
    news_.pop_front();
    return first;
  }

private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<worker_news> news_;
};

/// What a worker delivered.
struct recording {
  std::vector<fragment> fragments;
  std::vector<source_event> events;
  std::vector<worker_log> logs;
  std::vector<worker_stats> stats;
  std::optional<worker_end> end;
  std::optional<error> failure;
  std::uint64_t frame_count = 0;
  unix_time_us until_us = 0;

  void take(worker_message message) {
    if (auto* f = std::get_if<fragment>(&message)) {
      frame_count += f->frame_count;
      if (f->kind == fragment_kind::media) until_us = f->end_us;
      fragments.push_back(std::move(*f));
    } else if (auto* e = std::get_if<source_event>(&message)) {
      events.push_back(std::move(*e));
    } else if (auto* l = std::get_if<worker_log>(&message)) {
      logs.push_back(std::move(*l));
    } else if (auto* s = std::get_if<worker_stats>(&message)) {
      stats.push_back(*s);
    } else if (auto* w = std::get_if<worker_end>(&message)) {
      end = std::move(*w);
    }
  }

  byte_buffer joined() const {
    byte_buffer all;
    for (const auto& f : fragments) all.insert(all.end(), f.bytes.view().begin(), f.bytes.view().end());
    return all;
  }
};

worker_process_options as(const char* mode) {
  worker_process_options options;
  options.arguments = {mode, "--fd", "3"};
  return options;
}

worker_start start_of(const std::string& source) {
  worker_start start;
  start.what.source = source;
  start.base_us = base_us;
  start.credit_bytes = 1ull << 30;
  return start;
}

std::unique_ptr<capture_worker> spawn(inbox& box, const worker_process_options& options = as("worker")) {
  auto made = worker_process::start(options, box.sink());
  BOOST_REQUIRE_MESSAGE(made, (made ? "" : to_string(made.error())));
  return std::move(*made);
}

/// What a message takes from the credit.
std::size_t cost_of(const worker_message& message) {
  if (auto* made = std::get_if<fragment>(&message)) return made->bytes.size();
  if (auto* event = std::get_if<source_event>(&message)) return event->detail.size();
  return 0;
}

/// Runs a worker until it is gone; kills it from outside after `kill_after` fragments, if that many come. One that is to be
/// killed gets credit for one message after the other, or it might be done before it is killed.
void run(worker_start start, recording& into, std::size_t kill_after = SIZE_MAX,
         const worker_process_options& options = as("worker")) {
  inbox box;
  auto worker = spawn(box, options);
  auto paced = kill_after != SIZE_MAX;
  start.resume = {into.frame_count, into.until_us};
  if (paced) start.credit_bytes = 1;
  BOOST_REQUIRE(worker->send(start));
  std::size_t count = 0;
  for (;;) {
    auto news = box.next();
    if (auto* gone = std::get_if<worker_gone>(&news)) {
      into.failure = gone->failure;
      return;
    }
    auto& message = std::get<worker_message>(news);
    auto is_fragment = std::holds_alternative<fragment>(message);
    auto cost = cost_of(message);
    into.take(std::move(message));
    if (is_fragment && ++count == kill_after) ::kill(static_cast<worker_process&>(*worker).process_id(), SIGKILL);
    else if (paced && cost != 0) static_cast<void>(worker->send(worker_credit{cost})); // It may have ended by itself.
  }
}

ffmpeg::media_summary summary_of(const recording& r) {
  auto summary = ffmpeg::summarize(r.joined());
  BOOST_REQUIRE_MESSAGE(summary, (summary ? "" : to_string(summary.error())));
  return *summary;
}

struct temp_folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("lucid_worker_" + std::to_string(::getpid()));
  temp_folder() { std::filesystem::create_directories(path); }
  ~temp_folder() { std::filesystem::remove_all(path); }
};

struct quiet_ffmpeg {
  quiet_ffmpeg() { ffmpeg::redirect_log([](const char*, bool) {}); }
};

bool make_media(const std::string& path, const std::string& settings) {
  auto command = "ffmpeg -y -v error -f lavfi -i testsrc2=size=320x240:rate=25:duration=6 " + settings + " " + path +
                 " 2>/dev/null </dev/null";
  return std::system(command.c_str()) == 0;
}

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(quiet_ffmpeg);

BOOST_AUTO_TEST_CASE(a_worker_records_a_generated_source_to_its_end) {
  recording r;
  run(start_of("generator:seed=7&frames=60&size=320x240"), r);
  BOOST_TEST(!r.failure.has_value());
  BOOST_REQUIRE(r.end.has_value());
  BOOST_TEST(!r.end->failed);
  BOOST_TEST(r.frame_count == 60u);
  auto summary = summary_of(r);
  BOOST_TEST(summary.frame_count == 60u);
  BOOST_TEST(summary.times_us[59] == 59 * 1'000'000 / 15);
  BOOST_TEST(!r.stats.empty());
  for (const auto& line : r.logs) BOOST_TEST_MESSAGE("worker: " << line.text);
}

BOOST_AUTO_TEST_CASE(a_worker_killed_at_any_fragment_is_resumed_without_losing_or_repeating_a_frame) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random(seed);
      recording r;
      auto start = start_of("generator:seed=3&frames=90&size=160x120&resize_at=50");
      start.limits.fragment_interval = 100ms;
      int kills = 0;
      for (; !r.end && kills < 50; ++kills) run(start, r, 1 + random() % 20);
      BOOST_TEST(kills > 1);
      BOOST_TEST(r.frame_count == 90u);
      auto summary = summary_of(r);
      BOOST_TEST(summary.frame_count == 90u);
      for (std::size_t n = 0; n < summary.times_us.size(); ++n)
        BOOST_TEST(summary.times_us[n] == static_cast<std::int64_t>(n * 1'000'000 / 15));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_worker_without_credit_waits_and_loses_nothing) {
  inbox box;
  auto worker = spawn(box);
  auto start = start_of("generator:seed=7&frames=200&size=320x240");
  start.credit_bytes = 1;
  BOOST_REQUIRE(worker->send(start));
  recording r;
  while (!r.end) {
    auto news = box.next();
    auto* message = std::get_if<worker_message>(&news);
    BOOST_REQUIRE(message);
    auto cost = cost_of(*message);
    r.take(std::move(*message));
    // After its last fragment it ends without waiting. Credit that is lost before that would leave it waiting.
    if (cost != 0) (void)worker->send(worker_credit{cost});
  }
  BOOST_TEST(r.frame_count == 200u);
  for (const auto& s : r.stats) BOOST_TEST(s.merged_count == 0u);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_a_worker_in_good_order) {
  inbox box;
  auto worker = spawn(box);
  BOOST_REQUIRE(worker->send(start_of("generator:seed=7&frames=100000&size=160x120&realtime=1")));
  recording r;
  bool stopped = false;
  while (!r.end) {
    auto news = box.next();
    BOOST_REQUIRE(std::holds_alternative<worker_message>(news));
    r.take(std::move(std::get<worker_message>(news)));
    if (r.frame_count > 0 && !std::exchange(stopped, true)) BOOST_REQUIRE(worker->send(worker_stop{}));
  }
  BOOST_TEST(!r.end->failed);
  BOOST_TEST(r.end->reason == "stopped");
  BOOST_TEST(summary_of(r).frame_count == r.frame_count);
  auto last = box.next();
  BOOST_REQUIRE(std::holds_alternative<worker_gone>(last));
  BOOST_TEST(!std::get<worker_gone>(last).failure.has_value());
}

BOOST_AUTO_TEST_CASE(sources_that_cannot_be_recorded_end_in_their_named_error) {
  auto end_of = [](const std::string& source) {
    recording r;
    run(start_of(source), r);
    BOOST_REQUIRE(r.end.has_value());
    BOOST_TEST(r.end->failed);
    BOOST_TEST(!r.failure.has_value());
    return r.end->code;
  };
  BOOST_TEST((end_of("nonsense:") == errc::invalid_input));
  BOOST_TEST((end_of("file:/does/not/exist.mp4") == errc::not_found));
  BOOST_TEST((end_of("file:/etc/passwd") == errc::invalid_input));
  BOOST_TEST((end_of("-") == errc::invalid_input)); // Without an input it is empty.
  BOOST_TEST((end_of("rdp://127.0.0.1:1") == errc::unsupported)); // This program has no live sources.
}

BOOST_AUTO_TEST_CASE(a_worker_that_crashes_is_reported_with_its_signal_and_last_words) {
  recording r;
  run(start_of("generator:"), r, SIZE_MAX, as("crash"));
  BOOST_REQUIRE(r.failure.has_value());
  BOOST_TEST((r.failure->code == errc::crashed));
  BOOST_TEST(r.failure->what == "ended by SIGABRT");
  BOOST_REQUIRE(!r.logs.empty());
  BOOST_TEST(r.logs.back().text == "last words");
}

BOOST_AUTO_TEST_CASE(a_worker_that_sends_garbage_is_killed) {
  for (const auto* mode : {"garbage", "huge", "chatter"}) {
    BOOST_TEST_CONTEXT(mode) {
      recording r;
      run(start_of("generator:"), r, SIZE_MAX, as(mode));
      BOOST_REQUIRE(r.failure.has_value());
      BOOST_TEST((r.failure->code == (mode == std::string("huge") ? errc::limit_exceeded : errc::protocol_violation)));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_program_that_is_not_there_is_an_error_at_start) {
  worker_process_options options;
  options.executable = "/does/not/exist";
  inbox box;
  auto made = worker_process::start(options, box.sink());
  BOOST_REQUIRE(!made);
  BOOST_TEST((made.error().code == errc::missing_dependency));
}

BOOST_AUTO_TEST_CASE(destroying_a_worker_ends_its_process) {
  inbox box;
  auto worker = spawn(box);
  auto pid = static_cast<worker_process&>(*worker).process_id();
  BOOST_REQUIRE(worker->send(start_of("generator:frames=100000&realtime=1")));
  BOOST_TEST(::kill(pid, 0) == 0);
  worker.reset();
  BOOST_TEST(::kill(pid, 0) != 0);
}

BOOST_AUTO_TEST_CASE(the_sandbox_denies_programs_files_processes_and_tracing) {
  recording r;
  run(start_of("generator:"), r, SIZE_MAX, as("confined"));
  BOOST_TEST(!r.failure.has_value());
  std::string said;
  for (const auto& line : r.logs) said += line.text + "\n";
  BOOST_TEST_MESSAGE(said);
  BOOST_TEST(said.find("execve denied") != std::string::npos);
  BOOST_TEST(said.find("open denied") != std::string::npos);
  BOOST_TEST(said.find("socket denied") != std::string::npos);
  BOOST_TEST(said.find("fork denied") != std::string::npos);
  BOOST_TEST(said.find("ptrace denied") != std::string::npos);
  BOOST_TEST(said.find("kill denied") != std::string::npos);
  BOOST_TEST(said.find("thread allowed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(with_the_network_the_sandbox_still_denies_writing_and_other_peoples_files) {
  recording r;
  run(start_of("generator:"), r, SIZE_MAX, as("confined-network"));
  std::string said;
  for (const auto& line : r.logs) said += line.text + "\n";
  BOOST_TEST(said.find("execve denied") != std::string::npos);
  BOOST_TEST(said.find("socket allowed") != std::string::npos);
  if (said.find("landlock") == std::string::npos) {
    BOOST_TEST_MESSAGE("this kernel has no Landlock: paths are not confined here");
    return;
  }
  BOOST_TEST(said.find("write denied") != std::string::npos);
  BOOST_TEST(said.find("home denied") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_required_sandbox_that_the_kernel_lacks_is_the_end_and_a_wished_one_a_warning) {
  auto required = start_of("generator:frames=5&size=64x64");
  required.limits.sandbox = worker_sandbox::require;
  recording refused;
  run(required, refused, SIZE_MAX, as("without-landlock"));
  BOOST_REQUIRE(refused.end.has_value());
  BOOST_TEST(refused.end->failed);
  BOOST_TEST((refused.end->code == errc::missing_dependency));
  BOOST_TEST(refused.end->reason.find("Landlock") != std::string::npos);
  BOOST_TEST(refused.frame_count == 0u);
  auto wished = required;
  wished.limits.sandbox = worker_sandbox::on;
  recording taken;
  run(wished, taken, SIZE_MAX, as("without-landlock"));
  BOOST_TEST(taken.frame_count == 5u);
  BOOST_TEST(std::any_of(taken.logs.begin(), taken.logs.end(), [](const worker_log& line) {
    return line.level == worker_log_level::warning && line.text.find("Landlock") != std::string::npos;
  }));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // There memory is not limited.
BOOST_AUTO_TEST_CASE(a_worker_gets_no_more_memory_than_is_configured) {
  auto start = start_of("generator:frames=2&size=4096x4096"); // 64 MiB a picture, and the encoder's own.
  start.limits.memory_bytes_max = 128u << 20;
  recording r;
  run(start, r);
  BOOST_TEST((r.failure.has_value() || (r.end && r.end->failed)));
  BOOST_TEST(r.frame_count == 0u);
}
#endif

BOOST_AUTO_TEST_CASE(media_files_are_copied_without_encoding_and_resumed_exactly) {
  temp_folder folder;
  auto path = (folder.path / "in.mp4").string();
  if (!make_media(path, "-c:v libx264 -g 25 -bf 2 -pix_fmt yuv420p")) {
    BOOST_TEST_MESSAGE("ffmpeg is not installed: no media to read");
    return;
  }
  recording whole;
  run(start_of("file:" + path), whole);
  BOOST_REQUIRE(whole.end.has_value());
  BOOST_TEST(!whole.end->failed, whole.end->reason);
  BOOST_TEST(whole.frame_count == 150u);
  BOOST_REQUIRE(!whole.events.empty());
  BOOST_TEST(whole.events[0].detail.find("remux") != std::string::npos);
  auto expected = summary_of(whole);
  BOOST_TEST(expected.frame_count == 150u);
  BOOST_TEST(expected.key_frame_count == 6u);
  std::mt19937 random(5);
  recording pieces;
  for (int kills = 0; !pieces.end && kills < 50; ++kills) run(start_of("file:" + path), pieces, 2 + random() % 6);
  BOOST_TEST(pieces.frame_count == 150u);
  BOOST_TEST(summary_of(pieces).times_us == expected.times_us, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(media_that_cannot_be_copied_is_transcoded_and_resumed_exactly) {
  temp_folder folder;
  auto path = (folder.path / "in.avi").string();
  // No key frame within 4 s, then the codec that does not fit at all.
  auto far_path = (folder.path / "far.mp4").string();
  if (!make_media(path, "-c:v mpeg2video -g 25") || !make_media(far_path, "-c:v libx264 -g 1000 -bf 2 -pix_fmt yuv420p")) {
    BOOST_TEST_MESSAGE("ffmpeg is not installed: no media to read");
    return;
  }
  for (const auto& file : {path, far_path}) {
    auto start = start_of("file:" + file);
    start.limits.key_frame_interval = 4s;
    recording whole;
    run(start, whole);
    BOOST_REQUIRE(whole.end.has_value());
    BOOST_TEST(!whole.end->failed, whole.end->reason);
    BOOST_TEST(whole.events.back().detail.find("libx264") == std::string::npos);
    BOOST_TEST(whole.events.back().detail.find("transcode") != std::string::npos);
    auto expected = summary_of(whole);
    BOOST_TEST(expected.frame_count == 150u);
    std::mt19937 random(6);
    recording pieces;
    for (int kills = 0; !pieces.end && kills < 50; ++kills) run(start, pieces, 2 + random() % 6);
    BOOST_TEST(pieces.frame_count == whole.frame_count);
    BOOST_TEST(summary_of(pieces).frame_count == expected.frame_count);
  }
}

BOOST_AUTO_TEST_CASE(standard_input_is_recorded_to_its_end) {
  temp_folder folder;
  auto path = (folder.path / "in.ts").string();
  if (!make_media(path, "-c:v libx264 -g 25 -pix_fmt yuv420p")) {
    BOOST_TEST_MESSAGE("ffmpeg is not installed: no media to read");
    return;
  }
  int ends[2];
  BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  std::thread feeder([&] {
    std::ifstream in(path, std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(in), {});
    for (std::string_view rest = bytes; !rest.empty();) {
      auto sent = ::write(ends[1], rest.data(), std::min<std::size_t>(rest.size(), 5000));
      if (sent <= 0) break;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    ::close(ends[1]);
  });
  auto options = as("worker");
  options.input_fd = ends[0];
  recording r;
  run(start_of("-"), r, SIZE_MAX, options);
  ::close(ends[0]);
  feeder.join();
  BOOST_REQUIRE(r.end.has_value());
  BOOST_TEST(!r.end->failed, r.end->reason);
  BOOST_TEST(summary_of(r).frame_count == 150u);
}

// --- the worker's side -------------------------------------------------------------------------------------------

namespace {

void say(const char* what, bool denied) { std::fprintf(stderr, "%s %s\n", what, denied ? "denied" : "allowed"); }

int be_confined(bool network) {
  sandbox_needs needs;
  needs.network = network;
  auto parent = ::getppid();
  auto report = enter_sandbox(needs);
  if (!report) return 1;
  if (report->paths) std::fprintf(stderr, "landlock\n");
  char* nothing[] = {nullptr};
  ::execve("/bin/true", nothing, nothing);
  say("execve", errno == EPERM || errno == EACCES);
  auto fd = ::open("/etc/passwd", O_RDONLY);
  say("open", fd < 0);
  say("socket", ::socket(AF_INET, SOCK_STREAM, 0) < 0);
  auto child = ::fork();
  if (child == 0) ::_exit(0);
  say("fork", child < 0);
  say("ptrace", ::ptrace(PTRACE_ATTACH, parent, nullptr, nullptr) < 0);
  say("kill", ::kill(parent, 0) < 0);
  say("write", ::open("/tmp/lucid_sandbox_probe", O_CREAT | O_WRONLY, 0600) < 0);
  say("home", ::open("/root", O_RDONLY | O_DIRECTORY) < 0);
  bool ran = false;
  std::thread([&] { ran = true; }).join();
  say("thread", !ran);
  return 0;
}

/// A worker on a kernel that knows no Landlock.
int work_without_landlock() {
  sock_filter program[]{
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog filter{std::size(program), program};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) return 1;
  return worker_main(3, {});
}

int misbehave(const std::string& mode) {
  if (mode == "without-landlock") return work_without_landlock();
  if (mode == "confined") return be_confined(false);
  if (mode == "confined-network") return be_confined(true);
  if (mode == "crash") {
    std::fprintf(stderr, "last words\n");
    std::abort();
  }
  byte_buffer bytes(16, 0xee);
  if (mode == "garbage") bytes = {1, 0, 0, 0, 99, 0};
  if (mode == "huge") bytes = {0xff, 0xff, 0xff, 0x7f, 17};
  if (mode == "chatter") bytes = encode(worker_message(worker_log{worker_log_level::info, "x"})).value().head;
  // Until it is killed, or a bound far beyond what is tolerated.
  for (int i = 0; i < 1'000'000; ++i)
    if (::send(3, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) break;
  ::pause();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "worker") return worker_main(3, {});
  if (argc > 3 && std::string(argv[2]) == "--fd") return misbehave(argv[1]);
  return boost::unit_test::unit_test_main(&init_unit_test, argc, argv);
}

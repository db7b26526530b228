// tests/chaos/chaos.hpp - what the fault tests share: a node to hurt, seeds, and a judge of what is left.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/audit/audit.hpp"
#include "actors/format/key_store.hpp"
#include "actors/node/cli/node_client.hpp"
#include "actors/node/cli/recording_access.hpp"
#include "actors/node/node.hpp"
#include "adapters/ffmpeg/media_packet.hpp"
#include "adapters/ffmpeg/media_reader.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "adapters/sodium/system_random.hpp"
#include "runtime/config/load.hpp"
#include "runtime/log/log.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"

namespace lucid::chaos {

using namespace std::chrono_literals;
using lucid::testing::must;
using lucid::testing::temp_folder;
using clock = std::chrono::steady_clock;

/// How often a test repeats with another seed: its own number, or LUCID_SEEDS.
inline std::uint64_t seed_count(std::uint64_t standard) {
  auto* wish = std::getenv("LUCID_SEEDS");
  return wish ? std::strtoull(wish, nullptr, 10) : standard;
}

/// The first seed: 1, or LUCID_SEED_FIRST, so that a failure can be repeated.
inline std::uint64_t first_seed() {
  auto* wish = std::getenv("LUCID_SEED_FIRST");
  return wish ? std::strtoull(wish, nullptr, 10) : 1;
}

/// Numbers of one seed. Faults fall at random moments of the wall clock: a seed repeats the plan, not the run.
class chance {
public:
  explicit chance(std::uint64_t seed) : engine_(seed * 0x9e3779b97f4a7c15u + 1) {}
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  std::chrono::milliseconds between(std::chrono::milliseconds from, std::chrono::milliseconds to) {
    return from + std::chrono::milliseconds(below(static_cast<std::uint64_t>((to - from).count()) + 1));
  }

private:
  std::mt19937_64 engine_;
};

/// Waits until `done`, at most `patience`; true if it became so.
inline bool wait_until(clock::duration patience, const std::function<bool()>& done) {
  for (auto until = clock::now() + patience; clock::now() < until; std::this_thread::sleep_for(5ms))
    if (done()) return true;
  return done();
}

/// What a node under test is configured with, as the program takes it behind --set: it restarts quickly and syncs often.
inline std::vector<std::string> quick_settings(const std::vector<std::string>& more = {}) {
  std::vector<std::string> all{"journal.sync_interval=100 ms",    "supervision.backoff_min=5 ms", "supervision.backoff_max=50 ms",
                               "anchor.batch_interval=20 ms",     "store.free_bytes_min=0",       "chunk.size_bytes=8 MiB"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

inline configuration settings_for(const std::filesystem::path& data_dir, const std::vector<std::string>& flags) {
  configuration_sources sources;
  sources.flags.push_back({"--data-dir", "node.data_dir", data_dir.string()});
  for (auto& text : flags) {
    auto equals = text.find('=');
    sources.flags.push_back({"--set", text.substr(0, equals), text.substr(equals + 1)});
  }
  auto loaded = load(sources);
  if (!loaded) throw std::runtime_error(to_string(to_error(loaded.error())));
  return loaded->values;
}

/// An owner's key without a passphrase, so that whoever looks can decrypt.
inline void make_owner_key(const configuration& settings) {
  posix_file_system files;
  system_random random;
  must(files.make_folder(settings.node.data_dir));
  must(key_store(files, settings.keys.dir).create(key_kind::owner, "owner", no_passphrase{}, 1'790'000'000'000'000, random));
}

/// Log lines go to a file that is shown when something fails, or to standard error with LUCID_CHAOS_LOG=1.
inline void log_to(const std::filesystem::path& file) {
  log::settings wanted;
  wanted.standard = log::level::info;
  if (std::getenv("LUCID_CHAOS_LOG"))
    wanted.standard = log::level::debug;
  else
    wanted.file = file;
  wanted.in_background = false;
  must(log::start(wanted));
}

inline std::string tail_of(const std::filesystem::path& file, std::size_t size_bytes = 6000) {
  std::ifstream in(file, std::ios::binary);
  std::string all{std::istreambuf_iterator<char>(in), {}};
  return all.size() > size_bytes ? all.substr(all.size() - size_bytes) : all;
}

/// What a finished recording is worth.
struct judgement {
  bool intact = false;
  bool decrypted = false;
  std::uint64_t frame_count = 0;     ///< That a decoder gave.
  std::uint64_t gap_count = 0;
  std::int64_t last_us = 0;          ///< Time of the last frame, since the session's creation.
  bool interrupted = false;
  std::string events;                ///< All lines of the events track.
  std::string findings;
};

/// Re-hashes, decrypts and decodes all of it.
inline judgement judge(const configuration& settings, const session_id& id) {
  ffmpeg::redirect_log([](const char*, bool) {});
  auto recording = must(stored_recording::open(settings.node.data_dir, id));
  auto content = must(recording->content());
  auto opened = find_session_key(settings, content.what);
  if (!opened) throw std::runtime_error("no key opens the recording");
  audit_options options;
  options.key = &opened->key;
  auto report = must(verify_recording(*recording, options));
  judgement seen;
  seen.intact = report.intact();
  seen.decrypted = report.decrypted;
  seen.interrupted = content.what.interrupted;
  seen.gap_count = content.what.gap_count;
  for (auto& found : report.findings) seen.findings += found.what + "; ";
  for (auto& of : content.what.tracks) {
    chunk_stream stream(*recording, opened->key, of.chunks);
    if (of.on == track::video) {
      auto summary = must(ffmpeg::summarize([&] { return stream.next(); }));
      seen.frame_count = summary.frame_count;
      seen.last_us = summary.last_us;
      continue;
    }
    for (auto part = must(stream.next()); !part.empty(); part = must(stream.next()))
      seen.events.append(reinterpret_cast<const char*>(part.data()), part.size());
  }
  return seen;
}

/// Processes whose parent is `parent`, by pid.
inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream in(entry.path() / "stat");
    std::string stat{std::istreambuf_iterator<char>(in), {}};
    auto end = stat.rfind(')');
    char state = 0;
    int of = 0;
    if (end != std::string::npos && std::sscanf(stat.c_str() + end + 1, " %c %d", &state, &of) == 2 && of == parent &&
        state != 'Z')
      found.push_back(static_cast<pid_t>(std::stol(name)));
  }
  return found;
}

/// A process of our own, killed and collected at the end if it still runs.
class child_process {
public:
  /// What it says goes to `log`. Without surroundings it has those of this process.
  child_process(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                const std::vector<std::string>& surroundings = {}) {
    std::vector<char*> argv;
    for (auto& text : arguments) argv.push_back(const_cast<char*>(text.c_str()));
    argv.push_back(nullptr);
    std::vector<char*> variables;
    for (auto& text : surroundings) variables.push_back(const_cast<char*>(text.c_str()));
    variables.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::posix_spawn_file_actions_adddup2(&files, 1, 2);
    auto failed = ::posix_spawn(&pid_, argv.front(), &files, nullptr, argv.data(),
                                surroundings.empty() ? environ : variables.data());
    ::posix_spawn_file_actions_destroy(&files);
    if (failed != 0) throw std::runtime_error("cannot start " + arguments.front());
  }
  ~child_process() { kill(); }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t pid() const { return pid_; }
  void kill() {
    if (ended_) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  /// Its exit code; 128 and the signal's number if a signal ended it.
  int wait() {
    int status = 0;
    if (!ended_ && ::waitpid(pid_, &status, 0) == pid_)
      ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ended_.value_or(-1);
  }

private:
  pid_t pid_ = 0;
  std::optional<int> ended_;
};

/// The session as its node tells it; asked again while an actor on the way is being restarted.
inline std::optional<session_summary> ask(const node_client& client, const session_id& id) {
  auto seen = client.session(id);
  return seen ? std::optional(*seen) : std::nullopt;
}

inline capture_request of_source(std::string source, std::uint32_t rate = 15) {
  capture_request what;
  what.source = std::move(source);
  what.frame_rate_max = rate;
  return what;
}

inline session_policy titled(std::string title) {
  session_policy policy;
  policy.title = std::move(title);
  return policy;
}

} // namespace lucid::chaos

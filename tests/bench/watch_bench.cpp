// tests/bench/watch_bench.cpp - what it costs a node that somebody watches its actors: a real console, a real client.
//
//     watch_bench [--check] [ACTORS]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

#include <caf/all.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/console/console_actor.hpp"
#include "adapters/http/stream_client.hpp"
#include "adapters/machine/proc_machine.hpp"
#include "adapters/sodium/system_random.hpp"
#include "runtime/actor_system.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace {

using namespace lucid;
using namespace std::chrono_literals;

constexpr double watched_share_max = 0.01; // Issue: under 1 % of a core at 1,000 actors and 1 Hz.
constexpr int seconds = 15;
constexpr int busy_one_in = 10;

struct counting_state {
  static inline const char* name = "counting";
  std::uint64_t sum = 0;
};

caf::behavior counting(caf::stateful_actor<counting_state>* self, actor_context ctx) {
  return supervised(self, ctx, {[self](std::uint64_t n) { self->state.sum += n; }},
                    [self] { return state_fields{{"sum", std::to_string(self->state.sum)}, {"state", "recording"}}; });
}

double cpu_s() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  auto s = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return s(use.ru_utime) + s(use.ru_stime);
}

/// The other process: watches until it is killed. Says by its pipe how many bytes came.
[[noreturn]] void watch(const std::filesystem::path& socket, int begin_fd, int told_fd) {
  char go = 0;
  if (read(begin_fd, &go, 1) != 1) _exit(1);
  auto stream = stream_client::open(socket, "/v1/stream", 5s);
  if (!stream || !(*stream)->send(R"({"watch":{"topics":["actors"],"interval_ms":1000}})")) _exit(1);
  for (;;) {
    auto messages = (*stream)->poll();
    if (!messages) _exit(1);
    for (auto& message : *messages) {
      std::uint64_t bytes = message.size();
      if (write(told_fd, &bytes, sizeof bytes) != sizeof bytes) _exit(1);
    }
    std::this_thread::sleep_for(20ms);
  }
}

} // namespace

int main(int argc, char** argv) {
  bool check = false;
  int actor_count = 1'000;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--check") == 0) check = true;
    else actor_count = std::max(1, std::atoi(argv[i]));
  }
  auto folder = std::filesystem::temp_directory_path() / ("lucid-watch-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  int begin[2], told[2];
  if (pipe(begin) != 0 || pipe(told) != 0) return 2;
  auto client = fork(); // Before any thread: its processor time is not the node's.
  if (client == 0) watch(folder / "control.sock", begin[0], told[1]);

  runtime_config config;
  directory names;
  system_clock_port clock;
  system_random random;
  thread_pool pool(1);
  caf::actor_system system(config);
  console_parts parts;
  parts.node_name = "bench";
  parts.drain = [](bool) {};
  parts.draining = parts.ending = [] { return false; };
  parts.refusals = std::make_shared<refusal_book>();
  parts.machine = std::make_shared<proc_machine>(folder);
  parts.pool = &pool;
  parts.random = &random;
  supervisor_spec all{.id = "root"};
  for (int i = 0; i < actor_count; ++i) all.children.push_back({.id = std::to_string(i), .start = child_of(counting)});
  all.children.push_back(control_child(parts, {folder / "control.sock", {}}));
  auto root = start_root(system, {names, clock, random}, std::move(all)).value();
  while (!std::filesystem::exists(folder / "control.sock")) std::this_thread::sleep_for(1ms);

  std::vector<ref<caf::actor>> actors;
  for (int i = 0; i < actor_count; ++i) actors.emplace_back(names, std::to_string(i));
  int second = 0;
  auto share = [&] {
    auto cpu = cpu_s();
    auto from = std::chrono::steady_clock::now();
    for (int n = 1; n <= seconds; ++n, ++second) {
      for (std::size_t i = static_cast<std::size_t>(second % busy_one_in); i < actors.size(); i += busy_one_in)
        actors[i].send_anonymous(std::uint64_t{1});
      std::this_thread::sleep_until(from + n * 1s);
    }
    return (cpu_s() - cpu) / seconds;
  };
  share();
  auto alone = share();
  if (write(begin[1], "g", 1) != 1) return 2;
  std::this_thread::sleep_for(2s); // The first message tells everything.
  auto watched = share();
  kill(client, SIGKILL);
  waitpid(client, nullptr, 0);
  close(told[1]);
  std::uint64_t bytes = 0, first = 0, rest = 0, count = 0;
  while (read(told[0], &bytes, sizeof bytes) == sizeof bytes) {
    if (count++ == 0) first = bytes;
    else rest += bytes;
  }
  auto cost = watched - alone;
  std::printf("actors                                     %10d, one in %d handles a message each second\n", actor_count, busy_one_in);
  std::printf("messages to the page                       %10llu, the first of %.1f KiB, then %.1f KiB\n",
              static_cast<unsigned long long>(count), static_cast<double>(first) / 1024,
              count > 1 ? static_cast<double>(rest) / 1024 / static_cast<double>(count - 1) : 0.0);
  std::printf("share of a core, nobody watching           %10.4f\n", alone);
  std::printf("share of a core, watched                   %10.4f\n", watched);
  std::printf("cost of watching                           %10.4f bound %.4g: %s\n", cost, watched_share_max,
              cost < watched_share_max ? "kept" : "BROKEN");
  bool heard = count >= seconds;
  if (!heard) std::puts("the page heard too little");
  if (!stop_root(root, 60s)) std::puts("the tree did not stop");
  std::filesystem::remove_all(folder);
  return !heard || (check && cost >= watched_share_max) ? 1 : 0;
}

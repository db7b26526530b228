// actors/node/bench/node_bench.cpp - a node of its own process, looked at from outside.
#include "actors/node/bench/node_bench.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/http/http_client.hpp"

extern char** environ;

namespace lucid {
namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto ready_patience = 10s;
constexpr auto stop_patience = 10s;
constexpr auto poll = 1ms;

double seconds_since(steady::time_point begun) { return std::chrono::duration<double>(steady::now() - begun).count(); }

/// A child process that does not outlive its owner.
class child_node {
public:
  static outcome<child_node> start(const std::filesystem::path& data) {
    auto text = data.string();
    auto socket = "control.socket=" + (data / "s").string();
    std::string words[] = {"lucid", "--data-dir", text, "--set", socket, "--log-level", "error", "node"};
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    child_node child;
    child.socket_ = data / "s";
    child.begun_ = steady::now();
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR, 0);
    auto failed = ::posix_spawn(&child.pid_, "/proc/self/exe", &quiet, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&quiet);
    if (failed != 0) return fail(errc::io_failed, "bench", "cannot start a node: " + std::to_string(failed));
    return child;
  }

  child_node(child_node&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), socket_(std::move(other.socket_)), begun_(other.begun_) {}
  child_node& operator=(child_node&&) = delete;
  ~child_node() { stop(); }

  /// Seconds from its start to its first answer.
  outcome<double> wait_until_ready() {
    while (seconds_since(begun_) < std::chrono::duration<double>(ready_patience).count()) {
      auto answer = http_call(socket_, "GET", "/v1/node", "", 2s);
      if (answer && answer->status == 200) return seconds_since(begun_);
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = -1;
        return fail(errc::crashed, "bench", "the node ended before it was ready");
      }
      std::this_thread::sleep_for(poll);
    }
    return fail(errc::timeout, "bench", "the node did not answer within 10 s");
  }

  void stop() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGTERM);
    for (auto until = steady::now() + stop_patience; steady::now() < until; std::this_thread::sleep_for(poll))
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = -1;
        return;
      }
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  /// A line of /proc/PID/status in bytes; 0 if it is not there.
  double status_bytes(const std::string& name) const {
    std::ifstream from("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(from, line);)
      if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1)) * 1024;
    return 0;
  }

  /// User and system time so far.
  double cpu_seconds() const {
    std::ifstream from("/proc/" + std::to_string(pid_) + "/stat");
    std::string line;
    std::getline(from, line);
    std::istringstream fields(line.substr(std::min(line.size(), line.rfind(')') + 2)));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped; // From the third field on: utime is the 14th.
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }

private:
  child_node() = default;

  pid_t pid_ = -1;
  std::filesystem::path socket_;
  steady::time_point begun_;
};

} // namespace

outcome<idle_node_result> measure_idle_node(const std::filesystem::path& folder, std::chrono::milliseconds length) {
  idle_node_result result;
  auto data = folder / "node";
  {
    auto first = child_node::start(data);
    if (!first) return pass_on(std::move(first));
    auto ready = first->wait_until_ready();
    if (!ready) return pass_on(std::move(ready));
    result.first_start_s = *ready;
  }
  auto second = child_node::start(data);
  if (!second) return pass_on(std::move(second));
  auto ready = second->wait_until_ready();
  if (!ready) return pass_on(std::move(ready));
  result.start_to_ready_s = *ready;
  std::this_thread::sleep_for(1s);
  auto cpu = second->cpu_seconds();
  auto begun = steady::now();
  std::this_thread::sleep_for(std::max<std::chrono::milliseconds>(length, 2s));
  result.core_share = (second->cpu_seconds() - cpu) / seconds_since(begun);
  result.resident_bytes = second->status_bytes("VmRSS");
  result.private_bytes = second->status_bytes("RssAnon");
  return result;
}

} // namespace lucid

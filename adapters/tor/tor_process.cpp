// adapters/tor/tor_process.cpp - spawns tor, reads what it prints on a thread, reaps it.
#include "adapters/tor/tor_process.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <string_view>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "adapters/tor/control_reply.hpp"
#include "adapters/tor/posix.hpp"

extern char** environ;

namespace lucid {
namespace {

using namespace std::chrono_literals;
using tor_posix::file_descriptor;

constexpr const char* who = "tor";

/// A line that grows longer is cut there.
constexpr std::size_t line_bytes_max = 1000;

/// Asked to end, a client is gone at once.
constexpr auto end_patience = 3s;

/// Between two looks at the file with the control port.
constexpr auto look_interval = 20ms;

constexpr std::size_t control_file_bytes_max = 200;

outcome<std::string> quoted(const std::filesystem::path& path) {
  auto text = quote_control(path.string());
  if (!text) return fail(errc::invalid_input, who, "a path that a torrc cannot hold: " + path.string(), text.error());
  return text;
}

/// What the child does before it becomes tor: 0 nothing, 1 and 2 the pipe.
class spawn_plan {
public:
  explicit spawn_plan(int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, 1);
    ::posix_spawn_file_actions_adddup2(&actions_, output, 2);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    // A group of its own: Ctrl-C in a terminal is for the node, which ends tor in good order.
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;
  ~spawn_plan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  int run(pid_t& pid, std::vector<std::string> words) {
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return ::posix_spawnp(&pid, pointers[0], &actions_, &attributes_, pointers.data(), environ);
  }

private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

outcome<void> write_file(const std::filesystem::path& file, std::string_view text) {
  file_descriptor opened(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (opened.get() < 0) return tor_posix::failure("cannot create " + file.string(), errno);
  auto written = ::write(opened.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()))
    return tor_posix::failure("cannot write " + file.string(), written < 0 ? errno : ENOSPC);
  return {};
}

std::string end_of(int status) {
  if (WIFEXITED(status)) return "tor ended with status " + std::to_string(WEXITSTATUS(status));
  const auto* name = ::sigabbrev_np(WTERMSIG(status));
  return "tor was ended by " + (name ? std::string("SIG") + name : "signal " + std::to_string(WTERMSIG(status)));
}

} // namespace

outcome<std::string> make_torrc(const tor_process_options& options, int owner_process_id) {
  auto state = quoted(options.folder / "state");
  auto port_file = quoted(options.folder / "control_port");
  auto cookie = quoted(options.folder / "cookie");
  auto extra = quoted(options.extra_torrc);
  for (auto* one : {&state, &port_file, &cookie, &extra})
    if (!*one) return pass_on(std::move(*one));
  std::string text = "# Written anew at each start; lines of one's own belong in tor.extra_torrc.\n";
  text += "DataDirectory " + *state + "\n";
  // Messages and chunks of a peer have ports of their own: on one circuit, signs of life would queue behind chunks.
  text += "SocksPort 127.0.0.1:auto OnionTrafficOnly IsolateDestPort\n";
  text += "ControlPort 127.0.0.1:auto\nControlPortWriteToFile " + *port_file + "\n";
  text += "CookieAuthentication 1\nCookieAuthFile " + *cookie + "\n";
  text += "ClientOnly 1\nAvoidDiskWrites 1\nDormantCanceledByStartup 1\nLog notice stdout\n";
  text += "__OwningControllerProcess " + std::to_string(owner_process_id) + "\n";
  if (!options.extra_torrc.empty()) text += "%include " + *extra + "\n";
  return text;
}

class tor_process::impl {
public:
  impl(tor_process_options options, pid_t pid, file_descriptor process, file_descriptor output, line_sink line, end_sink end)
    : options_(std::move(options)), pid_(pid), process_(std::move(process)), output_(std::move(output)),
      told_line_(std::move(line)), told_end_(std::move(end)) {
    thread_ = std::thread([this] { listen(); });
  }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  ~impl() {
    silent_ = true;
    signal(SIGTERM);
    if (!wait_for_end(end_patience)) signal(SIGKILL);
    thread_.join();
  }

  outcome<std::string> wait_for_control(std::chrono::milliseconds within) const {
    auto until = std::chrono::steady_clock::now() + within;
    for (;;) {
      if (auto told = read_control_file(); !told.empty()) return told;
      if (auto why = wait_for_end(look_interval)) return tl::unexpected(*why);
      if (std::chrono::steady_clock::now() >= until)
        return fail(errc::timeout, who, "tor opened no control port within " + std::to_string(within.count()) + " ms");
    }
  }

  std::optional<error> wait_for_end(std::chrono::milliseconds within) const {
    std::unique_lock lock(mutex_);
    gone_.wait_for(lock, within, [this] { return ended_.has_value(); });
    return ended_;
  }

  std::filesystem::path cookie_file() const { return options_.folder / "cookie"; }
  int process_id() const noexcept { return pid_; }

private:
  void signal(int number) const noexcept {
    std::lock_guard lock(mutex_);
    if (!ended_) ::kill(pid_, number); // Not yet reaped: the number is still its own.
  }

  /// "127.0.0.1:40123" out of "PORT=127.0.0.1:40123\n", once the file is whole.
  std::string read_control_file() const {
    auto text = tor_posix::read_file(options_.folder / "control_port", control_file_bytes_max);
    if (!text || !text->starts_with("PORT=") || !text->ends_with('\n')) return {};
    return text->substr(5, text->find('\n') - 5);
  }

  /// Until tor has ended. A child of tor's may hold the pipe open longer; it is not waited for.
  void listen() {
    std::array<pollfd, 2> watched{{{output_.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}}};
    while (watched[1].revents == 0) {
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      if (watched[0].revents != 0 && !read_output()) watched[0].fd = -1;
    }
    if (::fcntl(output_.get(), F_SETFL, O_NONBLOCK) == 0)
      while (read_output()) {
      }
    flush_line();
    {
      // Reaped and told under one lock, so that nobody signals a number that is no longer tor's.
      std::lock_guard lock(mutex_);
      int status = 0;
      while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
      }
      ended_ = error{errc::crashed, who, end_of(status) + (complaint_.empty() ? "" : ": " + complaint_), nullptr};
    }
    gone_.notify_all();
    if (!silent_ && told_end_) told_end_(*ended_);
  }

  bool read_output() {
    std::array<char, 4096> bytes;
    auto got = ::read(output_.get(), bytes.data(), bytes.size());
    if (got < 0) return errno == EINTR;
    for (auto c : std::string_view(bytes.data(), static_cast<std::size_t>(got))) {
      if (c == '\n')
        flush_line();
      else if (line_.size() < line_bytes_max)
        line_.push_back(c >= ' ' && c <= '~' ? c : '?');
    }
    return got > 0;
  }

  void flush_line() {
    if (line_.empty()) return;
    // "Nov 21 17:00:00.000 [err] Reading config failed": what follows the level explains the end best.
    for (std::string_view level : {"[err] ", "[warn] "})
      if (auto at = line_.find(level); at != std::string::npos && (level == "[err] " || !error_seen_)) {
        error_seen_ = level == "[err] ";
        auto text = line_.substr(at + level.size());
        // "See warnings above" tells nothing: keep both.
        complaint_ = error_seen_ && !complaint_.empty() && complaint_.size() < line_bytes_max ? complaint_ + "; " + text : text;
      }
    if (!silent_ && told_line_) told_line_(line_);
    line_.clear();
  }

  tor_process_options options_;
  pid_t pid_;
  file_descriptor process_, output_;
  line_sink told_line_;
  end_sink told_end_;
  std::string line_, complaint_; ///< Of the listening thread.
  bool error_seen_ = false;
  mutable std::mutex mutex_;
  mutable std::condition_variable gone_;
  std::optional<error> ended_;
  std::atomic<bool> silent_ = false;
  std::thread thread_;
};

tor_process::tor_process(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
tor_process::~tor_process() = default;

outcome<std::unique_ptr<tor_process>> tor_process::start(const tor_process_options& options, line_sink line, end_sink end) {
  auto torrc = make_torrc(options, ::getpid());
  if (!torrc) return pass_on(std::move(torrc));
  for (auto& folder : {options.folder, options.folder / "state"})
    if (auto made = tor_posix::make_private_folder(folder); !made) return pass_on(std::move(made));
  ::unlink((options.folder / "control_port").c_str()); // An earlier tor's.
  if (auto written = write_file(options.folder / "torrc", *torrc); !written) return pass_on(std::move(written));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return tor_posix::failure("no pipe for tor", errno);
  file_descriptor ours(ends[0]), theirs(ends[1]);
  spawn_plan plan(theirs.get());
  pid_t pid = 0;
  // No file of defaults: the system's tor may have its own ports and services there.
  auto code = plan.run(pid, {options.program, "-f", (options.folder / "torrc").string(), "--defaults-torrc",
                             (options.folder / "no-defaults").string()});
  if (code == ENOENT)
    return fail(errc::missing_dependency, who,
                "there is no program " + options.program + "; install the package tor, or set tor.program");
  if (code != 0) return tor_posix::failure(options.program + " cannot be started", code);
  file_descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); // Closes on exec by itself.
  if (process.get() < 0) {
    auto why = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return tor_posix::failure("tor cannot be watched", why);
  }
  return std::unique_ptr<tor_process>(new tor_process(
    std::make_unique<impl>(options, pid, std::move(process), std::move(ours), std::move(line), std::move(end))));
}

outcome<std::string> tor_process::wait_for_control(std::chrono::milliseconds within) const {
  return impl_->wait_for_control(within);
}
std::optional<error> tor_process::wait_for_end(std::chrono::milliseconds within) const {
  return impl_->wait_for_end(within);
}
std::filesystem::path tor_process::cookie_file() const { return impl_->cookie_file(); }
int tor_process::process_id() const noexcept { return impl_->process_id(); }

} // namespace lucid

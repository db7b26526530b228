// adapters/process/worker_process.cpp - spawns the worker, reads its messages on a thread, reaps it.
#include "adapters/process/worker_process.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

extern char** environ;

namespace lucid {
namespace {

constexpr const char* who = "worker";

/// A worker that reads no orders for so long hangs.
constexpr time_t send_seconds_max = 5;

/// Read at once: two fragments of a busy desktop.
constexpr std::size_t read_size_bytes = 256 << 10;

/// Lines of log and statistics a second; fragments and events are bounded by credit instead.
constexpr int chatter_count_max = 2000;

/// A line of standard error that grows longer is cut there.
constexpr std::size_t line_size_bytes_max = 1000;

class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

private:
  int fd_ = -1;
};

tl::unexpected<error> system_failure(const std::string& doing, int code) {
  auto kind = code == ENOENT ? errc::missing_dependency : code == EMFILE || code == EAGAIN || code == ENOMEM
                                                            ? errc::limit_exceeded
                                                            : errc::io_failed;
  return fail(kind, who, doing + ": " + std::strerror(code));
}

/// The two ends of something; both close on exec.
struct descriptor_pair {
  descriptor ours, theirs;
};

outcome<descriptor_pair> open_socket() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return system_failure("no socket for the worker", errno);
  return descriptor_pair{descriptor(ends[0]), descriptor(ends[1])};
}

outcome<descriptor_pair> open_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_failure("no pipe for the worker", errno);
  return descriptor_pair{descriptor(ends[0]), descriptor(ends[1])};
}

/// What the child does before it becomes the worker: 0 input, 1 and 2 the pipe, 3 the socket.
class spawn_plan {
public:
  spawn_plan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    // A group of its own: Ctrl-C in a terminal is for the node, which ends the worker in good order.
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;
  ~spawn_plan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  void give(int fd, int as) { ::posix_spawn_file_actions_adddup2(&actions_, fd, as); }
  void give_nothing(int as) { ::posix_spawn_file_actions_addopen(&actions_, as, "/dev/null", O_RDONLY, 0); }

  int run(pid_t& pid, const worker_process_options& options) {
    std::vector<std::string> words{options.executable};
    words.insert(words.end(), options.arguments.begin(), options.arguments.end());
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return ::posix_spawn(&pid, options.executable.c_str(), &actions_, &attributes_, pointers.data(), environ);
  }

private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::string signal_name(int number) {
  const auto* name = ::sigabbrev_np(number);
  return name ? std::string("SIG") + name : "signal " + std::to_string(number);
}

std::optional<error> failure_of(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
  auto what = WIFSIGNALED(status) ? "ended by " + signal_name(WTERMSIG(status))
                                  : "ended with status " + std::to_string(WEXITSTATUS(status));
  return error{errc::crashed, who, std::move(what), nullptr};
}

} // namespace

class worker_process::impl {
public:
  impl(pid_t pid, descriptor socket, descriptor log_pipe, worker_sink sink)
    : pid_(pid), socket_(std::move(socket)), log_pipe_(std::move(log_pipe)), sink_(std::move(sink)) {
    timeval patience{send_seconds_max, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    thread_ = std::thread([this] { listen(); });
  }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  ~impl() {
    silent_ = true;
    kill();
    thread_.join();
  }

  outcome<void> send(const node_message& message) {
    auto wire = encode(message);
    if (!wire) return pass_on(std::move(wire));
    byte_view rest(wire->head);
    while (!rest.empty()) {
      auto sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return fail(errc::busy, who, "the worker has read no orders for " + std::to_string(send_seconds_max) + " s");
      if (sent < 0) return fail(errc::unreachable, who, std::string("the worker is gone: ") + std::strerror(errno));
      rest = rest.subspan(static_cast<std::size_t>(sent));
    }
    return {};
  }

  void kill() noexcept {
    std::lock_guard lock(reaping_);
    if (!reaped_) ::kill(pid_, SIGKILL);
  }

  int process_id() const noexcept { return pid_; }

private:
  void tell(worker_news news) {
    if (!silent_) sink_(std::move(news));
  }

  /// Until both the socket and the pipe are at their end, or the worker misbehaves.
  void listen() {
    std::array<pollfd, 2> watched{{{socket_.get(), POLLIN, 0}, {log_pipe_.get(), POLLIN, 0}}};
    buffer_.resize(read_size_bytes);
    while (!failure_ && watched[0].fd >= 0) {
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      if (watched[0].revents != 0 && !read_socket()) watched[0].fd = -1;
      if (watched[1].revents != 0 && !read_log()) watched[1].fd = -1;
    }
    if (failure_) kill();
    auto status = reap();
    // What it said last explains most: why it crashed. A grandchild could hold the pipe open; it is not waited for.
    if (::fcntl(log_pipe_.get(), F_SETFL, O_NONBLOCK) == 0)
      while (read_log()) {
      }
    flush_line();
    tell(worker_gone{failure_ ? failure_ : status});
  }

  bool read_socket() {
    auto got = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
    if (got < 0) return errno == EINTR;
    if (got == 0) {
      if (!decoder_.at_boundary()) failure_ = error{errc::crashed, who, "ended in the middle of a message", nullptr};
      return false;
    }
    auto messages = decoder_.feed(byte_view(buffer_.data(), static_cast<std::size_t>(got)));
    if (!messages) {
      failure_ = messages.error();
      return false;
    }
    for (auto& message : *messages) {
      if (std::holds_alternative<worker_log>(message) || std::holds_alternative<worker_stats>(message)) count_chatter();
      if (failure_) return false;
      tell(std::move(message));
    }
    return true;
  }

  bool read_log() {
    std::array<char, 4096> bytes;
    auto got = ::read(log_pipe_.get(), bytes.data(), bytes.size());
    if (got < 0) return errno == EINTR;
    for (auto c : std::string_view(bytes.data(), static_cast<std::size_t>(got))) {
      if (c == '\n')
        flush_line();
      else if (line_.size() < line_size_bytes_max)
        line_.push_back(c);
    }
    return got > 0;
  }

  void flush_line() {
    if (line_.empty()) return;
    if (count_chatter()) tell(worker_message(worker_log{worker_log_level::warning, line_}));
    line_.clear();
  }

  bool count_chatter() {
    auto now = std::chrono::steady_clock::now();
    if (now - second_began_ > std::chrono::seconds(1)) {
      second_began_ = now;
      chatter_count_ = 0;
    }
    if (++chatter_count_ <= chatter_count_max) return true;
    if (!failure_) failure_ = error{errc::protocol_violation, who, "says more than 2000 lines a second", nullptr};
    return false;
  }

  /// Waits for its end, or looks once with WNOHANG, and leaves it to be reaped: its number is still its own.
  bool has_ended(int options) const {
    siginfo_t seen{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &seen, WEXITED | WNOWAIT | options) != 0 && errno == EINTR) {
    }
    return seen.si_pid == pid_;
  }

  std::optional<error> reap() {
    // It has closed its socket or was killed; one that only closed it is given a second to end.
    for (int waited_ms = 0; waited_ms < 1000 && !has_ended(WNOHANG); waited_ms += 10)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    kill();
    has_ended(0);
    // Reaped and told under one lock, so that nobody kills a number that is no longer the worker's.
    std::lock_guard lock(reaping_);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    return failure_of(status);
  }

  pid_t pid_;
  descriptor socket_;
  descriptor log_pipe_;
  worker_sink sink_;
  worker_decoder<worker_message> decoder_;
  byte_buffer buffer_;
  std::string line_;
  std::optional<error> failure_; ///< Of the listening thread: why the worker is to be killed.
  std::chrono::steady_clock::time_point second_began_{};
  int chatter_count_ = 0;
  std::mutex reaping_;
  bool reaped_ = false;
  std::atomic<bool> silent_ = false;
  std::thread thread_;
};

worker_process::worker_process(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
worker_process::~worker_process() = default;

outcome<std::unique_ptr<capture_worker>> worker_process::start(const worker_process_options& options, worker_sink sink) {
  auto socket = open_socket();
  if (!socket) return pass_on(std::move(socket));
  auto log_pipe = open_pipe();
  if (!log_pipe) return pass_on(std::move(log_pipe));
  // Moved above the numbers the worker gets, so that none is overwritten before it is given.
  descriptor socket_high(::fcntl(socket->theirs.get(), F_DUPFD_CLOEXEC, 10));
  descriptor pipe_high(::fcntl(log_pipe->theirs.get(), F_DUPFD_CLOEXEC, 10));
  if (socket_high.get() < 0 || pipe_high.get() < 0) return system_failure("no descriptors for the worker", errno);
  spawn_plan plan;
  if (options.input_fd)
    plan.give(*options.input_fd, 0);
  else
    plan.give_nothing(0);
  plan.give(pipe_high.get(), 1);
  plan.give(pipe_high.get(), 2);
  plan.give(socket_high.get(), 3);
  pid_t pid = 0;
  if (auto code = plan.run(pid, options); code != 0)
    return system_failure(options.executable + " cannot be started", code);
  return std::unique_ptr<capture_worker>(new worker_process(
    std::make_unique<impl>(pid, std::move(socket->ours), std::move(log_pipe->ours), std::move(sink))));
}

capture_worker_starter worker_process::starter(worker_process_options options) {
  return [options = std::move(options)](worker_sink sink) { return start(options, std::move(sink)); };
}

outcome<void> worker_process::send(const node_message& message) { return impl_->send(message); }
void worker_process::kill() noexcept { impl_->kill(); }
int worker_process::process_id() const noexcept { return impl_->process_id(); }

} // namespace lucid

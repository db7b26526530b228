// tests/doubles/private_tor.hpp - a private Tor network (private_tor.py) that is gone after the test.
#pragma once

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace lucid::testing {

/// Ready when constructed. The network ends when its standard input is closed, so also when this process is killed.
class private_tor {
public:
  /// `script`: the path of private_tor.py. Throws when there is no network.
  private_tor(const std::string& script, const std::filesystem::path& folder) : folder_(folder) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    auto folder_text = folder.string();
    auto program = script;
    std::array<char*, 3> words{program.data(), folder_text.data(), nullptr};
    auto code = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, words.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    std::string told;
    std::array<char, 100> bytes;
    for (ssize_t got = 0; code == 0 && told.find('\n') == std::string::npos;) {
      got = ::read(out[0], bytes.data(), bytes.size());
      if (got <= 0 && errno != EINTR) break;
      if (got > 0) told.append(bytes.data(), static_cast<std::size_t>(got));
    }
    ::close(out[0]);
    ready_ = told.starts_with("ready ") ? told.substr(0, told.find('\n')) : "";
    if (ready_.empty()) {
      end();
      throw std::runtime_error("no private Tor network");
    }
  }
  private_tor(const private_tor&) = delete;
  private_tor& operator=(const private_tor&) = delete;
  ~private_tor() { end(); }

  /// For tor.extra_torrc.
  std::filesystem::path client_torrc() const { return folder_ / "client.torrc"; }

  /// "ready 19.9"
  const std::string& ready() const noexcept { return ready_; }

  /// What is missing for it; none if nothing is.
  static std::optional<std::string> missing() {
    for (const char* program : {"tor", "tor-gencert", "python3"})
      if (std::system((std::string("command -v ") + program + " >/dev/null").c_str()) != 0) return program;
    return std::nullopt;
  }

private:
  void end() {
    if (input_ >= 0) ::close(input_);
    if (pid_ > 0)
      while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
      }
    input_ = -1;
    pid_ = -1;
  }

  std::filesystem::path folder_;
  pid_t pid_ = -1;
  int input_ = -1;
  std::string ready_;
};

} // namespace lucid::testing

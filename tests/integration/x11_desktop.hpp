// tests/integration/x11_desktop.hpp - the fixture desktop of scripts/lib/desktop.sh, from C++.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace lucid::test {

/// What a shell command printed, and its exit code.
struct command_result {
  int exit_code = -1;
  std::string output;
};

inline command_result run_command(const std::string& command) {
  command_result result;
  auto* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return result;
  char part[4096];
  for (std::size_t count; (count = std::fread(part, 1, sizeof part, pipe)) > 0;) result.output.append(part, count);
  auto status = ::pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

/// Ends the program as CTest's "skipped", loudly.
[[noreturn]] inline void skip_all(const std::string& why) {
  std::cerr << "SKIPPED: " << why << std::endl;
  std::_Exit(77);
}

/// A virtual desktop in a temporary folder; gone with this object.
class desktop {
public:
  /// `options` as desktop.sh start takes them. Skips the whole program when a server program is not installed.
  explicit desktop(const std::string& options) {
    char name[] = "/tmp/lucid-desktop-XXXXXX";
    if (!::mkdtemp(name)) throw std::runtime_error("no temporary folder");
    folder_ = name;
    auto started = run_command(script() + " start --dir " + folder_.string() + " --while " + std::to_string(::getpid()) + " " + options);
    if (started.exit_code == 77) {
      std::filesystem::remove_all(folder_);
      skip_all("a program of the fixture desktop is not installed");
    }
    if (started.exit_code != 0) {
      std::filesystem::remove_all(folder_);
      throw std::runtime_error("the fixture desktop did not start");
    }
    for (std::size_t at = 0; at < started.output.size();) {
      auto end = started.output.find('\n', at);
      auto line = started.output.substr(at, end - at);
      if (auto equals = line.find('='); equals != std::string::npos)
        values_[line.substr(0, equals)] = line.substr(equals + 1);
      at = end == std::string::npos ? started.output.size() : end + 1;
    }
  }
  ~desktop() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  desktop(const desktop&) = delete;
  desktop& operator=(const desktop&) = delete;

  void stop() { run_command(script() + " stop --dir " + folder_.string()); }

  /// Ends one of its processes at once, by pid: "xvfb", "shadow" ...
  void kill_process(const std::string& name) {
    run_command("kill -KILL $(awk '$3 == \"" + name + "\" {print $1}' " + folder_.string() + "/pids)");
  }

  std::string value(const std::string& name) const { return values_.at("desktop_" + name); }
  std::string display() const { return value("display"); }
  std::uint16_t port() const { return static_cast<std::uint16_t>(std::stoul(value("port"))); }
  const std::filesystem::path& folder() const { return folder_; }

private:
  static std::string script() { return std::string(LUCID_SOURCE_DIR) + "/scripts/lib/desktop.sh"; }

  std::filesystem::path folder_;
  std::map<std::string, std::string> values_;
};

} // namespace lucid::test

// actors/node/cli/signals.cpp - by sigtimedwait.
#include "actors/node/cli/signals.hpp"

#include <csignal>
#include <ctime>

namespace lucid {
namespace {

sigset_t asked_to_stop() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  return set;
}

} // namespace

stop_signals::stop_signals(broken_pipe pipes) {
  auto set = asked_to_stop();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, pipes == broken_pipe::ignored ? SIG_IGN : SIG_DFL);
}

std::optional<int> stop_signals::wait(std::chrono::milliseconds patience) const {
  auto set = asked_to_stop();
  timespec span{patience.count() / 1000, (patience.count() % 1000) * 1'000'000};
  auto number = ::sigtimedwait(&set, nullptr, &span);
  if (number < 0) return std::nullopt;
  return number;
}

} // namespace lucid

// actors/node/cli/passphrase.cpp - by termios: no echo, no signals, byte by byte, so that the terminal is always given back.
#include "actors/node/cli/passphrase.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <termios.h>
#include <unistd.h>

namespace lucid {
namespace {

constexpr const char* who = "passphrase";
constexpr char ctrl_c = 3, ctrl_d = 4, backspace = 8, ctrl_u = 21, escape_delete = 127;

/// The terminal without echo for as long as this lives.
class quiet_terminal {
public:
  explicit quiet_terminal(int fd) : fd_(fd), good_(::tcgetattr(fd, &before_) == 0) {
    if (!good_) return;
    auto quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    good_ = ::tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
  }
  ~quiet_terminal() {
    if (good_) ::tcsetattr(fd_, TCSADRAIN, &before_);
  }
  quiet_terminal(const quiet_terminal&) = delete;
  quiet_terminal& operator=(const quiet_terminal&) = delete;
  bool good() const noexcept { return good_; }

private:
  int fd_;
  termios before_{};
  bool good_;
};

/// A line under way. Wiped at its end.
struct line_buffer {
  std::array<char, passphrase_size_bytes_max> bytes{};
  std::size_t size = 0;
  ~line_buffer() { explicit_bzero(bytes.data(), bytes.size()); }

  void take_back() {
    // A character of UTF-8 goes as a whole: its later bytes begin with 10.
    while (size > 0 && (bytes[size - 1] & 0xc0) == 0x80) --size;
    if (size > 0) --size;
  }
};

outcome<secret_text> read_line(int terminal) {
  line_buffer line;
  for (;;) {
    char c = 0;
    auto got = ::read(terminal, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || c == ctrl_c || c == ctrl_d) return fail(errc::cancelled, who, "no passphrase was given");
    if (c == '\n' || c == '\r') break;
    if (c == backspace || c == escape_delete) line.take_back();
    else if (c == ctrl_u) line.size = 0;
    else if (line.size < line.bytes.size()) line.bytes[line.size++] = c;
    else return fail(errc::limit_exceeded, who, "a passphrase has at most 1024 bytes");
  }
  if (line.size == 0)
    return fail(errc::invalid_input, who, "an empty passphrase protects nothing; to have none, say --no-passphrase");
  return secret_text(std::string_view(line.bytes.data(), line.size));
}

} // namespace

outcome<secret_text> ask_passphrase(int terminal, std::ostream& to, const std::string& prompt) {
  quiet_terminal quiet(terminal);
  if (!quiet.good()) return fail(errc::io_failed, who, "a passphrase can only be typed on a terminal");
  to << prompt << ": " << std::flush;
  auto line = read_line(terminal);
  to << '\n' << std::flush;
  return line;
}

outcome<secret_text> ask_new_passphrase(int terminal, std::ostream& to, const std::string& prompt) {
  auto first = ask_passphrase(terminal, to, prompt);
  if (!first) return first;
  auto second = ask_passphrase(terminal, to, "The same again");
  if (!second) return second;
  if (first->reveal() != second->reveal())
    return fail(errc::invalid_input, who, "the two passphrases differ; nothing was made");
  return first;
}

} // namespace lucid

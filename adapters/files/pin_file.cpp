// adapters/files/pin_file.cpp - read whole, written whole.
#include "adapters/files/pin_file.hpp"

#include <sstream>
#include <utility>

#include "adapters/files/atomic_write.hpp"

namespace lucid {

outcome<std::optional<std::string>> pin_file::find(const std::string& host) {
  std::lock_guard lock(mutex_);
  auto text = read();
  if (!text) return pass_on(std::move(text));
  return find_in(*text, host);
}

outcome<void> pin_file::pin(const std::string& host, const std::string& fingerprint) {
  std::lock_guard lock(mutex_);
  auto text = read();
  if (!text) return pass_on(std::move(text));
  auto pinned = find_in(*text, host);
  if (!pinned) return pass_on(std::move(pinned));
  if (*pinned)
    return fail(errc::already_exists, "pins", host + " is pinned already, in " + file_.string());
  if (host.find_first_of(" \n\t") != std::string::npos || fingerprint.empty())
    return fail(errc::invalid_input, "pins", "\"" + host + "\" cannot be pinned");
  *text += host + " " + fingerprint + "\n";
  if (text->size() > file_size_bytes_max)
    return fail(errc::limit_exceeded, "pins", file_.string() + " is full; remove servers that are not used any more");
  return write_atomically(files_, file_, as_bytes(*text));
}

outcome<std::string> pin_file::read() {
  auto bytes = read_whole(files_, file_, file_size_bytes_max);
  if (!bytes && bytes.error().code == errc::not_found) return std::string();
  if (!bytes) return pass_on(std::move(bytes));
  return std::string(as_text(*bytes));
}

outcome<std::optional<std::string>> pin_file::find_in(const std::string& text, const std::string& host) const {
  std::istringstream lines(text);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    auto space = line.find(' ');
    auto fingerprint = space == std::string::npos ? std::string() : line.substr(space + 1);
    if (!from_hex(fingerprint) || fingerprint.size() != 64)
      return fail(errc::corrupted, "pins",
                  file_.string() + ", line " + std::to_string(number) +
                    ": expected \"host:port\" and a fingerprint of 64 hexadecimal digits");
    if (line.substr(0, space) == host) return std::optional(fingerprint);
  }
  return std::optional<std::string>();
}

} // namespace lucid

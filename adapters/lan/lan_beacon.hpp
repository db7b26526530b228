// adapters/lan/lan_beacon.hpp - short messages to whoever listens on the local network.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "messages/bytes.hpp"
#include "messages/outcome.hpp"

namespace lucid {

inline constexpr std::size_t beacon_bytes_max = 4096;

struct beacon_settings {
  std::string group = "239.255.76.67"; ///< Of the range for one organisation's own use (RFC 2365).
  std::uint16_t port = 7867;
  std::chrono::milliseconds interval{5000};
  unsigned heard_per_second_max = 100; ///< More is not looked at.
};

/// Sends what `say` gives, at each interval, and hands over what comes. Never leaves the local network (TTL 1).
///
/// Owns: a socket and a thread, on which both functions are called; what is heard is from anybody and of any content.
/// Threads: one owner.
class lan_beacon {
public:
  /// Errors: `io_failed`, `invalid_input` for a group that is none.
  static outcome<std::unique_ptr<lan_beacon>> open(beacon_settings settings, std::function<byte_buffer()> say,
                                                   std::function<void(byte_view)> heard);
  ~lan_beacon();
  lan_beacon(const lan_beacon&) = delete;
  lan_beacon& operator=(const lan_beacon&) = delete;

private:
  struct parts;
  explicit lan_beacon(std::unique_ptr<parts> owned);
  std::unique_ptr<parts> parts_;
};

} // namespace lucid

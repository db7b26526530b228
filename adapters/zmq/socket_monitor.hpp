// adapters/zmq/socket_monitor.hpp - what ZeroMQ says of the connections under a socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "adapters/zmq/socket_handle.hpp"

namespace lucid::zmq_detail {

struct monitor_event {
  std::uint16_t kind = 0;  ///< ZMQ_EVENT_*
  std::uint32_t value = 0; ///< A descriptor, a status or an errno: by kind.
};

/// Owns: its end of the pair. Borrows: the watched socket, which is closed after it.
/// Threads: that of the watched socket.
class socket_monitor {
public:
  socket_monitor() = default;
  static outcome<socket_monitor> of(void* context, const socket& watched);

  /// The next event, if there is one.
  std::optional<monitor_event> next();
  int descriptor() const { return pair_.descriptor(); }

private:
  socket pair_;
};

} // namespace lucid::zmq_detail

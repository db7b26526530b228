// adapters/zmq/socket_monitor.cpp - the monitor's two-part messages.
#include "adapters/zmq/socket_monitor.hpp"

#include <atomic>

namespace lucid::zmq_detail {

outcome<socket_monitor> socket_monitor::of(void* context, const socket& watched) {
  static std::atomic<std::uint64_t> next_name{1};
  auto name = "inproc://monitor-" + std::to_string(next_name++);
  constexpr int kinds = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
  if (zmq_socket_monitor(watched.get(), name.c_str(), kinds) != 0) return failure("monitor");
  socket_monitor monitor;
  monitor.pair_ = socket(context, ZMQ_PAIR);
  if (!monitor.pair_ || zmq_connect(monitor.pair_.get(), name.c_str()) != 0) return failure("monitor");
  return monitor;
}

std::optional<monitor_event> socket_monitor::next() {
  message head, address;
  if (!pair_.receive(head) || !head.more() || !pair_.receive(address)) return std::nullopt;
  auto bytes = head.view();
  monitor_event event;
  if (bytes.size() != sizeof(event.kind) + sizeof(event.value)) return std::nullopt;
  std::memcpy(&event.kind, bytes.data(), sizeof(event.kind));
  std::memcpy(&event.value, bytes.data() + sizeof(event.kind), sizeof(event.value));
  return event;
}

} // namespace lucid::zmq_detail

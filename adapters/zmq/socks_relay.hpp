// adapters/zmq/socks_relay.hpp - the way of one connection of ZeroMQ through a SOCKS5 proxy (RFC 1928).
//
// ZeroMQ has one of its own, but libzmq 4.3 ends the process when a proxy refuses, or is not there: its connecter takes its
// descriptor out of the poller a second time when the socket is closed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "messages/bytes.hpp"
#include "messages/outcome.hpp"
#include "messages/ports/mesh_transport.hpp"

namespace lucid::zmq_detail {

/// Bytes on their way in one direction; more are read when these are gone.
inline constexpr std::size_t relay_bytes_max = 64 * 1024;

/// Takes one connection on a free port of loopback, asks the proxy for a way to `host`, and carries bytes between both.
/// What travels is encrypted end to end by CURVE: whoever else connects to that port in between spoils one attempt.
///
/// Owns: its descriptors. Threads: that of the transport alone. A connection that ends at one side ends at the other.
class socks_relay final : public descriptor_events {
public:
  using watch_function = std::function<void(int fd, bool read, bool write, descriptor_events* events)>;

  /// `proxy` is "127.0.0.1:9050" or "[::1]:9050"; `target` "name:port". Errors: `invalid_input`, `io_failed`.
  static outcome<std::unique_ptr<socks_relay>> open(const std::string& proxy, const std::string& target, watch_function watch);
  ~socks_relay() override;
  socks_relay(const socks_relay&) = delete;
  socks_relay& operator=(const socks_relay&) = delete;

  const std::string& endpoint() const noexcept { return endpoint_; } ///< "tcp://127.0.0.1:40123", for ZeroMQ.
  const std::string& trouble() const noexcept { return trouble_; }   ///< Why there is no way; empty: nothing is known.

  void ready(int fd, bool readable, bool writable) override;

private:
  enum class step { waiting, connecting, greeting, asking, open, over };

  /// Bytes that one side still has to take.
  struct pending {
    byte_buffer bytes;
    std::size_t taken = 0;
    bool empty() const noexcept { return taken == bytes.size(); }
  };

  socks_relay(std::string proxy, std::string host, std::uint16_t port, watch_function watch);
  outcome<void> listen();
  void take_connection();
  void connect_to_proxy();
  void proxy_connected();
  bool read_answer(std::size_t count);
  void read_choice();
  void read_reply();
  void say(byte_buffer bytes);
  void carry(int from, int to, pending& bytes);
  bool write_to(int fd, pending& bytes);
  void look_again();
  void give_up(std::string why);
  void end();

  std::string proxy_, host_;
  std::uint16_t port_;
  watch_function watch_;
  std::string endpoint_, trouble_;
  step step_ = step::waiting;
  int listening_ = -1, near_ = -1, far_ = -1; ///< `near_` leads to ZeroMQ, `far_` to the proxy.
  pending outward_, inward_;
  byte_buffer answer_;
};

} // namespace lucid::zmq_detail

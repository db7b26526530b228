// adapters/zmq/zap_handler.hpp - answers who may connect. Source: ZeroMQ RFC 27, "ZAP".
#pragma once

#include <functional>
#include <string>

#include "adapters/zmq/socket_handle.hpp"
#include "messages/identity.hpp"

namespace lucid::zmq_detail {

/// Owns: the handler's socket of one ZeroMQ context. Threads: one.
class zap_handler {
public:
  zap_handler() = default;
  static outcome<zap_handler> in(void* context);

  /// Answers what has been asked. `may_enter` decides by key and address; who may is called by the key's
  /// hexadecimal digits from then on ("User-Id").
  void answer(const std::function<bool(const transport_key& key, const std::string& address)>& may_enter);
  int descriptor() const { return socket_.descriptor(); }

private:
  socket socket_;
};

} // namespace lucid::zmq_detail

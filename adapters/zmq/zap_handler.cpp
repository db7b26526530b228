// adapters/zmq/zap_handler.cpp - the request's parts, and the answer's.
#include "adapters/zmq/zap_handler.hpp"

#include <algorithm>
#include <vector>

namespace lucid::zmq_detail {
namespace {

// Parts of a request: version, request id, domain, address, identity, mechanism, and the key.
constexpr std::size_t id_part = 1, address_part = 3, mechanism_part = 5, key_part = 6, part_count = 7;

std::vector<byte_buffer> receive_parts(socket& from) {
  std::vector<byte_buffer> parts;
  for (bool more = true; more;) {
    message part;
    if (!from.receive(part)) return {};
    auto bytes = part.view();
    if (parts.size() < part_count) parts.emplace_back(bytes.begin(), bytes.end());
    more = part.more();
  }
  return parts;
}

} // namespace

outcome<zap_handler> zap_handler::in(void* context) {
  zap_handler handler;
  handler.socket_ = socket(context, ZMQ_REP);
  if (!handler.socket_ || zmq_bind(handler.socket_.get(), "inproc://zeromq.zap.01") != 0) return failure("ZAP handler");
  return handler;
}

void zap_handler::answer(const std::function<bool(const transport_key& key, const std::string& address)>& may_enter) {
  for (;;) {
    auto parts = receive_parts(socket_);
    if (parts.empty()) return;
    transport_key key{};
    bool well_formed = parts.size() == part_count && as_text(parts[mechanism_part]) == "CURVE" && parts[key_part].size() == key.size();
    bool entered = false;
    if (well_formed) {
      std::copy(parts[key_part].begin(), parts[key_part].end(), key.begin());
      entered = may_enter(key, std::string(as_text(parts[address_part])));
    }
    socket_.send(as_bytes("1.0"), true);
    socket_.send(parts.size() > id_part ? byte_view(parts[id_part]) : byte_view(), true);
    socket_.send(as_bytes(entered ? "200" : "400"), true);
    socket_.send(as_bytes(entered ? "OK" : "not on the list"), true);
    socket_.send(as_bytes(entered ? to_hex(key) : ""), true);
    socket_.send(byte_view(), false);
  }
}

} // namespace lucid::zmq_detail

// tests/fuzz/worker_protocol_fuzzer.cpp - whatever a broken worker or node sends is decoded or refused, and reads back.
#include <cstdlib>

#include "messages/worker_protocol.hpp"

using namespace lucid;

namespace {

/// What was accepted must encode to bytes that are accepted again.
template <class Message>
void decode_both_ways(byte_view bytes, std::size_t slice_size_bytes) {
  worker_decoder<Message> decoder;
  while (!bytes.empty()) {
    auto slice = bytes.first(std::min(bytes.size(), slice_size_bytes));
    bytes = bytes.subspan(slice.size());
    auto messages = decoder.feed(slice);
    if (!messages) return;
    for (const auto& message : *messages) {
      auto wire = encode(message);
      if (!wire) std::abort();
      worker_decoder<Message> again;
      if (!again.feed(wire->head) || !again.feed(wire->tail.view()) || !again.at_boundary()) std::abort();
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto slice_size_bytes = std::size_t{1} + data[0];
  byte_view bytes(data + 1, size - 1);
  decode_both_ways<worker_message>(bytes, slice_size_bytes);
  decode_both_ways<node_message>(bytes, slice_size_bytes);
  return 0;
}

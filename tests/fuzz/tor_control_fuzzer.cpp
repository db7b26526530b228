// tests/fuzz/tor_control_fuzzer.cpp - whatever a control port sends is read or refused, the same in any slicing.
#include <cstdlib>

#include "adapters/tor/control_reply.hpp"

using namespace lucid;

namespace {

/// All replies up to the first error; `failed` says whether there was one.
std::vector<control_reply> read(std::string_view bytes, std::size_t slice_bytes, bool& failed) {
  control_reader reader;
  std::vector<control_reply> all;
  for (failed = false; !bytes.empty() && !failed;) {
    auto slice = bytes.substr(0, slice_bytes);
    bytes.remove_prefix(slice.size());
    auto some = reader.feed(slice);
    failed = !some;
    if (some) all.insert(all.end(), some->begin(), some->end());
  }
  return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto slice_bytes = std::size_t{1} + data[0];
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  bool failed = false, failed_by_byte = false;
  auto replies = read(bytes, slice_bytes, failed);
  auto by_byte = read(bytes, 1, failed_by_byte);
  // A slice with an error in it loses what was complete before it; up to there both agree.
  if (failed != failed_by_byte || by_byte.size() < replies.size() || (!failed && by_byte != replies)) std::abort();
  for (auto& reply : by_byte) {
    (void)reply.value("AUTH");
    if (reply.text().size() > 310) std::abort();
    for (auto& line : reply.lines)
      if (auto split = split_control_words(line.text))
        for (auto& [key, value] : split->values) {
          auto quoted = quote_control(value);
          if (!quoted) continue;
          auto again = split_control_words(key + "=" + *quoted);
          if (!again || again->values.at(key) != value) std::abort();
        }
  }
  return 0;
}

// tests/fuzz/api_fuzzer.cpp - any method, target and body: decoded or refused, and refused with words.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "actors/console/api_request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  auto next_line = [&] {
    auto line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    return line;
  };
  auto method = next_line();
  auto target = next_line();
  auto decoded = lucid::decode_api_request(method, target, input);
  if (!decoded && decoded.error().what.empty()) std::abort();
  return 0;
}

// tests/fuzz/access_fuzzer.cpp - any request: nobody gets in without the cookie.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "actors/console/access_core.hpp"
#include "adapters/sodium/system_random.hpp"

/// One line each: method, path, host, origin, CSRF token; the rest is the cookie. An empty host is the right one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lucid;
  static system_random random;
  static access_core core = [] {
    access_core made({}, console_authorities("127.0.0.1", 8083), false);
    if (!made.log_in(made.make_login(random, {}), random, {})) std::abort();
    return made;
  }();
  std::string_view input(reinterpret_cast<const char*>(data), size);
  auto next_line = [&] {
    auto line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    return line;
  };
  access_request request;
  request.method = next_line();
  request.path = next_line();
  request.host = next_line();
  if (request.host.empty()) request.host = "127.0.0.1:8083";
  request.origin = next_line();
  request.csrf = next_line();
  request.cookie = input;
  auto admitted = core.admit(request, {});
  if (admitted && (admitted->session != 0 || !is_open_path(request.path))) std::abort();
  if (!admitted && admitted.error().what.empty()) std::abort();
  if (core.log_in(request.csrf, random, {})) std::abort();
  return 0;
}

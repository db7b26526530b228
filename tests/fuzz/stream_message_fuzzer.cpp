// tests/fuzz/stream_message_fuzzer.cpp - any messages of a page: done or refused with words, and told in sound JSON.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "actors/console/stream_core.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lucid;
  using namespace std::chrono_literals;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  stream_core core;
  core.opened(1);
  auto now = stream_core::time(0);
  while (!input.empty()) {
    auto message = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(message.size() + 1, input.size()));
    auto heard = core.heard(1, message, now);
    if (!heard && heard.error().what.empty()) std::abort();
    inspection seen;
    seen.path = std::string(message.substr(0, 40));
    seen.state = {{std::string(message.substr(0, 4)), std::string(message)}};
    core.take_actors({seen});
    for (auto& topic : core.due_topics(now)) core.take_object(topic, {{std::string("size"), message.size()}});
    for (auto& path : core.tapped_paths()) core.tapped(path, {{std::string("type"), "put"}});
    for (auto& frame : core.frames(now))
      if (!nlohmann::json::accept(frame.text)) std::abort();
    now += 1s;
  }
  return 0;
}

// tests/fuzz/config_fuzzer.cpp - any bytes as a configuration file, and as variable and flag.
#include <cstdlib>

#include "messages/bytes.hpp"
#include "runtime/config/explain.hpp"
#include "runtime/config/key_table.hpp"
#include "runtime/config/load.hpp"

/// The first byte chooses the key that the rest is also given to by environment and by flag.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  using namespace lucid;
  if (size_bytes == 0) return 0;
  auto& key = key_table()[data[0] % key_table().size()];
  std::string text(as_text({data + 1, size_bytes - 1}));

  configuration_sources sources;
  sources.file_name = "fuzz.toml";
  sources.text = text;
  sources.environment[environment_name(key.name)] = text;
  sources.flags.push_back({"--set", text.substr(0, text.find('=')), text});
  sources.flags.push_back({"--set", std::string(key.name), text});
  auto loaded = load(sources);
  if (!loaded) {
    for (auto& problem : loaded.error())
      if (to_string(problem).empty()) std::abort();
    return 0;
  }
  for (auto& each : key_table()) show_value(each, loaded->values);
  return 0;
}

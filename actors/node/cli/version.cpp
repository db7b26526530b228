// actors/node/cli/version.cpp - versions, as the build found them.
#include "actors/node/cli/version.hpp"

#include <algorithm>
#include <string_view>

#include <CLI/Version.hpp>
#include <caf/config.hpp>
#include <fmt/core.h>

namespace lucid {
namespace {

std::string dotted(int version, int major_unit, int minor_unit) {
  return fmt::format("{}.{}.{}", version / major_unit, version % major_unit / minor_unit, version % minor_unit);
}

} // namespace

std::string version_number() { return LUCID_VERSION; }
std::string software_version() { return "lucid " + version_number(); }

std::vector<std::pair<std::string, std::string>> library_versions() {
  std::vector<std::pair<std::string, std::string>> versions{
      {"CAF", dotted(CAF_VERSION, 10000, 100)}, {"CLI11", CLI11_VERSION}, {"fmt", dotted(FMT_VERSION, 10000, 100)}};
  // "name=version,name=version", from CMake: their headers belong to the adapters.
  std::string_view rest = LUCID_LIBRARY_VERSIONS;
  while (!rest.empty()) {
    auto pair = rest.substr(0, rest.find(','));
    auto at = pair.find('=');
    versions.emplace_back(pair.substr(0, at), pair.substr(at + 1));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
  }
  return versions;
}

} // namespace lucid

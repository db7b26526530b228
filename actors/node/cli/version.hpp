// actors/node/cli/version.hpp - which Lucid this is, and what it is built from.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lucid {

/// "0.1.0"
std::string version_number();

/// "lucid 0.1.0": what manifests and `--version` say.
std::string software_version();

/// Name and version of each library, as it was when this was built.
std::vector<std::pair<std::string, std::string>> library_versions();

} // namespace lucid

// messages/version.hpp - what this build calls itself in manifests and answers.
#pragma once

namespace lucid {

inline constexpr const char* software_version = "0.1.0";
inline constexpr const char* software_name = "lucid 0.1.0";

} // namespace lucid

// actors/node/cli/json.hpp - results for machines: keys in the order they were put in.
#pragma once

#include <ostream>

#include <nlohmann/json.hpp>

namespace lucid {

using json = nlohmann::ordered_json;

/// Prints `value` indented, with a line end. Bytes that are no UTF-8 become U+FFFD.
void print_json(std::ostream& to, const json& value);

} // namespace lucid

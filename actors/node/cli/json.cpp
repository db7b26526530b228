// actors/node/cli/json.cpp - results for machines, as text.
#include "actors/node/cli/json.hpp"

namespace lucid {

void print_json(std::ostream& to, const json& value) {
  to << value.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
}

} // namespace lucid

// actors/node/cli/program.hpp - the command line: parsing, help, errors, exit code.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace lucid {

/// Runs `lucid` with these arguments (without the program's name) and answers its exit code.
/// Threads: one call at a time. Errors: printed to `err` as one line and its causes.
int run_program(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

} // namespace lucid

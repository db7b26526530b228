// actors/node/main.cpp - the program `lucid`.
#include <iostream>

#include "actors/node/cli/program.hpp"

int main(int argc, char** argv) { return lucid::run_program({argv + 1, argv + argc}, std::cout, std::cerr); }

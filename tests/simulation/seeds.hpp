// tests/simulation/seeds.hpp - which seeds a simulation runs, and how a failing one is told.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

namespace lucid::simulation {

/// Something that must never be, or always be, and is not so.
struct broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct seed_range {
  std::uint64_t seeds = 0, first = 1;
};

/// After "--" on the command line: --seeds N --first S; or LUCID_SEEDS and LUCID_SEED_FIRST.
inline seed_range wished_seeds(std::uint64_t standard) {
  auto number = [](const char* text, std::uint64_t otherwise) { return text ? std::strtoull(text, nullptr, 10) : otherwise; };
  seed_range r{number(std::getenv("LUCID_SEEDS"), standard), number(std::getenv("LUCID_SEED_FIRST"), 1)};
  auto& suite = boost::unit_test::framework::master_test_suite();
  for (int i = 1; i + 1 < suite.argc; ++i) {
    std::string_view option = suite.argv[i];
    if (option == "--seeds") r.seeds = number(suite.argv[i + 1], standard);
    if (option == "--first") r.first = number(suite.argv[i + 1], 1);
  }
  return r;
}

/// With the command that repeats it.
inline std::string seed_failed(std::string_view test, std::uint64_t seed, std::string_view what) {
  std::string text = "seed ";
  text.append(std::to_string(seed)).append(": ").append(what).append("\n  again: ");
  text.append(boost::unit_test::framework::master_test_suite().argv[0]).append(" --run_test=").append(test);
  return text.append(" -- --seeds 1 --first ").append(std::to_string(seed));
}

} // namespace lucid::simulation

// tests/unit/pin_file_tests.cpp - the first certificate stays, and a damaged file is named.
#define BOOST_TEST_MODULE pin_file_tests
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "adapters/files/pin_file.hpp"
#include "adapters/files/posix_file_system.hpp"

using namespace lucid;

namespace {

struct folder {
  folder() {
    char name[] = "/tmp/lucid-pins-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
  posix_file_system files;
  std::filesystem::path file() const { return path / "pins"; }
};

const std::string first(64, 'a'), second(64, 'b');

} // namespace

BOOST_AUTO_TEST_CASE(a_pin_is_kept_across_openings_and_never_replaced) {
  folder f;
  {
    pin_file pins(f.files, f.file());
    BOOST_TEST(!pins.find("pc:3389")->has_value());
    BOOST_REQUIRE(pins.pin("pc:3389", first).has_value());
    BOOST_REQUIRE(pins.pin("pc:33", second).has_value());
  }
  pin_file pins(f.files, f.file());
  BOOST_TEST(pins.find("pc:3389")->value() == first);
  BOOST_TEST(pins.find("pc:33")->value() == second);
  BOOST_TEST((pins.pin("pc:3389", second).error().code == errc::already_exists));
  BOOST_TEST(pins.find("pc:3389")->value() == first);
}

BOOST_AUTO_TEST_CASE(names_that_would_break_the_file_are_refused) {
  folder f;
  pin_file pins(f.files, f.file());
  BOOST_TEST((pins.pin("pc 1", first).error().code == errc::invalid_input));
  BOOST_TEST((pins.pin("pc\n1", first).error().code == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(a_damaged_line_is_named_and_comments_are_not) {
  folder f;
  std::ofstream(f.file()) << "# by hand\n\npc:3389 " << first << "\npc:2 zz\n";
  pin_file pins(f.files, f.file());
  BOOST_TEST(pins.find("pc:3389")->value() == first);
  auto damaged = pins.find("other:1");
  BOOST_REQUIRE(!damaged.has_value());
  BOOST_TEST((damaged.error().code == errc::corrupted));
  BOOST_TEST(damaged.error().what.find("line 4") != std::string::npos);
}

// tests/unit/bytes_tests.cpp - hexadecimal text there and back, and what is refused.
#define BOOST_TEST_MODULE bytes_tests
#include <boost/test/unit_test.hpp>

#include "messages/bytes.hpp"
#include "messages/session.hpp"

using namespace lucid;

BOOST_AUTO_TEST_CASE(hex_of_every_byte_reads_back) {
  byte_buffer all(256);
  for (int i = 0; i < 256; ++i) all[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i);
  auto text = to_hex(all);
  BOOST_TEST(text.size() == 512u);
  BOOST_TEST(text.substr(0, 6) == "000102");
  BOOST_TEST((from_hex(text).value() == all));
}

BOOST_AUTO_TEST_CASE(odd_length_and_foreign_characters_are_refused) {
  BOOST_TEST((from_hex("abc").error().code == errc::invalid_input));
  auto wrong = from_hex("0g");
  BOOST_TEST((wrong.error().code == errc::invalid_input));
  BOOST_TEST(wrong.error().what == "character 2 is no hexadecimal digit");
}

BOOST_AUTO_TEST_CASE(state_names_read_back) {
  for (auto s = static_cast<int>(session_state::created); s <= static_cast<int>(session_state::failed); ++s) {
    auto state = static_cast<session_state>(s);
    BOOST_TEST((session_state_from(to_string(state)) == state));
  }
  BOOST_TEST(!session_state_from("none!"));
}

BOOST_AUTO_TEST_CASE(an_error_tells_its_cause) {
  auto cause = error{errc::disk_full, "store", "no space left", nullptr};
  auto e = fail(errc::wrong_state, "session", "cannot record", cause).value();
  BOOST_TEST(to_string(e) ==
             "session: cannot record (wrong_state), because of: store: no space left (disk_full)");
  BOOST_TEST((root_cause(e).code == errc::disk_full));
}

// tests/unit/audit_log_tests.cpp - the log of actions: what is written stays, what is changed is named.
#define BOOST_TEST_MODULE audit_log_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "actors/console/audit_log.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "tests/doubles/faulty_file_system.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"

using namespace lucid;
using lucid::testing::faulty_file_system;
using lucid::testing::must;
using lucid::testing::temp_folder;

namespace {

const std::filesystem::path file = "/data/audit.log";

sign_key key_of(std::uint8_t n) {
  secret_key seed;
  for (auto& byte : seed.span()) byte = n;
  return sign_key(seed);
}
const sign_key node = key_of(1);

audit_action action(int n) {
  return {"operator 1", "restart", fmt::format("sessions/{}", n), "restarts 4 children", "done"};
}

/// A log of `count` entries on a disk that can fail.
struct written_log {
  explicit written_log(int count) {
    auto log = must(audit_log::open(disk, file, node));
    for (int i = 1; i <= count; ++i) must(log.append(action(i), 1000 * i));
  }
  audit_verdict verify(const sign_key& key = node) { return must(verify_audit_log(disk, file, key.public_key())); }

  /// Line `number` without its end.
  std::string line(std::size_t number) {
    auto text = all();
    std::size_t begin = 0;
    for (std::size_t i = 1; i < number; ++i) begin = text.find('\n', begin) + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  std::string all() { return std::string(as_text(must(disk.read(file, 0, 1u << 20)))); }
  void write(const std::string& text) {
    disk.change(file, [&](byte_buffer& bytes) { bytes.assign(text.begin(), text.end()); });
  }
  void replace(const std::string& from, const std::string& to) {
    auto text = all();
    BOOST_REQUIRE(text.find(from) != std::string::npos);
    write(text.replace(text.find(from), from.size(), to));
  }
  faulty_file_system disk;
};

/// The number of the first broken entry; 0 if none is.
std::uint64_t broken(const audit_verdict& verdict) { return verdict.first_broken ? verdict.intact_count + 1 : 0; }

} // namespace

BOOST_AUTO_TEST_CASE(entries_read_back_newest_first_and_survive_a_restart) {
  temp_folder folder;
  posix_file_system files;
  auto where = folder.path() / "new" / "audit.log";
  {
    auto log = must(audit_log::open(files, where, node));
    BOOST_TEST(log.count() == 0u);
    for (int i = 1; i <= 3; ++i) BOOST_TEST(must(log.append(action(i), i)).number == static_cast<std::uint64_t>(i));
  }
  auto log = must(audit_log::open(files, where, node));
  BOOST_TEST(must(log.append(action(4), 4)).number == 4u);
  auto newest = must(log.read(0, 2));
  BOOST_REQUIRE(newest.size() == 2u);
  BOOST_TEST(newest[0].number == 4u);
  BOOST_TEST((newest[0].what == action(4)));
  BOOST_TEST(newest[0].at_us == 4);
  BOOST_TEST((newest[0].previous == newest[1].hash));
  auto older = must(log.read(3, 100));
  BOOST_REQUIRE(older.size() == 2u);
  BOOST_TEST(older[0].number == 2u);
  BOOST_TEST((older[1].previous == digest{}));
  BOOST_TEST(must(log.read(1, 100)).empty());
  auto verdict = must(verify_audit_log(files, where, node.public_key()));
  BOOST_TEST(verdict.intact_count == 4u);
  BOOST_TEST(!verdict.first_broken.has_value());
}

BOOST_AUTO_TEST_CASE(a_log_that_is_not_there_is_intact) {
  faulty_file_system disk;
  auto verdict = must(verify_audit_log(disk, file, node.public_key()));
  BOOST_TEST(verdict.intact_count == 0u);
  BOOST_TEST(!verdict.first_broken.has_value());
}

BOOST_AUTO_TEST_CASE(every_change_is_named_by_its_entry) {
  BOOST_TEST(broken(written_log(5).verify()) == 0u);
  for (auto& [from, to, number] : std::vector<std::tuple<std::string, std::string, std::uint64_t>>{
         {"sessions/3", "sessions/8", 3}, {"\"at_us\":2000", "\"at_us\":2001", 2}, {"\"number\":4", "\"number\":5", 4},
         {"restart", "inspect", 1},       {"\"signature\":\"", "\"signature\":\"x", 1}}) {
    written_log log(5);
    log.replace(from, to);
    auto verdict = log.verify();
    BOOST_TEST(broken(verdict) == number, from);
    BOOST_TEST(to_string(*verdict.first_broken).find(fmt::format("entry {}", number)) != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_is_found) {
  written_log log(3);
  auto text = log.all();
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    auto damaged = text;
    auto at = random() % (text.size() - 1); // The last line's end may go: then it is half a line.
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    log.write(damaged);
    auto line = static_cast<std::uint64_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n')) + 1;
    BOOST_TEST(broken(log.verify()) == line, "byte " << at);
  }
}

BOOST_AUTO_TEST_CASE(lines_removed_swapped_repeated_or_foreign_are_found) {
  written_log log(4);
  auto text = log.all();
  auto lines = [&](std::initializer_list<std::size_t> order) {
    std::string all;
    for (auto number : order) all += log.line(number) + "\n";
    return all;
  };
  auto removed = lines({1, 3, 4}), swapped = lines({1, 3, 2, 4}), repeated = lines({1, 2, 2, 3}), first_gone = lines({2, 3, 4});
  for (auto& [changed, number] : {std::pair(removed, 2u), {swapped, 2u}, {repeated, 3u}, {first_gone, 1u}}) {
    log.write(changed);
    BOOST_TEST(broken(log.verify()) == number);
  }
  log.write(text);
  BOOST_TEST(broken(log.verify(key_of(2))) == 1u);
  auto forged = must(make_audit_entry(5, must(decode_audit_entry(log.line(4))).hash, 9, action(5), key_of(2)));
  log.write(text + encode_audit_entry(forged) + "\n");
  auto verdict = log.verify();
  BOOST_TEST(broken(verdict) == 5u);
  BOOST_TEST((root_cause(*verdict.first_broken).code == errc::bad_signature));
}

BOOST_AUTO_TEST_CASE(half_a_line_at_the_end_is_cut_and_the_chain_goes_on) {
  written_log log(3);
  log.write(log.all() + R"({"action":"kill","at_us")");
  auto again = must(audit_log::open(log.disk, file, node));
  BOOST_TEST(again.count() == 3u);
  must(again.append(action(4), 4000));
  auto verdict = log.verify();
  BOOST_TEST(verdict.intact_count == 4u);
  BOOST_TEST(!verdict.first_broken.has_value());
}

BOOST_AUTO_TEST_CASE(a_damaged_last_entry_keeps_the_log_from_opening) {
  written_log log(3);
  log.replace("sessions/3", "sessions\xff");
  auto opened = audit_log::open(log.disk, file, node);
  BOOST_REQUIRE(!opened.has_value());
  BOOST_TEST((opened.error().code == errc::corrupted));
  BOOST_TEST(opened.error().what.find("entry 3") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_damaged_entry_in_the_middle_is_named_when_read) {
  written_log log(3);
  log.replace("sessions/2", "sessions\xff");
  auto again = must(audit_log::open(log.disk, file, node));
  must(again.append(action(4), 4000));
  BOOST_TEST(must(again.read(0, 2)).size() == 2u);
  auto read = again.read(0, 3);
  BOOST_REQUIRE(!read.has_value());
  BOOST_TEST(read.error().what == "entry 2 is damaged");
}

BOOST_AUTO_TEST_CASE(bytes_without_end_are_no_reason_to_read_for_ever) {
  written_log log(1);
  log.write(log.all() + std::string(100'000, 'x'));
  BOOST_TEST((audit_log::open(log.disk, file, node).error().code == errc::corrupted));
  BOOST_TEST(broken(log.verify()) == 2u);
}

BOOST_AUTO_TEST_CASE(texts_are_bounded_and_utf_8) {
  written_log log(0);
  auto opened = must(audit_log::open(log.disk, file, node));
  auto long_name = action(1), long_text = action(1), no_text = action(1), largest = action(1);
  long_name.target = std::string(audit_name_bytes_max + 1, 'x');
  long_text.result = std::string(audit_text_bytes_max + 1, 'x');
  no_text.by = "\xff";
  BOOST_TEST((opened.append(long_name, 1).error().code == errc::limit_exceeded));
  BOOST_TEST((opened.append(long_text, 1).error().code == errc::limit_exceeded));
  BOOST_TEST((opened.append(no_text, 1).error().code == errc::invalid_input));
  for (auto* name : {&largest.by, &largest.action, &largest.target}) name->assign(audit_name_bytes_max, '\x01');
  for (auto* text : {&largest.consequence, &largest.result}) text->assign(audit_text_bytes_max, '\x01');
  BOOST_TEST((must(decode_audit_entry(encode_audit_entry(must(opened.append(largest, 1))))).what == largest));
  BOOST_TEST(log.verify().intact_count == 1u);
}

BOOST_AUTO_TEST_CASE(a_failed_write_or_sync_is_told_and_ends_the_log_until_it_is_opened_anew) {
  for (auto kind : {"append", "sync"}) {
    written_log log(2);
    auto opened = must(audit_log::open(log.disk, file, node));
    log.disk.fail_next(kind, errc::io_failed);
    BOOST_TEST((opened.append(action(3), 3).error().code == errc::io_failed), kind);
    BOOST_TEST(!opened.append(action(3), 3).has_value());
    auto again = must(audit_log::open(log.disk, file, node));
    BOOST_TEST(must(again.append(action(3), 3)).number == 3u);
    BOOST_TEST(broken(log.verify()) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(whenever_the_power_fails_what_was_answered_is_there) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    faulty_file_system disk;
    disk.lose_power_after(random() % 30);
    std::uint64_t answered = 0;
    if (auto log = audit_log::open(disk, file, node))
      while (auto entry = log->append(action(1), 1)) answered = entry->number;
    disk.restart(random);
    auto log = must(audit_log::open(disk, file, node));
    BOOST_TEST(log.count() >= answered, "seed " << seed);
    must(log.append(action(2), 2));
    auto verdict = must(verify_audit_log(disk, file, node.public_key()));
    BOOST_TEST(!verdict.first_broken.has_value(), "seed " << seed);
  }
}

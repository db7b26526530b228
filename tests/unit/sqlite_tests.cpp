// tests/unit/sqlite_tests.cpp - the wrapper of SQLite: values, transactions, versions, damage.
#define BOOST_TEST_MODULE sqlite_tests
#include <boost/test/unit_test.hpp>

#include <fstream>

#include "adapters/sqlite/database.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"

using namespace lucid;
using lucid::testing::must;
using lucid::testing::temp_folder;

namespace {

constexpr std::array<std::string_view, 2> scripts{
  "CREATE TABLE things(id INTEGER PRIMARY KEY, name TEXT, bytes BLOB);",
  "ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7;",
};

std::int64_t row_count(database& db) {
  auto query = db.prepare("SELECT count(*) FROM things").value();
  return query.step().value()->integer(0);
}

void add_thing(database& db, std::int64_t id) {
  auto insert = db.prepare("INSERT INTO things(id, name, bytes) VALUES(?,?,?)").value();
  must(insert.bind(id).bind(std::string_view("n'ame")).bind(byte_view{}).run());
}

} // namespace

BOOST_AUTO_TEST_CASE(values_come_back_as_they_went_in) {
  temp_folder temp;
  auto db = database::open(temp.path() / "a b%.db", scripts).value();
  add_thing(db, -5);
  auto query = db.prepare("SELECT id, name, bytes, size FROM things WHERE id = ?").value();
  auto row = query.bind(std::int64_t{-5}).step().value().value();
  BOOST_TEST(row.integer(0) == -5);
  BOOST_TEST(row.text(1, 10) == "n'ame");
  BOOST_TEST(row.blob(2, 0).empty());
  BOOST_TEST(row.count(3) == 7u);
  BOOST_TEST(row.check("things", "-5").has_value());
  BOOST_TEST(!query.step().value().has_value());
  BOOST_TEST(!query.bind(std::int64_t{6}).step().value().has_value()); // Reset by itself at the end.
  BOOST_TEST(std::filesystem::exists(temp.path() / "a b%.db"));
}

BOOST_AUTO_TEST_CASE(a_wrong_type_sign_length_or_range_spoils_the_row) {
  temp_folder temp;
  auto db = database::open(temp.path() / "a.db", scripts).value();
  must(db.execute("INSERT INTO things VALUES(1, x'00', 'text', -1)"));
  auto read = [&](auto with) {
    auto query = db.prepare("SELECT id, name, bytes, size FROM things").value();
    auto row = query.step().value().value();
    with(row);
    auto checked = row.check("things", "1");
    return checked ? std::string() : to_string(checked.error());
  };
  BOOST_TEST(read([](row_reader& r) { r.integer(0); }) == "");
  BOOST_TEST(read([](row_reader& r) { r.text(1, 10); }) ==
             "sqlite: table things, row 1: column name should hold text (corrupted)");
  BOOST_TEST(read([](row_reader& r) { r.blob(2, 10); }).find("should hold bytes") != std::string::npos);
  BOOST_TEST(read([](row_reader& r) { r.count(3); }).find("not negative") != std::string::npos);
  BOOST_TEST(read([](row_reader& r) { r.fixed<32>(2); }) != "");
  must(db.execute("UPDATE things SET size = 300, name = 'longer', bytes = x'0102'"));
  BOOST_TEST(read([](row_reader& r) { r.count_as<std::uint8_t>(3); }).find("range") != std::string::npos);
  BOOST_TEST(read([](row_reader& r) { r.count_as<std::uint16_t>(3); }) == "");
  BOOST_TEST(read([](row_reader& r) { r.text(1, 5); }).find("at most 5") != std::string::npos);
  BOOST_TEST(read([](row_reader& r) { r.fixed<3>(2); }).find("3 bytes") != std::string::npos);
  BOOST_TEST(read([](row_reader& r) { r.fixed<2>(2); }) == "");
}

BOOST_AUTO_TEST_CASE(a_number_that_does_not_fit_is_refused_before_it_is_written) {
  temp_folder temp;
  auto db = database::open(temp.path() / "a.db", scripts).value();
  auto insert = db.prepare("INSERT INTO things(id) VALUES(?)").value();
  BOOST_TEST((insert.bind_count(1ull << 63).run().error().code == errc::limit_exceeded));
  BOOST_TEST(row_count(db) == 0);
  BOOST_TEST(insert.bind_count((1ull << 63) - 1).run().has_value());
  BOOST_TEST((insert.bind_count((1ull << 63) - 1).run().error().code == errc::already_exists));
}

BOOST_AUTO_TEST_CASE(each_kind_of_broken_constraint_has_its_code) {
  temp_folder temp;
  std::array<std::string_view, 1> script{
    "CREATE TABLE a(id INTEGER PRIMARY KEY, n INTEGER NOT NULL CHECK(n < 5)) STRICT;"
    "CREATE TABLE b(id INTEGER PRIMARY KEY, a INTEGER REFERENCES a(id));"
    "CREATE TRIGGER stay BEFORE DELETE ON a BEGIN SELECT raise(ABORT, 'stays'); END;"};
  auto db = database::open(temp.path() / "a.db", script).value();
  must(db.execute("INSERT INTO a VALUES(1, 1)"));
  BOOST_TEST((db.execute("INSERT INTO a VALUES(1, 1)").error().code == errc::already_exists));
  BOOST_TEST((db.execute("INSERT INTO a VALUES(2, 5)").error().code == errc::invalid_input));
  BOOST_TEST((db.execute("INSERT INTO a VALUES(2, NULL)").error().code == errc::invalid_input));
  BOOST_TEST((db.execute("INSERT INTO a VALUES(2, 'x')").error().code == errc::invalid_input));
  BOOST_TEST((db.execute("INSERT INTO b VALUES(1, 7)").error().code == errc::not_found));
  BOOST_TEST((db.execute("DELETE FROM a").error().code == errc::wrong_state));
}

BOOST_AUTO_TEST_CASE(a_transaction_is_all_or_nothing) {
  temp_folder temp;
  auto db = database::open(temp.path() / "a.db", scripts).value();
  {
    auto change = transaction::begin(db).value();
    add_thing(db, 1);
    add_thing(db, 2);
  }
  BOOST_TEST(row_count(db) == 0);
  {
    auto change = transaction::begin(db).value();
    add_thing(db, 1);
    BOOST_TEST(change.commit().has_value());
  }
  BOOST_TEST(row_count(db) == 1);
}

BOOST_AUTO_TEST_CASE(an_older_file_is_brought_up_and_a_newer_one_refused) {
  temp_folder temp;
  auto file = temp.path() / "a.db";
  {
    auto db = database::open(file, std::span(scripts).first(1)).value();
    add_thing(db, 1);
  }
  {
    auto db = database::open(file, scripts).value();
    auto query = db.prepare("SELECT size FROM things").value();
    BOOST_TEST(query.step().value()->integer(0) == 7);
  }
  auto refused = database::open(file, std::span(scripts).first(1));
  BOOST_TEST((refused.error().code == errc::unsupported));
  BOOST_TEST(refused.error().what.find("version 2") != std::string::npos);
  BOOST_TEST((database::open_read_only(file, 1).error().code == errc::unsupported));
  BOOST_TEST(database::open_read_only(file, 2).has_value());
  BOOST_TEST(database::open_read_only(file, 3, 2).has_value());
  BOOST_TEST((database::open_read_only(file, 4, 3).error().code == errc::unsupported));
}

BOOST_AUTO_TEST_CASE(a_migration_that_fails_leaves_the_version_before_it) {
  temp_folder temp;
  auto file = temp.path() / "a.db";
  std::array<std::string_view, 2> broken{scripts[0], "CREATE TABLE more(id); CREATE TABLE more(id);"};
  BOOST_TEST(!database::open(file, broken).has_value());
  auto db = database::open(file, scripts);
  BOOST_TEST(db.has_value());
}

BOOST_AUTO_TEST_CASE(a_reader_sees_commits_of_a_writer_and_cannot_write) {
  temp_folder temp;
  auto file = temp.path() / "a.db";
  auto writer = database::open(file, scripts).value();
  auto reader = database::open_read_only(file, 2).value();
  add_thing(writer, 1);
  BOOST_TEST(row_count(reader) == 1);
  BOOST_TEST((reader.execute("DELETE FROM things").error().code == errc::read_only));
  BOOST_TEST((database::open_read_only(temp.path() / "none.db", 2).error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_database_or_a_damaged_one_is_corrupted) {
  temp_folder temp;
  auto garbage = temp.path() / "garbage.db";
  std::ofstream(garbage) << std::string(8192, 'x');
  BOOST_TEST((database::open(garbage, scripts).error().code == errc::corrupted));
  BOOST_TEST((database::open_read_only(garbage, 2).error().code == errc::corrupted));

  auto file = temp.path() / "a.db";
  {
    auto db = database::open(file, scripts).value();
    for (int i = 0; i < 500; ++i) add_thing(db, i);
    BOOST_TEST(db.findings().value().empty());
    BOOST_TEST(db.checkpoint().has_value());
  }
  auto size = std::filesystem::file_size(file);
  std::fstream(file, std::ios::in | std::ios::out).seekp(static_cast<std::streamoff>(size - 4096))
    << std::string(4096, '\xee');
  auto db = database::open(file, scripts).value();
  auto findings = db.findings();
  BOOST_TEST((findings ? !findings->empty() : findings.error().code == errc::corrupted));
}

BOOST_AUTO_TEST_CASE(a_new_database_and_its_log_are_for_their_owner_alone) {
  temp_folder temp;
  auto db = database::open(temp.path() / "a.db", scripts).value();
  add_thing(db, 1);
  std::size_t seen = 0;
  for (auto& file : std::filesystem::directory_iterator(temp.path())) {
    ++seen;
    auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
    BOOST_TEST(((file.status().permissions() & others) == std::filesystem::perms::none), file.path().string());
  }
  BOOST_TEST(seen >= 1u);
}

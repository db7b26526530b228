// tests/unit/log_tests.cpp - lines in both forms, levels by subsystem, foreign text, files, and not holding anybody up.
#define BOOST_TEST_MODULE log_tests
#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>
#include <stdlib.h>

#include "runtime/log/line.hpp"
#include "runtime/log/log.hpp"
#include "runtime/log/text.hpp"

using namespace lucid;

namespace {

const std::string id(64, 'a');

/// Collects lines while it lives.
struct collected {
  explicit collected(log::settings wanted = {}) {
    wanted.sink = [this](std::string_view line) { lines.emplace_back(line); };
    wanted.in_background = false;
    BOOST_REQUIRE(log::start(wanted));
  }
  ~collected() { log::stop(); }
  std::vector<std::string> lines;
};

log::record said(std::string_view path, std::string_view session, std::string_view message) {
  return {std::chrono::system_clock::time_point(std::chrono::milliseconds(1700000000123)), log::level::info, path, session, message};
}

} // namespace

BOOST_AUTO_TEST_CASE(a_line_for_people_has_time_level_path_and_short_session) {
  auto path = "sessions/" + id + "/chunk";
  BOOST_TEST(log::text_line(said(path, id, "cut"), false) == "2023-11-14T22:13:20.123Z info  sessions/aaaaaaaaaaaa/chunk: cut");
  BOOST_TEST(log::text_line(said("store", id, "put"), false) == "2023-11-14T22:13:20.123Z info  store (aaaaaaaaaaaa): put");
  BOOST_TEST(log::text_line(said("store", "", "up"), false) == "2023-11-14T22:13:20.123Z info  store: up");
}

BOOST_AUTO_TEST_CASE(a_line_for_machines_is_one_json_object) {
  auto line = log::json_line(said("store", id, "two\nlines \xff \"quoted\""));
  BOOST_TEST((line.find('\n') == std::string::npos));
  auto json = nlohmann::json::parse(line);
  BOOST_TEST(json["session"].get<std::string>() == id);
  BOOST_TEST(json["level"].get<std::string>() == "info");
  BOOST_TEST(json["time"].get<std::string>() == "2023-11-14T22:13:20.123Z");
  BOOST_TEST(json["message"].get<std::string>() == "two\nlines \xef\xbf\xbd \"quoted\"");
  BOOST_TEST(!nlohmann::json::parse(log::json_line(said("store", "", "x"))).contains("session"));
}

BOOST_AUTO_TEST_CASE(the_session_is_found_in_the_path) {
  BOOST_TEST(log::session_in("sessions/" + id + "/chunk") == id);
  BOOST_TEST(log::session_in("sessions/abc/chunk") == "");
  BOOST_TEST(log::session_in("") == "");
  BOOST_TEST(log::session_in(std::string(64, 'z')) == "");
}

BOOST_AUTO_TEST_CASE(foreign_text_can_neither_forge_a_line_nor_steer_a_terminal) {
  BOOST_TEST(printable("a\nb\tc\x1b[2J\r\x7f") == "a\\nb\\tc\\x1b[2J\\x0d\\x7f");
  BOOST_TEST(printable("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
  BOOST_TEST(printable("\xe2\x80\xae\xc2\x9b") == "\\u{202E}\\u{009B}");
  BOOST_TEST(printable("\xff\xc3") == "\\xff\\xc3");
  BOOST_TEST(printable("\xc0\x80\xed\xa0\x80\xf5\x80\x80\x80") == "\\xc0\\x80\\xed\\xa0\\x80\\xf5\\x80\\x80\\x80");
  BOOST_TEST(printable(std::string_view("\0x", 2)) == "\\x00x");
}

BOOST_AUTO_TEST_CASE(user_information_of_urls_is_blotted_out) {
  BOOST_TEST(without_credentials("to rdp://eve:secret@host:3389 now") == "to rdp://***@host:3389 now");
  BOOST_TEST(without_credentials("rdp://eve:p@ss/w@rd@host/x") == "rdp://***@host/x");
  BOOST_TEST(without_credentials("x11://:0 and mail@host") == "x11://:0 and mail@host");
  BOOST_TEST(without_credentials("a://b@c \"d://e@f\"") == "a://***@c \"d://***@f\"");
  BOOST_TEST(without_credentials("://@") == "://***@");
  collected log;
  log::warn("capture", "cannot reach {}", "rdp://eve:secret@host");
  BOOST_TEST((log.lines.at(0).find("secret") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(levels_hold_by_subsystem_and_change_at_run_time) {
  log::settings wanted;
  wanted.levels = {{"capture", log::level::debug}, {"sessions", log::level::error}};
  collected log(wanted);
  log::debug("sessions/" + id + "/capture", "1 is written: the last name counts");
  log::info("sessions/" + id + "/chunk", "is not");
  log::debug("store", "is not");
  log::info("store", "2 is written");
  log::set_level("store", log::level::warn);
  log::info("store", "is not");
  log::set_level("", log::level::trace);
  log::trace("ledger", "3 is written");
  log::set_level("ledger", log::level::off);
  log::error("ledger", "is not");
  BOOST_TEST(log.lines.size() == 3u);
  BOOST_TEST((log::levels().at("ledger") == log::level::off));
  BOOST_TEST(!log::enabled(log::level::error, "ledger"));
  BOOST_TEST(log::enabled(log::level::trace, "anchor"));
}

BOOST_AUTO_TEST_CASE(level_names_read_back) {
  for (int i = 0; i <= static_cast<int>(log::level::off); ++i) {
    auto at = static_cast<log::level>(i);
    BOOST_TEST((log::level_from(log::to_string(at)) == at));
  }
  BOOST_TEST(!log::level_from("loud"));
}

BOOST_AUTO_TEST_CASE(a_message_is_cut_at_its_bound) {
  collected log;
  log::info("store", "{}", std::string(log::message_bytes_max, 'x'));
  log::info("store", "{}", std::string(log::message_bytes_max + 7, 'x'));
  BOOST_TEST((log.lines.at(0).find("more") == std::string::npos));
  BOOST_TEST((log.lines.at(1).find("... (7 bytes more)") != std::string::npos));
  log::settings json;
  json.json = true;
  collected machine(json);
  log::info("store", "{}", std::string(log::message_bytes_max, '\x01'));
  BOOST_TEST(machine.lines.at(0).size() <= log::line_bytes_max);
}

BOOST_AUTO_TEST_CASE(a_stuck_sink_holds_nobody_up_and_what_gives_way_is_counted) {
  std::mutex mutex;
  std::condition_variable released_changed;
  bool released = false;
  std::size_t written = 0;
  log::settings wanted;
  wanted.sink = [&](std::string_view) {
    std::unique_lock lock(mutex);
    released_changed.wait(lock, [&] { return released; });
    ++written;
  };
  BOOST_REQUIRE(log::start(wanted));
  std::size_t said = 3 * log::waiting_lines_max;
  for (std::size_t i = 0; i < said; ++i) log::info("store", "line {}", i); // Would never return if it waited.
  auto dropped = log::dropped_line_count();
  {
    std::lock_guard lock(mutex);
    released = true;
  }
  released_changed.notify_all();
  log::stop();
  BOOST_TEST(dropped > 0u);
  BOOST_TEST(written + dropped == said);
}

BOOST_AUTO_TEST_CASE(a_file_takes_the_lines_and_is_turned_over_at_its_bound) {
  char name[] = "/tmp/lucid-log-tests-XXXXXX";
  std::filesystem::path folder = mkdtemp(name);
  log::settings wanted;
  wanted.file = folder / "lucid.log";
  wanted.file_bytes_max = 4096;
  wanted.file_count_max = 2;
  BOOST_REQUIRE(log::start(wanted));
  for (int i = 0; i < 200; ++i) log::info("store", "line {} of two hundred", i);
  log::stop();
  std::ifstream in(wanted.file);
  std::string last;
  for (std::string line; std::getline(in, line);) last = line;
  BOOST_TEST((last.find("line 199") != std::string::npos));
  std::size_t files = 0;
  for (auto& entry : std::filesystem::directory_iterator(folder)) {
    ++files;
    BOOST_TEST(entry.file_size() <= 4096u);
  }
  BOOST_TEST(files == 2u);
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_opened_is_an_error) {
  log::settings wanted;
  wanted.file = "/proc/no/such/folder/lucid.log";
  auto started = log::start(wanted);
  BOOST_REQUIRE(!started);
  BOOST_TEST((started.error().code == errc::io_failed));
}

BOOST_AUTO_TEST_CASE(many_threads_may_speak_while_levels_and_output_change) {
  std::atomic<std::size_t> lines{0};
  log::settings wanted;
  wanted.sink = [&](std::string_view) { ++lines; };
  BOOST_REQUIRE(log::start(wanted));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 500; ++i) log::info("store", "{}", i);
    });
  for (int i = 0; i < 50; ++i) {
    log::set_level("store", i % 2 != 0 ? log::level::info : log::level::debug);
    BOOST_REQUIRE(log::start(wanted));
  }
  for (auto& thread : threads) thread.join();
  log::stop();
  BOOST_TEST(lines > 0u);
}

BOOST_AUTO_TEST_CASE(the_last_lines_are_remembered_by_path_session_and_level) {
  collected log;
  log::info("recent/store", "one");
  log::warn("recent/store/below", "two\nlines");
  log::info("recent/storekeeper", "not below");
  log::error("recent/sessions/" + id + "/chunk", "three");
  log::debug("recent/store", "below the level: not written, not remembered");
  auto texts = [](const log::recent_query& wanted) {
    std::vector<std::string> all;
    for (auto& line : log::recent(wanted)) all.push_back(line.text);
    return all;
  };
  BOOST_TEST((texts({.path = "recent/store"}) == std::vector<std::string>{"one", "two\\nlines"}));
  BOOST_TEST((texts({.path = "recent/store", .lowest = log::level::warn}) == std::vector<std::string>{"two\\nlines"}));
  BOOST_TEST((texts({.path = "recent", .session = id}) == std::vector<std::string>{"three"}));
  BOOST_TEST((texts({.path = "recent", .count = 2}) == std::vector<std::string>{"not below", "three"}));
  BOOST_TEST(log::recent({.path = "recent/sessions"}).at(0).session == id);
}

BOOST_AUTO_TEST_CASE(remembered_lines_are_bounded_and_without_credentials) {
  collected log;
  for (std::size_t i = 0; i < log::recent_lines_max + 5; ++i) log::info("bounded", "line {} rdp://u:secret@host", i);
  auto all = log::recent({});
  BOOST_TEST(all.size() == log::recent_lines_max);
  BOOST_TEST(all.front().text == "line 5 rdp://***@host");
  log::info("bounded", "{}", std::string(3000, 'x'));
  BOOST_TEST(log::recent({.count = 1}).at(0).text.size() == log::recent_text_bytes_max);
}

// tests/unit/cli_tests.cpp - the command line's frame: parsing, suggestions, exit codes, output, generated pages.
#define BOOST_TEST_MODULE cli_tests
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/doctor.hpp"
#include "actors/node/cli/program.hpp"
#include "actors/node/cli/terminal.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

struct ran {
  int code = 0;
  std::string out, err;
};

ran run(std::vector<std::string> arguments) {
  std::ostringstream out, err;
  auto code = run_program(arguments, out, err);
  return {code, out.str(), err.str()};
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A folder that is gone afterwards.
struct temporary_folder {
  temporary_folder() {
    char name[] = "/tmp/lucid-cli-tests-XXXXXX";
    path = mkdtemp(name);
  }
  ~temporary_folder() { std::filesystem::remove_all(path); }
  std::filesystem::path write(const std::string& name, std::string_view text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    return path / name;
  }
  std::filesystem::path path;
};

/// No configuration of this machine may reach the tests.
struct clean_surroundings {
  clean_surroundings() {
    setenv("HOME", "/nonexistent", 1);
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    setenv("LUCID_CONFIG", LUCID_SOURCE_DIR "/config/development.toml", 1);
  }
};

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(clean_surroundings);

BOOST_AUTO_TEST_SUITE(parsing)

BOOST_AUTO_TEST_CASE(an_unknown_command_or_option_is_answered_with_the_nearest) {
  auto result = run({"verison"});
  BOOST_TEST(result.code == static_cast<int>(exit_code::usage));
  BOOST_TEST(result.err == "lucid: error: there is no command \"verison\"; did you mean \"version\"?\n");
  BOOST_TEST(has(run({"config", "chek"}).err, "did you mean \"check\"?"));
  BOOST_TEST(has(run({"version", "--jsno"}).err, "did you mean \"--json\"?"));
  BOOST_TEST(has(run({"xyzzyxyzzy"}).err, "see `lucid --help`"));
}

BOOST_AUTO_TEST_CASE(foreign_words_cannot_steer_the_terminal) {
  BOOST_TEST(!has(run({"\x1b[2J"}).err, "\x1b[2J"));
}

BOOST_AUTO_TEST_CASE(a_missing_command_is_named) {
  BOOST_TEST(has(run({}).err, "no command is given"));
  BOOST_TEST(has(run({"config"}).err, "\"lucid config\" needs one of its commands"));
  BOOST_TEST(run({"config"}).code == 2);
  BOOST_TEST(has(run({"--set"}).err, "--set"));
}

BOOST_AUTO_TEST_CASE(global_flags_stand_before_or_after_the_command) {
  for (auto& arguments : {std::vector<std::string>{"--json", "version"}, {"version", "--json"}}) {
    auto result = run(arguments);
    BOOST_TEST(result.code == 0);
    BOOST_TEST(nlohmann::json::parse(result.out)["libraries"]["CAF"].get<std::string>() == "0.17.6");
  }
}

BOOST_AUTO_TEST_CASE(help_goes_to_standard_output_and_is_no_failure) {
  for (auto& arguments : {std::vector<std::string>{"--help"}, {"config", "check", "--help"}, {"doctor", "-h"}}) {
    auto result = run(arguments);
    BOOST_TEST(result.code == 0);
    BOOST_TEST(has(result.out, "Usage: lucid"));
    BOOST_TEST(result.err == "");
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(commands)

BOOST_AUTO_TEST_CASE(each_command_is_named_once_and_shows_examples_that_parse) {
  std::set<std::string> names;
  for (auto& command : all_commands()) {
    BOOST_TEST_CONTEXT(command.name) {
      BOOST_TEST(names.insert(command.name).second);
      BOOST_TEST(!command.summary.empty());
      if (command.hidden) continue;
      BOOST_TEST(!command.examples.empty());
      bool own = false;
      for (auto& example : command.examples) own = own || has(example.line, "lucid " + command.name);
      BOOST_TEST(own);
    }
  }
}

BOOST_AUTO_TEST_CASE(check_lists_every_problem_and_ends_with_two) {
  temporary_folder folder;
  auto file = folder.write("bad.toml", "[journal]\nsync_interval = 1\nsync_intervall = 2\n");
  auto result = run({"config", "check", file.string()});
  BOOST_TEST(result.code == 2);
  BOOST_TEST(has(result.out, "bad.toml:2:17: journal.sync_interval: 1 is too small"));
  BOOST_TEST(has(result.out, "bad.toml:3:1: journal.sync_intervall"));
  BOOST_TEST(has(result.out, "2 problems"));
  auto json = nlohmann::json::parse(run({"config", "check", "--json", file.string()}).out);
  BOOST_TEST(json["good"].get<bool>() == false);
  BOOST_TEST(json["problems"][1]["line"].get<int>() == 3);
  BOOST_TEST(run({"config", "check", folder.write("good.toml", "[journal]\nsync_interval = 100\n").string()}).code == 0);
  BOOST_TEST(run({"config", "check", (folder.path / "none.toml").string()}).code == static_cast<int>(exit_code::not_found));
  BOOST_TEST(run({"config", "check", folder.path.string()}).code == static_cast<int>(exit_code::storage));
}

BOOST_AUTO_TEST_CASE(show_names_the_origin_and_masks_secrets) {
  temporary_folder folder;
  auto file = folder.write("one.toml", "[keys]\npassphrase = \"open sesame\"\n[seal]\nzstd_level = 4\n").string();
  auto result = run({"config", "show", "--config", file, "--set", "encode.threads=2", "--log-level", "warn"});
  BOOST_TEST(result.code == 0);
  BOOST_TEST(!has(result.out, "sesame"));
  BOOST_TEST(has(result.out, "one.toml:4:14"));
  BOOST_TEST(has(result.out, "--log-level"));
  auto list = nlohmann::json::parse(run({"config", "show", "--json", "--config", file, "--set", "encode.threads=2"}).out);
  auto row = std::find_if(list.begin(), list.end(), [](auto& line) { return line["key"] == "encode.threads"; });
  BOOST_REQUIRE((row != list.end()));
  BOOST_TEST((*row)["value"].get<std::string>() == "2");
  BOOST_TEST((*row)["from"].get<std::string>() == "--set");
}

BOOST_AUTO_TEST_CASE(a_secret_is_not_taken_from_the_command_line) {
  auto result = run({"config", "show", "--set", "keys.passphrase=open sesame"});
  BOOST_TEST(result.code == 2);
  BOOST_TEST(has(result.err, "use LUCID_KEYS_PASSPHRASE"));
  BOOST_TEST(!has(result.err, "sesame"));
}

BOOST_AUTO_TEST_CASE(explain_knows_keys_and_memory) {
  BOOST_TEST(has(run({"config", "explain", "seal.zstd_level"}).out, "1 to 19"));
  BOOST_TEST(run({"config", "explain", "seal.zstd"}).code == static_cast<int>(exit_code::not_found));
  BOOST_TEST(has(run({"config", "explain", "memory"}).out, "session.count_max"));
  BOOST_TEST(nlohmann::json::parse(run({"config", "explain", "--json"}).out).size() > 40u);
}

BOOST_AUTO_TEST_CASE(doctor_reports_each_check_and_fails_on_a_folder_that_cannot_be_used) {
  temporary_folder folder;
  auto result = run({"doctor", "--json", "--data-dir", (folder.path / "not/yet/there").string()});
  auto json = nlohmann::json::parse(result.out);
  std::set<std::string> names;
  for (auto& line : json["checks"]) {
    names.insert(line["check"].get<std::string>());
    // Whatever is not well comes with advice.
    BOOST_TEST((line["verdict"] == "ok") == line["advice"].get<std::string>().empty(), line.dump());
  }
  for (auto wanted : {"clock", "disk space", "disk sync", "encoder", "landlock", "seccomp", "open files", "memory"})
    BOOST_TEST(names.count(wanted) == 1u, wanted);
  BOOST_TEST(std::filesystem::is_empty(folder.path));
  auto broken = run({"doctor", "--json", "--data-dir", "/proc/none"});
  BOOST_TEST(broken.code == static_cast<int>(exit_code::failure));
}

BOOST_AUTO_TEST_CASE(a_slow_disk_is_judged_by_the_journals_interval) {
  BOOST_TEST((judge_sync(5'000, 1s).what == verdict::ok));
  BOOST_TEST((judge_sync(150'000, 1s).what == verdict::warn));
  BOOST_TEST((judge_sync(1'500'000, 1s).what == verdict::fail));
  BOOST_TEST((judge_sync(150'000, 2s).what == verdict::ok));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(output)

BOOST_AUTO_TEST_CASE(each_error_code_has_a_documented_exit_code) {
  for (int i = 1; i <= static_cast<int>(errc_last); ++i) {
    auto code = exit_code_for(static_cast<errc>(i));
    auto known = [&](const exit_code_line& line) { return line.code == code; };
    BOOST_TEST(std::any_of(exit_codes().begin(), exit_codes().end(), known), to_string(static_cast<errc>(i)));
    BOOST_TEST((code != exit_code::ok));
  }
}

BOOST_AUTO_TEST_CASE(an_error_is_one_line_and_its_causes) {
  std::ostringstream to;
  auto cause = error{errc::disk_full, "store", "no space left on \x1b[31mdevice", nullptr};
  print_error(to, fail(errc::wrong_state, "session", "cannot record", cause).value());
  auto text = to.str();
  BOOST_TEST(has(text, "error"));
  BOOST_TEST(has(text, ": session: cannot record\n  because of: store: no space left on \\x1b[31mdevice\n"));
}

BOOST_AUTO_TEST_CASE(a_table_is_aligned_by_characters_not_bytes) {
  table rows({{"name"}, {"size", table::align::right}, {"note"}});
  rows.add({"gr\xc3\xbc\xc3\x9f", "5", "x"});
  rows.add({"ab", "12345"});
  rows.add({"evil\x1b[0m", "1", "y"});
  std::ostringstream to;
  rows.print(to);
  BOOST_TEST(to.str() == "name          size  note\n"
                         "gr\xc3\xbc\xc3\x9f             5  x\n"
                         "ab           12345\n"
                         "evil\\x1b[0m      1  y\n");
}

BOOST_AUTO_TEST_CASE(progress_tells_rate_and_rest_once_it_can_know_them) {
  constexpr std::uint64_t mib = 1 << 20;
  BOOST_TEST(progress_text("sealing", 0, 0, progress_unit::bytes, 0ms) == "sealing  0 B");
  BOOST_TEST(progress_text("sealing", 10 * mib, 40 * mib, progress_unit::bytes, 2s) ==
             "sealing  10.0 MiB of 40.0 MiB  25 %  5.00 MiB/s  6 s left");
  BOOST_TEST(progress_text("verifying", 3, 2, progress_unit::count, 0ms) == "verifying  3 of 2  100 %");
  BOOST_TEST(progress_text("recording", 5, 20, progress_unit::seconds, 5s, "2 chunks") ==
             "recording  5 s of 20 s  25 %  15 s left  2 chunks");
}

BOOST_AUTO_TEST_CASE(progress_is_silent_where_nobody_watches) {
  std::ostringstream silent, watched;
  {
    progress quiet(silent, false, "sealing", 2, progress_unit::count), live(watched, true, "sealing", 2, progress_unit::count);
    for (auto* each : {&quiet, &live}) {
      each->update(1);
      each->update(2);
    }
  }
  BOOST_TEST(silent.str() == "");
  // The first update at once, the second with the end: a line is not shown more than ten times a second.
  BOOST_TEST(watched.str() == "\r\x1b[Ksealing  1 of 2  50 %\r\x1b[Ksealing  2 of 2  100 %\n");
}

BOOST_AUTO_TEST_CASE(output_that_cannot_be_written_is_a_failure) {
  std::ofstream full("/dev/full");
  std::ostringstream err;
  auto code = run_program({"config", "explain"}, full, err);
  BOOST_TEST(code == static_cast<int>(exit_code::storage));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(generated)

BOOST_AUTO_TEST_CASE(the_committed_page_is_the_generated_one) {
  BOOST_TEST((read_file(LUCID_SOURCE_DIR "/docs/cli.md") == run({"docs", "cli"}).out),
             "docs/cli.md differs from the program; run: cmake --build --preset release --target lucid_docs");
}

BOOST_AUTO_TEST_CASE(bash_completes_commands_options_and_files) {
  if (std::system("bash -c true") != 0) {
    BOOST_TEST_MESSAGE("SKIPPED: there is no bash on this machine");
    return;
  }
  temporary_folder folder;
  auto script = folder.write("completion", run({"completion", "bash"}).out);
  folder.write("profile.toml", "");
  auto complete = [&](const std::string& words) {
    auto line = "cd " + folder.path.string() + " && bash -c '. " + script.string() + "; COMP_WORDS=(" + words +
                "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _lucid; echo \"${COMPREPLY[*]}\"' > reply 2>&1";
    BOOST_REQUIRE(std::system(line.c_str()) == 0);
    return read_file(folder.path / "reply");
  };
  BOOST_TEST(complete("lucid vers") == "version\n");
  BOOST_TEST(complete("lucid config ch") == "check\n");
  BOOST_TEST(complete("lucid config explain --mark") == "--markdown\n");
  BOOST_TEST(complete("lucid --config x config sh") == "show\n");
  BOOST_TEST(complete("lucid config check prof") == "profile.toml\n");
  BOOST_TEST(complete("lucid --config prof") == "profile.toml\n");
  BOOST_TEST(complete("lucid doctor --jso") == "--json\n");
  BOOST_TEST(complete("lucid doc") == "doctor\n"); // Not the hidden "docs".
}

BOOST_AUTO_TEST_SUITE_END()

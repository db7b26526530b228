// tests/integration/cli_recording_tests.cpp - what the command line does with finished recordings and with keys.
#define BOOST_TEST_MODULE cli_recording_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "actors/node/cli/exit_code.hpp"
#include "actors/node/cli/moment.hpp"
#include "actors/node/cli/passphrase.hpp"
#include "actors/node/cli/program.hpp"
#include "actors/store/store_schema.hpp"
#include "adapters/ffmpeg/media_packet.hpp"
#include "adapters/ffmpeg/media_reader.hpp"
#include "adapters/ffmpeg/remuxer.hpp"
#include "adapters/sqlite/database.hpp"
#include "tests/doubles/recorded_folder.hpp"

using namespace lucid;
using lucid::testing::must;
using lucid::testing::recorded_folder;
using lucid::testing::recorded_frame_count;
using lucid::testing::recording_plan;
using lucid::testing::temp_folder;
using nlohmann::json;

namespace {

struct ran {
  int code = 0;
  std::string out, err;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// No configuration and no terminal of this machine may reach the tests.
struct clean_surroundings {
  clean_surroundings() {
    ffmpeg::redirect_log([](const char*, bool) {});
    setenv("HOME", "/nonexistent", 1);
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    setenv("LUCID_CONFIG", LUCID_SOURCE_DIR "/config/development.toml", 1);
    auto nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, keyboard_input);
    ::close(nothing);
  }
};

session_id id_of(std::initializer_list<std::uint8_t> begin) {
  session_id id{};
  id.fill(0x77);
  std::copy(begin.begin(), begin.end(), id.begin());
  return id;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::filesystem::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

void flip(const std::filesystem::path& file, std::size_t at) {
  auto bytes = read_file(file);
  BOOST_REQUIRE(at < bytes.size());
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  write_file(file, bytes);
}

/// A data folder with keys and one finished recording: 0x3f9a... of 3 video chunks and one of events.
struct one_recording {
  temp_folder folder;
  std::filesystem::path data = folder.path() / "data";
  session_id id = id_of({0x3f, 0x9a, 0x01});

  explicit one_recording(const std::string& passphrase = {}) {
    if (passphrase.empty()) {
      BOOST_REQUIRE(run({"keys", "init", "--no-passphrase"}).code == 0);
    } else {
      write_file(folder.path() / "pw", passphrase + "\n");
      BOOST_REQUIRE(run({"keys", "init", "--passphrase-file", path("pw")}).code == 0);
    }
    recorded_folder(data, passphrase).add({.id = id});
  }

  ran run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--data-dir", data.string()});
    std::ostringstream out, err;
    auto code = run_program(arguments, out, err);
    return {code, out.str(), err.str()};
  }
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  std::filesystem::path chunk(track on, std::uint32_t index) const { return chunk_file(data, {id, on, index}); }

  /// Names in the folder besides the data: what a command left.
  std::vector<std::string> left() const {
    std::vector<std::string> names;
    for (auto& entry : std::filesystem::directory_iterator(folder.path()))
      if (entry.path() != data) names.push_back(entry.path().filename().string());
    return names;
  }
};

/// Frames in a media file, counted by a reader that has nothing to do with the exporter.
std::uint64_t frames_in(const std::string& path) {
  auto fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  BOOST_REQUIRE(fd >= 0);
  auto reader = must(ffmpeg::remuxer::open(fd, {}));
  std::uint64_t count = 0;
  for (;;) {
    auto step = must(reader.next());
    for (auto& f : step.fragments) count += f.frame_count;
    if (step.ended) break;
  }
  ::close(fd);
  return count;
}

constexpr int code_of(exit_code code) { return static_cast<int>(code); }

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(clean_surroundings);

BOOST_AUTO_TEST_SUITE(verifying)

BOOST_AUTO_TEST_CASE(a_good_recording_is_intact_and_decrypted_with_a_key_that_opens_by_itself) {
  one_recording r;
  auto result = r.run({"verify", "3f9a"});
  BOOST_TEST(result.code == 0, result.err);
  BOOST_TEST(has(result.out, "INTACT: every byte"));
  BOOST_TEST(has(result.out, "decrypted with the key owner"));
  BOOST_TEST(has(result.out, "(this node)"));
  auto report = json::parse(r.run({"verify", to_hex(r.id), "--json", "--no-key", "--threads", "2"}).out);
  BOOST_TEST(report["intact"].get<bool>());
  BOOST_TEST(!report["decrypted"].get<bool>());
  BOOST_TEST(report["chunk_count"].get<int>() == 4);
  BOOST_TEST(report["block"]["height"].get<int>() == 1);
  BOOST_TEST(report["findings"].empty());
}

BOOST_AUTO_TEST_CASE(a_flipped_byte_is_named_by_track_chunk_block_and_offset) {
  one_recording r;
  flip(r.chunk(track::video, 1), 20'000);
  auto result = r.run({"verify", "3f9a"});
  BOOST_TEST(result.code == code_of(exit_code::damaged));
  BOOST_TEST(has(result.out, "NOT INTACT: 1 finding"));
  BOOST_TEST(has(result.out, "video-000001.chunk"));
  auto report = json::parse(r.run({"verify", "3f9a", "--json"}).out);
  BOOST_TEST(!report["intact"].get<bool>());
  BOOST_REQUIRE(report["findings"].size() == 1u);
  auto& f = report["findings"][0];
  BOOST_TEST(f["subject"].get<std::string>() == "block");
  BOOST_TEST(f["track"].get<std::string>() == "video");
  BOOST_TEST(f["chunk"].get<int>() == 1);
  BOOST_TEST(f["block"].get<int>() == 1);
  BOOST_TEST(f["offset_bytes"].get<int>() == 16'384);
}

BOOST_AUTO_TEST_CASE(a_lost_chunk_and_another_recordings_manifest_are_found) {
  one_recording r;
  std::filesystem::remove(r.chunk(track::events, 0));
  BOOST_TEST(r.run({"verify", "3f9a"}).code == code_of(exit_code::damaged));
  auto other = id_of({0xaa, 0xbb});
  recorded_folder(r.data).add({.id = other});
  auto db = must(database::open(store_file(r.data), store_migrations));
  must(db.execute("UPDATE manifests SET canonical = o.canonical, hash = o.hash, signature = o.signature FROM (SELECT * FROM manifests"
                  " WHERE hex(session) LIKE '3F9A%') o WHERE hex(manifests.session) LIKE 'AABB%'"));
  auto result = r.run({"verify", "aabb"});
  BOOST_TEST(result.code == code_of(exit_code::damaged));
  BOOST_TEST(has(result.out, "it is the manifest of recording 3f9a"), result.out);
  BOOST_TEST(r.run({"export", "aabb", r.path("out.mp4")}).code == code_of(exit_code::damaged));
}

BOOST_AUTO_TEST_CASE(a_recording_that_is_not_finished_can_be_exported_but_not_yet_verified) {
  one_recording r;
  recorded_folder(r.data).add({.id = id_of({0xcc, 0xdd}), .finished = false});
  auto result = r.run({"verify", "ccdd"});
  BOOST_TEST(result.code == code_of(exit_code::not_now));
  BOOST_TEST(has(result.err, "in the state \"recording\"); it can be verified once it is completed"));
  BOOST_TEST(r.run({"prove", "ccdd"}).code == code_of(exit_code::not_now));
  auto exported = r.run({"export", "ccdd", r.path("so_far.mp4")});
  BOOST_TEST(exported.code == 0, exported.err);
  BOOST_TEST(has(exported.err, "not finished"));
}

BOOST_AUTO_TEST_CASE(commands_read_while_a_node_writes) {
  one_recording r;
  posix_file_system files;
  auto store = must(recording_store::open({r.data, 0}, files));
  BOOST_TEST(r.run({"verify", "3f9a"}).code == 0);
}

BOOST_AUTO_TEST_CASE(an_id_is_a_prefix_of_one_recording) {
  one_recording r;
  recorded_folder(r.data).add({.id = id_of({0x3f, 0x9a, 0x02}), .finished = false});
  auto ambiguous = r.run({"verify", "3f9a"});
  BOOST_TEST(ambiguous.code == code_of(exit_code::usage));
  BOOST_TEST(has(ambiguous.err, "3f9a01777777, 3f9a02777777; give more digits"), ambiguous.err);
  BOOST_TEST(r.run({"verify", "3F9A01"}).code == 0);
  BOOST_TEST(r.run({"verify", "3f9"}).code == code_of(exit_code::usage));
  BOOST_TEST(has(r.run({"verify", "3f9"}).err, "at least 4"));
  BOOST_TEST(r.run({"verify", "xyzw"}).code == code_of(exit_code::usage));
  BOOST_TEST(r.run({"verify", "0000"}).code == code_of(exit_code::not_found));
  BOOST_TEST(has(r.run({"verify", "0000"}).err, "lucid sessions list"));
}

BOOST_AUTO_TEST_CASE(a_folder_without_recordings_is_said_to_be_one) {
  temp_folder empty;
  std::ostringstream out, err;
  auto code = run_program({"verify", "3f9a", "--data-dir", empty.path().string()}, out, err);
  BOOST_TEST(code == code_of(exit_code::not_found));
  BOOST_TEST(has(err.str(), "nothing has been recorded in"));
  BOOST_TEST(std::filesystem::is_empty(empty.path()));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(keys)

BOOST_AUTO_TEST_CASE(a_key_it_is_not_sealed_for_is_refused_with_those_it_is_sealed_for) {
  one_recording r;
  BOOST_TEST(r.run({"keys", "init", "--name", "stranger", "--no-passphrase"}).code == 0);
  for (auto& command : {std::vector<std::string>{"verify", "3f9a"}, {"export", "3f9a", r.path("out.mp4")}}) {
    auto with_key = command;
    with_key.insert(with_key.end(), {"--key", "stranger"});
    auto result = r.run(with_key);
    BOOST_TEST(result.code == code_of(exit_code::permission));
    BOOST_TEST(has(result.err, "is not sealed for the key stranger"), result.err);
    with_key.back() = "nobody";
    BOOST_TEST(r.run(with_key).code == code_of(exit_code::not_found));
  }
  std::filesystem::rename(r.data / "keys/owner.key", r.path("mine.key"));
  BOOST_TEST(r.run({"export", "3f9a", r.path("out.mp4")}).code == code_of(exit_code::permission));
  BOOST_TEST(r.run({"verify", "3f9a"}).code == 0); // Hashes and signatures need no key.
  BOOST_TEST(r.left() == std::vector<std::string>{"mine.key"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_key_under_a_passphrase_opens_with_it_alone) {
  one_recording r("correct horse");
  auto out = r.path("out.mp4");
  auto asked = r.run({"export", "3f9a", out});
  BOOST_TEST(asked.code == code_of(exit_code::permission));
  BOOST_TEST(has(asked.err, "--passphrase-file"));
  write_file(r.path("wrong"), "battery staple\n");
  BOOST_TEST(r.run({"export", "3f9a", out, "--passphrase-file", r.path("wrong")}).code == code_of(exit_code::permission));
  BOOST_TEST(!std::filesystem::exists(out));
  BOOST_TEST(r.run({"export", "3f9a", out, "--passphrase-file", r.path("pw")}).code == 0);
  // Unasked, a key that would ask is left alone; the configured passphrase opens it.
  BOOST_TEST(has(r.run({"verify", "3f9a"}).out, "no key was given"));
  auto file = "keys.passphrase_file=" + r.path("pw");
  BOOST_TEST(has(r.run({"verify", "3f9a", "--set", file}).out, "decrypted with the key owner"));
}

BOOST_AUTO_TEST_CASE(init_makes_keys_once_and_says_what_to_do_with_them) {
  temp_folder folder;
  auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--data-dir", folder.path().string()});
    std::ostringstream out, err;
    auto code = run_program(arguments, out, err);
    return ran{code, out.str(), err.str()};
  };
  auto refused = run({"keys", "init"});
  BOOST_TEST(refused.code == code_of(exit_code::usage));
  BOOST_TEST(has(refused.err, "--no-passphrase"));
  BOOST_TEST(has(refused.err, "--passphrase-file"));
  BOOST_TEST(!std::filesystem::exists(folder.path() / "keys/owner.key"));
  BOOST_TEST(run({"keys", "init", "--name", "node", "--no-passphrase"}).code == code_of(exit_code::usage));
  BOOST_TEST(run({"keys", "init", "--name", "../x", "--no-passphrase"}).code == code_of(exit_code::usage));

  auto made = run({"keys", "init", "--no-passphrase"});
  BOOST_TEST(made.code == 0);
  BOOST_TEST(has(made.out, "Copy " + (folder.path() / "keys/owner.key").string()));
  auto key = read_file(folder.path() / "keys/owner.key");
  auto again = run({"keys", "init", "--no-passphrase"});
  BOOST_TEST(again.code == code_of(exit_code::not_now));
  BOOST_TEST(has(again.err, "no key is ever overwritten"));
  BOOST_TEST(read_file(folder.path() / "keys/owner.key") == key);
  BOOST_TEST(has(run({"keys", "init", "--no-passphrase", "--name", "alice"}).out, "was there"));

  auto list = json::parse(run({"keys", "show", "--json"}).out);
  BOOST_REQUIRE(list.size() == 3u);
  BOOST_TEST(list[0]["name"].get<std::string>() == "alice");
  auto line = run({"keys", "export", "owner"}).out;
  BOOST_TEST(line == "lucid-owner:" + list[2]["public_key"].get<std::string>() + " owner\n");
  BOOST_TEST(run({"keys", "show", "bob"}).code == code_of(exit_code::not_found));
}

/// Types an answer whenever something is asked.
class typist : public std::stringbuf {
public:
  typist(int master, std::vector<std::string> answers) : master_(master), answers_(std::move(answers)) {}
  int sync() override {
    auto text = str();
    if (text.ends_with(": ") && next_ < answers_.size()) {
      auto& answer = answers_[next_++];
      if (::write(master_, answer.data(), answer.size()) != static_cast<ssize_t>(answer.size())) return -1;
    }
    return 0;
  }

private:
  int master_;
  std::vector<std::string> answers_;
  std::size_t next_ = 0;
};

BOOST_AUTO_TEST_CASE(a_passphrase_is_typed_unseen_twice_and_the_terminal_given_back) {
  int master = -1, slave = -1;
  BOOST_REQUIRE(::openpty(&master, &slave, nullptr, nullptr, nullptr) == 0);
  auto ask = [&](std::vector<std::string> answers) {
    typist keyboard(master, std::move(answers));
    std::ostream prompts(&keyboard);
    return ask_new_passphrase(slave, prompts, "Passphrase");
  };
  auto good = ask({"tast\x7f\x7fst\x15test \xc3\xa9x\x7f\x7f\xc3\xa9\n", "test \xc3\xa9\n"});
  BOOST_REQUIRE(good.has_value());
  BOOST_TEST(good->reveal() == "test \xc3\xa9");
  BOOST_TEST((ask({"one\n", "two\n"}).error().code == errc::invalid_input));
  BOOST_TEST((ask({"\n"}).error().code == errc::invalid_input));
  BOOST_TEST((ask({"half\x03"}).error().code == errc::cancelled));
  BOOST_TEST((ask({std::string(1025, 'x')}).error().code == errc::limit_exceeded));
  termios after{};
  BOOST_REQUIRE(::tcgetattr(slave, &after) == 0);
  BOOST_TEST((after.c_lflag & (ECHO | ICANON | ISIG)) == unsigned(ECHO | ICANON | ISIG));
  // Nothing typed was echoed.
  ::fcntl(master, F_SETFL, O_NONBLOCK);
  char shown[64];
  BOOST_TEST(::read(master, shown, sizeof shown) < 0);
  ::close(master);
  ::close(slave);
  std::ostringstream to;
  auto nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  BOOST_TEST((ask_passphrase(nothing, to, "Passphrase").error().code == errc::io_failed));
  ::close(nothing);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(proving)

BOOST_AUTO_TEST_CASE(a_proof_verifies_alone_and_an_altered_one_does_not) {
  one_recording r;
  auto proof = r.path("proof.json");
  auto made = r.run({"prove", "3f9a", "--output", proof});
  BOOST_TEST(made.code == 0, made.err);
  BOOST_TEST(r.run({"prove", "3f9a"}).out == read_file(proof));
  BOOST_TEST(r.run({"prove", "3f9a", "--output", proof}).code == code_of(exit_code::not_now));
  auto node = r.run({"keys", "export", "node"}).out;
  write_file(r.path("node.pub"), node);
  auto chunk = r.path("taken_along.chunk");
  std::filesystem::copy_file(r.chunk(track::video, 2), chunk);
  std::filesystem::remove_all(r.data);

  auto alone = r.run({"verify-proof", proof, "--chunk", chunk});
  BOOST_TEST(alone.code == 0, alone.err);
  BOOST_TEST(has(alone.out, "VALID: the recorder signed this recording"));
  BOOST_TEST(has(alone.out, "video chunk 2"));
  BOOST_TEST(has(alone.out, "name it by --recorder"));
  auto trusted = r.run({"verify-proof", proof, "--recorder", r.path("node.pub")});
  BOOST_TEST(trusted.code == 0, trusted.err);
  BOOST_TEST(!has(trusted.out, "name it by --recorder"));
  BOOST_TEST(r.run({"verify-proof", proof, "--recorder", std::string(64, 'a')}).code == code_of(exit_code::permission));
  BOOST_TEST(r.run({"verify-proof", proof, "--recorder", "nobody"}).code == code_of(exit_code::usage));

  auto text = read_file(proof);
  text.replace(text.find("a test"), 6, "a text");
  write_file(r.path("altered.json"), text);
  BOOST_TEST(r.run({"verify-proof", r.path("altered.json")}).code == code_of(exit_code::damaged));
  BOOST_TEST(r.run({"verify-proof", r.path("none.json")}).code == code_of(exit_code::not_found));
  write_file(r.path("garbage.json"), "{}");
  BOOST_TEST(r.run({"verify-proof", r.path("garbage.json")}).code == code_of(exit_code::usage));
}

BOOST_AUTO_TEST_CASE(with_leaves_a_proof_places_the_damage_in_a_chunk_file) {
  one_recording r;
  auto bare = r.path("bare.json"), full = r.path("full.json");
  BOOST_TEST(r.run({"prove", "3f9a", "--output", bare}).code == 0);
  BOOST_TEST(r.run({"prove", "3f9a", "--leaves", "--output", full}).code == 0);
  auto file = r.chunk(track::video, 0).string();
  flip(file, 40'000);
  auto placed = r.run({"verify-proof", full, "--chunk", file});
  BOOST_TEST(placed.code == code_of(exit_code::damaged));
  BOOST_TEST(has(placed.out, "block 2 (byte offset 32768, 16384 bytes)"), placed.out);
  auto whole = r.run({"verify-proof", bare, "--chunk", file});
  BOOST_TEST(whole.code == code_of(exit_code::damaged));
  BOOST_TEST(has(whole.out, "--leaves"));
  auto report = json::parse(r.run({"verify-proof", full, "--json", "--chunk", file, "--chunk", r.chunk(track::events, 0).string()}).out);
  BOOST_TEST(!report["valid"].get<bool>());
  BOOST_TEST(report["files"][0]["damage"][0]["block"].get<int>() == 2);
  BOOST_TEST(report["files"][1]["intact"].get<bool>());
  BOOST_TEST(r.run({"verify-proof", full, "--chunk", r.path("none.chunk")}).code == code_of(exit_code::not_found));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(exporting)

BOOST_AUTO_TEST_CASE(an_export_has_every_frame_and_a_range_has_fewer_and_decrypts_less) {
  one_recording r;
  auto whole = r.run({"export", "3f9a", r.path("whole.mp4"), "--json"});
  BOOST_TEST(whole.code == 0, whole.err);
  auto report = json::parse(whole.out);
  BOOST_TEST(report["frame_count"].get<std::uint64_t>() == recorded_frame_count);
  BOOST_TEST(report["chunk_count"].get<int>() == 3);
  BOOST_TEST(frames_in(r.path("whole.mp4")) == recorded_frame_count);
  auto part = json::parse(r.run({"export", "3f9a", r.path("part.mp4"), "--from", "4.5", "--to", "0:05", "--json"}).out);
  BOOST_TEST(part["chunk_count"].get<int>() == 1);
  BOOST_TEST(part["from_us"].get<std::int64_t>() == 4'000'000); // The key frame before 4.5 s.
  BOOST_TEST(frames_in(r.path("part.mp4")) == 15u);
  BOOST_TEST(std::filesystem::file_size(r.path("part.mp4")) < std::filesystem::file_size(r.path("whole.mp4")) / 3);
  BOOST_TEST((std::filesystem::status(r.path("part.mp4")).permissions() == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)));
}

BOOST_AUTO_TEST_CASE(a_range_that_cannot_be_is_refused_in_words) {
  one_recording r;
  auto refused = [&](std::vector<std::string> range, std::string_view words) {
    range.insert(range.begin(), {"export", "3f9a", r.path("out.mp4")});
    auto result = r.run(range);
    BOOST_TEST(result.code == code_of(exit_code::usage));
    BOOST_TEST(has(result.err, words), result.err);
  };
  refused({"--from", "99"}, "the recording is 00:00:05.9 long");
  refused({"--from", "4", "--to", "2"}, "before it begins");
  refused({"--from", "soon"}, "such as 12.5");
  refused({"--to", "0"}, "leaves nothing");
  BOOST_TEST(r.run({"export", "3f9a"}).code == code_of(exit_code::usage));
  BOOST_TEST(r.left().empty());
}

BOOST_AUTO_TEST_CASE(nothing_is_overwritten_and_nothing_half_made_is_left) {
  one_recording r;
  auto out = r.path("out.mp4");
  write_file(out, "mine");
  for (auto& command : {std::vector<std::string>{"export", "3f9a", out}, {"sheet", "3f9a", out}, {"export", "3f9a", "--events", out}}) {
    auto result = r.run(command);
    BOOST_TEST(result.code == code_of(exit_code::not_now));
    BOOST_TEST(has(result.err, "--force replaces it"));
  }
  BOOST_TEST(read_file(out) == "mine");
  BOOST_TEST(r.run({"export", "3f9a", out, "--force"}).code == 0);
  BOOST_TEST(frames_in(out) == recorded_frame_count);
  flip(r.chunk(track::video, 1), 5'000);
  auto damaged = r.run({"export", "3f9a", r.path("other.mp4")});
  BOOST_TEST(damaged.code == code_of(exit_code::damaged));
  BOOST_TEST(has(damaged.err, "video chunk 1"));
  BOOST_TEST(has(damaged.err, "lucid verify 3f9a"));
  BOOST_TEST(r.run({"export", "3f9a", r.path("none/out.mp4")}).code == code_of(exit_code::not_found));
  BOOST_TEST(r.left() == std::vector<std::string>{"out.mp4"}, boost::test_tools::per_element());
  // What does not touch the damage can still be exported.
  BOOST_TEST(r.run({"export", "3f9a", r.path("after.mp4"), "--from", "4.1"}).code == 0);
}

BOOST_AUTO_TEST_CASE(events_are_json_lines_of_the_range) {
  one_recording r;
  auto all = r.run({"export", "3f9a", "--events", "-"});
  BOOST_TEST(all.code == 0, all.err);
  BOOST_TEST(std::count(all.out.begin(), all.out.end(), '\n') == 3);
  auto some = r.run({"export", "3f9a", "--events", "-", "--from", "3", "--to", "5"}).out;
  BOOST_TEST(json::parse(some)["detail"]["second"].get<int>() == 3);
  auto file = r.path("events.jsonl");
  BOOST_TEST(r.run({"export", "3f9a", r.path("out.mp4"), "--events", file}).code == 0);
  BOOST_TEST(read_file(file) == all.out);
}

BOOST_AUTO_TEST_CASE(a_sheet_is_a_picture) {
  one_recording r;
  auto result = r.run({"sheet", "3f9a", r.path("sheet.png"), "--count", "6", "--tile-width", "160"});
  BOOST_TEST(result.code == 0, result.err);
  BOOST_TEST(read_file(r.path("sheet.png")).starts_with("\x89PNG\r\n"));
  BOOST_TEST(r.run({"sheet", "3f9a", r.path("b.png"), "--count", "65"}).code == code_of(exit_code::usage));
}

BOOST_AUTO_TEST_CASE(a_player_gets_the_whole_stream) {
  one_recording r;
  auto out = r.path("stream");
  auto played = r.run({"play", "3f9a", "--player", "dd status=none of=" + out});
  BOOST_TEST(played.code == 0, played.err);
  auto stream = read_file(out);
  BOOST_TEST(must(ffmpeg::summarize(as_bytes(stream))).frame_count == recorded_frame_count);
  auto piped = r.run({"play", "3f9a", "--player", "-", "--from", "5"});
  BOOST_TEST(must(ffmpeg::summarize(as_bytes(piped.out))).frame_count == 30u);
  BOOST_TEST(r.run({"play", "3f9a", "--player", "true"}).code == 0); // Closing the window early is no failure.
  BOOST_TEST(r.run({"play", "3f9a", "--player", "false"}).code == code_of(exit_code::missing));
  BOOST_TEST(r.run({"play", "3f9a", "--player", "no-such-player"}).code == code_of(exit_code::missing));
}

BOOST_AUTO_TEST_CASE(moments_are_read_strictly) {
  auto read = [](std::string_view text) { return parse_moment(text, "--from"); };
  BOOST_TEST(read("12.5").value() == 12'500'000);
  BOOST_TEST(read("0").value() == 0);
  BOOST_TEST(read("90").value() == 90'000'000);
  BOOST_TEST(read("1:30").value() == 90'000'000);
  BOOST_TEST(read("90:00").value() == 5'400'000'000);
  BOOST_TEST(read("1:02:03.000001").value() == 3'723'000'001);
  for (auto text : {"", "1:60", "1:60:00", ":30", "1:", "1.", ".5", "-1", "1e3", "1:2:3:4", "1.0000001", "12345678901", " 1", "1,5"})
    BOOST_TEST((!read(text) && read(text).error().code == errc::invalid_input), text);
  BOOST_TEST(show_moment(3'723'450'000) == "01:02:03.4");
  BOOST_TEST(read(show_moment(3'723'400'000)).value() == 3'723'400'000);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(chain)

BOOST_AUTO_TEST_CASE(the_chain_is_shown_and_verified) {
  one_recording r;
  auto blocks = json::parse(r.run({"ledger", "show", "--json"}).out);
  BOOST_REQUIRE(blocks.size() == 2u);
  BOOST_TEST(blocks[0]["height"].get<int>() == 1);
  BOOST_TEST(blocks[0]["previous"] == blocks[1]["hash"]);
  auto block = json::parse(r.run({"ledger", "show", "--height", "1", "--json"}).out);
  BOOST_TEST(block["entries"][0]["session"].get<std::string>() == to_hex(r.id));
  BOOST_TEST(json::parse(r.run({"ledger", "show", "--count", "1", "--json"}).out).size() == 1u);
  BOOST_TEST(r.run({"ledger", "show", "--height", "9"}).code == code_of(exit_code::not_found));
  auto verified = r.run({"ledger", "verify"});
  BOOST_TEST(verified.code == 0, verified.err);
  BOOST_TEST(has(verified.out, "INTACT"));
  BOOST_TEST(r.run({"ledger", "verify", "--producer", r.run({"keys", "export", "node"}).out}).code == 0);
  BOOST_TEST(r.run({"ledger", "verify", "--producer", std::string(64, 'b')}).code != 0);

  auto db = must(database::open(ledger_file_name(r.data), std::array<std::string_view, 2>{"", ""}));
  must(db.execute("DROP TRIGGER blocks_last; UPDATE blocks SET header = (SELECT header FROM blocks WHERE height = 0) WHERE height = 1"));
  BOOST_TEST(r.run({"ledger", "verify"}).code == code_of(exit_code::damaged));
  BOOST_TEST(r.run({"verify", "3f9a"}).code == code_of(exit_code::damaged));
}

BOOST_AUTO_TEST_CASE(where_there_is_no_chain_it_is_said) {
  temp_folder empty;
  std::ostringstream out, err;
  BOOST_TEST(run_program({"ledger", "verify", "--data-dir", empty.path().string()}, out, err) == code_of(exit_code::not_found));
  BOOST_TEST(has(err.str(), "there is no chain in"));
}

BOOST_AUTO_TEST_SUITE_END()

// actors/node/cli/command_play.cpp - `lucid play`: the decrypted video through a pipe to a player; never on a disk.
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>

#include <fmt/core.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/passphrase.hpp"
#include "actors/node/cli/recording_range.hpp"
#include "actors/node/cli/signals.hpp"
#include "adapters/files/descriptor.hpp"
#include "runtime/log/text.hpp"

extern char** environ;

namespace lucid {
namespace {

using namespace std::chrono_literals;

struct play_options {
  std::string id;
  std::string player;
  std::shared_ptr<range_choice> range;
  std::shared_ptr<key_choice> key;
};

using words = std::vector<std::string>;

std::optional<std::string> on_path(const std::string& program) {
  if (program.find('/') != program.npos) return ::access(program.c_str(), X_OK) == 0 ? std::optional(program) : std::nullopt;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    auto file = (folder.empty() ? "." : folder) + "/" + program;
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return std::nullopt;
}

/// Players that read a stream from standard input, in the order they are looked for.
std::vector<words> known_players(const std::string& title) {
  return {{"ffplay", "-loglevel", "error", "-autoexit", "-window_title", title, "-i", "-"},
          {"mpv", "--really-quiet", "--force-media-title=" + title, "-"},
          {"vlc", "--quiet", "--play-and-exit", "-"}};
}

outcome<words> player_of(const play_options& options, const std::string& title) {
  if (options.player.empty()) {
    for (auto& player : known_players(title))
      if (on_path(player[0])) return player;
    return fail(errc::missing_dependency, "play",
                "none of ffplay, mpv and vlc is on PATH; install one, name another by --player, or `lucid export` the recording");
  }
  for (auto& player : known_players(title))
    if (player[0] == options.player && on_path(player[0])) return player;
  std::istringstream text(options.player);
  words command{std::istream_iterator<std::string>(text), {}};
  if (command.empty() || !on_path(command[0]))
    return fail(errc::missing_dependency, "play",
                fmt::format("there is no program \"{}\" that can be run; --player takes a program and its arguments, or -",
                            printable(options.player)));
  return command;
}

/// A program that reads what is written to it.
class reading_program {
public:
  static outcome<reading_program> start(const words& command) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(errc::io_failed, "play", fmt::format("no pipe: {}", std::strerror(errno)));
    descriptor read_end(ends[0]), write_end(ends[1]);
    std::vector<char*> arguments;
    for (auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, read_end.get(), keyboard_input);
    // The player gets signals as any program does: we have blocked and ignored some.
    sigset_t none, pipe;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &pipe);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t child = -1;
    auto code = ::posix_spawnp(&child, arguments[0], &files, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (code != 0) return fail(errc::missing_dependency, "play", fmt::format("{} cannot be started: {}", command[0], std::strerror(code)));
    return reading_program(child, std::move(write_end));
  }

  /// False when it reads no more.
  bool write(byte_view bytes) {
    while (!bytes.empty()) {
      auto done = ::write(to_.get(), bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(done));
    }
    return true;
  }

  /// Ends its input and waits for its end; its exit status, or 128 and the signal that ended it.
  int finish() {
    to_ = descriptor();
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

private:
  reading_program(pid_t child, descriptor to) : child_(child), to_(std::move(to)) {}
  pid_t child_;
  descriptor to_;
};

/// Decrypts chunk by chunk into `take`, until it answers false.
template <class Take>
outcome<void> stream_video(open_range& range, const stop_signals& signals, const Take& take) {
  chunk_stream stream(*range.recording, range.opened.key, range.plan.video,
                      [&](std::uint64_t) { return !signals.wait(0ms).has_value(); });
  for (;;) {
    auto plain = stream.next();
    if (!plain) return pass_on(std::move(plain));
    if (plain->empty() || !take(*plain)) return {};
  }
}

command_result play_to_output(command_context& context, open_range& range) {
  if (is_terminal(standard_output))
    return fail(errc::invalid_input, "play", "standard output is a terminal, which shows no video; pipe it to a player or a file");
  stop_signals signals;
  auto played = stream_video(range, signals, [&](const byte_buffer& bytes) {
    context.out << as_text(bytes);
    return context.out.good();
  });
  if (!played) return pass_on(std::move(played));
  return exit_code::ok;
}

command_result play(command_context& context, const play_options& options) {
  // Before a passphrase is asked for: is there anything to play it with?
  words player;
  if (options.player != "-") {
    auto found = player_of(options, "lucid " + options.id);
    if (!found) return pass_on(std::move(found));
    player = std::move(*found);
  }
  auto range = open_range_of(context, options.id, *options.range, *options.key);
  if (!range) return pass_on(std::move(range));
  if (auto there = check_has_video(*range); !there) return pass_on(std::move(there));
  if (options.player == "-") return play_to_output(context, *range);
  stop_signals signals;
  auto program = reading_program::start(player);
  if (!program) return pass_on(std::move(program));
  auto played = stream_video(*range, signals, [&](const byte_buffer& bytes) { return program->write(bytes); });
  auto status = program->finish();
  if (!played) return pass_on(std::move(played));
  if (status == 0) return exit_code::ok;
  return fail(errc::missing_dependency, "play",
              fmt::format("{} ended with status {}; --player names another one, `lucid export` makes a file", player[0], status));
}

} // namespace

command_spec play_command() {
  return {.name = "play",
          .summary = "Play a recording.",
          .details = "Decrypts chunk by chunk into a pipe to ffplay, mpv or vlc, whichever is there; nothing is written to a disk. "
                     "Playing begins with the chunk in which --from lies. A recording whose desktop changed its size plays "
                     "best from an exported file.",
          .examples = {{"lucid play 3f9a", "in the first player that is found"},
                       {"lucid play 3f9a --from 10:00 --player \"mpv --fs -\"", "from about the tenth minute on, in this one"},
                       {"lucid play 3f9a --player - | ffprobe -", "the stream to standard output"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto o = std::make_shared<play_options>();
            app.add_option("ID", o->id, "The recording: its id, or at least four digits of its beginning").required().type_name("");
            o->range = add_range_options(app);
            app.add_option("--player", o->player, "Program that reads the video from standard input; - for none").type_name("CMD");
            o->key = add_key_options(app);
            return [o](command_context& context) { return play(context, *o); };
          }};
}

} // namespace lucid

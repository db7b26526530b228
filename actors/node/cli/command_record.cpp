// actors/node/cli/command_record.cpp - `lucid record`: one recording, watched from start to anchor.
#include <chrono>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "actors/console/api_json.hpp"
#include "actors/node/cli/chain_members.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/node_client.hpp"
#include "actors/node/cli/signals.hpp"
#include "actors/node/node.hpp"
#include "actors/node/node_keys.hpp"
#include "actors/node/session_text.hpp"
#include "adapters/sodium/secret.hpp"
#include "messages/pipeline.hpp"
#include "messages/source_url.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

constexpr auto poll_interval = 250ms;
constexpr int create_attempts_max = 5;
constexpr auto create_pause = 500ms;

struct record_options {
  std::string source;
  std::string title;
  std::string owner;
  std::vector<std::string> recipients;
  std::string username;
  std::string password_file;
  std::string size;
  std::uint32_t seconds = 0;
  std::uint32_t frame_rate = 0;
  std::string encoder;
  std::uint32_t quality = 0;
  bool has_quality = false;
  bool detach = false;
};

outcome<void> read_size(const std::string& text, capture_request& what) {
  unsigned width = 0, height = 0;
  char end = 0;
  if (std::sscanf(text.c_str(), "%ux%u%c", &width, &height, &end) != 2)
    return fail(errc::invalid_input, "record", "--size " + text + ": expected WIDTHxHEIGHT, such as 1280x720");
  what.width = width;
  what.height = height;
  return {};
}

outcome<session_create_request> wish_of(const record_options& options, const configuration& settings) {
  session_create_request wish;
  wish.what.source = options.source;
  if (auto parsed = parse_source_url(options.source); !parsed) return pass_on(std::move(parsed));
  wish.what.username = options.username;
  wish.what.width = settings.capture.width;
  wish.what.height = settings.capture.height;
  if (!options.size.empty())
    if (auto read = read_size(options.size, wish.what); !read) return pass_on(std::move(read));
  wish.what.frame_rate_max = options.frame_rate != 0 ? options.frame_rate : settings.capture.frame_rate_max;
  wish.what.encoder = options.encoder.empty() ? settings.encode.encoder : options.encoder;
  wish.what.quality = options.has_quality ? options.quality : settings.encode.quality;
  wish.policy.title = options.title;
  wish.policy.owner = options.owner;
  wish.policy.length_seconds_max = options.seconds;
  for (auto& text : options.recipients) {
    box_public_key key{};
    if (!from_hex_into(text, key))
      return fail(errc::invalid_input, "record", "--recipient " + text + ": expected 64 hexadecimal digits, as "
                                                 "`lucid keys show` prints them");
    wish.policy.recipients.push_back(key);
  }
  if (!options.password_file.empty()) {
    auto password = secret_from_file(options.password_file == "-" ? "/dev/stdin" : options.password_file);
    if (!password) return pass_on(std::move(password));
    wish.what.password = password->reveal();
  } else if (!settings.capture.password_file.empty()) {
    auto password = secret_from_file(settings.capture.password_file);
    if (!password) return pass_on(std::move(password));
    wish.what.password = password->reveal();
  } else {
    wish.what.password = settings.capture.password.reveal();
  }
  return wish;
}

std::string live_note(const session_summary& s) {
  auto note = fmt::format("{}  {}  {} frames  {} stored in {} chunks", to_string(s.state),
                          duration_text(recorded_length_us(s)), s.frame_count, size_text(s.stored_bytes), s.chunk_count);
  if (s.gap_count != 0) note += fmt::format("  {} gaps", s.gap_count);
  return note;
}

/// Follows the session until it is final. The first signal ends the recording in order, the second only the watching.
outcome<session_summary> follow(const node_client& client, session_summary now, const stop_signals& signals,
                                command_context& context) {
  auto line = context.make_progress("recording", 0, progress_unit::bytes);
  bool stopping = false;
  while (!is_final(now.state)) {
    if (signals.wait(poll_interval)) {
      if (std::exchange(stopping, true))
        return fail(errc::cancelled, "record",
                    "no longer watching; session " + short_id(now.id) + " is finished by the node");
      if (auto asked = client.stop(now.id, "stopped by the user"); !asked && asked.error().code != errc::wrong_state)
        return pass_on(std::move(asked));
    }
    auto seen = client.session(now.id);
    if (!seen && seen.error().code == errc::busy) continue;
    if (!seen) return seen;
    now = std::move(*seen);
    line.update(now.captured_bytes, live_note(now));
  }
  line.finish();
  return now;
}

/// A part of the node that is just being restarted takes the job a moment later; `busy` means that nothing was begun.
outcome<session_summary> create(const node_client& client, const session_create_request& wish,
                                const stop_signals& signals) {
  for (int attempt = 1;; ++attempt) {
    auto created = client.create(wish.what, wish.policy);
    if (created || created.error().code != errc::busy || attempt == create_attempts_max) return created;
    if (signals.wait(create_pause)) return fail(errc::cancelled, "record", "stopped before anything was recorded");
  }
}

void report(command_context& context, const session_summary& s, const chain_names& names) {
  if (context.options.json) return print_json(context.out, json(to_json(s)));
  auto& out = context.out;
  out << fmt::format("session   {}\n", to_hex(s.id));
  out << fmt::format("state     {}{}\n", to_string(s.state), s.reason.empty() ? "" : ": " + s.reason);
  out << fmt::format("recorded  {} from {}, {} frames", duration_text(recorded_length_us(s)), time_text(s.started_us),
                     s.frame_count);
  out << (s.gap_count == 0 ? "\n" : fmt::format(", {} gaps\n", s.gap_count));
  out << fmt::format("stored    {} in {} chunks\n", size_text(s.stored_bytes), s.chunk_count);
  if (s.block_height != 0) out << fmt::format("anchored  in {}\n", block_sentence(s.block_height, s.block_producer, names));
  if (!context.options.quiet && s.block_height != 0)
    out << fmt::format("\nNext: lucid verify {0} | lucid export {0} out.mp4 | lucid prove {0}\n", short_id(s.id));
}

command_result record(command_context& context, const record_options& options) {
  stop_signals signals; // Before any thread is started, so that all of them leave the signals to us.
  auto loaded = context.start(false);
  if (!loaded) return pass_on(std::move(loaded));
  auto& settings = loaded->values;
  auto wish = wish_of(options, settings);
  if (!wish) return pass_on(std::move(wish));

  node_client client(settings);
  std::unique_ptr<node> own;
  bool from_input = options.source == "-";
  if (client.reachable()) {
    if (from_input)
      return fail(errc::wrong_state, "record",
                  "a node runs on this data folder and cannot read this command's standard input; write the stream to a "
                  "file and record file:PATH, or use another --data-dir");
  } else {
    if (options.detach)
      return fail(errc::unreachable, "record", "--detach needs a running node; start one with `lucid node`");
    node_options own_options;
    if (from_input) own_options.input_fd = 0;
    own_options.origins = std::move(loaded->origins);
    auto started = node::start(settings, own_options);
    if (!started) return pass_on(std::move(started));
    own = std::move(*started);
  }
  auto created = create(client, *wish, signals);
  wipe(wish->what.password);
  if (!created) return pass_on(std::move(created));
  if (options.detach) {
    if (context.options.json)
      print_json(context.out, json(to_json(*created)));
    else
      context.out << to_hex(created->id) << '\n';
    return exit_code::ok;
  }
  auto ended = follow(client, *created, signals, context);
  if (!ended) return pass_on(std::move(ended));
  bool failed = ended->state == session_state::failed;
  if (failed && !context.options.json) return fail(errc::unreachable, "record", ended->reason);
  report(context, *ended, names_for(client, {*ended}));
  return failed ? exit_code::source : exit_code::ok;
}

} // namespace

command_spec record_command() {
  return {.name = "record",
          .summary = "Record a remote desktop, a display or a media file.",
          .details = "Hands the job to the node that runs on this data folder; without one, runs a node of its own "
                     "until the recording is anchored. Ctrl-C ends the recording in order.\n"
                     "Sources: rdp://[user@]host[:port], x11://:N, file:PATH, - (a stream on standard input), "
                     "generator:seed=1&frames=300.",
          .examples = {{"lucid record rdp://admin@192.0.2.7 --password-file pw --title \"Maintenance\"",
                        "record an RDP session; its certificate is pinned at the first use"},
                       {"lucid record x11://:0 --seconds 3600", "record this machine's display for an hour"},
                       {"lucid record file:meeting.mkv", "seal and anchor an existing recording"},
                       {"ffmpeg -i rtsp://camera -c copy -f matroska - | lucid record -", "seal a stream as it comes"},
                       {"lucid record rdp://10.0.0.5 --detach --json", "let the node record, and print the session"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto o = std::make_shared<record_options>();
            app.add_option("SOURCE", o->source, "What to record").required();
            app.add_option("--title", o->title, "What the recording is of, for people");
            app.add_option("--owner", o->owner, "Whose recording it is, for people");
            app.add_option("--recipient", o->recipients, "Public key that can open it; may be repeated "
                                                         "(default: keys.recipients, else the key \"owner\")")
              .type_name("KEY").repeated();
            app.add_option("--seconds", o->seconds, "Stop by itself after so long (default: session.length_max)");
            app.add_option("--username", o->username, "User on the remote desktop");
            app.add_option("--password-file", o->password_file, "File whose first line is the password; - for standard input")
              .type_name("FILE");
            app.add_option("--size", o->size, "Wished size of the desktop, such as 1280x720").type_name("WxH");
            app.add_option("--frame-rate", o->frame_rate, "Frames a second at most").between(1, 120);
            app.add_option("--encoder", o->encoder, "FFmpeg's name of a video encoder, or auto");
            auto quality = app.add_option("--quality", o->quality, "Constant rate factor, 0 to 51, lower is better")
                              .between(0, 51);
            app.add_flag("--detach", o->detach, "Print the session id and return; needs a running node");
            return [o, quality](command_context& context) {
              o->has_quality = quality.count() != 0;
              return record(context, *o);
            };
          }};
}

} // namespace lucid

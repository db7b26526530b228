// actors/node/cli/command_export.cpp - `lucid export` to a video anybody can play, `lucid sheet` to one picture.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include <fmt/core.h>
#include <unistd.h>

#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/moment.hpp"
#include "actors/node/cli/output_file.hpp"
#include "actors/node/cli/recording_range.hpp"
#include "actors/node/cli/signals.hpp"
#include "actors/node/session_text.hpp"
#include "adapters/ffmpeg/media_reader.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

struct export_options {
  std::string id;
  std::string output;
  std::string events;
  std::shared_ptr<range_choice> range;
  std::shared_ptr<key_choice> key;
  bool force = false;
};

/// Shows progress and listens to Ctrl-C between chunks.
chunks_progress watched(progress& line, const stop_signals& signals) {
  return [&](std::uint64_t done_bytes) {
    line.update(done_bytes);
    return !signals.wait(0ms).has_value();
  };
}

// --- video -----------------------------------------------------------------------------------------------------

struct exported_video {
  ffmpeg::export_summary summary;
  std::uint64_t file_bytes = 0;
};

outcome<exported_video> export_video(command_context& context, open_range& range, const export_options& options) {
  if (auto there = check_has_video(range); !there) return pass_on(std::move(there));
  auto file = output_file::begin(options.output, options.force);
  if (!file) return pass_on(std::move(file));
  stop_signals signals;
  auto line = context.make_progress("exporting", sealed_bytes_of(range.plan.video), progress_unit::bytes);
  chunk_stream stream(*range.recording, range.opened.key, range.plan.video, watched(line, signals));
  auto written = ffmpeg::remux_to_mp4([&] { return stream.next(); }, file->temporary().string(), range.media());
  if (!written) return pass_on(std::move(written));
  if (auto kept = file->keep(); !kept) return pass_on(std::move(kept));
  line.finish();
  std::error_code ignored;
  return exported_video{*written, std::filesystem::file_size(options.output, ignored)};
}

void report_video(command_context& context, const open_range& range, const export_options& options, const exported_video& video) {
  auto& s = video.summary;
  if (context.options.json)
    return print_json(context.out, {{"session", to_hex(range.what.session)}, {"file", options.output}, {"frame_count", s.frame_count},
                                    {"from_us", range.since_start(s.first_us)}, {"to_us", range.since_start(s.last_us)},
                                    {"size_count", s.segment_count}, {"chunk_count", range.plan.video.size()},
                                    {"chunk_count_total", range.video_chunk_count()}, {"file_bytes", video.file_bytes}});
  if (context.options.quiet) return;
  context.err << fmt::format("{}: {} frames, {} to {}, {}; {} of {} video chunks decrypted\n", printable(options.output), s.frame_count,
                             show_moment(range.since_start(s.first_us)), show_moment(range.since_start(s.last_us)),
                             size_text(video.file_bytes), range.plan.video.size(), range.video_chunk_count());
  if (s.segment_count > 1)
    context.err << fmt::format("The desktop changed its size {} time{}.\n", s.segment_count - 1, s.segment_count == 2 ? "" : "s");
  if (!range.is_signed) context.err << "The recording is not finished: this is what is stored of it so far.\n";
}

// --- events ----------------------------------------------------------------------------------------------------

/// Whether the line's event lies within the range. A line that does not say when is kept rather than lost.
bool is_within(std::string_view line, const open_range& range) {
  auto event = json::parse(line, nullptr, false);
  if (!event.is_object() || !event.contains("at_us") || !event["at_us"].is_number_integer()) return true;
  auto at_us = event["at_us"].get<std::int64_t>();
  return (!range.from_us || at_us >= *range.from_us) && (!range.to_us || at_us < *range.to_us);
}

using text_sink = std::function<outcome<void>(std::string_view)>;

outcome<std::uint64_t> write_events(open_range& range, const text_sink& write) {
  chunk_stream stream(*range.recording, range.opened.key, range.plan.events);
  std::uint64_t count = 0;
  for (;;) {
    auto plain = stream.next();
    if (!plain) return pass_on(std::move(plain));
    if (plain->empty()) return count;
    auto rest = as_text(*plain);
    std::string lines;
    while (!rest.empty()) { // Fragments hold whole lines, and so do chunks.
      auto end = std::min(rest.find('\n'), rest.size() - 1) + 1;
      auto line = rest.substr(0, end);
      rest.remove_prefix(end);
      if (!is_within(line, range)) continue;
      lines += line;
      if (lines.back() != '\n') lines += '\n';
      ++count;
    }
    if (auto written = write(lines); !written) return pass_on(std::move(written));
  }
}

outcome<void> export_events(command_context& context, open_range& range, const export_options& options) {
  if (options.events == "-") {
    auto written = write_events(range, [&](std::string_view text) {
      context.out << text;
      return outcome<void>();
    });
    return written ? outcome<void>() : pass_on(std::move(written));
  }
  auto file = output_file::begin(options.events, options.force);
  if (!file) return pass_on(std::move(file));
  auto written = write_events(range, [&](std::string_view text) { return file->append(as_bytes(text)); });
  if (!written) return pass_on(std::move(written));
  if (auto kept = file->keep(); !kept) return kept;
  if (!context.options.quiet)
    context.err << fmt::format("{}: {} event{}\n", printable(options.events), *written, *written == 1 ? "" : "s");
  return {};
}

outcome<void> check_outputs(const export_options& options) {
  if (options.output == "-")
    return fail(errc::invalid_input, "export", "an MP4 file cannot be written to a pipe; `lucid play ID --player -` streams one");
  if (options.output.empty() && options.events.empty())
    return fail(errc::invalid_input, "export", "nothing to write: name a file such as out.mp4, or --events FILE");
  // Before anything is decrypted.
  for (auto* path : {&options.output, &options.events}) {
    if (path->empty() || *path == "-") continue;
    if (auto possible = output_file::begin(*path, options.force); !possible) return pass_on(std::move(possible));
  }
  return {};
}

command_result export_recording(command_context& context, const export_options& options) {
  if (auto fits = check_outputs(options); !fits) return pass_on(std::move(fits));
  auto range = open_range_of(context, options.id, *options.range, *options.key);
  if (!range) return pass_on(std::move(range));
  if (!options.output.empty()) {
    auto video = export_video(context, *range, options);
    if (!video) return pass_on(std::move(video));
    report_video(context, *range, options, *video);
  }
  if (!options.events.empty())
    if (auto done = export_events(context, *range, options); !done) return pass_on(std::move(done));
  return exit_code::ok;
}

// --- contact sheet ---------------------------------------------------------------------------------------------

struct sheet_options {
  std::string id;
  std::string output;
  std::shared_ptr<range_choice> range;
  std::shared_ptr<key_choice> key;
  std::uint32_t count = 12;
  std::uint32_t columns = 0;
  std::uint32_t tile_width = 480;
  bool force = false;
};

/// Evenly spread over the range, each in the middle of its part.
std::vector<ffmpeg::sheet_moment> moments_of(const open_range& range, std::uint32_t count) {
  auto from_us = range.from_us.value_or(range.what.started_us), to_us = range.to_us.value_or(range.what.ended_us);
  std::vector<ffmpeg::sheet_moment> moments;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto at_us = from_us + (to_us - from_us) * (2 * i + 1) / (2 * count);
    moments.push_back({range.track_us(at_us), show_moment(at_us - range.what.started_us)});
  }
  return moments;
}

/// The chunks in which the moments lie: those between need not be decrypted.
std::vector<chunk_record> chunks_of(const open_range& range, const std::vector<ffmpeg::sheet_moment>& moments) {
  std::vector<chunk_record> needed;
  for (auto& moment : moments) {
    const chunk_record* shown = &range.plan.video.front();
    for (auto& chunk : range.plan.video)
      if (range.track_us(chunk.span.start_us) <= moment.at_us) shown = &chunk;
    if (needed.empty() || needed.back().key != shown->key) needed.push_back(*shown);
  }
  return needed;
}

command_result draw_sheet(command_context& context, const sheet_options& options) {
  auto file = output_file::begin(options.output, options.force);
  if (!file) return pass_on(std::move(file));
  auto range = open_range_of(context, options.id, *options.range, *options.key);
  if (!range) return pass_on(std::move(range));
  if (auto there = check_has_video(*range); !there) return pass_on(std::move(there));
  auto moments = moments_of(*range, options.count);
  auto chunks = chunks_of(*range, moments);
  auto columns = options.columns != 0 ? options.columns : static_cast<std::uint32_t>(std::ceil(std::sqrt(options.count)));
  stop_signals signals;
  auto line = context.make_progress("drawing", sealed_bytes_of(chunks), progress_unit::bytes);
  chunk_stream stream(*range->recording, range->opened.key, chunks, watched(line, signals));
  auto png = ffmpeg::contact_sheet([&] { return stream.next(); }, moments, columns, options.tile_width);
  if (!png) return pass_on(std::move(png));
  line.finish();
  if (auto written = file->append(*png); !written) return pass_on(std::move(written));
  if (auto kept = file->keep(); !kept) return pass_on(std::move(kept));
  if (context.options.json)
    print_json(context.out, {{"session", to_hex(range->what.session)}, {"file", options.output}, {"moment_count", moments.size()},
                             {"file_bytes", png->size()}});
  else if (!context.options.quiet)
    context.err << fmt::format("{}: {} moments, {}\n", printable(options.output), moments.size(), size_text(png->size()));
  return exit_code::ok;
}

} // namespace

command_spec export_command() {
  return {.name = "export",
          .summary = "Write a recording, or a part of it, as an MP4 file that any player plays.",
          .details = "Nothing is encoded again. Only the chunks of the range are decrypted, each after it was compared with the "
                     "signed manifest; the file begins at the key frame before --from. Files are made whole or not at all, "
                     "readable for you only.",
          .examples = {{"lucid export 3f9a out.mp4", "all of it"},
                       {"lucid export 3f9a out.mp4 --from 1:30 --to 2:00", "half a minute"},
                       {"lucid export 3f9a --events -", "what happened besides the picture, as JSON lines"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto o = std::make_shared<export_options>();
            app.add_option("ID", o->id, "The recording: its id, or at least four digits of its beginning").required().type_name("");
            app.add_option("OUT", o->output, "The MP4 file to make").type_name("");
            o->range = add_range_options(app);
            app.add_option("--events", o->events, "Also write the events as JSON lines; - for standard output").type_name("FILE");
            o->key = add_key_options(app);
            app.add_flag("--force", o->force, "Replace files that are there");
            return [o](command_context& context) { return export_recording(context, *o); };
          }};
}

command_spec sheet_command() {
  return {.name = "sheet",
          .summary = "Draw moments of a recording into one PNG picture.",
          .details = "The moments are spread evenly, and each is labelled with its time since the start.",
          .examples = {{"lucid sheet 3f9a out.png", "twelve moments"},
                       {"lucid sheet 3f9a out.png --count 30 --columns 6 --from 10:00", "more of them, from the tenth minute on"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto o = std::make_shared<sheet_options>();
            app.add_option("ID", o->id, "The recording: its id, or at least four digits of its beginning").required().type_name("");
            app.add_option("OUT", o->output, "The PNG file to make").required().type_name("");
            app.add_option("--count", o->count, "Moments to draw").between(1, 64).type_name("N");
            app.add_option("--columns", o->columns, "Pictures in a row (default: as many as make it square)")
              .between(1, 64).type_name("N");
            app.add_option("--tile-width", o->tile_width, "Width of one picture in pixels").between(32, 1920).type_name("N");
            o->range = add_range_options(app);
            o->key = add_key_options(app);
            app.add_flag("--force", o->force, "Replace a file that is there");
            return [o](command_context& context) { return draw_sheet(context, *o); };
          }};
}

} // namespace lucid

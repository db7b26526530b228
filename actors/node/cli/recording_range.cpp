// actors/node/cli/recording_range.cpp - from --from and --to to chunks.
#include "actors/node/cli/recording_range.hpp"

#include <fmt/core.h>

#include "actors/node/cli/moment.hpp"

namespace lucid {
namespace {

outcome<std::optional<std::int64_t>> moment_of(const std::string& text, std::string_view option) {
  if (text.empty()) return std::nullopt;
  auto moment = parse_moment(text, option);
  if (!moment) return pass_on(std::move(moment));
  return std::optional(*moment);
}

outcome<void> check_bounds(const manifest& m, const std::optional<std::int64_t>& from, const std::optional<std::int64_t>& to) {
  auto length = m.ended_us - m.started_us;
  if (from && *from > length)
    return fail(errc::invalid_input, "lucid",
                fmt::format("--from {} lies behind the end: the recording is {} long", show_moment(*from), show_moment(length)));
  if (from && to && *from >= *to)
    return fail(errc::invalid_input, "lucid",
                fmt::format("the range ends ({}) before it begins ({})", show_moment(*to), show_moment(*from)));
  if (to && *to == 0) return fail(errc::invalid_input, "lucid", "--to 0 leaves nothing");
  return {};
}

} // namespace

std::shared_ptr<range_choice> add_range_options(command_options& app) {
  auto range = std::make_shared<range_choice>();
  app.add_option("--from", range->from, "Begin there: seconds since the start, mm:ss or hh:mm:ss").type_name("T");
  app.add_option("--to", range->to, "End there").type_name("T");
  return range;
}

ffmpeg::media_range open_range::media() const {
  ffmpeg::media_range range;
  if (from_us) range.from_us = track_us(*from_us);
  if (to_us) range.to_us = track_us(*to_us);
  return range;
}

std::size_t open_range::video_chunk_count() const {
  for (auto& t : what.tracks)
    if (t.on == track::video) return t.chunks.size();
  return 0;
}

outcome<open_range> open_range_of(command_context& context, const std::string& id, const range_choice& range,
                                  const key_choice& key) {
  ffmpeg::redirect_log([](const char*, bool) {});
  auto from = moment_of(range.from, "--from");
  if (!from) return pass_on(std::move(from));
  auto to = moment_of(range.to, "--to");
  if (!to) return pass_on(std::move(to));
  auto loaded = context.load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  auto recording = stored_recording::open(loaded->values.node.data_dir, id);
  if (!recording) return pass_on(std::move(recording));
  auto content = (*recording)->content();
  if (!content) return pass_on(std::move(content));
  if (auto readable = check_readable(**recording, *content); !readable) return pass_on(std::move(readable));
  if (auto fits = check_bounds(content->what, *from, *to); !fits) return pass_on(std::move(fits));
  auto opened = open_session_key(context, loaded->values, content->what, key);
  if (!opened) return pass_on(std::move(opened));

  open_range made{std::move(*recording), std::move(content->what), content->is_signed, std::move(*opened), {}, {}, {}};
  if (*from) made.from_us = made.what.started_us + **from;
  if (*to) made.to_us = made.what.started_us + **to;
  auto plan = plan_export(made.what, made.from_us, made.to_us);
  if (!plan) return pass_on(std::move(plan));
  made.plan = std::move(*plan);
  return made;
}

outcome<void> check_has_video(const open_range& range) {
  if (!range.plan.video.empty()) return {};
  return fail(errc::not_found, "lucid", "no picture was recorded in that range; --events - prints what is known of it");
}

std::uint64_t sealed_bytes_of(const std::vector<chunk_record>& chunks) {
  std::uint64_t sum = 0;
  for (auto& chunk : chunks) sum += chunk.sealed_size_bytes;
  return sum;
}

} // namespace lucid

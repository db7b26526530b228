// tests/integration/encoder_tests.cpp - frames in, fragments out, and the same frames back by decoding.
#define BOOST_TEST_MODULE encoder_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "actors/worker/generator_source.hpp"
#include "actors/worker/picture_pipeline.hpp"
#include "adapters/ffmpeg/media_reader.hpp"
#include "adapters/ffmpeg/video_encoder.hpp"

using namespace lucid;

namespace {

constexpr unix_time_us base_us = 1'700'000'000'000'000;

worker_start some_start() {
  worker_start start;
  start.base_us = base_us;
  start.what.frame_rate_max = 15;
  return start;
}

generator_plan small_plan(std::uint64_t frame_count) {
  generator_plan plan;
  plan.seed = 7;
  plan.frame_count = frame_count;
  plan.width = 320;
  plan.height = 240;
  return plan;
}

/// All frames of a plan from `first` on through a pipeline.
pipeline_output record(const generator_plan& plan, const worker_start& start, std::uint64_t first = 0) {
  generator_source source(plan, first, start.base_us);
  picture_pipeline pipeline(start);
  pipeline_output out;
  BOOST_REQUIRE(source.open());
  for (;;) {
    auto poll = source.next(std::chrono::milliseconds(0)).value();
    if (poll.ended) break;
    auto added = pipeline.add(*poll.frame, out);
    BOOST_REQUIRE_MESSAGE(added, (added ? "" : to_string(added.error())));
  }
  auto finished = pipeline.finish(std::nullopt, out);
  BOOST_REQUIRE_MESSAGE(finished, (finished ? "" : to_string(finished.error())));
  return out;
}

byte_buffer joined(const std::vector<fragment>& fragments) {
  byte_buffer all;
  for (const auto& f : fragments) all.insert(all.end(), f.bytes.view().begin(), f.bytes.view().end());
  return all;
}

ffmpeg::media_summary summary_of(const byte_buffer& bytes) {
  auto summary = ffmpeg::summarize(bytes);
  BOOST_REQUIRE_MESSAGE(summary, (summary ? "" : to_string(summary.error())));
  return *summary;
}

std::size_t count_of(const std::vector<fragment>& fragments, fragment_kind kind) {
  return static_cast<std::size_t>(
    std::count_if(fragments.begin(), fragments.end(), [&](const fragment& f) { return f.kind == kind; }));
}

std::uint64_t frames_of(const std::vector<fragment>& fragments) {
  std::uint64_t count = 0;
  for (const auto& f : fragments) count += f.frame_count;
  return count;
}

/// FFmpeg's log would bury ours.
struct quiet_ffmpeg {
  quiet_ffmpeg() { ffmpeg::redirect_log([](const char*, bool) {}); }
};

struct temp_folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("lucid_encoder_" + std::to_string(::getpid()));
  temp_folder() { std::filesystem::create_directories(path); }
  ~temp_folder() { std::filesystem::remove_all(path); }
};

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(quiet_ffmpeg);

BOOST_AUTO_TEST_CASE(every_frame_comes_back_at_its_time) {
  auto plan = small_plan(60);
  plan.idle_seconds = 3;
  auto out = record(plan, some_start());
  auto summary = summary_of(joined(out.fragments));
  BOOST_TEST(summary.frame_count == 60u);
  BOOST_TEST(frames_of(out.fragments) == 60u);
  generator_picture picture(plan);
  BOOST_REQUIRE(summary.times_us.size() == 60u);
  for (std::uint64_t n = 0; n < 60; ++n) BOOST_TEST(summary.times_us[n] == picture.shown_us(n));
}

BOOST_AUTO_TEST_CASE(fragments_are_short_contiguous_and_flagged) {
  auto plan = small_plan(200);
  auto start = some_start();
  start.limits.key_frame_interval = std::chrono::milliseconds(4000);
  auto out = record(plan, start);
  BOOST_TEST((out.fragments.front().kind == fragment_kind::init));
  const fragment* last = nullptr;
  std::size_t key_count = 0;
  byte_buffer init(out.fragments[0].bytes.view().begin(), out.fragments[0].bytes.view().end());
  for (const auto& f : out.fragments) {
    if (f.kind != fragment_kind::media) continue;
    BOOST_TEST(f.end_us - f.start_us <= 600'000);
    if (last)
      BOOST_TEST(f.start_us == last->end_us);
    else
      BOOST_TEST(f.start_us == base_us);
    last = &f;
    if (!f.key_frame) continue;
    ++key_count;
    // What starts with a key frame plays alone behind the init segment.
    auto alone = init;
    alone.insert(alone.end(), f.bytes.view().begin(), f.bytes.view().end());
    auto summary = summary_of(alone);
    BOOST_TEST(summary.frame_count == f.frame_count);
    BOOST_TEST(summary.first_us == f.start_us - base_us);
  }
  // 200 frames at 15/s are 13.3 s: key frames at 0, 4, 8 and 12 s.
  BOOST_TEST(key_count == 4u);
  BOOST_TEST(count_of(out.fragments, fragment_kind::init) == key_count);
  for (std::size_t i = 0; i + 1 < out.fragments.size(); ++i)
    BOOST_TEST((out.fragments[i].kind == fragment_kind::init) == out.fragments[i + 1].key_frame);
  BOOST_TEST(summary_of(joined(out.fragments)).key_frame_count == key_count);
}

BOOST_AUTO_TEST_CASE(a_resize_starts_a_new_init_segment) {
  auto plan = small_plan(40);
  plan.resize_at = 25;
  auto out = record(plan, some_start());
  BOOST_TEST(count_of(out.fragments, fragment_kind::init) == 2u);
  auto summary = summary_of(joined(out.fragments));
  BOOST_TEST(summary.frame_count == 40u);
  BOOST_TEST(summary.width == 160u);
  bool after_init = false;
  for (const auto& f : out.fragments) {
    if (after_init) BOOST_TEST(f.key_frame);
    after_init = f.kind == fragment_kind::init;
  }
}

BOOST_AUTO_TEST_CASE(an_idle_desktop_costs_no_bytes_and_a_stop_shows_its_last_picture_until_then) {
  auto start = some_start();
  picture_pipeline pipeline(start);
  generator_picture picture(small_plan(2));
  pipeline_output out;
  auto view = picture.draw(0);
  view.captured_us = base_us + 1000;
  BOOST_REQUIRE(pipeline.add(view, out));
  BOOST_REQUIRE(pipeline.tick(base_us + 400'000, out));
  BOOST_TEST(count_of(out.fragments, fragment_kind::media) == 0u);
  BOOST_REQUIRE(pipeline.tick(base_us + 600'000, out));
  BOOST_TEST(count_of(out.fragments, fragment_kind::media) == 1u);
  auto count = out.fragments.size();
  for (int s = 1; s < 3600; ++s) BOOST_REQUIRE(pipeline.tick(base_us + s * 1'000'000ll, out));
  BOOST_TEST(out.fragments.size() == count);
  BOOST_REQUIRE(pipeline.finish(base_us + 3'600'000'000ll, out));
  auto summary = summary_of(joined(out.fragments));
  BOOST_TEST(summary.frame_count == 2u);
  BOOST_TEST(summary.last_us == 3'600'000'000ll);
  BOOST_TEST(summary.first_us == 1000);
  BOOST_TEST(out.fragments.back().bytes.size() < 20'000u);
}

BOOST_AUTO_TEST_CASE(a_resumed_recording_continues_the_timeline) {
  auto plan = small_plan(50);
  auto first_half = plan;
  first_half.frame_count = 20;
  auto a = record(first_half, some_start());
  auto start = some_start();
  start.resume = {20, a.fragments.back().end_us};
  auto b = record(plan, start, 20);
  auto all = joined(a.fragments);
  auto rest = joined(b.fragments);
  all.insert(all.end(), rest.begin(), rest.end());
  auto summary = summary_of(all);
  BOOST_TEST(summary.frame_count == 50u);
  for (std::size_t n = 1; n < summary.times_us.size(); ++n) BOOST_TEST(summary.times_us[n] > summary.times_us[n - 1]);
  BOOST_TEST(summary.times_us[49] == 49 * 1'000'000 / 15);
}

BOOST_AUTO_TEST_CASE(converting_only_damage_gives_the_picture_that_converting_all_gives) {
  auto plan = small_plan(40);
  auto record_with = [&](bool all) {
    generator_picture picture(plan);
    ffmpeg::encoder_options o;
    o.width = plan.width;
    o.height = plan.height;
    auto encoder = ffmpeg::video_encoder::open(o).value();
    std::vector<std::size_t> sizes;
    for (std::uint64_t n = 0; n < plan.frame_count; ++n) {
      auto view = picture.draw(n);
      damage_rect whole{0, 0, view.width, view.height};
      if (all) view.damage = {&whole, 1};
      auto packets = encoder.encode(view, picture.shown_us(n)).value();
      BOOST_REQUIRE(packets.size() == 1u); // No delay: a frame in, a packet out.
      sizes.push_back(packets[0].size_bytes());
    }
    return sizes;
  };
  BOOST_TEST((record_with(false) == record_with(true)));
}

BOOST_AUTO_TEST_CASE(key_frames_come_by_bytes_too) {
  auto plan = small_plan(60);
  plan.noise = true;
  plan.width = 640;
  plan.height = 480;
  auto start = some_start();
  start.what.quality = 10;
  auto out = record(plan, start);
  std::size_t since_key_bytes = 0, key_count = 0;
  for (const auto& f : out.fragments) {
    if (f.key_frame) {
      since_key_bytes = 0;
      ++key_count;
    }
    since_key_bytes += f.bytes.size();
    BOOST_TEST(since_key_bytes <= (4u << 20) + fragment_size_bytes_max);
  }
  BOOST_TEST(key_count > 1u);
  BOOST_TEST(summary_of(joined(out.fragments)).frame_count == 60u);
}

BOOST_AUTO_TEST_CASE(an_encoder_that_is_not_there_falls_back_and_says_why) {
  auto start = some_start();
  start.what.encoder = "h264_of_nowhere";
  auto out = record(small_plan(3), start);
  BOOST_REQUIRE(!out.events.empty());
  BOOST_TEST(out.events[0].kind == "encoder");
  BOOST_TEST(out.events[0].detail.find("libx264") != std::string::npos);
  BOOST_TEST(out.events[0].detail.find("no video encoder named h264_of_nowhere") != std::string::npos);
  start.what.encoder = "auto";
  BOOST_TEST(summary_of(joined(record(small_plan(3), start).fragments)).frame_count == 3u);
}

BOOST_AUTO_TEST_CASE(sizes_out_of_bounds_are_refused) {
  ffmpeg::encoder_options o;
  o.height = 100;
  for (auto width : {0u, 14u, 101u, 8194u}) {
    o.width = width;
    auto opened = ffmpeg::video_encoder::open(o);
    BOOST_REQUIRE(!opened);
    BOOST_TEST((opened.error().code == errc::invalid_input));
  }
}

BOOST_AUTO_TEST_CASE(an_export_is_one_file_and_a_range_begins_at_a_key_frame) {
  temp_folder folder;
  auto plan = small_plan(150);
  plan.resize_at = 100;
  auto start = some_start();
  start.limits.key_frame_interval = std::chrono::milliseconds(2000);
  auto all = joined(record(plan, start).fragments);
  auto parts_of = [&] {
    return ffmpeg::media_parts([rest = byte_view(all)]() mutable -> outcome<byte_buffer> {
      auto part = rest.first(std::min<std::size_t>(rest.size(), 10'000));
      rest = rest.subspan(part.size());
      return byte_buffer(part.begin(), part.end());
    });
  };
  auto path = (folder.path / "whole.mp4").string();
  auto whole = ffmpeg::remux_to_mp4(parts_of(), path, {});
  BOOST_REQUIRE_MESSAGE(whole, (whole ? "" : to_string(whole.error())));
  BOOST_TEST(whole->frame_count == 150u);
  BOOST_TEST(whole->segment_count == 2u);
  BOOST_TEST(whole->first_us == 0);

  auto ranged = ffmpeg::remux_to_mp4(parts_of(), (folder.path / "range.mp4").string(), {3'000'000, 4'500'000}).value();
  BOOST_TEST(ranged.first_us == 2'000'000);
  BOOST_TEST(ranged.last_us < 4'500'000);
  BOOST_TEST(ranged.frame_count == 38u); // 2.0 s (frame 30) to before 4.5 s (frame 67).

  // ffprobe, when it is there, reads what we wrote.
  auto count_file = folder.path / "count";
  auto command = "ffprobe -v error -count_frames -select_streams v:0 -show_entries stream=nb_read_frames -of csv=p=0 " +
                 path + " > " + count_file.string() + " 2>/dev/null";
  if (std::system(command.c_str()) == 0) {
    std::ifstream in(count_file);
    std::string counted;
    in >> counted;
    BOOST_TEST(counted.substr(0, 3) == "150");
  } else {
    BOOST_TEST_MESSAGE("ffprobe is not installed: the file was not read by another program");
  }
}

BOOST_AUTO_TEST_CASE(a_contact_sheet_is_a_png_of_the_expected_size) {
  auto all = joined(record(small_plan(100), some_start()).fragments);
  ffmpeg::media_parts parts = [rest = byte_view(all)]() mutable -> outcome<byte_buffer> {
    auto part = std::exchange(rest, {});
    return byte_buffer(part.begin(), part.end());
  };
  auto png = ffmpeg::contact_sheet(parts, {{0, "00:00:00"}, {2'000'000, "00:00:02"}, {90'000'000, "00:01:30"}}, 2, 160);
  BOOST_REQUIRE_MESSAGE(png, (png ? "" : to_string(png.error())));
  BOOST_REQUIRE(png->size() > 24u);
  BOOST_TEST(as_text(byte_view(*png).subspan(1, 3)) == "PNG");
  auto number = [&](std::size_t at) { return (*png)[at + 2] << 8 | (*png)[at + 3]; };
  BOOST_TEST(number(16) == 4 + 2 * 164);
  BOOST_TEST(number(20) == 4 + 2 * 124);
  if (auto* path = std::getenv("LUCID_KEEP_SHEET")) std::ofstream(path).write(reinterpret_cast<const char*>(png->data()), static_cast<std::streamsize>(png->size()));
}

BOOST_AUTO_TEST_CASE(damaged_video_is_an_error_and_not_a_crash) {
  auto all = joined(record(small_plan(30), some_start()).fragments);
  BOOST_TEST((ffmpeg::summarize(byte_buffer(100, 0)).error().code == errc::corrupted));
  auto cut = byte_view(all).first(all.size() - 7);
  BOOST_TEST((ffmpeg::summarize(cut).error().code == errc::truncated));
  for (std::size_t at = 0; at < all.size(); at += 97) {
    auto damaged = all;
    damaged[at] ^= 0x55;
    (void)ffmpeg::summarize(damaged); // Any outcome, no crash.
  }
}

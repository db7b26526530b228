// tests/bench/source_bench.cpp - what a frame source costs by itself: grabbed at a rate, not encoded.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

#include <nlohmann/json.hpp>

#include "adapters/freerdp/rdp_source.hpp"
#include "adapters/xcb/x11_source.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

constexpr auto usage = R"(Usage: source_bench SOURCE [SECONDS] [FRAMES_PER_SECOND] [PICTURE.ppm]

Grabs from x11://:N or rdp://[user@]host[:port] (password in $LUCID_PASSWORD, any certificate is accepted)
and prints CPU time, frames and damage as JSON. PICTURE gets the last frame.
)";

std::unique_ptr<frame_source> source_from(const std::string& name) {
  if (auto x11 = x11_options_from(name)) return std::make_unique<x11_source>(*x11);
  auto rdp = rdp_options_from(name);
  if (!rdp) return nullptr;
  if (const char* password = std::getenv("LUCID_PASSWORD")) rdp->password = password;
  rdp->trusted = [](const certificate_info&) { return true; };
  rdp->log = [](std::string_view line) { std::cerr << "freerdp: " << line << '\n'; };
  return std::make_unique<rdp_source>(*rdp);
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void write_picture(const std::string& path, const frame_view& frame) {
  std::ofstream file(path, std::ios::binary);
  file << "P6\n" << frame.width << ' ' << frame.height << "\n255\n";
  for (std::uint32_t y = 0; y < frame.height; ++y)
    for (std::uint32_t x = 0; x < frame.width; ++x) {
      const auto* pixel = frame.pixels + std::size_t{y} * frame.stride_bytes + std::size_t{x} * 4;
      char rgb[] = {static_cast<char>(pixel[2]), static_cast<char>(pixel[1]), static_cast<char>(pixel[0])};
      file.write(rgb, 3);
    }
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2 || std::string(argv[1]) == "--help") {
    std::cerr << usage;
    return 2;
  }
  auto seconds = argc > 2 ? std::atof(argv[2]) : 10.0;
  auto rate = argc > 3 ? std::atof(argv[3]) : 15.0;
  auto source = source_from(argv[1]);
  if (!source) {
    std::cerr << usage;
    return 2;
  }
  if (auto opened = source->open(); !opened) {
    std::cerr << to_string(opened.error()) << '\n';
    return 1;
  }
  auto interval = std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(1 / rate));
  auto start = std::chrono::steady_clock::now(), due = start;
  auto cpu_before = cpu_seconds();
  std::uint64_t frames = 0, areas = 0, pixels = 0;
  std::optional<frame_view> last;
  while (std::chrono::steady_clock::now() - start < std::chrono::duration<double>(seconds)) {
    auto polled = source->next(500ms);
    if (!polled) {
      std::cerr << to_string(polled.error()) << '\n';
      return 1;
    }
    for (const auto& event : polled->events) std::cerr << event.kind << ' ' << event.detail << '\n';
    if (polled->ended) break;
    if (!polled->frame) continue;
    ++frames;
    areas += polled->frame->damage.size();
    for (const auto& area : polled->frame->damage) pixels += std::uint64_t{area.width} * area.height;
    last = polled->frame;
    due = std::max(due + interval, std::chrono::steady_clock::now() - interval);
    std::this_thread::sleep_until(due);
  }
  auto wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  auto cpu = cpu_seconds() - cpu_before;
  std::cout << nlohmann::json{{"source", argv[1]}, {"seconds", wall}, {"cpu_seconds", cpu},
                              {"cpu_percent", 100 * cpu / wall}, {"frames", frames}, {"areas", areas},
                              {"megapixels_damaged", static_cast<double>(pixels) / 1e6}}
                 .dump()
            << '\n';
  if (argc > 4 && last) write_picture(argv[4], *last);
  return 0;
}

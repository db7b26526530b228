// messages/source_url.hpp - what can be recorded, as it is written on a command line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "messages/outcome.hpp"

namespace lucid {

/// A source of pictures that a seed describes completely. Frame N is a function of these fields and N alone.
struct generator_plan {
  std::uint64_t seed = 1;
  std::uint64_t frame_count = 300;   ///< 1 .. 2^40.
  std::uint32_t rate = 15;           ///< Frames a second, 1 .. 240.
  std::uint32_t width = 1280;        ///< Even, 16 .. 8192.
  std::uint32_t height = 720;        ///< Even, 16 .. 8192.
  bool real_time = false;            ///< Waits between frames, else as fast as credit allows.
  std::uint32_t idle_seconds = 0;    ///< A pause without changes after half of the frames.
  std::uint64_t resize_at = 0;       ///< From this frame on the picture is half as large; 0 for never.
  bool noise = false;                ///< A picture no encoder can make small.
};

enum class source_kind : std::uint8_t { rdp, x11, file, standard_input, generator };

/// A parsed source.
struct source_url {
  source_kind kind = source_kind::generator;
  std::string user;         ///< rdp: may be empty.
  std::string host;         ///< rdp.
  std::uint16_t port = 0;   ///< rdp: 3389 unless given.
  std::string display;      ///< x11: ":N" or ":N.S"; empty is what DISPLAY says.
  std::string path;         ///< file.
  generator_plan plan;      ///< generator.
};

/// True where frame N is the same each time it is asked for, so that a crash costs nothing.
constexpr bool is_repeatable(source_kind kind) noexcept {
  return kind == source_kind::file || kind == source_kind::generator;
}

/// Reads `rdp://[user@]host[:port]`, `x11://:N`, `file:PATH`, `-` or `generator:key=value&...`.
/// Errors: `invalid_input`, saying which part is wrong and what would be right. A password in the source is refused.
outcome<source_url> parse_source_url(std::string_view text);

/// The source as it may be shown and stored: without user name.
std::string shown_source(const source_url& url);

/// Host and port as certificates are pinned by: "host:port".
std::string pinned_name(const source_url& url);

} // namespace lucid

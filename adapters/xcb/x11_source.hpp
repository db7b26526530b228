// adapters/xcb/x11_source.hpp - a frame source that watches a local X11 display.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "messages/outcome.hpp"
#include "messages/ports/frame_source.hpp"

namespace lucid {

/// What to watch.
struct x11_options {
  std::string display;     ///< ":N" or ":N.S"; empty is what DISPLAY says.
  bool with_cursor = true; ///< Draws the mouse pointer into the picture.
};

/// `x11://:N`, `x11://:N.S`, or `x11://` for what DISPLAY says.
/// Errors: `invalid_input` for anything else, also for a display of another host.
outcome<x11_options> x11_options_from(std::string_view source);

/// Watches a display by DAMAGE and reads only what has changed, through memory shared with the X server.
/// An unchanged display costs nothing but a look at the mouse five times a second. A size is cropped to even numbers.
///
/// Owns: one connection, 4 bytes a pixel of memory shared with the X server, the same again for parts of the picture.
/// Threads: as frame_source; none of its own.
/// Events: "connected", "resized", each with display, width and height.
/// Errors: `invalid_input` (display name), `unreachable` (no such display, not let in, display gone), `unsupported`
/// (extensions or pixel format), `limit_exceeded` (size), `timeout` (a display that stops answering for 5 s).
class x11_source final : public frame_source {
public:
  explicit x11_source(x11_options options);
  ~x11_source() override;

  outcome<void> open() override;
  outcome<source_poll> next(std::chrono::milliseconds patience) override;
  void close() noexcept override;

private:
  class session;
  x11_options options_;
  std::unique_ptr<session> session_;
};

} // namespace lucid

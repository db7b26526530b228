// adapters/freerdp/rdp_source.hpp - a frame source that is a headless RDP client.
#pragma once

#include <memory>

#include "adapters/freerdp/rdp_options.hpp"
#include "messages/ports/frame_source.hpp"

namespace lucid {

/// Connects by RDP and draws what the server sends into one picture, by FreeRDP's software renderer: the graphics
/// pipeline and legacy updates alike. Sends no input, and no channel but graphics is open: no clipboard, drives, sound.
///
/// The mouse pointer is drawn into the picture once the server has said where it is. RDP tells that only for moves the
/// server makes or mirrors (shadowed sessions do); in a session of its own a client that sends no input has no mouse.
///
/// Owns: one connection; 4 bytes a pixel. The password in `options`, wiped at the end of this object. FreeRDP keeps a
/// copy of its own until `close`. Touches no files. SIGPIPE of the process is ignored from the first `open` on.
/// Threads: as frame_source. One thread inside, asleep but while a call is under way, ends calls that take too long.
/// One object a process may have a log; the last opened one gets it.
/// Bounds: `open` ends after `connect_time_max` and 1 s, plus the system's own bound for looking up a name; `next` after
/// its patience and 5 s in which a server may stop in the middle of a message; `close` after 2 s.
/// Events: "certificate" (what was trusted), "connected" (with security and size), "resized", "disconnected" before `ended`.
/// Errors: `unreachable`, `refused`, `login_failed`, `certificate_changed` (not `trusted`), `protocol_violation`,
/// `timeout`, `limit_exceeded` (size), `wrong_state` (not open), `internal` (FreeRDP does not start).
class rdp_source final : public frame_source {
public:
  explicit rdp_source(rdp_options options);
  ~rdp_source() override;
  rdp_source(const rdp_source&) = delete;
  rdp_source& operator=(const rdp_source&) = delete;

  outcome<void> open() override;
  outcome<source_poll> next(std::chrono::milliseconds patience) override;
  void close() noexcept override;

private:
  class session;
  rdp_options options_;
  std::unique_ptr<session> session_;
};

} // namespace lucid

// actors/worker/worker.hpp - the worker process: captures and encodes one session, with a socket as its only privilege.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "messages/outcome.hpp"
#include "messages/ports/frame_source.hpp"
#include "messages/source_url.hpp"
#include "messages/worker_protocol.hpp"

namespace lucid {

/// What a live source is made from.
struct source_context {
  capture_request what; ///< With the source as it was written, the user name and the password.
  source_url url;       ///< The source, parsed.
  worker_limits limits; ///< Of these, the time to connect.

  /// Whether the node trusts this certificate. Blocks up to 30 s. From any thread.
  std::function<bool(const worker_certificate&)> trusted;

  /// A library's own remark, for whoever debugs a connection. From any thread.
  std::function<void(std::string_view)> log;
};

/// Makes the frame source of an rdp:// or x11:// session. The composition root knows the adapters.
using source_maker = std::function<outcome<std::unique_ptr<frame_source>>(const source_context&)>;

/// Speaks the worker protocol on `fd` until the recording ends; returns the process' exit status.
/// Owns: `fd`. Threads: one caller. With `sandbox_allowed` the calling process loses its privileges for good.
int run_worker(int fd, const source_maker& make, bool sandbox_allowed);

/// The main function of `lucid worker --fd N`: as above for a whole process. It closes all descriptors but 0, 1, 2 and
/// `fd`, and ends when the node closes its end, whatever it is doing.
int worker_main(int fd, const source_maker& make);

} // namespace lucid

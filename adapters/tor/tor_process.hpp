// adapters/tor/tor_process.hpp - a tor of our own: its torrc, its process, its end.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "messages/outcome.hpp"

namespace lucid {

struct tor_process_options {
  std::string program = "tor";       ///< A path, or a name looked up in PATH.
  std::filesystem::path folder;      ///< Its state; made with mode 0700, kept afterwards. One tor at a time.
  std::filesystem::path extra_torrc; ///< More lines; empty: none.
};

/// Runs tor as a client: SOCKS on a free port of 127.0.0.1, for onion services alone; a control port on another, with a
/// cookie that only this user can read.
///
/// It ends with this process, however that ends: tor watches the process id, and the control connection once that owns
/// it. Owns: the process, a pipe, a thread. Threads: the functions from any; the callbacks run on the thread of its own,
/// one at a time, and must not block.
class tor_process {
public:
  using line_sink = std::function<void(const std::string&)>; ///< Each line that tor prints, at most 1000 bytes.
  using end_sink = std::function<void(const error&)>;        ///< Once, unless the object is destroyed before.

  /// Errors: `missing_dependency` if there is no such program, `invalid_input` for a path tor cannot be told,
  /// `permission_denied`, `io_failed`.
  static outcome<std::unique_ptr<tor_process>> start(const tor_process_options& options, line_sink line, end_sink end);

  /// Ends tor: in good order, and after three seconds by force.
  ~tor_process();
  tor_process(const tor_process&) = delete;
  tor_process& operator=(const tor_process&) = delete;

  /// "127.0.0.1:40123", once tor has written it. Errors: `timeout`; `crashed` with what tor said last.
  outcome<std::string> wait_for_control(std::chrono::milliseconds within) const;

  /// Waits for tor's end; why it ended, if it has.
  std::optional<error> wait_for_end(std::chrono::milliseconds within) const;

  std::filesystem::path cookie_file() const;
  int process_id() const noexcept;

private:
  class impl;
  explicit tor_process(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

/// The torrc of a tor of our own. Errors: `invalid_input` for paths with a line end.
outcome<std::string> make_torrc(const tor_process_options& options, int owner_process_id);

} // namespace lucid

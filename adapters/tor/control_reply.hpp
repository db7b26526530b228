// adapters/tor/control_reply.hpp - replies and events of Tor's control protocol, read within bounds.
// Source: Tor control-spec, "Replies from Tor to the controller".
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/outcome.hpp"

namespace lucid {

inline constexpr std::size_t control_line_bytes_max = 16 << 10;   ///< Tor's longest are some 2 KiB; data lines may be longer.
inline constexpr std::size_t control_reply_bytes_max = 1 << 20;   ///< Of one reply. We ask for nothing near that.
inline constexpr std::size_t control_reply_lines_max = 4096;      ///< Of one reply, lines of data not counted.

struct control_line {
  std::string text; ///< Behind the status code: "ServiceID=..."
  std::string data; ///< Of a "+" line, lines ended by '\n', dots unstuffed.
  friend bool operator==(const control_line&, const control_line&) = default;
};

/// One reply, or one event.
struct control_reply {
  int code = 0;                    ///< 250, 515, 650 ...
  std::vector<control_line> lines; ///< At least one.
  bool ok() const noexcept { return code / 100 == 2; }
  bool event() const noexcept { return code == 650; }
  /// The value behind "`key`=" in the first line that begins so; quotes are taken off. None if there is no such line.
  std::optional<std::string> value(std::string_view key) const;
  /// "515 Authentication failed: ..." for people; not printable characters become '?', at most 300 bytes.
  std::string text() const;
  friend bool operator==(const control_reply&, const control_reply&) = default;
};

/// Puts replies together from the bytes of a connection, wherever they were cut.
/// Owns: at most one unfinished reply and one unfinished line. Threads: as a plain value.
class control_reader {
public:
  /// Replies that are complete with `bytes`. Errors: `protocol_violation`, `limit_exceeded`; nothing can be read after.
  outcome<std::vector<control_reply>> feed(std::string_view bytes);

private:
  outcome<void> take_line(std::string_view line, std::vector<control_reply>& done);
  outcome<void> take_reply_line(std::string_view line, std::vector<control_reply>& done);
  void take_data_line(std::string_view line);

  std::string line_;
  control_reply reply_;
  std::size_t reply_bytes_ = 0;
  bool in_data_ = false;
  bool broken_ = false;
};

/// The words and KEY=VALUE pairs of an event: "BOOTSTRAP PROGRESS=50 SUMMARY=\"Loading relays\"".
struct control_words {
  std::vector<std::string> words;
  std::map<std::string, std::string> values; ///< Quotes taken off. Of a repeated key the first counts.
};

/// Errors: `protocol_violation` for a quote that does not end or a wrong escape.
outcome<control_words> split_control_words(std::string_view text);

/// `text` in the protocol's quotes. Errors: `invalid_input` for line ends and NUL.
outcome<std::string> quote_control(std::string_view text);

} // namespace lucid

// actors/console/stream_message.hpp - what a page says on its stream, decoded and checked.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/outcome.hpp"

namespace lucid {

/// Bounds of what a page may say.
inline constexpr std::size_t watched_topics_max = 8;
inline constexpr std::chrono::milliseconds watch_interval_min{200};
inline constexpr std::chrono::milliseconds watch_interval_max{60'000};

/// {"watch":{"topics":[...],"interval_ms":1000}}: replaces what was watched before.
struct watch_wish {
  std::vector<std::string> topics; ///< "actors", "node", "sessions", "letters", "flow:<session id>"; each once.
  std::chrono::milliseconds interval{1000};
};
struct tap_wish { std::string path; };   ///< {"tap":"PATH"}
struct untap_wish { std::string path; }; ///< {"untap":"PATH"}

using stream_message = std::variant<watch_wish, tap_wish, untap_wish>;

/// Errors: `invalid_input` naming the member.
outcome<stream_message> decode_stream_message(std::string_view text);

} // namespace lucid

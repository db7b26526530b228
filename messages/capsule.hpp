// messages/capsule.hpp - what is kept of an actor that ended abnormally, and of messages that were watched.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/inspection.hpp"

namespace lucid {

/// Messages remembered for a crash capsule. Each actor keeps this many, at 32 bytes.
inline constexpr std::size_t capsule_messages_max = 16;
/// Capsules kept on disk; the oldest gives way.
inline constexpr std::size_t capsules_max = 64;
/// The longest text of a message's fields; what is beyond is cut off.
inline constexpr std::size_t tapped_fields_bytes_max = 200;

/// One message that an actor handled.
struct seen_message {
  unix_time_us at_us = 0;
  std::string type;               ///< As in `message_count`; "reply" for answers.
  std::uint64_t size_bytes = 0;   ///< Of its contents; 0 where that is not known.
  std::string sender;             ///< Path; empty: none of the supervised actors.
  std::string fields;             ///< Only where the actor was tapped. Secrets are "***".
  friend bool operator==(const seen_message&, const seen_message&) = default;
};

/// An actor's abnormal end: enough to understand it later.
struct crash_capsule {
  std::string id = {};            ///< Given by the store; hexadecimal digits and '-'.
  std::string path;
  std::string kind;
  std::uint64_t incarnation = 0;
  unix_time_us at_us = 0;
  std::string reason;
  std::vector<seen_message> messages; ///< The last ones, oldest first.
  bool failing = false;           ///< The last of `messages` is the one whose handler failed.
  state_fields state;             ///< As it was at the end; empty where the actor could not be asked any more.
  spec_summary spec;
  std::uint64_t restart_count = 0; ///< Of the path, before this end.
};

} // namespace lucid

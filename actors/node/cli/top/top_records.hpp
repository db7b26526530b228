// actors/node/cli/top/top_records.hpp - what a node keeps and tells, as lines for people: log, capsules, letters, taps; pure.
//
// Source: docs/api/console.openapi.yaml. Lines are printable and may be longer than a screen is wide.
// Errors of all: `protocol_violation` when a member is missing.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "adapters/terminal/screen.hpp"
#include "messages/outcome.hpp"

namespace lucid {

/// Lines of a page; where rows can be opened, what each stands for.
struct top_rows {
  std::vector<text_line> lines;
  std::vector<std::string> ids = {}; ///< Empty, or one for each line.
};

/// `GET /v1/log`: the newest first.
outcome<top_rows> log_rows(const nlohmann::json& answer);

/// One CapsuleHead of the contract.
struct capsule_head {
  std::string id;
  std::string path;
  std::uint64_t incarnation = 0;
  std::int64_t at_us = 0;
  std::string reason;
};
outcome<std::vector<capsule_head>> read_capsule_heads(const nlohmann::json& answer);

/// `GET /v1/capsules`, those of `path` alone unless it is empty; the ids are those of the capsules.
outcome<top_rows> capsule_list_rows(const nlohmann::json& answer, const std::string& path);

/// `GET /v1/capsules/{id}`.
outcome<top_rows> capsule_rows(const nlohmann::json& capsule);

/// `GET /v1/letters`.
outcome<top_rows> letter_rows(const nlohmann::json& letters);

/// The newest messages that a tap of one actor told of.
/// Memory: `messages_max` of what the node cuts a message to.
class tap_log {
public:
  static constexpr std::size_t messages_max = 500;

  explicit tap_log(std::string path) : path_(std::move(path)) {}

  /// What the node said on its stream; other topics and actors are left out.
  outcome<void> hear(std::string_view message);
  /// The newest first.
  top_rows rows() const;

private:
  std::string path_;
  std::deque<std::vector<text_line>> messages_; ///< The newest first.
  std::uint64_t heard_count_ = 0;
  std::uint64_t missed_count_ = 0;
};

} // namespace lucid

// actors/console/refusal_book.hpp - what was turned away: how often, of what kind, from where.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "messages/identity.hpp"

namespace lucid {

/// Counts by kind and source. Of each, the last words are kept: ours, never those that were sent.
/// Threads: any; a mutex of its own.
class refusal_book {
public:
  static constexpr std::size_t rows_max = 128; ///< The one that was silent longest gives way; `total` counts on.
  static constexpr std::size_t text_bytes_max = 256; ///< Longer ones are cut: 128 rows of three texts are 96 KiB.

  /// How often that happened so far.
  std::uint64_t note(std::string_view kind, std::string_view source, std::string_view what, unix_time_us at_us);

  std::uint64_t total() const;

  /// The newest first. Source: docs/api/console.openapi.yaml, Letters.
  nlohmann::json report() const;

private:
  struct row {
    std::string kind, source, what;
    unix_time_us at_us = 0;
    std::uint64_t count = 0;
  };

  mutable std::mutex mutex_;
  std::vector<row> rows_; // The newest last.
  std::uint64_t total_ = 0;
};

} // namespace lucid

// actors/format/journal_codec.hpp - the encrypted, append-only stream of fragments in a journal file.
#pragma once

#include <optional>

#include "actors/format/keys.hpp"
#include "adapters/sodium/aead.hpp"
#include "messages/fragment.hpp"

namespace lucid {

inline constexpr std::size_t journal_header_size_bytes = 112;
inline constexpr std::size_t journal_record_header_size_bytes = 48;
inline constexpr std::size_t journal_record_prefix_size_bytes = 24; ///< The fragment's fields, sealed before its bytes.
inline constexpr std::size_t journal_record_overhead_size_bytes =
  journal_record_header_size_bytes + journal_record_prefix_size_bytes + aead_tag_size_bytes;

/// Which journal file of which session. Readable without a key.
struct journal_header {
  session_id session{};
  std::uint32_t segment = 0; ///< 0, 1, 2 within the session.
  digest key_commitment{};
  friend bool operator==(const journal_header&, const journal_header&) = default;
};

/// Reads and checks the first 112 bytes. Errors: `truncated`, `unsupported`, `corrupted`.
outcome<journal_header> read_journal_header(byte_view file);

/// Writes one journal file: `header` once, then each record. A file is only ever continued by the encoder that began it.
class journal_encoder {
public:
  journal_encoder(const session_id& session, std::uint32_t segment, const session_key& key, random_port& random);

  /// The first bytes of the file.
  byte_view header() const noexcept { return header_; }

  /// Appends the record of `f` to `out`. Sequences within a file have no gaps.
  /// Errors: `limit_exceeded` for an empty or too large fragment; `wrong_state` for another sequence than the next.
  outcome<void> append(const fragment& f, byte_buffer& out);

private:
  random_port& random_;
  secret_key key_;
  std::array<std::uint8_t, journal_header_size_bytes> header_{};
  std::array<std::uint8_t, 16> previous_tag_{};
  std::uint64_t last_sequence_ = 0;
};

/// Reads one journal file, record by record. The view must outlive the decoder.
///
/// What a crash leaves of records that were not synced (half of the last one, or sectors of zeros) is `truncated`, and
/// everything before it counts. Any other damage before the last record is `corrupted`.
class journal_decoder {
public:
  /// Errors: those of read_journal_header, and `wrong_key`.
  static outcome<journal_decoder> open(byte_view file, const session_key& key);

  /// The next fragment; nothing at the end. After an error every call answers the same error.
  outcome<std::optional<fragment>> next();

  const journal_header& header() const noexcept { return header_; }
  /// Where the record that `next` reads begins: everything before it is intact.
  std::size_t offset_bytes() const noexcept { return offset_; }

private:
  journal_decoder(byte_view file, journal_header header, secret_key key);
  tl::unexpected<error> stop(errc code, std::string what);
  tl::unexpected<error> stop_at_damage(std::size_t record_end, std::string what);
  outcome<std::optional<fragment>> accept(fragment f, byte_buffer body, byte_view tag_bytes,
                                          std::size_t record_size_bytes);

  byte_view file_;
  journal_header header_;
  secret_key key_;
  std::array<std::uint8_t, 16> previous_tag_{};
  std::uint64_t last_sequence_ = 0;
  std::size_t offset_ = journal_header_size_bytes;
  std::size_t written_size_bytes_; ///< The file without the zeros at its end.
  std::optional<error> stopped_;
};

} // namespace lucid

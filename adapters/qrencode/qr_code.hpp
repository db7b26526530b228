// adapters/qrencode/qr_code.hpp - a text as a QR code: modules, and lines for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "messages/outcome.hpp"

namespace lucid {

inline constexpr std::size_t qr_text_bytes_max = 1024;
inline constexpr std::uint32_t qr_quiet_zone = 4; ///< Light modules around the code. Source: ISO/IEC 18004, 6.3.8.

/// A square of dark and light modules, without its quiet zone.
class qr_code {
public:
  /// With the error correction level that `text`'s length leaves room for on a terminal: M (15 %) up to 300 bytes, L (7 %)
  /// above. Errors: `invalid_input` for an empty text, `limit_exceeded` above qr_text_bytes_max, `internal`.
  static outcome<qr_code> of(std::string_view text);

  std::uint32_t width() const noexcept { return width_; } ///< 21..177.
  bool dark(std::uint32_t x, std::uint32_t y) const noexcept { return dark_[y * width_ + x]; }

private:
  qr_code(std::uint32_t width, std::vector<bool> dark) : width_(width), dark_(std::move(dark)) {}
  std::uint32_t width_;
  std::vector<bool> dark_;
};

/// How a terminal shows it: two modules a character by half blocks (UTF-8), or two characters a module (ASCII).
enum class qr_style : std::uint8_t { half_blocks = 1, ascii };

/// Lines without line ends, quiet zone included. Characters are drawn where the code is light, since terminals mostly write
/// light on dark; `light_background` turns that round.
std::vector<std::string> qr_lines(const qr_code& code, qr_style style, bool light_background = false);

} // namespace lucid

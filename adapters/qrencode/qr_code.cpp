// adapters/qrencode/qr_code.cpp - libqrencode's symbol, copied out and drawn.
#include "adapters/qrencode/qr_code.hpp"

#include <memory>

#include <qrencode.h>

namespace lucid {
namespace {

constexpr const char* who = "qr";
constexpr std::size_t medium_level_bytes_max = 300;

/// Whether the module is dark, with the quiet zone around the code counted in.
bool is_dark(const qr_code& code, std::uint32_t x, std::uint32_t y) {
  auto inside = [&](std::uint32_t at) { return at >= qr_quiet_zone && at < qr_quiet_zone + code.width(); };
  return inside(x) && inside(y) && code.dark(x - qr_quiet_zone, y - qr_quiet_zone);
}

const char* half_block(bool upper, bool lower) {
  if (upper && lower) return "\u2588";
  return upper ? "\u2580" : lower ? "\u2584" : " ";
}

} // namespace

outcome<qr_code> qr_code::of(std::string_view text) {
  if (text.empty()) return fail(errc::invalid_input, who, "an empty text has no QR code");
  if (text.size() > qr_text_bytes_max)
    return fail(errc::limit_exceeded, who,
                "the text has " + std::to_string(text.size()) + " bytes, at most " + std::to_string(qr_text_bytes_max) +
                  " are shown as a QR code");
  auto level = text.size() <= medium_level_bytes_max ? QR_ECLEVEL_M : QR_ECLEVEL_L;
  std::unique_ptr<QRcode, decltype(&QRcode_free)> made(
    QRcode_encodeData(static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(text.data()), 0, level),
    &QRcode_free);
  if (!made || made->width < 21 || made->width > 177) return fail(errc::internal, who, "libqrencode made no code");
  auto width = static_cast<std::uint32_t>(made->width);
  std::vector<bool> dark(std::size_t{width} * width);
  for (std::size_t i = 0; i < dark.size(); ++i) dark[i] = (made->data[i] & 1) != 0; // The lowest bit: 1 is dark.
  return qr_code(width, std::move(dark));
}

std::vector<std::string> qr_lines(const qr_code& code, qr_style style, bool light_background) {
  auto whole = code.width() + 2 * qr_quiet_zone;
  auto drawn = [&](std::uint32_t x, std::uint32_t y) { return is_dark(code, x, y) == light_background; };
  std::vector<std::string> lines;
  for (std::uint32_t y = 0; y < whole; y += style == qr_style::half_blocks ? 2 : 1) {
    std::string line;
    for (std::uint32_t x = 0; x < whole; ++x) {
      if (style == qr_style::ascii) line += drawn(x, y) ? "##" : "  ";
      // The width is odd, so the last line has an upper half alone.
      else line += half_block(drawn(x, y), y + 1 < whole && drawn(x, y + 1));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

} // namespace lucid

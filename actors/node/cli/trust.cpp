// actors/node/cli/trust.cpp - signing keys from text.
#include "actors/node/cli/trust.hpp"

#include <fmt/core.h>

#include "actors/format/key_file.hpp"
#include "adapters/files/atomic_write.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

constexpr std::size_t line_size_bytes_max = 1024; // An exported line has less than 300.

std::string content_or_text(const std::string& text) {
  posix_file_system files;
  auto bytes = read_whole(files, text, line_size_bytes_max);
  return bytes ? std::string(as_text(*bytes)) : text;
}

} // namespace

outcome<sign_public_key> parse_signer(const std::string& text, std::string_view option) {
  sign_public_key key{};
  if (from_hex_into(text, key)) return key;
  auto line = import_public(content_or_text(text));
  if (line && line->kind == key_kind::node) return line->sign;
  if (line)
    return fail(errc::invalid_input, "lucid",
                fmt::format("{} {}: that is an owner's key, which signs nothing; the node's is meant", option, printable(text)));
  return fail(errc::invalid_input, "lucid",
              fmt::format("{} {}: expected 64 hexadecimal digits, a line of `lucid keys export node`, or a file with that line",
                          option, printable(text)));
}

outcome<trusted_keys> parse_trusted(const std::vector<std::string>& recorders, const std::vector<std::string>& producers) {
  trusted_keys trusted;
  for (auto& text : recorders) {
    auto key = parse_signer(text, "--recorder");
    if (!key) return pass_on(std::move(key));
    trusted.recorders.push_back(*key);
  }
  for (auto& text : producers) {
    auto key = parse_signer(text, "--producer");
    if (!key) return pass_on(std::move(key));
    trusted.producers.push_back(*key);
  }
  return trusted;
}

} // namespace lucid

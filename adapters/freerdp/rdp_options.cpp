// adapters/freerdp/rdp_options.cpp - an rdp:// source taken apart.
#include "adapters/freerdp/rdp_options.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "messages/bytes.hpp"

namespace lucid {
namespace {

constexpr auto who = "rdp";
constexpr std::size_t name_size_max = 255; // A host name in DNS; user names are shorter.

auto refused(std::string what) { return fail(errc::invalid_input, who, std::move(what)); }

/// Percent-decoded; nothing for a broken escape or a control character.
std::optional<std::string> decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      auto byte = i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : outcome<byte_buffer>{byte_buffer{}};
      if (!byte || byte->empty()) return std::nullopt;
      c = static_cast<char>(byte->front());
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    plain += c;
  }
  return plain;
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= name_size_max && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_';
  });
}

bool is_address6(std::string_view host) {
  return !host.empty() && host.size() <= 45 && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
  });
}

} // namespace

outcome<rdp_options> rdp_options_from(std::string_view source) {
  constexpr std::string_view scheme = "rdp://";
  constexpr auto form = "an RDP source is rdp://[user@]host[:port]";
  if (!source.starts_with(scheme)) return refused(form);
  auto rest = source.substr(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  rdp_options options;
  if (auto at = rest.rfind('@'); at != std::string_view::npos) {
    auto user = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    // Never repeat what stands here: it may be a password.
    if (user.find(':') != std::string_view::npos)
      return refused("a password does not belong in the source; give it by file, environment or prompt");
    auto name = decoded(user);
    if (!name || name->empty() || name->size() > name_size_max)
      return refused("the user in the source must be 1 to 255 characters, with %XX only for bytes");
    if (auto slash = name->find('\\'); slash != std::string::npos) {
      options.domain = name->substr(0, slash);
      name->erase(0, slash + 1);
      if (name->empty()) return refused("the source names a domain but no user");
    }
    options.username = std::move(*name);
  }
  std::string_view port;
  bool has_port = false;
  if (rest.starts_with('[')) {
    auto end = rest.find(']');
    if (end == std::string_view::npos || !is_address6(rest.substr(1, end - 1)))
      return refused("what stands in brackets must be an IPv6 address");
    options.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    if (!rest.empty() && rest[0] != ':') return refused(form);
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else {
    auto colon = rest.find(':');
    has_port = colon != std::string_view::npos;
    if (has_port) port = rest.substr(colon + 1);
    if (!is_host(rest.substr(0, colon))) return refused(std::string(form) + "; the host is missing or no host name");
    options.host = rest.substr(0, colon);
  }
  if (has_port) {
    auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), options.port);
    if (failed != std::errc() || end != port.data() + port.size() || options.port == 0)
      return refused("the port must be a number from 1 to 65535");
  }
  return options;
}

} // namespace lucid

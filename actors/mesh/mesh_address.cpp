// actors/mesh/mesh_address.cpp - addresses and names, checked where they enter.
#include "actors/mesh/mesh_address.hpp"

#include <algorithm>
#include <charconv>

#include "messages/ports/cluster.hpp"

namespace lucid {
namespace {

constexpr const char* who = "mesh";
constexpr std::string_view tcp_scheme = "tcp://";
constexpr std::string_view tor_scheme = "tor://";
constexpr std::string_view onion_suffix = ".onion";
constexpr std::size_t onion_letters = 56; // Version 3. Source: rend-spec-v3, section 6.

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }

bool is_onion(std::string_view host) noexcept {
  if (host.size() != onion_letters + onion_suffix.size() || !host.ends_with(onion_suffix)) return false;
  return std::all_of(host.begin(), host.begin() + onion_letters, [](char c) { return is_lower(c) || (c >= '2' && c <= '7'); });
}

/// A host name or an IPv4 address: letters, digits, '-', labels between dots.
bool is_host(std::string_view host) noexcept {
  bool at_edge = true; // Of a label.
  for (char c : host) {
    if (!is_lower(c) && !is_digit(c) && c != '-' && c != '.') return false;
    if (at_edge && (c == '.' || c == '-')) return false;
    at_edge = c == '.';
  }
  return !at_edge && !host.ends_with('-') && host.find("-.") == host.npos && !host.ends_with(onion_suffix);
}

/// Its characters alone; whether it is an address is for the system to say.
bool is_ipv6(std::string_view host) noexcept {
  auto allowed = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.'; };
  return host.size() >= 2 && host.size() <= 45 && host.find(':') != host.npos && std::ranges::all_of(host, allowed);
}

std::uint16_t port_of(std::string_view text) noexcept {
  std::uint16_t port = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  bool whole = problem == std::errc() && end == text.data() + text.size() && !text.starts_with('0');
  return whole ? port : 0;
}

} // namespace

outcome<mesh_address> parse_mesh_address(std::string_view text) {
  auto malformed = fail(errc::invalid_input, who,
                        "an address is \"tcp://HOST:PORT\" or \"tor://<56 letters>.onion:PORT\", in lower case, of at most " +
                          std::to_string(mesh_address_bytes_max) + " bytes");
  if (text.size() > mesh_address_bytes_max) return malformed;
  mesh_address address;
  bool over_tor = text.starts_with(tor_scheme);
  if (!over_tor && !text.starts_with(tcp_scheme)) return malformed;
  address.transport = over_tor ? address_transport::tor : address_transport::tcp;
  auto rest = text.substr(over_tor ? tor_scheme.size() : tcp_scheme.size());
  auto colon = rest.rfind(':');
  if (colon == rest.npos) return malformed;
  address.port = port_of(rest.substr(colon + 1));
  auto host = rest.substr(0, colon);
  bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  bool good = over_tor ? !bracketed && is_onion(host) : bracketed ? is_ipv6(host) : is_host(host);
  if (!good || address.port == 0) return malformed;
  address.host = host;
  return address;
}

std::string to_string(const mesh_address& address) {
  bool bracketed = address.host.find(':') != std::string::npos;
  std::string text(address.transport == address_transport::tor ? tor_scheme : tcp_scheme);
  if (bracketed) text += '[';
  text += address.host;
  if (bracketed) text += ']';
  return text + ':' + std::to_string(address.port);
}

outcome<void> check_mesh_addresses(const std::vector<std::string>& addresses) {
  if (addresses.size() > mesh_address_count_max)
    return fail(errc::limit_exceeded, who,
                std::to_string(addresses.size()) + " addresses, at most " + std::to_string(mesh_address_count_max) +
                  " are allowed");
  for (auto at = addresses.begin(); at != addresses.end(); ++at) {
    if (auto address = parse_mesh_address(*at); !address) return pass_on(std::move(address));
    if (std::find(addresses.begin(), at, *at) != at)
      return fail(errc::invalid_input, who, "the address " + *at + " stands twice");
  }
  return {};
}

bool is_node_name(std::string_view name) noexcept {
  auto allowed = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
  return !name.empty() && name.size() <= node_name_bytes_max && name.front() != '-' && name.back() != '-' &&
         std::ranges::all_of(name, allowed);
}

} // namespace lucid

// messages/source_url.cpp - the grammar of sources.
#include "messages/source_url.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace lucid {
namespace {

constexpr std::string_view who = "source";

/// Longest host name: 253 characters. Source: RFC 1035, section 2.3.4.
constexpr std::size_t host_length_max = 253;
constexpr std::size_t source_length_max = 4096;

tl::unexpected<error> refuse(std::string what) { return fail(errc::invalid_input, std::string(who), std::move(what)); }

std::string quoted(std::string_view text) { return std::string("'").append(text.substr(0, 80)).append("'"); }

outcome<std::uint64_t> number(std::string_view text, std::string_view name, std::uint64_t low, std::uint64_t high) {
  std::uint64_t value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || value < low || value > high)
    return refuse(std::string(name) + " must be a number from " + std::to_string(low) + " to " + std::to_string(high) +
                  ", not " + quoted(text));
  return value;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/// "host", "host:port", "[v6]" or "[v6]:port".
outcome<void> parse_host(std::string_view text, source_url& url) {
  std::string_view port;
  if (text.starts_with('[')) {
    auto end = text.find(']');
    if (end == std::string_view::npos) return refuse("the address " + quoted(text) + " lacks its ']'");
    auto is_v6 = [](char c) { return std::string_view("0123456789abcdefABCDEF:.").find(c) != std::string_view::npos; };
    url.host = std::string(text.substr(1, end - 1));
    if (url.host.empty() || !std::all_of(url.host.begin(), url.host.end(), is_v6))
      return refuse(quoted(url.host) + " is no IPv6 address");
    auto after = text.substr(end + 1);
    if (!after.empty() && !after.starts_with(':')) return refuse("after the address comes ':PORT', not " + quoted(after));
    if (!after.empty()) port = after;
  } else {
    auto colon = text.find(':');
    url.host = std::string(text.substr(0, colon));
    if (colon != std::string_view::npos) port = text.substr(colon);
    if (url.host.empty()) return refuse("the host is missing; rdp://[user@]host[:port] would be right");
    if (url.host.size() > host_length_max || url.host.starts_with('-') ||
        !std::all_of(url.host.begin(), url.host.end(), is_host_character))
      return refuse(quoted(url.host) + " is no host name");
  }
  url.port = 3389;
  if (port.empty()) return {};
  auto value = number(port.substr(1), "the port", 1, 65535);
  if (!value) return pass_on(std::move(value));
  url.port = static_cast<std::uint16_t>(*value);
  return {};
}

outcome<source_url> parse_rdp(std::string_view rest) {
  source_url url;
  url.kind = source_kind::rdp;
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (auto at = rest.rfind('@'); at != std::string_view::npos) {
    auto user = rest.substr(0, at);
    if (user.find(':') != std::string_view::npos)
      return refuse("a password does not belong into the source: give it by file, environment or prompt");
    if (user.empty() || user.size() > 256) return refuse("the user name before '@' must have 1 to 256 characters");
    url.user = std::string(user);
    rest = rest.substr(at + 1);
  }
  if (auto host = parse_host(rest, url); !host) return tl::unexpected(host.error());
  return url;
}

outcome<source_url> parse_x11(std::string_view rest) {
  source_url url;
  url.kind = source_kind::x11;
  url.display = std::string(rest);
  if (rest.empty()) return url;
  auto dot = rest.find('.');
  auto display = rest.substr(0, dot);
  if (!display.starts_with(':')) return refuse("the display " + quoted(rest) + " must be of the form :N");
  if (auto n = number(display.substr(1), "the display's number", 0, 65535); !n) return pass_on(std::move(n));
  if (dot != std::string_view::npos)
    if (auto n = number(rest.substr(dot + 1), "the screen's number", 0, 255); !n) return pass_on(std::move(n));
  return url;
}

outcome<source_url> parse_file(std::string_view path) {
  if (path.empty()) return refuse("the path is missing; file:PATH would be right");
  if (path.find('\0') != std::string_view::npos) return refuse("a path has no zero byte");
  source_url url;
  url.kind = source_kind::file;
  url.path = std::string(path);
  return url;
}

outcome<void> set_size(std::string_view text, generator_plan& plan) {
  auto x = text.find('x');
  if (x == std::string_view::npos) return refuse("size must be WIDTHxHEIGHT, not " + quoted(text));
  auto width = number(text.substr(0, x), "the width", 16, 8192);
  auto height = number(text.substr(x + 1), "the height", 16, 8192);
  if (!width) return pass_on(std::move(width));
  if (!height) return pass_on(std::move(height));
  if (*width % 2 != 0 || *height % 2 != 0) return refuse("width and height must be even");
  plan.width = static_cast<std::uint32_t>(*width);
  plan.height = static_cast<std::uint32_t>(*height);
  return {};
}

/// One key of a generator's plan and how its value is taken.
struct plan_key {
  std::string_view name;
  std::uint64_t low, high;
  void (*set)(generator_plan&, std::uint64_t);
};

constexpr plan_key plan_keys[] = {
  {"seed", 0, ~std::uint64_t{0}, [](generator_plan& p, std::uint64_t v) { p.seed = v; }},
  {"frames", 1, std::uint64_t{1} << 40, [](generator_plan& p, std::uint64_t v) { p.frame_count = v; }},
  {"rate", 1, 240, [](generator_plan& p, std::uint64_t v) { p.rate = static_cast<std::uint32_t>(v); }},
  {"realtime", 0, 1, [](generator_plan& p, std::uint64_t v) { p.real_time = v == 1; }},
  {"idle", 0, 86400, [](generator_plan& p, std::uint64_t v) { p.idle_seconds = static_cast<std::uint32_t>(v); }},
  {"resize_at", 0, std::uint64_t{1} << 40, [](generator_plan& p, std::uint64_t v) { p.resize_at = v; }},
  {"noise", 0, 1, [](generator_plan& p, std::uint64_t v) { p.noise = v == 1; }},
};

outcome<void> set_plan(std::string_view name, std::string_view value, generator_plan& plan) {
  if (name == "size") return set_size(value, plan);
  for (const auto& key : plan_keys) {
    if (key.name != name) continue;
    auto parsed = number(value, key.name, key.low, key.high);
    if (!parsed) return pass_on(std::move(parsed));
    key.set(plan, *parsed);
    return {};
  }
  return refuse("a generator has no " + quoted(name) +
                "; it has seed, frames, rate, size, realtime, idle, resize_at, noise");
}

outcome<source_url> parse_generator(std::string_view rest) {
  source_url url;
  url.kind = source_kind::generator;
  while (!rest.empty()) {
    auto pair = rest.substr(0, rest.find('&'));
    rest = pair.size() == rest.size() ? std::string_view() : rest.substr(pair.size() + 1);
    auto equals = pair.find('=');
    if (equals == std::string_view::npos) return refuse("in a generator " + quoted(pair) + " must be KEY=VALUE");
    if (auto set = set_plan(pair.substr(0, equals), pair.substr(equals + 1), url.plan); !set)
      return tl::unexpected(set.error());
  }
  if (url.plan.resize_at != 0 && (url.plan.width < 64 || url.plan.height < 64))
    return refuse("a generator that resizes must be at least 64x64");
  return url;
}

} // namespace

outcome<source_url> parse_source_url(std::string_view text) {
  if (text.size() > source_length_max)
    return refuse("the source has " + std::to_string(text.size()) + " bytes, at most 4096 are allowed");
  auto after = [&](std::string_view prefix) -> std::optional<std::string_view> {
    if (!text.starts_with(prefix)) return std::nullopt;
    return text.substr(prefix.size());
  };
  if (text == "-") {
    source_url url;
    url.kind = source_kind::standard_input;
    return url;
  }
  if (auto rest = after("rdp://")) return parse_rdp(*rest);
  if (auto rest = after("x11://")) return parse_x11(*rest);
  if (auto rest = after("file:")) return parse_file(*rest);
  if (auto rest = after("generator:")) return parse_generator(*rest);
  return refuse(quoted(text) +
                " is no source; rdp://[user@]host[:port], x11://:N, file:PATH, - and generator:KEY=VALUE&... are");
}

std::string pinned_name(const source_url& url) {
  auto is_v6 = url.host.find(':') != std::string::npos;
  auto host = is_v6 ? std::string("[").append(url.host).append("]") : url.host;
  return host.append(":").append(std::to_string(url.port));
}

std::string shown_source(const source_url& url) {
  switch (url.kind) {
    case source_kind::rdp: return "rdp://" + pinned_name(url);
    case source_kind::x11: return "x11://" + url.display;
    case source_kind::file: return "file:" + url.path;
    case source_kind::standard_input: return "-";
    case source_kind::generator: break;
  }
  const auto& p = url.plan;
  return "generator:seed=" + std::to_string(p.seed) + "&frames=" + std::to_string(p.frame_count) +
         "&rate=" + std::to_string(p.rate) + "&size=" + std::to_string(p.width) + "x" + std::to_string(p.height);
}

} // namespace lucid

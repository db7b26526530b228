// actors/node/cli/actor_paths.cpp - paths compared segment by segment.
#include "actors/node/cli/actor_paths.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fnmatch.h>

#include "runtime/config/nearest.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

constexpr std::string_view sessions = "sessions";
constexpr std::size_t id_length = 64;

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    auto one = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), one.size() + 1));
    if (!one.empty()) segments.emplace_back(one);
  }
  return segments;
}

bool is_id_beginning(std::string_view written, std::string_view id) {
  auto is_hex = written.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return is_hex && written.size() >= written_id_length_min && id.size() == id_length && id.starts_with(written);
}

bool is_below(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  if (pattern.size() > path.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (i == 1 && path[0] == sessions && is_id_beginning(pattern[i], path[i])) continue;
    if (::fnmatch(pattern[i].c_str(), path[i].c_str(), FNM_NOESCAPE) != 0) return false;
  }
  return true;
}

} // namespace

std::string with_short_ids(std::string text) {
  for (std::size_t at = 0; (at = text.find("sessions/", at)) != std::string::npos;) {
    at += sessions.size() + 1;
    auto end = std::min(text.find_first_not_of("0123456789abcdef", at), text.size());
    if (end - at == id_length) text.erase(at + shown_id_length, id_length - shown_id_length);
  }
  return text;
}

bool path_matches(std::string_view pattern, std::string_view path) {
  return pattern == "root" || is_below(segments_of(pattern), segments_of(path));
}

outcome<std::string> find_path(const std::string& written, const std::vector<std::string>& paths) {
  if (std::find(paths.begin(), paths.end(), written) != paths.end()) return written;
  auto pattern = segments_of(written);
  std::vector<std::string> found, known;
  for (auto& path : paths) {
    known.push_back(with_short_ids(path));
    auto segments = segments_of(path);
    auto is_plain = written.find_first_of("*?[") == std::string::npos; // An action is on one actor, and named as such.
    if (is_plain && segments.size() == pattern.size() && is_below(pattern, segments)) found.push_back(path);
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1)
    return fail(errc::invalid_input, "lucid",
                fmt::format("{} stands for {} actors; write more of it", printable(written), found.size()));
  auto near = nearest(written, known);
  return fail(errc::not_found, "lucid",
              fmt::format("there is no actor {}; {}", printable(written),
                          near.empty() ? "`lucid inspect` lists all" : fmt::format("did you mean \"{}\"?", near)));
}

} // namespace lucid

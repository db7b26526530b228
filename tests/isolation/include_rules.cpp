// tests/isolation/include_rules.cpp - the rules, and the reading of #include lines.
#include "tests/isolation/include_rules.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <string_view>

namespace lucid {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view layers[] = {"messages", "adapters", "runtime", "actors"};

/// A library whose headers only some folders may include.
struct library_home {
  std::string_view header;               ///< How its headers begin.
  std::vector<std::string_view> folders; ///< Where they may be included.
};

const std::vector<library_home> homes{
    {"freerdp/", {"adapters/freerdp"}},
    {"winpr/", {"adapters/freerdp"}},
    {"libav", {"adapters/ffmpeg"}},
    {"libsw", {"adapters/ffmpeg"}},
    {"sodium", {"adapters/sodium", "adapters/tor"}},
    {"zstd", {"adapters/zstd"}},
    {"zdict", {"adapters/zstd"}},
    {"sqlite3", {"adapters/sqlite"}},
    {"blake3", {"adapters/blake3"}},
    {"xcb/", {"adapters/xcb"}},
    {"X11/", {"adapters/xcb"}},
    {"zmq", {"adapters/zmq"}},
    {"qrencode", {"adapters/qrencode"}},
    {"curl/", {"adapters/curl", "adapters/http"}},
    {"boost/beast", {"adapters/http"}},
    {"boost/asio", {"adapters/http"}},
    {"seccomp", {"adapters/process"}},
    {"curses", {"adapters/terminal"}},
    {"linux/landlock", {"adapters/process"}},
    {"openssl/", {"adapters/freerdp"}},
    {"prometheus/", {"adapters/prometheus"}},
    {"toml++", {"runtime/config"}},
    {"spdlog", {"runtime/log"}},
    {"CLI/", {"actors/node"}},
    {"caf/", {"messages", "runtime", "actors"}},
};

/// What a core must do without: actors, threads, files, sockets.
constexpr std::string_view impure[] = {"caf/", "thread", "mutex", "fstream", "filesystem", "unistd.h", "sys/socket.h", "condition_variable"};

bool begins_with(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }
bool lies_in(std::string_view path, std::string_view folder) {
  return begins_with(path, folder) && path.size() > folder.size() && path[folder.size()] == '/';
}
std::string_view first_folder(std::string_view path) { return path.substr(0, path.find('/')); }

/// "actors/chunk" of "actors/chunk/chunk_core.hpp"; the layer alone for a file right below it.
std::string_view room(std::string_view path) {
  auto slash = path.find('/');
  auto second = slash == std::string_view::npos ? slash : path.find('/', slash + 1);
  return second == std::string_view::npos ? first_folder(path) : path.substr(0, second);
}

/// Why `from` may not include our own header `to`; empty if it may.
std::string broken_arrow(std::string_view from, std::string_view to) {
  auto from_layer = first_folder(from), to_layer = first_folder(to);
  auto from_room = room(from), to_room = room(to);
  if (from_room == to_room || from_room == "actors/node") return {};
  if (to_layer == "messages") return {};
  if (from_layer == "messages") return "messages/ includes nothing of ours but messages/";
  if (from_layer == "runtime") return to_layer == "runtime" ? "" : "runtime/ includes messages/ alone";
  if (from_layer == "adapters") return "an adapter includes messages/ and its own folder alone";
  if (from_room == "actors/format") {
    bool pure = to_room == "adapters/sodium" || to_room == "adapters/zstd" || to_room == "adapters/blake3";
    return pure ? "" : "actors/format includes messages/ and adapters/{sodium,zstd,blake3} alone";
  }
  if (to_layer == "actors" && to_room != "actors/format") return "a role never includes another role; they meet in messages/";
  return {};
}

/// Why `from` may not include the library header `to`.
std::string misplaced_library(std::string_view from, std::string_view to) {
  for (auto& home : homes) {
    if (!begins_with(to, home.header)) continue;
    auto at_home = [&](std::string_view folder) { return lies_in(from, folder); };
    if (std::any_of(home.folders.begin(), home.folders.end(), at_home)) return {};
    std::string list;
    for (auto folder : home.folders) list.append(list.empty() ? "" : ", ").append(folder);
    return "its headers belong to " + list;
  }
  return {};
}

bool is_core(std::string_view path) {
  auto stem = path.substr(0, path.rfind('.'));
  return lies_in(path, "actors") && stem.size() > 5 && stem.substr(stem.size() - 5) == "_core";
}

std::string impurity(std::string_view from, std::string_view to) {
  if (!is_core(from)) return {};
  for (auto header : impure)
    if (to == header || (header.back() == '/' && begins_with(to, header))) return "a core is pure: no actors, threads or files";
  return lies_in(to, "runtime") ? "a core is pure: nothing of the runtime" : "";
}

struct include_line {
  std::string target;
  bool quoted = false;
};

/// The include on a line, if there is one.
bool read_include(std::string_view line, include_line& into) {
  auto skip_blanks = [&] {
    auto at = line.find_first_not_of(" \t");
    line.remove_prefix(at == std::string_view::npos ? line.size() : at);
  };
  skip_blanks();
  if (!begins_with(line, "#")) return false;
  line.remove_prefix(1);
  skip_blanks();
  if (!begins_with(line, "include")) return false;
  line.remove_prefix(7);
  skip_blanks();
  if (line.empty() || (line[0] != '"' && line[0] != '<')) return false;
  into.quoted = line[0] == '"';
  auto end = line.find(into.quoted ? '"' : '>', 1);
  if (end == std::string_view::npos) return false;
  into.target = line.substr(1, end - 1);
  return true;
}

std::string broken_rule(const fs::path& root, const std::string& file, const include_line& include) {
  auto& to = include.target;
  bool ours = std::find(std::begin(layers), std::end(layers), first_folder(to)) != std::end(layers) && fs::exists(root / to);
  if (lies_in(to, "tests")) return "nothing outside tests/ includes tests/";
  if (auto why = impurity(file, to); !why.empty()) return why;
  if (ours) return include.quoted ? broken_arrow(file, to) : "our own headers stand in quotes";
  if (auto why = misplaced_library(file, to); !why.empty()) return why;
  return include.quoted ? "there is no such header; name it from the root" : "";
}

std::vector<std::string> sources(const fs::path& root) {
  std::set<std::string> found;
  for (auto layer : layers) {
    if (!fs::exists(root / layer)) continue;
    for (auto& entry : fs::recursive_directory_iterator(root / layer)) {
      auto extension = entry.path().extension();
      if (entry.is_regular_file() && (extension == ".hpp" || extension == ".cpp" || extension == ".h" || extension == ".c"))
        found.insert(fs::relative(entry.path(), root).generic_string());
    }
  }
  return {found.begin(), found.end()};
}

} // namespace

std::vector<include_violation> check_includes(const fs::path& root) {
  std::vector<include_violation> violations;
  for (auto& file : sources(root)) {
    std::ifstream in(root / file);
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      include_line include;
      if (!read_include(line, include)) continue;
      auto why = broken_rule(root, file, include);
      if (!why.empty()) violations.push_back({file, number, include.target + ": " + why});
    }
  }
  return violations;
}

std::size_t source_count(const fs::path& root) { return sources(root).size(); }

} // namespace lucid

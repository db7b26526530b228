// actors/console/consequences.cpp - the sentences.
#include "actors/console/consequences.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace lucid {
namespace {

std::string count_of(std::size_t n, std::string_view one) { return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s"); }

std::string length_text(unix_time_us length_us) {
  auto s = std::max<unix_time_us>(length_us, 0) / 1'000'000;
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string size_text(std::uint64_t bytes) {
  constexpr double kib = 1024, mib = kib * 1024, gib = mib * 1024;
  auto size = static_cast<double>(bytes);
  if (size >= gib) return fmt::format("{:.1f} GiB", size / gib);
  if (size >= mib) return fmt::format("{:.1f} MiB", size / mib);
  return fmt::format("{:.0f} KiB", size / kib);
}

std::string name_of(const session_summary& s) {
  return s.title.empty() ? short_id(s.id) : fmt::format("{} \"{}\"", short_id(s.id), s.title);
}

outcome<std::string> not_now(const session_summary& s, std::string_view right) {
  return fail(errc::wrong_state, "session", fmt::format("{} is {}: {}", name_of(s), to_string(s.state), right));
}

} // namespace

std::string consequence_for_node(std::string_view action, std::size_t running) {
  auto sessions = count_of(running, "running session");
  if (action == "drain")
    return running == 0 ? "starts no new session; none is running"
                        : fmt::format("starts no new session; {} {} on to {} end", sessions, running == 1 ? "goes" : "go",
                                      running == 1 ? "its" : "their");
  if (action == "accept") return "lets sessions be started again";
  if (action == "stop")
    return running == 0 ? "ends the node; no session is running"
                        : fmt::format("ends {} in order, then the node; what they recorded is kept", sessions);
  return "changes which lines are written to the log, until the node ends";
}

std::string consequence_of_log_level(std::string_view subsystem, std::string_view level) {
  return fmt::format("writes lines of level {} and above to the log for {}, until the node ends", level,
                     subsystem.empty() ? "every subsystem" : fmt::format("the subsystem {}", subsystem));
}

std::string consequence_for_cluster(std::string_view action) {
  if (action == "init") return "begins a cluster of which this node is the first member";
  if (action == "invite") return "one node may join with this invitation, once";
  if (action == "uninvite") return "whoever has it is let in no more; who has joined with it stays";
  if (action == "join") return "its members can look at this node and share its work";
  if (action == "remove") return "cut off from all members at once; to come back it has to be invited anew";
  if (action == "rotate") return "links are made anew with a new transport key; the node's identity stays";
  return "links are made anew with a new transport key and a new onion address; the node's identity stays";
}

outcome<std::string> consequence_for_session(std::string_view action, const session_summary& s, unix_time_us now_us) {
  bool final = is_final(s.state);
  if (action == "remove") {
    if (!final) return not_now(s, "stop it first");
    return fmt::format("deletes the recording {} and its {} for good; its entry in the ledger stays", name_of(s),
                       size_text(s.stored_bytes));
  }
  if (final) return not_now(s, "only a session that runs can be stopped or extended");
  if (action == "extend") return fmt::format("lets the session {} run longer than it was meant to", name_of(s));
  auto length = s.started_us == 0 ? std::string() : fmt::format(" after {}", length_text(now_us - s.started_us));
  return fmt::format("ends the recording {}{}; what was recorded is sealed and anchored", name_of(s), length);
}

} // namespace lucid

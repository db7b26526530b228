// messages/data_layout.hpp - where what lies in the data folder. Names only; nothing here touches a disk.
//
//     <data>/store.db                          metadata of all sessions
//     <data>/ledger.db                         the chain
//     <data>/audit.log                        what operators did to the node
//     <data>/lock                              held by the node
//     <data>/challenges.db                    what came of asking other nodes for proof of their copies
//     <data>/mesh.db                           list of members, statements, invitations, numbers of leases
//     <data>/mesh/                             sockets and Tor's state
//     <data>/replicas/                        recordings of other nodes: store.db and sessions/ as here
//     <data>/capsules/<id>.json                what is kept of actors that ended abnormally
//     <data>/sessions/<session id>/video-000000.chunk
//     <data>/sessions/<session id>/events-000000.chunk
//     <data>/sessions/<session id>/journal-000000.log
#pragma once

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "messages/chunk.hpp"

namespace lucid {

inline std::filesystem::path store_file(const std::filesystem::path& data) { return data / "store.db"; }
inline std::filesystem::path ledger_file_name(const std::filesystem::path& data) { return data / "ledger.db"; }
inline std::filesystem::path audit_file_name(const std::filesystem::path& data) { return data / "audit.log"; }
inline std::filesystem::path mesh_file(const std::filesystem::path& data) { return data / "mesh.db"; }
inline std::filesystem::path mesh_folder(const std::filesystem::path& data) { return data / "mesh"; }
inline std::filesystem::path challenges_file(const std::filesystem::path& data) { return data / "challenges.db"; }
inline std::filesystem::path replicas_folder(const std::filesystem::path& data) { return data / "replicas"; }
inline std::filesystem::path capsules_folder(const std::filesystem::path& data) { return data / "capsules"; }
inline std::filesystem::path sessions_folder(const std::filesystem::path& data) { return data / "sessions"; }
inline std::filesystem::path session_folder(const std::filesystem::path& data, const session_id& session) {
  return sessions_folder(data) / to_hex(session);
}

namespace detail {
/// "video-000042.chunk"
inline std::string numbered_name(std::string_view kind, std::uint32_t number, std::string_view suffix) {
  auto digits = std::to_string(number);
  std::string padding(digits.size() < 6 ? 6 - digits.size() : 0, '0');
  return std::string(kind) + '-' + padding + digits + std::string(suffix);
}
/// The number in such a name, if it is exactly one.
inline std::optional<std::uint32_t> number_in(std::string_view name, std::string_view kind, std::string_view suffix) {
  if (name.size() <= kind.size() + 1 + suffix.size() || !name.starts_with(kind) || !name.ends_with(suffix))
    return std::nullopt;
  auto digits = name.substr(kind.size() + 1, name.size() - kind.size() - 1 - suffix.size());
  std::uint32_t number = 0;
  auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (problem != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (numbered_name(kind, number, suffix) != name) return std::nullopt;
  return number;
}
} // namespace detail

inline std::string_view track_name(track on) noexcept { return on == track::video ? "video" : "events"; }

inline std::string chunk_file_name(track on, std::uint32_t index) {
  return detail::numbered_name(track_name(on), index, ".chunk");
}
inline std::filesystem::path chunk_file(const std::filesystem::path& data, const chunk_key& key) {
  return session_folder(data, key.session) / chunk_file_name(key.on, key.index);
}
inline std::string journal_file_name(std::uint32_t segment) {
  return detail::numbered_name("journal", segment, ".log");
}
/// Which journal segment `name` is; none if it is no journal file.
inline std::optional<std::uint32_t> journal_segment_of(std::string_view name) {
  return detail::number_in(name, "journal", ".log");
}
/// Which chunk `name` is within its session; none if it is no chunk file.
inline std::optional<std::pair<track, std::uint32_t>> chunk_of(std::string_view name) {
  for (auto on : {track::video, track::events})
    if (auto index = detail::number_in(name, track_name(on), ".chunk")) return std::pair(on, *index);
  return std::nullopt;
}

} // namespace lucid

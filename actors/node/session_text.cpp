// actors/node/session_text.cpp - lengths, sizes and times in words.
#include "actors/node/session_text.hpp"

#include <array>
#include <ctime>

#include <fmt/format.h>

#include "messages/bytes.hpp"

namespace lucid {

std::string duration_text(unix_time_us length_us) {
  auto seconds = length_us > 0 ? length_us / 1'000'000 : 0;
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string size_text(std::uint64_t size_bytes) {
  static constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto size = static_cast<double>(size_bytes);
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < units.size(); ++unit) size /= 1024;
  return unit == 0 ? fmt::format("{} B", size_bytes) : fmt::format("{:.1f} {}", size, units[unit]);
}

std::string time_text(unix_time_us at_us) {
  if (at_us == 0) return "-";
  auto seconds = static_cast<std::time_t>(at_us / 1'000'000);
  std::tm utc{};
  if (!::gmtime_r(&seconds, &utc)) return "-";
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &utc);
  return text.data();
}

chain_names chain_names_of(const cluster_view& cluster) {
  chain_names names;
  for (auto& member : cluster.members) names.emplace(member.sign_key, member.name);
  return names;
}

std::string block_text(std::uint64_t height, const sign_public_key& producer, const chain_names& names) {
  if (producer == sign_public_key{}) return fmt::format("{}", height);
  auto known = names.find(producer);
  return fmt::format("{} of {}", height, known == names.end() ? to_hex(byte_view(producer).first(4)) : known->second);
}

std::string block_sentence(std::uint64_t height, const sign_public_key& producer, const chain_names& names) {
  if (producer == sign_public_key{}) return fmt::format("block {}", height);
  auto known = names.find(producer);
  if (known != names.end()) return fmt::format("block {} of {}'s chain", height, known->second);
  return fmt::format("block {} of the chain of {}...", height, to_hex(byte_view(producer).first(8)));
}

unix_time_us recorded_length_us(const session_summary& s) noexcept {
  return s.started_us == 0 || s.ended_us <= s.started_us ? 0 : s.ended_us - s.started_us;
}

} // namespace lucid

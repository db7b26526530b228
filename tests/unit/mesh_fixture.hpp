// tests/unit/mesh_fixture.hpp - nodes with keys from a seed, for the tests of the mesh.
#pragma once

#include <random>
#include <string>

#include "actors/mesh/member_list.hpp"
#include "actors/mesh/node_identity.hpp"
#include "messages/ports/random.hpp"
#include "tests/doubles/must.hpp"

namespace lucid::test {

using lucid::testing::must;

inline constexpr unix_time_us mesh_time_us = 1'800'000'000'000'000;

/// Randomness that repeats from a seed.
class mesh_random final : public random_port {
public:
  explicit mesh_random(std::uint64_t seed) : engine(seed) {}
  void fill(std::span<std::uint8_t> into) override {
    for (auto& byte : into) byte = static_cast<std::uint8_t>(engine());
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine() % bound); }
  bool chance(unsigned percent) { return engine() % 100 < percent; }

  std::mt19937_64 engine;
};

/// One node: its signing key, and a statement of it.
struct mesh_node {
  std::string name;
  std::shared_ptr<const sign_key> sign;
  node_id id{};

  explicit mesh_node(std::string its_name, std::uint64_t seed = 0) : name(std::move(its_name)) {
    auto seed_bytes = std::hash<std::string>{}(name) * 31 + seed;
    mesh_random random(seed_bytes);
    secret_key secret;
    random.fill(secret.span());
    sign = std::make_shared<const sign_key>(secret);
    id = node_id_of(sign->public_key());
  }
  node_statement statement(std::uint64_t serial = 1, std::uint8_t transport = 7) const {
    node_statement s;
    s.box_key.fill(5);
    s.transport = id;
    s.transport[0] = transport;
    s.serial = serial;
    s.name = name;
    s.addresses = {"tcp://192.168.1.11:7800"};
    s.chunk_addresses = {"tcp://192.168.1.11:7801"};
    s.software = "lucid 0.1.0";
    s.time_us = mesh_time_us;
    return must(sign_statement(s, *sign));
  }
};

/// A cluster of its founder alone.
inline member_list founded_by(const mesh_node& founder, const std::string& cluster = "home") {
  auto entry = must(found_cluster(cluster, founder.name, *founder.sign, mesh_time_us));
  member_list list(cluster_origin{entry.cluster_id, {}, nullptr});
  if (!list.merge({&entry, 1}).refused.empty()) throw std::runtime_error("the founder's entry was refused");
  return list;
}

/// Merges what is sound; throws if it is not.
inline member_entry add(member_list& list, outcome<member_entry> entry) {
  auto sound = must(std::move(entry));
  auto merged = list.merge({&sound, 1});
  if (!merged.refused.empty()) throw std::runtime_error(to_string(merged.refused.front()));
  return sound;
}
inline member_entry admit(member_list& list, const mesh_node& subject, const mesh_node& by) {
  return add(list, list.admission(subject.sign->public_key(), subject.name, *by.sign, mesh_time_us));
}
inline member_entry remove(member_list& list, const mesh_node& subject, const mesh_node& by) {
  return add(list, list.removal(subject.id, *by.sign, mesh_time_us));
}

} // namespace lucid::test

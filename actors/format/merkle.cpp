// actors/format/merkle.cpp - leaves, nodes, roots and paths.
#include "actors/format/merkle.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

#include "actors/format/contexts.hpp"

namespace lucid {
namespace {

// Deriving a key from a context costs two compressions: done once, then copied or reset.
const blake3_hasher& fresh_leaf_hasher() {
  static const blake3_hasher hasher(contexts::merkle_leaf);
  return hasher;
}

const blake3_hasher& fresh_node_hasher() {
  static const blake3_hasher hasher(contexts::merkle_node);
  return hasher;
}

/// Pieces that stay in a core's own cache between their two hashes.
constexpr std::size_t piece_size_bytes = 8 * block_size_bytes;

digest node_with(blake3_hasher& hasher, const digest& left, const digest& right) noexcept {
  hasher.reset();
  hasher.update(left);
  hasher.update(right);
  return hasher.finish();
}

/// The size of the left subtree: the largest power of two below `count`.
std::uint64_t split_of(std::uint64_t count) noexcept { return std::bit_ceil(count) / 2; }

} // namespace

digest merkle_leaf(byte_view block) noexcept {
  auto hasher = fresh_leaf_hasher();
  hasher.update(block);
  return hasher.finish();
}

digest merkle_node(const digest& left, const digest& right) noexcept {
  auto hasher = fresh_node_hasher();
  return node_with(hasher, left, right);
}

digest merkle_root(std::span<const digest> leaves) {
  if (leaves.empty()) return {};
  auto hasher = fresh_node_hasher();
  std::vector<digest> level(leaves.begin(), leaves.end());
  // Pairing neighbours and lifting an odd last one up gives the same tree as splitting at powers of two.
  while (level.size() > 1) {
    std::size_t written = 0;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) level[written++] = node_with(hasher, level[i], level[i + 1]);
    if (level.size() % 2 != 0) level[written++] = level.back();
    level.resize(written);
  }
  return level.front();
}

std::vector<digest> merkle_path(std::span<const digest> leaves, std::uint64_t index) {
  assert(index < leaves.size());
  std::vector<digest> path;
  for (auto rest = leaves; rest.size() > 1;) {
    auto split = split_of(rest.size());
    bool left = index < split;
    path.push_back(merkle_root(left ? rest.subspan(split) : rest.first(split)));
    rest = left ? rest.first(split) : rest.subspan(split);
    if (!left) index -= split;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

outcome<digest> merkle_root_from_path(const digest& leaf, std::uint64_t index, std::uint64_t count,
                                      std::span<const digest> path) {
  if (index >= count)
    return fail(errc::corrupted, "merkle",
                "leaf " + std::to_string(index) + " of " + std::to_string(count) + " does not exist");
  // RFC 9162, section 2.1.3.2: `last` is the index of the last leaf, lifted level by level beside `index`.
  auto hasher = fresh_node_hasher();
  auto at = leaf;
  auto last = count - 1;
  for (const auto& sibling : path) {
    if (last == 0) return fail(errc::corrupted, "merkle", "the path is longer than the tree is high");
    if (index % 2 == 1 || index == last) {
      at = node_with(hasher, sibling, at);
      while (index % 2 == 0 && index != 0) {
        index /= 2;
        last /= 2;
      }
    } else {
      at = node_with(hasher, at, sibling);
    }
    index /= 2;
    last /= 2;
  }
  if (last != 0) return fail(errc::corrupted, "merkle", "the path is shorter than the tree is high");
  return at;
}

file_hashes hash_file(byte_view file) {
  file_hashes result;
  result.leaves.reserve(block_count_of(file.size()));
  blake3_hasher content;
  auto leaf = fresh_leaf_hasher();
  while (!file.empty()) {
    auto piece = file.first(std::min(piece_size_bytes, file.size()));
    file = file.subspan(piece.size());
    content.update(piece);
    while (!piece.empty()) {
      auto block = piece.first(std::min(block_size_bytes, piece.size()));
      piece = piece.subspan(block.size());
      leaf.reset();
      leaf.update(block);
      result.leaves.push_back(leaf.finish());
    }
  }
  result.content = content.finish();
  return result;
}

} // namespace lucid

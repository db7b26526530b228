// actors/node/node_archive.hpp - recordings and chain of the node's own data folder.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>

#include "messages/ports/archive.hpp"
#include "messages/ports/cluster.hpp"

namespace lucid {

/// Reads beside the actors that write: each call opens store and chain for reading and closes them again, which takes
/// a millisecond, so nothing is shared between calls but whether a verification runs.
class node_archive final : public archive {
public:
  /// `cluster` names the nodes in whose chains recordings are anchored; none: this node stands alone.
  explicit node_archive(std::filesystem::path data_dir, std::shared_ptr<cluster_port> cluster = nullptr)
    : data_dir_(std::move(data_dir)), cluster_(std::move(cluster)) {}

  outcome<signed_manifest> manifest(const session_id& session) override;
  outcome<std::vector<chunk_record>> chunks(const session_id& session) override;
  outcome<payload> chunk(const session_id& session, track on, std::uint32_t index) override;
  outcome<std::string> proof(const session_id& session) override;
  outcome<recording_verdict> verify(const session_id& session, const std::function<bool()>& cancelled) override;
  outcome<std::vector<block_header>> blocks(std::optional<std::uint64_t> before, std::uint32_t count) override;
  outcome<full_block> block(std::uint64_t height) override;
  outcome<std::vector<found_entry>> search(const std::string& digits) override;

private:
  std::filesystem::path data_dir_;
  std::shared_ptr<cluster_port> cluster_;
  std::atomic<bool> verifying_{false};
};

} // namespace lucid

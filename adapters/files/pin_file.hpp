// adapters/files/pin_file.hpp - pinned certificates in a text file: one "host:port fingerprint" a line.
#pragma once

#include <filesystem>
#include <mutex>

#include "messages/ports/file_system.hpp"
#include "messages/ports/pin_table.hpp"

namespace lucid {

/// The pins of a node. An administrator removes a line to have a server's new certificate accepted.
/// Threads: any. Errors: `corrupted` naming the line; `limit_exceeded` beyond `file_size_bytes_max`; the file system's.
class pin_file final : public pin_table {
public:
  static constexpr std::size_t file_size_bytes_max = 1u << 20; ///< Some 10,000 servers.

  pin_file(file_system& files, std::filesystem::path file) : files_(files), file_(std::move(file)) {}

  outcome<std::optional<std::string>> find(const std::string& host) override;
  outcome<void> pin(const std::string& host, const std::string& fingerprint) override;

private:
  outcome<std::string> read();
  outcome<std::optional<std::string>> find_in(const std::string& text, const std::string& host) const;

  file_system& files_;
  std::filesystem::path file_;
  std::mutex mutex_;
};

} // namespace lucid

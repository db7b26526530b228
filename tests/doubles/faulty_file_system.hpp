// tests/doubles/faulty_file_system.hpp - a file system in memory that fails on demand and loses power.
//
// Fault model. Which faults, and why whoever uses the port must survive them:
//   - an operation fails with a given code (EIO on write or sync, a read-only remount): the device is going;
//   - the disk is full: an append writes what fits and fails, as POSIX allows (a short write);
//   - the power goes at the n-th operation. What survives is what POSIX promises and no more:
//       - a file's bytes up to its last successful sync; of those after it, a prefix of any length, in which any
//         sectors of 512 bytes may read as zeros (the length reached the disk, the block did not);
//       - a name as of the last sync of its folder; of the changes after it, the first few, in order;
//       - a file cut shorter but not synced may have its old bytes back;
//   - a handle from before the loss of power answers errors only.
// Not modelled: bytes that rot at rest (tests flip those themselves), and disks that lie about a sync.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "messages/ports/file_system.hpp"

namespace lucid::testing {

class faulty_file_system final : public file_system {
public:
  // --- faults ---

  /// The power goes when `operations_until` more operations have been done.
  void lose_power_after(std::uint64_t operations_until) { power_lost_at_ = operations_ + operations_until; }
  bool power_is_lost() const { return power_lost_at_ && operations_ >= *power_lost_at_; }

  /// The next operation called `kind` ("append", "sync", "open", "rename", "sync_folder" ...) fails once.
  void fail_next(std::string kind, errc code) { failing_[std::move(kind)] = code; }

  /// Room for this many bytes in all files together.
  void set_capacity(std::optional<std::uint64_t> bytes) { capacity_ = bytes; }
  void set_free_bytes(std::uint64_t bytes) { free_bytes_ = bytes; }

  std::uint64_t operations() const { return operations_; }

  /// Power is back: what survived is what is there now.
  void restart(std::mt19937_64& random) {
    for (auto& [folder, changes] : pending_) {
      auto kept = random() % (changes.size() + 1);
      for (std::size_t i = 0; i < kept; ++i) changes[i](durable_);
    }
    pending_.clear();
    present_.clear();
    for (auto& [name, old] : durable_) {
      auto survivor = std::make_shared<inode>();
      survivor->bytes = survivor->synced = surviving_bytes(*old, random);
      present_[name] = survivor;
    }
    durable_ = present_;
    power_lost_at_.reset();
    failing_.clear();
    ++generation_;
  }

  /// The present bytes of `file`, to look at or to damage. They count as synced.
  void change(const path& file, const std::function<void(byte_buffer&)>& by) {
    auto& node = *present_.at(file.string());
    by(node.bytes);
    node.synced = node.bytes;
  }
  bool has(const path& file) const { return present_.count(file.string()) != 0; }

  // --- file_system ---

  outcome<std::unique_ptr<append_file>> open(const path& file, open_mode mode) override {
    auto ready = step("open");
    if (!ready) return pass_on(std::move(ready));
    if (!folders_.count(file.parent_path().string()))
      return fail(errc::not_found, "files", "no folder for " + file.string());
    auto found = present_.find(file.string());
    if (mode == open_mode::extend && found == present_.end())
      return fail(errc::not_found, "files", "no file " + file.string());
    if (found == present_.end()) {
      auto node = std::make_shared<inode>();
      found = present_.emplace(file.string(), node).first;
      note(file, [name = file.string(), node](names& in) { in[name] = node; });
    } else if (mode == open_mode::fresh) {
      found->second->bytes.clear();
    }
    return std::unique_ptr<append_file>(new handle(*this, found->second));
  }

  outcome<byte_buffer> read(const path& file, std::uint64_t offset, std::size_t size_bytes) override {
    auto found = find(file);
    if (!found) return pass_on(std::move(found));
    auto& bytes = (*found)->bytes;
    auto from = std::min<std::uint64_t>(offset, bytes.size());
    auto to = std::min<std::uint64_t>(bytes.size(), from + size_bytes);
    return byte_buffer(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                       bytes.begin() + static_cast<std::ptrdiff_t>(to));
  }

  outcome<std::uint64_t> size_of(const path& file) override {
    auto found = find(file);
    if (!found) return pass_on(std::move(found));
    return (*found)->bytes.size();
  }

  outcome<void> make_folder(const path& folder) override {
    auto ready = step("make_folder");
    if (!ready) return ready;
    for (auto at = folder; !at.empty(); at = at.parent_path()) {
      folders_.insert(at.string());
      if (at == at.parent_path()) break;
    }
    return {};
  }

  outcome<void> rename(const path& from, const path& to) override {
    auto ready = step("rename");
    if (!ready) return ready;
    auto found = find(from);
    if (!found) return pass_on(std::move(found));
    auto node = *found;
    present_.erase(from.string());
    present_[to.string()] = node;
    note(to, [from = from.string(), to = to.string(), node](names& in) {
      in.erase(from);
      in[to] = node;
    });
    return {};
  }

  outcome<void> remove(const path& what) override {
    auto ready = step("remove");
    if (!ready) return ready;
    if (folders_.count(what.string())) {
      auto inside = list(what);
      if (inside && !inside->empty()) return fail(errc::io_failed, "files", what.string() + " is not empty");
      folders_.erase(what.string());
      return {};
    }
    if (present_.erase(what.string()))
      note(what, [name = what.string()](names& in) { in.erase(name); });
    return {};
  }

  outcome<std::vector<std::string>> list(const path& folder) override {
    std::set<std::string> names_in;
    for (auto& [name, node] : present_)
      if (path(name).parent_path() == folder) names_in.insert(path(name).filename().string());
    for (auto& name : folders_)
      if (path(name).parent_path() == folder && path(name) != folder) names_in.insert(path(name).filename().string());
    return std::vector<std::string>(names_in.begin(), names_in.end());
  }

  outcome<void> sync_folder(const path& folder) override {
    auto ready = step("sync_folder");
    if (!ready) return ready;
    for (auto& change : pending_[folder.string()]) change(durable_);
    pending_.erase(folder.string());
    return {};
  }

  outcome<std::uint64_t> free_bytes(const path&) override { return free_bytes_; }

private:
  struct inode {
    byte_buffer bytes;  // As a running process sees it.
    byte_buffer synced; // As of the last sync.
  };
  using names = std::map<std::string, std::shared_ptr<inode>>;

  class handle final : public append_file {
  public:
    handle(faulty_file_system& of, std::shared_ptr<inode> node)
      : of_(of), node_(std::move(node)), generation_(of.generation_) {}

    outcome<void> append(byte_view bytes) override {
      auto ready = step("append");
      if (!ready) {
        // The device may have taken a part of it before it failed.
        auto part = bytes.first(bytes.size() / 2);
        if (generation_ == of_.generation_) node_->bytes.insert(node_->bytes.end(), part.begin(), part.end());
        return ready;
      }
      auto room = of_.capacity_ ? *of_.capacity_ - std::min(*of_.capacity_, of_.used()) : bytes.size();
      auto fits = bytes.first(std::min<std::size_t>(bytes.size(), static_cast<std::size_t>(room)));
      node_->bytes.insert(node_->bytes.end(), fits.begin(), fits.end());
      if (fits.size() < bytes.size()) return fail(errc::disk_full, "files", "cannot write: no space left");
      return {};
    }
    outcome<void> sync() override {
      auto ready = step("sync");
      if (ready) node_->synced = node_->bytes;
      return ready;
    }
    outcome<void> cut(std::uint64_t size_bytes) override {
      auto ready = step("cut");
      if (ready) node_->bytes.resize(static_cast<std::size_t>(size_bytes));
      return ready;
    }
    std::uint64_t size_bytes() const noexcept override { return node_->bytes.size(); }

  private:
    outcome<void> step(const char* kind) {
      if (generation_ != of_.generation_) return fail(errc::io_failed, "files", "handle from before the power failed");
      return of_.step(kind);
    }
    faulty_file_system& of_;
    std::shared_ptr<inode> node_;
    std::uint64_t generation_;
  };

  /// Counts the operation and fails it if it is its turn.
  outcome<void> step(const std::string& kind) {
    if (power_is_lost()) return fail(errc::io_failed, "files", "power lost");
    ++operations_;
    auto found = failing_.find(kind);
    if (found == failing_.end()) return {};
    auto code = found->second;
    failing_.erase(found);
    return fail(code, "files", "cannot " + kind);
  }

  outcome<std::shared_ptr<inode>> find(const path& file) {
    auto found = present_.find(file.string());
    if (found == present_.end()) return fail(errc::not_found, "files", "no file " + file.string());
    return found->second;
  }

  void note(const path& file, std::function<void(names&)> change) {
    pending_[file.parent_path().string()].push_back(std::move(change));
  }

  std::uint64_t used() const {
    std::uint64_t sum = 0;
    for (auto& [name, node] : present_) sum += node->bytes.size();
    return sum;
  }

  static byte_buffer surviving_bytes(const inode& node, std::mt19937_64& random) {
    auto& from = random() % 2 && node.bytes.size() < node.synced.size() ? node.bytes : node.synced;
    auto survived = from;
    if (node.bytes.size() <= node.synced.size()) return survived;
    auto extra = random() % (node.bytes.size() - node.synced.size() + 1);
    auto base = survived.size();
    survived.insert(survived.end(), node.bytes.begin() + static_cast<std::ptrdiff_t>(base),
                    node.bytes.begin() + static_cast<std::ptrdiff_t>(base + extra));
    if (extra > 0 && random() % 3 == 0) {
      constexpr std::size_t sector = 512;
      auto begin = std::max(base, (base + random() % extra) / sector * sector);
      auto end = std::min(survived.size(), (begin / sector + 1 + random() % 4) * sector);
      std::fill(survived.begin() + static_cast<std::ptrdiff_t>(begin),
                survived.begin() + static_cast<std::ptrdiff_t>(end), std::uint8_t{0});
    }
    return survived;
  }

  names present_;
  names durable_;
  std::map<std::string, std::vector<std::function<void(names&)>>> pending_;
  std::set<std::string> folders_;
  std::map<std::string, errc> failing_;
  std::optional<std::uint64_t> capacity_;
  std::uint64_t free_bytes_ = 1ull << 40;
  std::optional<std::uint64_t> power_lost_at_;
  std::uint64_t operations_ = 0;
  std::uint64_t generation_ = 0;
};

} // namespace lucid::testing

// actors/store/recording_source.cpp - a read-only connection, opened when it is needed.
#include "actors/store/recording_source.hpp"

#include <algorithm>
#include <mutex>

namespace lucid {
namespace {

class recording_source final : public replica_source {
public:
  recording_source(store_options options, file_system& files) : options_(std::move(options)), files_(&files) {}

  outcome<std::vector<session_summary>> sessions(const session_list_request& which) override {
    return with_store([&](recording_store& store) { return store.sessions(which); });
  }
  outcome<session_row> row(const session_id& session) override {
    return with_store([&](recording_store& store) { return store.session(session); }).map([](session_row row) {
      auto& people = row.policy.recipients;
      std::erase_if(row.keys, [&](const wrapped_key& k) { return std::find(people.begin(), people.end(), k.recipient) == people.end(); });
      return row;
    });
  }
  outcome<std::vector<chunk_record>> chunks(const session_id& session, track on, std::uint32_t from, std::uint32_t count) override {
    return with_store([&](recording_store& store) { return store.chunk_page(session, on, from, count); });
  }
  outcome<payload> chunk(const chunk_key& key) override {
    return with_store([&](recording_store& store) { return store.chunk_bytes(key); }).map([](byte_buffer bytes) {
      return payload(std::move(bytes));
    });
  }
  outcome<std::optional<manifest_put_request>> manifest(const session_id& session) override {
    return with_store([&](recording_store& store) { return store.manifest_with_entry(session); });
  }
  outcome<std::optional<stored_anchor>> anchor(const session_id& session) override {
    auto found = with_store([&](recording_store& store) { return store.anchor_with_block(session); });
    if (found) return std::optional(std::move(*found));
    if (found.error().code == errc::not_found) return std::optional<stored_anchor>();
    return pass_on(std::move(found));
  }
  outcome<std::optional<node_id>> origin(const session_id& session) override {
    return with_store([&](recording_store& store) { return store.origin_of(session); });
  }

private:
  template <class Step>
  auto with_store(Step step) -> decltype(step(std::declval<recording_store&>())) {
    std::lock_guard lock(mutex_);
    if (!store_) {
      auto opened = recording_store::open_read_only(options_, *files_);
      if (!opened) return pass_on(std::move(opened));
      store_.emplace(std::move(*opened));
    }
    auto result = step(*store_);
    // A connection that failed is not kept: the file may have been replaced.
    if (!result && result.error().code != errc::not_found) store_.reset();
    return result;
  }

  std::mutex mutex_;
  store_options options_;
  file_system* files_;
  std::optional<recording_store> store_;
};

} // namespace

std::unique_ptr<replica_source> make_recording_source(store_options options, file_system& files) {
  return std::make_unique<recording_source>(std::move(options), files);
}

} // namespace lucid

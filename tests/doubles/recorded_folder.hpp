// tests/doubles/recorded_folder.hpp - a data folder with keys and real recordings, made without a node.
//
// Video by the generator and the real encoder, sealed, signed and anchored by the same code as a node's, in one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/format/chunk_codec.hpp"
#include "actors/format/key_store.hpp"
#include "actors/format/keys.hpp"
#include "actors/format/ledger_codec.hpp"
#include "actors/format/manifest_codec.hpp"
#include "actors/ledger/ledger.hpp"
#include "actors/ledger/ledger_file.hpp"
#include "actors/manifest/manifest_core.hpp"
#include "actors/store/recording_store.hpp"
#include "actors/worker/generator_source.hpp"
#include "actors/worker/picture_pipeline.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "adapters/sodium/system_random.hpp"
#include "messages/data_layout.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"
#include "tests/doubles/told_cluster.hpp"

namespace lucid::testing {

/// 6 s of a moving picture: 90 frames, a key frame each second, a chunk every two.
struct recording_plan {
  session_id id{};
  std::string title = "a test";
  bool finished = true;              ///< Else it stays in the state "recording", without a manifest.
  std::uint32_t seconds_per_chunk = 2;
  std::optional<std::uint8_t> anchored_by = std::nullopt; ///< In the chain of another node, whose key has a seed of all this; else its own.
};
inline constexpr std::uint64_t recorded_frame_count = 90;
inline constexpr unix_time_us recorded_at_us = 1'790'000'000'000'000; // 2026-09-21 14:13:20 UTC

/// Needs the keys "node" and "owner" (without a passphrase, or under `passphrase`) in <folder>/keys.
class recorded_folder {
public:
  explicit recorded_folder(const std::filesystem::path& data, std::string passphrase = {})
    : data_(data), passphrase_(std::move(passphrase)) {}

  void add(const recording_plan& plan) {
    auto owner = must(keys().show("owner"));
    auto node = must(keys().load("node", passphrase_));
    sign_key recorder(*node.sign_seed);
    auto store = must(recording_store::open({data_, 0}, files_));
    auto key = make_session_key(random_);
    session_put_request request;
    request.summary.id = plan.id;
    request.summary.state = session_state::created;
    request.summary.title = plan.title;
    request.summary.source = "generator:seed=7";
    request.summary.created_us = recorded_at_us;
    request.policy.title = plan.title;
    request.policy.recipients = {owner.box};
    request.keys = must(wrap_session_key(key, std::vector{owner.box, node.open.box}));
    auto summary = must(store.put_session(request));
    summary.state = session_state::recording;
    summary = must(store.update_session(summary));
    for (auto& plain : video_chunks(plan)) put(store, plain, key, summary);
    put(store, event_chunk(plan), key, summary);
    if (plan.finished) finish(store, summary, key, recorder, plan.anchored_by);
    else must(store.update_session(summary));
  }

  std::filesystem::path chunk_of(const session_id& id, track on, std::uint32_t index) const {
    return chunk_file(data_, {id, on, index});
  }

  key_store keys() { return key_store(files_, data_ / "keys"); }

private:
  static std::vector<fragment> encoded() {
    generator_plan plan;
    plan.seed = 7;
    plan.frame_count = recorded_frame_count;
    plan.width = 320;
    plan.height = 240;
    plan.noise = true;
    worker_start start;
    start.base_us = recorded_at_us;
    start.what.frame_rate_max = 15;
    start.limits.key_frame_interval = std::chrono::milliseconds(1000);
    generator_source source(plan, 0, start.base_us);
    picture_pipeline pipeline(start);
    pipeline_output out;
    must(source.open());
    for (;;) {
      auto poll = must(source.next(std::chrono::milliseconds(0)));
      if (poll.ended) break;
      must(pipeline.add(*poll.frame, out));
    }
    must(pipeline.finish(std::nullopt, out));
    return std::move(out.fragments);
  }

  /// Cut before the init segments that stand at the wanted times.
  static std::vector<plain_chunk> video_chunks(const recording_plan& plan) {
    static const auto fragments = encoded();
    std::vector<plain_chunk> chunks;
    unix_time_us cut_us = 0;
    for (std::size_t i = 0; i < fragments.size(); ++i) {
      auto& f = fragments[i];
      auto at_us = f.kind == fragment_kind::init ? fragments.at(i + 1).start_us : f.start_us;
      if (f.kind == fragment_kind::init && at_us >= cut_us) {
        plain_chunk next;
        next.key = {plan.id, track::video, static_cast<std::uint32_t>(chunks.size())};
        next.span.first_sequence = i + 1;
        next.span.start_us = at_us;
        chunks.push_back(std::move(next));
        cut_us = at_us + plan.seconds_per_chunk * 1'000'000;
      }
      auto& chunk = chunks.back();
      chunk.parts.push_back(f.bytes);
      chunk.span.last_sequence = i + 1;
      chunk.span.frame_count += f.frame_count;
      chunk.span.end_us = std::max(chunk.span.end_us, f.end_us);
    }
    chunks.back().last_of_track = true;
    return chunks;
  }

  static plain_chunk event_chunk(const recording_plan& plan) {
    std::string lines;
    for (int second : {0, 3, 5})
      lines += "{\"at_us\":" + std::to_string(recorded_at_us + second * 1'000'000) + ",\"kind\":\"test\",\"detail\":{\"second\":" +
               std::to_string(second) + "}}\n";
    plain_chunk chunk;
    chunk.key = {plan.id, track::events, 0};
    chunk.span = {1000, 1002, 0, recorded_at_us, recorded_at_us + 5'000'000};
    chunk.last_of_track = true;
    chunk.parts.emplace_back(byte_buffer(lines.begin(), lines.end()));
    return chunk;
  }

  void put(recording_store& store, const plain_chunk& plain, const session_key& key, session_summary& summary) {
    auto sealed = must(seal_chunk(plain, key, random_, scratch_));
    must(store.put_chunk(sealed));
    if (plain.key.on == track::video) summary.frame_count += plain.span.frame_count;
    summary.stored_bytes += sealed.record.sealed_size_bytes;
    summary.captured_bytes += sealed.record.plain_size_bytes;
    ++summary.chunk_count;
    summary.started_us = recorded_at_us;
    summary.ended_us = std::max(summary.ended_us, plain.span.end_us);
  }

  void finish(recording_store& store, session_summary& summary, const session_key& key, const sign_key& recorder,
              std::optional<std::uint8_t> anchored_by) {
    auto move_to = [&](session_state state) {
      summary.state = state;
      summary = must(store.update_session(summary));
    };
    summary.reason = "the source ended";
    move_to(session_state::sealing);
    move_to(session_state::storing);
    auto what = must(build_manifest(must(store.session(summary.id)), must(store.chunks(summary.id)),
                                    {recorder.public_key(), commit_session_key(key), false}));
    auto document = must(sign_manifest(what, recorder));
    auto entry = anchor_entry_of(what, document.hash);
    must(store.put_manifest({summary.id, document, entry}));
    move_to(session_state::anchoring);
    must(store.put_anchor(anchored_by ? in_chain_of(*key_of(*anchored_by), entry) : in_own_chain(recorder, entry)));
    move_to(session_state::completed);
  }

  stored_anchor in_own_chain(const sign_key& recorder, const anchor_entry& entry) const {
    auto file = must(ledger_file::open(ledger_file_name(data_)));
    auto chain = must(ledger::open(file, recorder));
    return {must(chain.append(std::vector{entry}, anchored_at_us)).front().record, {}};
  }

  /// The first block after its genesis.
  static stored_anchor in_chain_of(const sign_key& producer, const anchor_entry& entry) {
    auto block = must(make_block(make_genesis(producer), std::vector{entry}, anchored_at_us, producer));
    return {make_anchor(block, std::vector{entry}, 0), block};
  }
  static constexpr unix_time_us anchored_at_us = recorded_at_us + 10'000'000;

  std::filesystem::path data_;
  std::string passphrase_;
  posix_file_system files_;
  system_random random_;
  seal_scratch scratch_;
};

} // namespace lucid::testing

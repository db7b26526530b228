// actors/store/replica_actor.cpp - requests of other nodes to calls of the store; bytes by way of mesh/blobs.
#include "actors/store/replica_actor.hpp"

#include <algorithm>
#include <optional>

#include "actors/format/challenge_codec.hpp"
#include "actors/format/merkle.hpp"
#include "messages/blobs_api.hpp"
#include "messages/flow_fields.hpp"
#include "messages/paths.hpp"
#include "messages/replication_api.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/log/log.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

constexpr auto take_timeout = 90s;          ///< Longer than blob_limits::take_patience, so that its words are heard.
constexpr std::size_t takes_under_way_max = 64; ///< Each a blob that waits in mesh/blobs, which has bounds of its own.

struct replica_state {
  static inline const char* name = "replicas";
  replica_settings settings;
  std::optional<recording_store> store;
  ref<blobs_api> blobs;
  std::size_t takes_under_way = 0;
  std::uint64_t chunk_count = 0; ///< Stored by this incarnation, as the next.
  std::uint64_t chunk_bytes = 0;
  std::uint64_t shown_count = 0; ///< Challenges answered.
  std::uint64_t refused_count = 0;
};

using replica_self = replica_api::stateful_pointer<replica_state>;

/// The steps of the actor. Handlers keep a copy; the state itself lives in the actor.
struct replica_shell {
  replica_self self;
  const clock_port* clock;
  replica_state& state() const { return self->state; }
  recording_store& store() const { return *self->state.store; }

  template <class T>
  outcome<T> counted(outcome<T> result) const {
    if (!result) ++state().refused_count;
    return result;
  }

  /// Gets a blob, then answers with what `then` makes of it.
  template <class T, class Then>
  caf::typed_response_promise<T> with_blob(const node_id& from, const blob_ref& what, Then then) const {
    owed_answer<T> owed(self);
    if (state().takes_under_way >= takes_under_way_max) {
      lucid::deliver(owed, counted<T>(fail(errc::busy, "replicas", "too many chunks come at once")));
      return owed.promise();
    }
    ++state().takes_under_way;
    state().blobs.request(self, take_timeout, blob_take_request{from, what})
      .then(
        [me = *this, owed, then](const payload& bytes) {
          --me.state().takes_under_way;
          lucid::deliver(owed, me.counted(then(bytes)));
        },
        [me = *this, owed](const caf::error& e) {
          --me.state().takes_under_way;
          ++me.state().refused_count;
          owed.deliver(e);
        });
    return owed.promise();
  }

  /// Whose copy it is; none: there is none yet. Errors: `permission_denied` when it is another's who can come back.
  outcome<std::optional<node_id>> owner_for(const node_id& asking, const session_id& session) const {
    auto known = store().origin_of(session);
    if (!known && known.error().code == errc::not_found) return std::optional<node_id>();
    if (!known) return known;
    auto& may = state().settings.may_take_over;
    if (*known == asking || (*known && may && may(**known, asking))) return known;
    return fail(errc::permission_denied, "replicas", "the session is of another node");
  }

  /// Before something is written for `asking`: what was a lost node's becomes its own.
  outcome<void> make_owner(const node_id& asking, const session_id& session, const digest& manifest_hash) const {
    auto owner = owner_for(asking, session);
    if (!owner) return pass_on(std::move(owner));
    if (!*owner || **owner == asking) return {};
    auto taken = store().mirror_take_over(**owner, asking, session, manifest_hash);
    if (taken)
      log::info(log::speaker{std::string(paths::replicas), to_hex(session)},
                "the copy is of node {} now; its recorder is no member any more",
                to_hex(byte_view(asking).first(6)));
    return taken;
  }

  outcome<replica_have> have(const replica_have_request& r) const {
    if (r.chunks.size() > chunk_marks_max) return fail(errc::limit_exceeded, "replicas", "too many chunks are asked about at once");
    replica_have answer;
    answer.session = r.session;
    auto origin = owner_for(r.origin, r.session);
    if (!origin) return pass_on(std::move(origin));
    if (!*origin) return answer;
    for (std::uint32_t i = 0; i < r.chunks.size(); ++i) {
      auto held = store().holds({r.session, r.chunks[i].on, r.chunks[i].index}, r.chunks[i].content);
      if (!held) return pass_on(std::move(held));
      if (*held) answer.held.push_back(i);
    }
    if (**origin != r.origin) return answer; // What it has of row, manifest and anchor is the lost node's: to be told anew.
    auto now = status(r.session);
    auto row = store().session(r.session);
    if (!now) return pass_on(std::move(now));
    if (!row) return pass_on(std::move(row));
    answer.state = static_cast<std::uint8_t>(row->summary.state);
    answer.has_manifest = now->has_manifest;
    answer.has_anchor = now->has_anchor;
    return answer;
  }

  outcome<chunk_record> put(const replica_put_request& r, const payload& file) const {
    auto hashes = hash_file(file.view());
    if (hashes.content != r.record.content || merkle_root(hashes.leaves) != r.record.root)
      return fail(errc::corrupted, "replicas", "the chunk is not what its record says");
    if (auto owner = make_owner(r.origin, r.record.key.session, {}); !owner) return pass_on(std::move(owner));
    auto known = store().origin_of(r.record.key.session);
    if (!known && known.error().code != errc::not_found) return pass_on(std::move(known));
    // Later rows come as news: one of an earlier chunk must not undo them.
    if (!known)
      if (auto made = store().mirror_session(r.origin, r.row); !made) return pass_on(std::move(made));
    auto stored = store().mirror_chunk(r.origin, {r.record, file, std::move(hashes.leaves)});
    if (stored) {
      ++state().chunk_count;
      state().chunk_bytes += file.size();
    }
    return stored;
  }

  outcome<replica_status> news(const replica_news_request& r, const payload& manifest) const {
    auto& session = r.row.summary.id;
    auto owner = make_owner(r.origin, session, manifest.empty() ? digest{} : r.manifest.content);
    if (!owner) return pass_on(std::move(owner));
    auto row = store().mirror_session(r.origin, r.row);
    if (!row) return pass_on(std::move(row));
    if (!manifest.empty()) {
      signed_manifest document{std::string(as_text(manifest.view())), r.manifest.content, r.manifest_by};
      auto put = store().mirror_manifest(r.origin, {session, std::move(document), r.entry});
      if (!put) return pass_on(std::move(put));
    }
    if (!r.anchors.empty()) {
      if (r.anchors.front().record.entry.session != session)
        return fail(errc::invalid_input, "replicas", "the anchor is of another session than the row");
      auto put = store().mirror_anchor(r.origin, r.anchors.front());
      if (!put) return pass_on(std::move(put));
    }
    return status(session);
  }

  outcome<replica_status> status(const session_id& session) const {
    auto chunks = store().chunks(session);
    if (!chunks) return pass_on(std::move(chunks));
    auto manifest = store().has_manifest(session);
    if (!manifest) return pass_on(std::move(manifest));
    auto anchor = store().anchor_of(session);
    if (!anchor && anchor.error().code != errc::not_found) return pass_on(std::move(anchor));
    return replica_status{session, static_cast<std::uint32_t>(chunks->size()), *manifest, anchor.has_value()};
  }

  outcome<replica_status> remove(const replica_remove_request& r) const {
    auto removed = store().mirror_remove(r.origin, r.session);
    if (!removed) return pass_on(std::move(removed));
    return replica_status{r.session, 0, false, false};
  }

  outcome<challenge_answer> show(const storage_challenge& c) const {
    if (c.holder != state().settings.self) return fail(errc::invalid_input, "replicas", "the challenge is for another node");
    auto origin = store().origin_of(c.session);
    if (!origin) return pass_on(std::move(origin));
    chunk_key key{c.session, c.on, c.index};
    auto leaves = store().leaves(key);
    if (!leaves) return pass_on(std::move(leaves));
    if (c.block_index >= leaves->size()) return fail(errc::not_found, "replicas", "the chunk has no such block");
    auto block = store().chunk_part(key, std::uint64_t{c.block_index} * block_size_bytes, block_size_bytes);
    if (!block) return pass_on(std::move(block));
    if (block->empty()) return fail(errc::not_found, "replicas", "the chunk's file ends before the block");
    challenge_answer answer;
    answer.what = c;
    auto& proof = answer.proof;
    proof.session = c.session;
    proof.block_index = c.block_index;
    proof.block_count = static_cast<std::uint32_t>(leaves->size());
    proof.block = std::move(*block);
    proof.chunk_path = merkle_path(*leaves, c.block_index);
    if (auto led = lead_to_recording(key, proof); !led) return pass_on(std::move(led));
    answer.answered_us = clock->wall_us();
    sign_answer(answer, *state().settings.signs);
    ++state().shown_count;
    return answer;
  }

  /// The way from the chunk up to the recording's root, where all its chunks are held.
  outcome<void> lead_to_recording(const chunk_key& key, block_proof& proof) const {
    auto manifest = store().has_manifest(key.session);
    if (!manifest) return pass_on(std::move(manifest));
    if (!*manifest) return {};
    auto row = store().session(key.session);
    auto chunks = store().chunks(key.session);
    if (!row) return pass_on(std::move(row));
    if (!chunks) return pass_on(std::move(chunks));
    if (row->summary.chunk_count != chunks->size()) return {};
    std::vector<digest> roots;
    std::optional<std::uint32_t> position;
    for (auto& r : *chunks) {
      if (r.key == key) position = static_cast<std::uint32_t>(roots.size());
      roots.push_back(r.root);
    }
    if (!position) return {};
    proof.chunk_position = *position;
    proof.chunk_count = static_cast<std::uint32_t>(roots.size());
    proof.session_path = merkle_path(roots, *position);
    return {};
  }

  outcome<replica_verify> verify(const replica_verify_request& r) const {
    if (r.chunks.size() > chunk_marks_max) return fail(errc::limit_exceeded, "replicas", "too many chunks are to be read at once");
    replica_verify answer;
    answer.session = r.session;
    auto origin = store().origin_of(r.session);
    if (origin && *origin != r.origin) return fail(errc::permission_denied, "replicas", "the session is of another node");
    if (!origin && origin.error().code != errc::not_found) return pass_on(std::move(origin));
    std::uint64_t bytes = 0;
    for (std::uint32_t i = 0; i < r.chunks.size(); ++i) {
      auto& mark = r.chunks[i];
      chunk_key key{r.session, mark.on, mark.index};
      auto file = store().chunk_bytes(key);
      if (!file && file.error().code == errc::not_found) {
        answer.missing.push_back(i);
        continue;
      }
      if (!file || blake3(*file) != mark.content) {
        answer.damaged.push_back(i);
        if (auto removed = store().mirror_drop(r.origin, key); !removed) return pass_on(std::move(removed));
        continue;
      }
      bytes += file->size();
      if (bytes > verify_page_bytes_max && i > 0) return fail(errc::limit_exceeded, "replicas", "too many bytes are to be read at once");
    }
    return answer;
  }
};

replica_api::behavior_type replica_actor(replica_self self, actor_context ctx, replica_settings settings) {
  auto& state = self->state;
  auto opened = recording_store::open(settings.store, *settings.files);
  if (opened) {
    if (settings.on_finding)
      for (auto& finding : opened->findings()) settings.on_finding(finding);
    state.store.emplace(std::move(*opened));
  } else {
    self->quit(to_caf(opened.error())); // Before the first message: no handler runs without a store.
  }
  state.settings = std::move(settings);
  state.blobs = {ctx.directory(), paths::blobs};
  replica_shell shell{self, &ctx.clock()};
  return supervised(
    self, ctx,
    {
      [shell](const replica_have_request& r) { return reply(shell.counted(shell.have(r))); },
      [shell](const replica_put_request& r) {
        return shell.with_blob<chunk_record>(r.origin, r.file, [shell, r](const payload& file) { return shell.put(r, file); });
      },
      [self, shell](const replica_news_request& r) -> caf::typed_response_promise<replica_status> {
        if (r.manifest.size_bytes != 0)
          return shell.with_blob<replica_status>(r.origin, r.manifest,
                                                 [shell, r](const payload& text) { return shell.news(r, text); });
        owed_answer<replica_status> owed(self);
        lucid::deliver(owed, shell.counted(shell.news(r, {})));
        return owed.promise();
      },
      [shell](const replica_remove_request& r) { return reply(shell.counted(shell.remove(r))); },
      [shell](const replica_challenge_request& r) { return reply(shell.counted(shell.show(r.what))); },
      [shell](const replica_verify_request& r) { return reply(shell.counted(shell.verify(r))); },
    },
    [self] {
      auto& s = self->state;
      return state_fields{{"chunks stored", std::to_string(s.chunk_count)},
                          flow_fields::row(flow_fields::passed, s.chunk_bytes),
                          {"coming", std::to_string(s.takes_under_way)},
                          {"challenges answered", std::to_string(s.shown_count)},
                          {"refused", std::to_string(s.refused_count)}};
    });
}

} // namespace

child_spec replicas_child(replica_settings settings, bool own_thread) {
  auto start = own_thread ? start_function(child_of<caf::detached>(replica_actor, std::move(settings)))
                          : start_function(child_of(replica_actor, std::move(settings)));
  return {.id = "replicas", .start = std::move(start), .shutdown_timeout = 10s};
}

} // namespace lucid

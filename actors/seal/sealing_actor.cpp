// actors/seal/sealing_actor.cpp - plaintext from mesh/blobs, through the pool, back through mesh/blobs.
#include "actors/seal/sealing_actor.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/all.hpp>

#include "actors/seal/placed_seal_actor.hpp"
#include "messages/blobs_api.hpp"
#include "messages/flow_fields.hpp"
#include "messages/mesh_api.hpp"
#include "messages/paths.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

constexpr auto blob_patience = std::chrono::minutes(10); ///< 16 MiB over Tor; mesh/blobs gives up sooner when nothing moves.

struct sealing_state {
  static inline const char* name = "sealing";
  sealing_options options;
  ref<blobs_api> blobs;
  std::size_t under_way = 0;
  std::uint64_t sealed_count = 0, sealed_bytes = 0, refused_count = 0;
};
using sealing_self = sealing_api::stateful_pointer<sealing_state>;
using answer_promise = owed_answer<remote_seal_answer>;

/// The steps of one request.
struct remote_sealing {
  sealing_self self;
  remote_seal_request request;
  answer_promise promise;
  sealing_state& state() const { return self->state; }

  /// Whoever has lost the role must not go on: the recorder has asked its new holder.
  outcome<void> check_role() const {
    auto view = state().options.cluster->view();
    for (auto& lease : view.leases)
      if (lease.role == seal_role && lease.holder == view.self && lease.fence == request.fence) return {};
    return fail(errc::wrong_state, "sealing",
                "this node does not hold the lease " + std::to_string(request.fence) + " of the role seal");
  }

  void begin() const {
    if (auto mine = check_role(); !mine) return refuse(mine.error());
    if (state().under_way >= remote_seals_max)
      return refuse({errc::busy, "sealing", std::to_string(remote_seals_max) + " chunks are being sealed; ask again later", nullptr});
    ++state().under_way;
    state().blobs.request(self, blob_patience, blob_take_request{request.recorder, request.plain})
      .then([me = *this](const payload& plain) { me.seal(plain); }, ending());
  }

  void seal(const payload& plain) const {
    auto posted = run_on_pool(
      self, *state().options.pool,
      [request = request, plain, options = state().options]() -> outcome<sealed_chunk> {
        auto key = unwrap_session_key(std::span(&request.key, 1), *options.box_secret);
        if (!key) return pass_on(std::move(key));
        plain_chunk chunk{request.chunk, request.span, request.last_of_track, {plain}};
        return seal_on_pool(chunk, {std::make_shared<const session_key>(std::move(*key)),
                                    static_cast<int>(request.zstd_level), options.pool, options.random});
      },
      [me = *this](outcome<sealed_chunk> sealed) {
        if (sealed) me.send_back(*sealed);
        else me.end(sealed.error());
      });
    if (!posted) end(posted.error());
  }

  void send_back(const sealed_chunk& sealed) const {
    blob_id id{};
    state().options.random->fill(id);
    state().blobs.request(self, blob_patience, blob_send_request{request.recorder, id, sealed.file})
      .then(
        [me = *this, sealed](const blob_ref& file) {
          --me.state().under_way;
          ++me.state().sealed_count;
          me.state().sealed_bytes += file.size_bytes;
          me.promise.deliver(remote_seal_answer{sealed.record, sealed.leaves, file});
        },
        ending());
  }

  std::function<void(const caf::error&)> ending() const {
    return [me = *this](const caf::error& failed) { me.end(from_caf(failed)); };
  }
  void end(const error& e) const {
    --state().under_way;
    refuse(e);
  }
  void refuse(const error& e) const {
    ++state().refused_count;
    promise.deliver(to_caf(e));
  }
};

sealing_api::behavior_type sealing_actor(sealing_self self, actor_context ctx, sealing_options options) {
  self->state.options = std::move(options);
  self->state.blobs = {ctx.directory(), paths::blobs};
  return supervised(
    self, ctx,
    {
      [self](const remote_seal_request& request) {
        answer_promise promise(self);
        remote_sealing{self, request, promise}.begin();
        return promise.promise();
      },
    },
    [self] {
      auto& s = self->state;
      return state_fields{{"sealing now", std::to_string(s.under_way)},
                          {"sealed", std::to_string(s.sealed_count)},
                          flow_fields::row(flow_fields::passed, s.sealed_bytes),
                          {"refused", std::to_string(s.refused_count)}};
    });
}

} // namespace

child_spec sealing_child(sealing_options options) {
  return {.id = std::string(paths::sealing),
          .start = child_of(sealing_actor, std::move(options)),
          .shutdown_timeout = std::chrono::seconds(2)};
}

} // namespace lucid

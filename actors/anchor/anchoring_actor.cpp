// actors/anchor/anchoring_actor.cpp - the role is checked, then the batch goes to this node's ledger.
#include "actors/anchor/anchoring_actor.hpp"

#include <chrono>
#include <string>
#include <utility>

#include <caf/all.hpp>

#include "actors/anchor/anchor_dispatch.hpp"
#include "messages/mesh_api.hpp"
#include "messages/paths.hpp"
#include "messages/storage_api.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

constexpr auto ledger_timeout = std::chrono::seconds(60); ///< As this node's own anchor waits.

struct anchoring_state {
  static inline const char* name = "anchoring";
  std::shared_ptr<cluster_port> cluster;
  ref<ledger_api> chain;
  std::size_t under_way = 0;
  std::uint64_t anchored_count = 0, refused_count = 0;
};
using anchoring_self = anchoring_api::stateful_pointer<anchoring_state>;
using answer_promise = owed_answer<std::vector<anchored_entry>>;

/// Whoever has lost the role must not go on: the recorder has asked its new holder.
outcome<void> check_request(const anchoring_state& state, const remote_anchor_request& request) {
  auto view = state.cluster->view();
  auto* lease = anchor_lease(view);
  if (!lease || lease->holder != view.self || lease->fence != request.fence)
    return fail(errc::wrong_state, "anchoring",
                "this node does not hold the lease " + std::to_string(request.fence) + " of the role anchor");
  if (request.entries.empty() || request.entries.size() > ledger_entries_max)
    return fail(errc::limit_exceeded, "anchoring",
                "a batch has 1 to " + std::to_string(ledger_entries_max) + " entries, not " +
                  std::to_string(request.entries.size()));
  if (state.under_way >= remote_anchors_max)
    return fail(errc::busy, "anchoring", std::to_string(remote_anchors_max) + " batches are being anchored; ask again later");
  return {};
}

void anchor(anchoring_self self, const remote_anchor_request& request, answer_promise promise) {
  auto& state = self->state;
  if (auto may = check_request(state, request); !may) {
    ++state.refused_count;
    return promise.deliver(to_caf(may.error()));
  }
  ++state.under_way;
  state.chain.request(self, ledger_timeout, ledger_append_request{request.entries})
    .then(
      [self, promise](const std::vector<anchored_entry>& anchored) mutable {
        --self->state.under_way;
        self->state.anchored_count += anchored.size();
        promise.deliver(anchored);
      },
      [self, promise](const caf::error& failed) mutable {
        --self->state.under_way;
        ++self->state.refused_count;
        promise.deliver(failed);
      });
}

anchoring_api::behavior_type anchoring_actor(anchoring_self self, actor_context ctx, std::shared_ptr<cluster_port> cluster) {
  self->state.cluster = std::move(cluster);
  self->state.chain = {ctx.directory(), paths::ledger};
  return supervised(
    self, ctx,
    {
      [self](const remote_anchor_request& request) {
        answer_promise promise(self);
        anchor(self, request, promise);
        return promise.promise();
      },
    },
    [self] {
      auto& s = self->state;
      return state_fields{{"anchoring now", std::to_string(s.under_way)},
                          {"anchored", std::to_string(s.anchored_count)},
                          {"refused", std::to_string(s.refused_count)}};
    });
}

} // namespace

child_spec anchoring_child(std::shared_ptr<cluster_port> cluster) {
  return {.id = std::string(paths::anchoring),
          .start = child_of(anchoring_actor, std::move(cluster)),
          .shutdown_timeout = std::chrono::seconds(2)};
}

} // namespace lucid

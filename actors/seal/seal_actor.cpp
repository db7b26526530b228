// actors/seal/seal_actor.cpp - a chunk goes to the pool, then to the store; its record is the answer.
#include "actors/seal/seal_actor.hpp"

#include <chrono>
#include <utility>

#include <caf/all.hpp>

#include "messages/flow_fields.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/storage_api.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

constexpr auto store_timeout = std::chrono::seconds(60); ///< Writing and syncing 16 MiB on a slow card.

struct seal_state {
  static inline const char* name = "seal";
  seal_options options;
  ref<store_api> store;
  std::uint64_t sealing = 0;
  std::uint64_t sealed_count = 0;
  std::uint64_t sealing_bytes = 0;  // Plain, of those that are sealed now.
  std::uint64_t sealed_bytes = 0;   // Handed to the store.
  std::uint64_t at_store_bytes = 0; // Of those, not answered yet.
};
using seal_self = seal_api::stateful_pointer<seal_state>;
using record_promise = owed_answer<chunk_record>;

void hand_to_store(seal_self self, sealed_chunk sealed, record_promise promise) {
  auto size_bytes = sealed.file.size();
  self->state.sealed_bytes += size_bytes;
  self->state.at_store_bytes += size_bytes;
  self->state.store.request(self, store_timeout, std::move(sealed))
    .then(
      [self, promise, size_bytes](const chunk_record& record) mutable {
        self->state.at_store_bytes -= size_bytes;
        promise.deliver(record);
      },
      [self, promise, size_bytes](const caf::error& failed) mutable {
        self->state.at_store_bytes -= size_bytes;
        promise.deliver(failed);
      });
}

std::uint64_t size_of(const plain_chunk& chunk) noexcept {
  std::uint64_t sum = 0;
  for (auto& part : chunk.parts) sum += part.size();
  return sum;
}

seal_api::behavior_type seal_actor(seal_self self, actor_context ctx, seal_options options) {
  self->state.options = options;
  self->state.store = {ctx.directory(), paths::store};
  return supervised(
    self, ctx,
    {
      [self](const plain_chunk& chunk) {
        owed_answer<chunk_record> promise(self);
        auto size_bytes = size_of(chunk);
        auto posted = run_on_pool(
          self, *self->state.options.pool,
          [chunk, options = self->state.options] { return seal_on_pool(chunk, options); },
          [self, promise, size_bytes](outcome<sealed_chunk> sealed) mutable {
            --self->state.sealing;
            self->state.sealing_bytes -= size_bytes;
            if (!sealed) {
              promise.deliver(to_caf(sealed.error()));
              return;
            }
            ++self->state.sealed_count;
            hand_to_store(self, std::move(*sealed), std::move(promise));
          });
        if (posted) {
          ++self->state.sealing;
          self->state.sealing_bytes += size_bytes;
        } else {
          promise.deliver(to_caf(posted.error()));
        }
        return promise.promise();
      },
    },
    [self] {
      return state_fields{{"sealing now", std::to_string(self->state.sealing)},
                          {"sealed", std::to_string(self->state.sealed_count)},
                          flow_fields::row(flow_fields::passed, self->state.sealed_bytes),
                          flow_fields::row(flow_fields::queued, self->state.sealing_bytes),
                          flow_fields::row(flow_fields::at_store, self->state.at_store_bytes)};
    });
}

} // namespace

child_spec seal_child(seal_options options) {
  return {.id = "seal", .start = child_of(seal_actor, options), .shutdown_timeout = std::chrono::seconds(2)};
}

} // namespace lucid

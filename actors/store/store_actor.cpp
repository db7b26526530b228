// actors/store/store_actor.cpp - requests to calls, outcomes to replies.
#include "actors/store/store_actor.hpp"

#include "messages/flow_fields.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {

store_opener recording_store_opener(store_options options, std::shared_ptr<file_system> files,
                                    std::function<void(const error&)> on_finding) {
  return [options = std::move(options), files = std::move(files),
          on_finding = std::move(on_finding)]() -> outcome<std::unique_ptr<store_port>> {
    auto opened = recording_store::open(options, *files);
    if (!opened) return pass_on(std::move(opened));
    if (on_finding)
      for (auto& finding : opened->findings()) on_finding(finding);
    return std::unique_ptr<store_port>(new recording_store(std::move(*opened)));
  };
}

store_api::behavior_type store_actor(store_api::stateful_pointer<store_actor_state> self, actor_context ctx,
                                     store_opener open) {
  auto& state = self->state;
  auto opened = open();
  if (opened)
    state.store = std::move(*opened);
  else
    self->quit(to_caf(opened.error())); // Before the first message: no handler runs without a store.

  auto answer = [&state](auto outcome) {
    if (!outcome) ++state.refused_count;
    return reply(std::move(outcome));
  };
  return supervised(
    self, ctx,
    {
      [&state, answer](const sealed_chunk& chunk) {
        auto stored = state.store->put_chunk(chunk);
        if (stored) {
          ++state.chunk_count;
          state.chunk_bytes += stored->sealed_size_bytes;
        }
        return answer(std::move(stored));
      },
      [&state, answer](const chunk_list_request& r) { return answer(state.store->chunks(r.session)); },
      [&state, answer](const session_put_request& r) { return answer(state.store->put_session(r)); },
      [&state, answer](const session_update_request& r) { return answer(state.store->update_session(r.summary)); },
      [&state, answer](const session_get_request& r) { return answer(state.store->session(r.session)); },
      [&state, answer](const session_list_request& r) { return answer(state.store->sessions(r)); },
      [&state, answer](const session_remove_request& r) { return answer(state.store->remove_session(r.session)); },
      [&state, answer](const manifest_put_request& r) { return answer(state.store->put_manifest(r)); },
      [&state, answer](const anchor_put_request& r) { return answer(state.store->put_anchor(r.what)); },
      [&state, answer](const unanchored_list_request&) { return answer(state.store->unanchored()); },
    },
    [&state] {
      return state_fields{{"chunks stored", std::to_string(state.chunk_count)},
                          flow_fields::row(flow_fields::passed, state.chunk_bytes),
                          {"refused", std::to_string(state.refused_count)}};
    });
}

child_spec store_child(store_opener open) {
  return {.id = "store", .start = child_of<caf::detached>(store_actor, std::move(open)), .shutdown_timeout = std::chrono::seconds(10)};
}

} // namespace lucid

// actors/seal/placed_seal_actor.cpp - a chunk to whoever has the role, its sealed file to the store.
#include "actors/seal/placed_seal_actor.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include <caf/all.hpp>

#include "actors/seal/seal_dispatch.hpp"
#include "messages/blobs_api.hpp"
#include "messages/flow_fields.hpp"
#include "messages/mesh_api.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/storage_api.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/log/log.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

constexpr auto store_timeout = 60s;
constexpr auto remote_patience = 10min; ///< 16 MiB there and back over Tor. A move of the role is noticed at once.
constexpr auto look_interval = 100ms;   ///< At who has the role.
constexpr auto role_patience = 30s;     ///< Then whoever asked is told that nobody seals, and asks again.
constexpr std::size_t waiting_per_chunk_max = 8; ///< Whoever asks again has given up on its earlier request.

using record_promise = owed_answer<chunk_record>;

/// A chunk on its way.
struct chunk_to_seal {
  plain_chunk what;
  std::vector<record_promise> asking;
  std::chrono::nanoseconds since{};
};

struct placed_seal_state {
  static inline const char* name = "seal";
  placed_seal_options options;
  ref<store_api> store;
  ref<blobs_api> blobs;
  seal_dispatch dispatch;
  std::map<std::uint64_t, chunk_to_seal> chunks;
  std::uint64_t last_chunk = 0;
  std::string holder_name;
  std::uint64_t sealed_here = 0, sealed_elsewhere = 0, failed_attempts = 0, moves = 0;
  std::uint64_t passed_bytes = 0;
  std::string last_failure;
};
using placed_self = seal_api::stateful_pointer<placed_seal_state>;

/// The pieces as one buffer, as mesh/blobs sends them.
payload joined(const plain_chunk& chunk) {
  if (chunk.parts.size() == 1) return chunk.parts[0];
  std::size_t size_bytes = 0;
  for (auto& part : chunk.parts) size_bytes += part.size();
  byte_buffer all;
  all.reserve(size_bytes);
  for (auto& part : chunk.parts) all.insert(all.end(), part.view().begin(), part.view().end());
  return payload(std::move(all));
}

struct placed_shell {
  placed_self self;
  const clock_port* clock;
  directory* names;
  std::string path;
  placed_seal_state& state() const { return self->state; }

  void accept(const plain_chunk& chunk, record_promise promise) const {
    auto& s = state();
    auto known = std::find_if(s.chunks.begin(), s.chunks.end(), [&](auto& one) { return one.second.what.key == chunk.key; });
    if (known == s.chunks.end()) {
      known = s.chunks.emplace(++s.last_chunk, chunk_to_seal{chunk, {}, clock->monotonic()}).first;
      s.dispatch.add(known->first, clock->monotonic());
    }
    auto& asking = known->second.asking;
    if (asking.size() >= waiting_per_chunk_max) asking.erase(asking.begin()); // Answered as one whose receiver is gone.
    asking.push_back(std::move(promise));
    go_on();
  }

  // --- who has the role -------------------------------------------------------------------------------------------

  /// Now and then, as long as the actor lives.
  void look() const {
    auto view = state().options.cluster->view();
    auto lease = std::find_if(view.leases.begin(), view.leases.end(),
                              [](auto& one) { return one.role == seal_role && one.holder != node_id{}; });
    std::optional<seal_holder> holder;
    if (lease != view.leases.end()) holder = seal_holder{lease->holder, lease->fence, road_to(view, lease->holder)};
    if (holder != state().dispatch.holder()) moved(view, holder);
    tell_late();
    go_on();
    run_later(self, look_interval, [me = *this] { me.look(); });
  }

  std::uint64_t road_to(const cluster_view& view, const node_id& node) const {
    for (auto& member : view.members)
      if (member.id == node && member.id != view.self)
        return names->slot(paths::of_node(member.name, paths::sealing))->present().generation;
    return 0;
  }

  void moved(const cluster_view& view, const std::optional<seal_holder>& holder) const {
    auto& s = state();
    auto member = std::find_if(view.members.begin(), view.members.end(),
                               [&](auto& one) { return holder && one.id == holder->node; });
    s.holder_name = member == view.members.end() ? std::string() : member->name;
    auto& before = s.dispatch.holder();
    bool same = holder && before && holder->node == before->node && holder->fence == before->fence;
    if (same) log::debug(log::speaker{path}, "the way to {} is another; its chunks are sent again", s.holder_name);
    else if (holder) log::info(log::speaker{path}, "sealing is done by {} (lease {})", s.holder_name, holder->fence);
    else log::warn(log::speaker{path}, "nobody has the role seal at present: {} chunks wait", s.dispatch.count());
    ++s.moves;
    s.dispatch.set_holder(holder, clock->monotonic());
  }

  /// The chunk is kept; who asked does so again. So a session hears that it is held up, and nothing worse.
  void tell_late() const {
    auto now = clock->monotonic();
    for (auto& [number, chunk] : state().chunks) {
      if (now - chunk.since < role_patience) continue;
      chunk.since = now;
      for (auto& promise : std::exchange(chunk.asking, {}))
        promise.deliver(to_caf({errc::busy, "seal", "the node that seals has not answered yet; the chunk waits here", nullptr}));
    }
  }

  // --- attempts ---------------------------------------------------------------------------------------------------

  void go_on() const {
    auto self_id = state().options.cluster->view().self;
    for (auto& attempt : state().dispatch.due(clock->monotonic())) {
      if (attempt.where.node == self_id) seal_here(attempt);
      else seal_there(attempt);
    }
  }

  const plain_chunk& chunk_of(const seal_attempt& attempt) const { return state().chunks.at(attempt.chunk).what; }

  void seal_here(const seal_attempt& attempt) const {
    auto posted = run_on_pool(
      self, *state().options.local.pool,
      [chunk = chunk_of(attempt), options = state().options.local] { return seal_on_pool(chunk, options); },
      [me = *this, attempt](outcome<sealed_chunk> sealed) {
        if (!sealed) return me.failed(attempt, sealed.error());
        ++me.state().sealed_here;
        me.hand_to_store(attempt, std::move(*sealed));
      });
    if (!posted) failed(attempt, posted.error());
  }

  void seal_there(const seal_attempt& attempt) const {
    auto posted = run_on_pool(
      self, *state().options.local.pool, [chunk = chunk_of(attempt)]() -> outcome<payload> { return joined(chunk); },
      [me = *this, attempt](outcome<payload> plain) {
        if (!plain) return me.failed(attempt, plain.error());
        blob_id id{};
        me.state().options.local.random->fill(id);
        me.state()
          .blobs.request(me.self, remote_patience, blob_send_request{attempt.where.node, id, std::move(*plain)})
          .then([me, attempt](const blob_ref& arrived) { me.ask_to_seal(attempt, arrived); }, me.failing(attempt));
      });
    if (!posted) failed(attempt, posted.error());
  }

  void ask_to_seal(const seal_attempt& attempt, const blob_ref& plain) const {
    if (!state().dispatch.current(attempt)) return;
    auto view = state().options.cluster->view();
    auto holder = std::find_if(view.members.begin(), view.members.end(), [&](auto& one) { return one.id == attempt.where.node; });
    if (holder == view.members.end()) return failed(attempt, {errc::unreachable, "seal", "the node that seals has gone", nullptr});
    auto key = wrap_session_key(*state().options.local.key, holder->box_key);
    if (!key) return failed(attempt, key.error());
    auto& chunk = chunk_of(attempt);
    remote_seal_request request{view.self, state().dispatch.fence_of(attempt), *key, chunk.key, chunk.span, chunk.last_of_track,
                                static_cast<std::uint32_t>(state().options.local.zstd_level), plain};
    ref<sealing_api>(*names, paths::of_node(holder->name, paths::sealing))
      .request(self, remote_patience, std::move(request))
      .then([me = *this, attempt](const remote_seal_answer& answer) { me.fetch(attempt, answer); }, failing(attempt));
  }

  void fetch(const seal_attempt& attempt, const remote_seal_answer& answer) const {
    if (!state().dispatch.current(attempt)) return;
    if (answer.record.key != chunk_of(attempt).key)
      return failed(attempt, {errc::protocol_violation, "seal", "the node that seals answered with another chunk", nullptr});
    state().blobs.request(self, remote_patience, blob_take_request{attempt.where.node, answer.file})
      .then(
        [me = *this, attempt, answer](const payload& file) {
          ++me.state().sealed_elsewhere;
          me.hand_to_store(attempt, {answer.record, file, answer.leaves});
        },
        failing(attempt));
  }

  void hand_to_store(const seal_attempt& attempt, sealed_chunk sealed) const {
    if (!state().dispatch.current(attempt)) return;
    auto size_bytes = sealed.file.size();
    sealed.fence = {seal_role, state().dispatch.fence_of(attempt)};
    state().store.request(self, store_timeout, std::move(sealed))
      .then(
        [me = *this, attempt, size_bytes](const chunk_record& record) {
          me.state().passed_bytes += size_bytes;
          me.stored(attempt, record);
        },
        failing(attempt));
  }

  // --- their ends -------------------------------------------------------------------------------------------------

  void stored(const seal_attempt& attempt, const chunk_record& record) const {
    if (!state().dispatch.done(attempt)) return;
    auto done = state().chunks.extract(attempt.chunk);
    for (auto& promise : done.mapped().asking) promise.deliver(record);
  }

  std::function<void(const caf::error&)> failing(const seal_attempt& attempt) const {
    return [me = *this, attempt](const caf::error& e) { me.failed(attempt, from_caf(e)); };
  }

  void failed(const seal_attempt& attempt, const error& why) const {
    auto now = clock->monotonic();
    if (!state().dispatch.failed(attempt, now)) return;
    ++state().failed_attempts;
    state().last_failure = to_string(why);
    // What a store cannot take is for the session to know; all else passes, or the role moves.
    if (why.code == errc::disk_full || why.code == errc::read_only || why.code == errc::io_failed)
      for (auto& promise : std::exchange(state().chunks.at(attempt.chunk).asking, {})) promise.deliver(to_caf(why));
    if (auto at = state().dispatch.wake_at())
      run_later(self, std::max(*at - now, std::chrono::nanoseconds(0)), [me = *this] { me.go_on(); });
  }
};

seal_api::behavior_type placed_seal_actor(placed_self self, actor_context ctx, placed_seal_options options) {
  auto& state = self->state;
  state.options = std::move(options);
  state.store = {ctx.directory(), paths::store};
  state.blobs = {ctx.directory(), paths::blobs};
  placed_shell shell{self, &ctx.clock(), &ctx.directory(), ctx.path};
  shell.look();
  return supervised(
    self, ctx,
    {
      [self, shell](const plain_chunk& chunk) {
        record_promise promise(self);
        shell.accept(chunk, promise);
        return promise.promise();
      },
    },
    [self] {
      auto& s = self->state;
      auto& holder = s.dispatch.holder();
      std::uint64_t queued_bytes = 0;
      for (auto& [number, chunk] : s.chunks)
        for (auto& part : chunk.what.parts) queued_bytes += part.size();
      return state_fields{{"sealed by", holder ? s.holder_name : "nobody at present"},
                          {"lease", holder ? std::to_string(holder->fence) : ""},
                          {"sealing now", std::to_string(s.dispatch.count())},
                          {"sealed here", std::to_string(s.sealed_here)},
                          {"sealed elsewhere", std::to_string(s.sealed_elsewhere)},
                          {"attempts that failed", std::to_string(s.failed_attempts)},
                          {"last failure", s.last_failure},
                          flow_fields::row(flow_fields::passed, s.passed_bytes),
                          flow_fields::row(flow_fields::queued, queued_bytes)};
    });
}

} // namespace

child_spec placed_seal_child(placed_seal_options options) {
  return {.id = "seal", .start = child_of(placed_seal_actor, std::move(options)), .shutdown_timeout = 2s};
}

} // namespace lucid

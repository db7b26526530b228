// actors/adoption/adoption_actor.cpp - from copies to the store, then manifest, anchor, and the copies are let go.
#include "actors/adoption/adoption_actor.hpp"

#include <algorithm>
#include <deque>
#include <map>

#include "actors/adoption/adoption_core.hpp"
#include "actors/format/manifest_codec.hpp"
#include "actors/format/merkle.hpp"
#include "messages/adoption_api.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/replication_api.hpp"
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

constexpr auto request_timeout = 60s;  ///< Of store, manifest, anchor, replicas: each a commit on a worn SD card.
constexpr auto look_interval = 60s;    ///< Between looks for those that a crash or an error cut off.
constexpr auto look_retry = 1s;        ///< While the store is being opened.
constexpr auto pool_retry = 200ms;
constexpr auto survey_timeout = 10s;   ///< Of what other holders have.
constexpr std::size_t under_way_max = 4;  ///< Recordings; each holds one chunk in memory.
constexpr std::size_t waiting_max = 8;    ///< Answers owed for one; whoever asks again has given up on its earlier request.
constexpr std::uint32_t page_count = 1000;

/// One recording on its way.
struct adoption {
  explicit adoption(const session_id& of) : id(of), hex(to_hex(of)) {}

  session_id id;
  std::string hex;                       ///< Of the id, for the log.
  std::optional<adoption_core> core;
  session_summary row;                   ///< As the store has it.
  std::deque<owed_answer<session_summary>> waiting;
};
using adoption_ptr = std::shared_ptr<adoption>;

struct adoption_state {
  static inline const char* name = "adoption";
  adoption_parts parts;
  ref<store_api> store;
  ref<anchor_api> anchor;
  ref<manifest_api> manifest;
  ref<replica_api> replicas;
  std::map<session_id, adoption_ptr> under_way;
  std::uint64_t finished_count = 0;
  std::uint64_t chunk_count = 0; ///< Taken over by this incarnation.
  std::string last_failure;
};
using adoption_self = adoption_api::stateful_pointer<adoption_state>;

// --- on the pool ----------------------------------------------------------------------------------------------------

outcome<std::optional<node_id>> origin_of(replica_source& copies, const session_id& session) {
  auto origin = copies.origin(session);
  if (!origin && origin.error().code == errc::not_found) return std::optional<node_id>();
  return origin;
}

outcome<std::vector<chunk_record>> all_chunks(replica_source& copies, const session_id& session) {
  std::vector<chunk_record> all;
  for (auto on : {track::video, track::events})
    for (std::uint32_t from = 0;;) {
      auto page = copies.chunks(session, on, from, page_count);
      if (!page) return page;
      all.insert(all.end(), page->begin(), page->end());
      if (page->size() < page_count) break;
      from = page->back().key.index + 1; // There may be holes.
    }
  return all;
}

/// What is kept of it; none: no copy is.
outcome<std::optional<lost_recording>> read_lost(replica_source& copies, const session_id& session) {
  auto origin = origin_of(copies, session);
  if (!origin) return pass_on(std::move(origin));
  if (!*origin) return std::optional<lost_recording>();
  auto row = copies.row(session);
  if (!row) return pass_on(std::move(row));
  auto chunks = all_chunks(copies, session);
  if (!chunks) return pass_on(std::move(chunks));
  auto document = copies.manifest(session);
  if (!document) return pass_on(std::move(document));
  lost_recording lost{**origin, std::move(*row), std::move(*chunks), std::move(*document), std::nullopt};
  if (!lost.document) return lost;
  auto what = verify_manifest(lost.document->document);
  if (!what) return pass_on(std::move(what));
  if (what->session != session)
    return fail(errc::corrupted, "adoption", "the manifest that is kept of session " + short_id(session) + " is another's");
  lost.what = std::move(*what);
  return lost;
}

/// Whether reading it again cannot help.
bool is_lost(errc code) {
  return code == errc::not_found || code == errc::corrupted || code == errc::truncated || code == errc::limit_exceeded ||
         code == errc::io_failed;
}

/// A chunk as the store takes it; none: the copy is not what was sealed.
outcome<std::optional<sealed_chunk>> read_copy(const adoption_parts& parts, const chunk_record& record) {
  auto file = parts.copies->chunk(record.key);
  if (!file && is_lost(file.error().code)) return std::optional<sealed_chunk>();
  if (!file) return pass_on(std::move(file));
  auto hashes = hash_file(file->view());
  if (file->size() != record.sealed_size_bytes || hashes.content != record.content || merkle_root(hashes.leaves) != record.root)
    return std::optional<sealed_chunk>();
  if (parts.share) parts.share(record.key);
  return std::optional(sealed_chunk{record, std::move(*file), std::move(hashes.leaves)});
}

// --- the actor ------------------------------------------------------------------------------------------------------

struct adoption_shell {
  adoption_self self;
  directory* names;
  std::string path;
  adoption_state& state() const { return self->state; }

  void take(const session_id& id, owed_answer<session_summary> owed) const {
    auto known = state().under_way.find(id);
    if (known != state().under_way.end()) return wait_for(*known->second, std::move(owed));
    if (state().under_way.size() >= under_way_max)
      return owed.deliver(to_caf(
        {errc::busy, "adoption", std::to_string(under_way_max) + " recordings are being adopted; ask again", nullptr}));
    auto job = std::make_shared<adoption>(id);
    wait_for(*job, std::move(owed));
    begin(job);
  }

  static void wait_for(adoption& job, owed_answer<session_summary> owed) {
    job.waiting.push_back(std::move(owed));
    if (job.waiting.size() <= waiting_max) return;
    job.waiting.front().deliver(to_caf({errc::busy, "adoption", "asked again too often; wait for one answer", nullptr}));
    job.waiting.pop_front();
  }

  /// Those that were begun and are not finished: their rows are in the store, their copies still here.
  void look() const {
    ask(state().store, session_list_request{true, 0, page_count},
        [me = *this](const std::vector<session_summary>& unfinished) {
          std::vector<session_id> ids;
          for (auto& s : unfinished) ids.push_back(s.id);
          me.look_for_copies(ids);
        },
        [me = *this](const caf::error&) { run_later(me.self, look_retry, [me] { me.look(); }); });
  }

  void look_for_copies(const std::vector<session_id>& ids) const {
    auto find = [copies = state().parts.copies, ids]() -> outcome<std::vector<session_id>> {
      std::vector<session_id> found;
      for (auto& id : ids) {
        auto origin = origin_of(*copies, id);
        if (!origin) return pass_on(std::move(origin));
        if (*origin) found.push_back(id);
      }
      return found;
    };
    (void)run_on_pool(&*self, *state().parts.pool, find, [me = *this](outcome<std::vector<session_id>> found) {
      if (!found) return;
      for (auto& id : *found) {
        if (me.state().under_way.contains(id) || me.state().under_way.size() >= under_way_max) continue;
        auto job = std::make_shared<adoption>(id);
        me.begin(job);
      }
    });
    run_later(self, look_interval, [me = *this] { me.look(); });
  }

private:
  void begin(const adoption_ptr& job) const {
    state().under_way[job->id] = job;
    on_pool(job, [copies = state().parts.copies, id = job->id] { return read_lost(*copies, id); },
            [me = *this, job](std::optional<lost_recording> lost) {
              if (lost) {
                auto view = me.state().parts.cluster->view();
                auto origin_name = name_in(view, lost->origin);
                job->core.emplace(std::move(*lost), origin_name, name_in(view, view.self));
              }
              me.look_into_store(job);
            });
  }

  void look_into_store(const adoption_ptr& job) const {
    ask(state().store, session_get_request{job->id}, [me = *this, job](const session_row& row) { me.go_on(job, row); },
        [me = *this, job](const caf::error& e) {
          auto why = from_caf(e);
          if (why.code != errc::not_found) return me.give_up(job, why);
          if (!job->core)
            return me.give_up(
              job, {errc::not_found, "adoption", "this node keeps no copy of session " + short_id(job->id), nullptr});
          me.begin_new(job);
        });
  }

  void begin_new(const adoption_ptr& job) const {
    auto& lost = job->core->lost();
    auto may = check_recorder_is_lost(state().parts.cluster->view(), lost.origin);
    if (may) may = check_can_be_finished(lost);
    if (!may) return give_up(job, may.error());
    if (lost.what) return put_first_row(job);
    look_for_manifest(job, [me = *this, job](const std::string& holder) {
      if (holder.empty()) return me.put_first_row(job);
      me.give_up(job, {errc::wrong_state, "adoption",
                       holder + " keeps the manifest of its recorder, this node does not: adopt it there, so that it keeps its "
                                "signature",
                       nullptr});
    });
  }

  /// Asks the other holders that are up; the name of one that has it, or none. Who does not answer has none, as far as is known.
  void look_for_manifest(const adoption_ptr& job, std::function<void(const std::string&)> then) const {
    struct survey {
      std::size_t open = 1; ///< Answers to come, and the asking itself.
      std::string holder;
    };
    auto round = std::make_shared<survey>();
    auto over = [round, then = std::move(then)] {
      if (--round->open == 0) then(round->holder);
    };
    auto view = state().parts.cluster->view();
    for (auto& member : view.members) {
      if (member.state != member_state::up) continue;
      ++round->open;
      ref<replica_api> holder(*names, paths::of_node(member.name, paths::replicas));
      holder.request(self, survey_timeout, replica_have_request{job->core->lost().origin, job->id, {}})
        .then(
          [round, over, name = member.name](const replica_have& has) {
            if (has.has_manifest) round->holder = name;
            over();
          },
          [over](const caf::error&) { over(); });
    }
    over();
  }

  void put_first_row(const adoption_ptr& job) const {
    log::info(speaker(job), "adopting the recording of a recorder that was lost");
    tell_store(job, job->core->first_row(), [me = *this, job] { me.take_chunks(job); });
  }

  /// The store has a row: of an earlier attempt, or it is not what was lost.
  void go_on(const adoption_ptr& job, const session_row& row) const {
    job->row = row.summary;
    auto& node = state().parts.node_box;
    bool own = std::any_of(row.keys.begin(), row.keys.end(), [&](const wrapped_key& k) { return k.recipient == node; });
    if (is_final(row.summary.state) && job->core && row.summary.state != session_state::failed) return drop_copy(job);
    if (is_final(row.summary.state)) return finish(job);
    if (own || !job->core)
      return give_up(job, {errc::wrong_state, "adoption",
                           "session " + short_id(job->id) + " is this node's own, and not finished", nullptr});
    if (row.summary.state < session_state::storing) return take_chunks(job);
    anchor(job);
  }

  // --- chunks ---------------------------------------------------------------------------------------------------------

  void take_chunks(const adoption_ptr& job) const {
    ask(job, state().store, chunk_list_request{job->id}, [me = *this, job](const std::vector<chunk_record>& stored) {
      job->core->has(stored);
      me.next_chunk(job);
    });
  }

  void next_chunk(const adoption_ptr& job) const {
    auto next = job->core->next();
    if (!next) return all_taken(job);
    on_pool(job, [parts = state().parts, record = *next] { return read_copy(parts, record); },
            [me = *this, job](std::optional<sealed_chunk> copy) {
              if (copy) return me.put(job, std::move(*copy));
              job->core->unfit();
              me.next_chunk(job);
            });
  }

  void put(const adoption_ptr& job, sealed_chunk copy) const {
    ask(job, state().store, std::move(copy), [me = *this, job](const chunk_record&) {
      ++me.state().chunk_count;
      job->core->taken();
      me.next_chunk(job);
    });
  }

  void all_taken(const adoption_ptr& job) const {
    ask(job, state().store, chunk_list_request{job->id}, [me = *this, job](const std::vector<chunk_record>& stored) {
      auto row = job->core->row_with(stored);
      if (row.state == session_state::failed) return me.update(job, row, [me, job] { me.finish(job); });
      auto& document = job->core->lost().document;
      if (!document) return me.update(job, row, [me, job] { me.anchor(job); });
      me.ask(job, me.state().store, *document,
             [me, job, row](const signed_manifest&) { me.update(job, row, [me, job] { me.anchor(job); }); });
    });
  }

  // --- manifest and anchor ----------------------------------------------------------------------------------------------

  void anchor(const adoption_ptr& job) const {
    // The anchor actor takes up what is not anchored by itself: it may have been quicker.
    if (job->row.block_height > 0) return anchored(job, job->row.block_height, job->row.block_producer);
    if (auto& document = job->core->lost().document) return anchor(job, document->entry);
    ask(job, state().manifest, manifest_build_request{job->id, true},
        [me = *this, job](const anchor_entry& entry) { me.anchor(job, entry); });
  }

  void anchor(const adoption_ptr& job, const anchor_entry& entry) const {
    auto row = job->row;
    row.state = session_state::anchoring;
    update(job, row, [me = *this, job, entry] {
      me.ask(job, me.state().anchor, entry, [me, job](const stored_anchor& anchor) {
        me.anchored(job, anchor.record.block_height, anchor.block ? anchor.block->producer : sign_public_key{});
      });
    });
  }

  void anchored(const adoption_ptr& job, std::uint64_t height, const sign_public_key& producer) const {
    auto row = job->row;
    row.state = session_state::anchoring;
    update(job, row, [me = *this, job, height, producer] {
      me.update(job, adoption_core::finished(job->row, height, producer), [me, job] { me.drop_copy(job); });
    });
  }

  /// What is kept twice on one disk is no copy.
  void drop_copy(const adoption_ptr& job) const {
    ask(state().replicas, replica_remove_request{job->core->lost().origin, job->id},
        [me = *this, job](const replica_status&) { me.finish(job); },
        [me = *this, job](const caf::error& e) {
          log::warn(me.speaker(job), "the recording is finished, but its copy cannot be removed: {}", to_string(from_caf(e)));
          me.finish(job);
        });
  }

  // --- ends -------------------------------------------------------------------------------------------------------------

  void finish(const adoption_ptr& job) const {
    ++state().finished_count;
    log::info(speaker(job), "the recording is this node's own: {}, {}", to_string(job->row.state), job->row.reason);
    state().under_way.erase(job->id);
    for (auto& owed : job->waiting) owed.deliver(job->row);
  }

  void give_up(const adoption_ptr& job, const error& why) const {
    bool begun = job->row.state > session_state::created;
    if (begun || !job->waiting.empty()) {
      state().last_failure = to_string(why);
      log::warn(speaker(job), "not adopted{}: {}", begun ? " yet" : "", to_string(why));
    }
    state().under_way.erase(job->id);
    for (auto& owed : job->waiting) owed.deliver(to_caf(why));
  }

  // --- asking -----------------------------------------------------------------------------------------------------------

  log::speaker speaker(const adoption_ptr& job) const { return {path, job->hex}; }

  template <class Interface, class Request, class Then, class Otherwise>
  void ask(const ref<Interface>& whom, Request what, Then then, Otherwise otherwise) const {
    whom.request(self, request_timeout, std::move(what)).then(std::move(then), std::move(otherwise));
  }

  template <class Interface, class Request, class Then>
  void ask(const adoption_ptr& job, const ref<Interface>& whom, Request what, Then then) const {
    ask(whom, std::move(what), std::move(then), [me = *this, job](const caf::error& e) { me.give_up(job, from_caf(e)); });
  }

  /// A new row or the news of one; then goes on.
  template <class Request>
  void tell_store(const adoption_ptr& job, Request what, std::function<void()> then) const {
    ask(job, state().store, std::move(what), [job, then = std::move(then)](const session_summary& row) {
      job->row = row;
      then();
    });
  }
  void update(const adoption_ptr& job, session_summary row, std::function<void()> then) const {
    tell_store(job, session_update_request{std::move(row)}, std::move(then));
  }

  /// Waits for a place on the pool.
  template <class Work, class Then>
  void on_pool(const adoption_ptr& job, Work work, Then then) const {
    auto posted = run_on_pool(&*self, *state().parts.pool, work, [me = *this, job, then](auto result) {
      if (result) then(std::move(*result));
      else me.give_up(job, result.error());
    });
    if (posted) return;
    if (posted.error().code != errc::busy) return give_up(job, posted.error());
    run_later(self, pool_retry, [me = *this, job, work, then] { me.on_pool(job, work, then); });
  }
};

adoption_api::behavior_type adoption_actor(adoption_self self, actor_context ctx, adoption_parts parts) {
  auto& state = self->state;
  state.parts = std::move(parts);
  state.store = {ctx.directory(), paths::store};
  state.anchor = {ctx.directory(), paths::anchor};
  state.manifest = {ctx.directory(), adoption_manifest_path};
  state.replicas = {ctx.directory(), paths::replicas};
  adoption_shell shell{self, &ctx.directory(), ctx.path};
  run_later(self, 0ms, [shell] { shell.look(); });
  return supervised(
    self, ctx,
    {
      [self, shell](const session_adopt_request& r) {
        owed_answer<session_summary> owed(self);
        auto promise = owed.promise();
        shell.take(r.session, std::move(owed));
        return promise;
      },
    },
    [self] {
      auto& s = self->state;
      return state_fields{{"under way", std::to_string(s.under_way.size())},
                          {"finished", std::to_string(s.finished_count)},
                          {"chunks taken over", std::to_string(s.chunk_count)},
                          {"last failure", s.last_failure}};
    });
}

} // namespace

child_spec adoption_child(adoption_parts parts) {
  return {.id = "adoption", .start = child_of(adoption_actor, std::move(parts)), .shutdown_timeout = 2s};
}

} // namespace lucid

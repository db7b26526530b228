// actors/replication/replication_actor.cpp - looks at store and cluster, does what the core says, asks for proof.
#include "actors/replication/replication_actor.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include <caf/all.hpp>

#include "actors/format/challenge_codec.hpp"
#include "actors/replication/audit_part.hpp"
#include "actors/replication/holder_questions.hpp"
#include "actors/replication/store_look.hpp"
#include "messages/blobs_api.hpp"
#include "messages/paths.hpp"
#include "messages/replication_api.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

constexpr auto tick = 500ms;
constexpr auto small_timeout = 30s;  ///< Of a question without bytes.
constexpr auto blob_timeout = 20min; ///< Of a chunk: 16 MiB at 16 KiB a second; mesh/blobs gives up sooner when nothing moves.
constexpr auto put_timeout = 2min;   ///< The bytes are there: hash and disk.
constexpr auto verify_timeout = 2min;
constexpr auto full_look_interval = 10s; ///< Between looks at all sessions; unfinished ones are looked at each tick.
constexpr std::size_t unwritten_results_max = 1000; ///< Results that wait for the disk; the oldest give way.

struct replication_state {
  static inline const char* name = "replication";
  replication_parts parts;
  std::optional<replication_core> core;
  std::optional<challenge_core> challenges;
  std::shared_ptr<std::optional<challenge_log>> log; ///< Used by one job of the pool at a time.
  ref<blobs_api> blobs;
  holder_questions holders;
  std::map<node_id, member_view> members;
  bool looking = false;
  std::optional<std::chrono::nanoseconds> full_look_at;
  bool looked = false; ///< At all sessions, once: before that nobody is asked anything.
  std::deque<challenge_result> unwritten;
  bool writing = false;
  std::map<node_id, std::array<std::uint64_t, 3>> challenge_counts; ///< ok, failed or missing, late.
  std::uint64_t put_count = 0;
  std::uint64_t put_bytes = 0;
  std::string last_failure;
  bool look_failed = false; ///< That was it.
};

using replication_self = replication_api::stateful_pointer<replication_state>;

/// The steps of the actor. Handlers keep a copy; the state itself lives in the actor.
struct replication_shell {
  replication_self self;
  const clock_port* clock;
  random_port* random;
  directory* names;
  replication_state& state() const { return self->state; }
  replication_core& core() const { return *self->state.core; }

  void note(const error& why) const { state().last_failure = to_string(why); }

  // --- the round ---------------------------------------------------------------------------------------------------

  void round() const {
    look_at_cluster();
    look();
    go_on();
    ask_for_proof();
    run_later(self, tick, [me = *this] { me.round(); });
  }

  void look_at_cluster() const {
    auto view = state().parts.cluster->view();
    std::vector<replica_member> members;
    state().members.clear();
    for (auto& m : view.members) {
      if (m.id == state().parts.self || m.state == member_state::self || m.state == member_state::removed) continue;
      members.push_back({m.id, m.name, m.state == member_state::up});
      state().members.emplace(m.id, std::move(m));
    }
    state().holders.set_members(*names, state().members);
    core().set_members(members, clock->monotonic());
  }

  void look() const {
    if (state().looking) return;
    auto now = clock->monotonic();
    bool full = !state().full_look_at || *state().full_look_at <= now;
    state().looking = true;
    auto source = state().parts.source;
    auto posted = run_on_pool(
      &*self, *state().parts.pool,
      [source, known = known_to(core(), full), full] { return look_at_store(*source, known, full); },
      [me = *this, full](outcome<store_look> found) {
        me.state().looking = false;
        if (!found) { // Mostly: the store is just being made.
          me.state().look_failed = true;
          return me.note(found.error());
        }
        if (std::exchange(me.state().look_failed, false)) me.state().last_failure.clear();
        if (full) me.state().full_look_at = me.clock->monotonic() + full_look_interval;
        me.take_in(*found);
      });
    if (posted) return;
    state().looking = false; // Busy: in the next round.
  }

  void take_in(const store_look& found) const {
    for (auto& s : found.found) {
      core().set_session(s.id, s.news);
      core().add_chunks(s.id, s.chunks);
    }
    if (found.full) {
      std::set<session_id> there(found.all.begin(), found.all.end());
      for (auto& id : core().sessions())
        if (!there.contains(id)) core().remove_session(id);
      state().looked = true;
    }
    go_on();
  }

  void go_on() const {
    if (!state().looked) return;
    for (auto& action : core().next(clock->monotonic()))
      std::visit([this](const auto& a) { carry_out(a); }, action);
  }

  // --- what the core wants ---------------------------------------------------------------------------------------------

  template <class Action>
  auto on_failure(const Action& what) const {
    return [me = *this, what](const caf::error& e) {
      auto why = from_caf(e);
      me.note(why);
      // What it keeps for another node, or with another manifest: that is about this session, not about the holder.
      bool refuses = why.code == errc::permission_denied || why.code == errc::already_exists;
      if (refuses) me.core().refused(what, me.clock->monotonic());
      else me.core().failed(what, me.clock->monotonic());
      // The next round goes on: a holder that answers with errors at once must not keep both of us busy.
    };
  }

  template <class Action>
  void fail_here(const Action& what, const error& why) const {
    note(why);
    core().failed(what, clock->monotonic(), why.code == errc::not_found || why.code == errc::corrupted);
  }

  void carry_out(const have_action& a) const {
    state().holders.ask<replica_have>(
      self, a.to, small_timeout, replica_have_request{state().parts.self, a.session, a.chunks},
      [me = *this, a](const replica_have& answer) {
        me.core().done(a, answer);
        me.go_on();
      },
      on_failure(a));
  }

  void carry_out(const remove_action& a) const {
    state().holders.ask<replica_status>(
      self, a.to, small_timeout, replica_remove_request{state().parts.self, a.session},
      [me = *this, a](const replica_status&) {
        me.core().done(a);
        me.go_on();
      },
      on_failure(a));
  }

  struct chunk_to_put {
    session_row row;
    payload file;
  };

  void carry_out(const put_action& a) const {
    auto source = state().parts.source;
    auto posted = run_on_pool(
      &*self, *state().parts.pool,
      [source, key = a.record.key]() -> outcome<chunk_to_put> {
        auto row = source->row(key.session);
        if (!row) return pass_on(std::move(row));
        auto file = source->chunk(key);
        if (!file) return pass_on(std::move(file));
        return chunk_to_put{std::move(*row), std::move(*file)};
      },
      [me = *this, a](outcome<chunk_to_put> read) {
        if (!read) return me.fail_here(a, read.error());
        if (read->file.size() != a.record.sealed_size_bytes)
          return me.fail_here(a, {errc::corrupted, "replication", "our own chunk has another size than its record", nullptr});
        me.put(a, std::move(*read));
      });
    if (!posted) fail_here(a, posted.error());
  }

  void put(const put_action& a, chunk_to_put what) const {
    auto size = what.file.size();
    with_blob(a, a.to, what.file, a.record.content, [me = *this, a, size, row = std::move(what.row)](const blob_ref& file) {
      me.state().holders.ask<chunk_record>(
        me.self, a.to, put_timeout, replica_put_request{me.state().parts.self, row, a.record, file},
        [me, a, size](const chunk_record& stored) {
          if (stored.content != a.record.content)
            return me.fail_here(a, {errc::protocol_violation, "replication", "a holder stored another chunk", nullptr});
          ++me.state().put_count;
          me.state().put_bytes += size;
          me.core().done(a);
          me.go_on();
        },
        me.on_failure(a));
    });
  }

  /// Has bytes sent to a holder, then does what comes next. A failure is the action's.
  template <class Action, class Then>
  void with_blob(const Action& a, const node_id& to, const payload& bytes, const digest& content, Then then) const {
    blob_send_request request{to, {}, bytes, content};
    random->fill(request.id);
    state().blobs.request(self, blob_timeout, std::move(request))
      .then([then = std::move(then)](const blob_ref& sent) { then(sent); },
            [me = *this, a](const caf::error& e) {
              auto why = from_caf(e);
              // The link is authenticated: what arrives changed was not what its record says when it was read here.
              if (why.code == errc::corrupted) return me.fail_here(a, why);
              me.on_failure(a)(e);
            });
  }

  struct news_to_tell {
    session_row row;
    std::optional<manifest_put_request> manifest;
    std::optional<stored_anchor> anchor;
  };

  void carry_out(const news_action& a) const {
    auto source = state().parts.source;
    auto posted = run_on_pool(
      &*self, *state().parts.pool,
      [source, session = a.session]() -> outcome<news_to_tell> {
        auto row = source->row(session);
        if (!row) return pass_on(std::move(row));
        auto manifest = source->manifest(session);
        if (!manifest) return pass_on(std::move(manifest));
        auto anchor = source->anchor(session);
        if (!anchor) return pass_on(std::move(anchor));
        return news_to_tell{std::move(*row), std::move(*manifest), std::move(*anchor)};
      },
      [me = *this, a](outcome<news_to_tell> read) {
        if (!read) return me.fail_here(a, read.error());
        me.tell(a, std::move(*read));
      });
    if (!posted) fail_here(a, posted.error());
  }

  void tell(const news_action& a, news_to_tell what) const {
    replica_news_request request;
    request.origin = state().parts.self;
    request.row = std::move(what.row);
    if (what.anchor && what.manifest) request.anchors.push_back(*what.anchor);
    news_mark told{static_cast<std::uint8_t>(request.row.summary.state), what.manifest.has_value(), !request.anchors.empty()};
    if (!what.manifest) return tell(a, std::move(request), told);
    request.manifest_by = what.manifest->document.by;
    request.entry = what.manifest->entry;
    auto text = as_bytes(what.manifest->document.canonical);
    if (text.size() > payload::size_bytes_max) {
      // A recording of some 50,000 chunks. Its chunks are copied; its manifest stays with us and in the chain.
      note({errc::limit_exceeded, "replication", "the manifest is too large to be copied", nullptr});
      request.anchors.clear();
      return tell(a, std::move(request), a.news);
    }
    with_blob(a, a.to, payload(byte_buffer(text.begin(), text.end())), what.manifest->document.hash, [me = *this, a, request, told](const blob_ref& sent) {
      auto with_manifest = request;
      with_manifest.manifest = sent;
      me.tell(a, std::move(with_manifest), told);
    });
  }

  void tell(const news_action& a, replica_news_request request, const news_mark& told) const {
    state().holders.ask<replica_status>(
      self, a.to, small_timeout, std::move(request),
      [me = *this, a, told](const replica_status&) {
        me.core().done(a, told);
        me.go_on();
      },
      on_failure(a));
  }

  // --- challenges ------------------------------------------------------------------------------------------------------

  void ask_for_proof() const {
    if (!state().looked) return;
    std::vector<node_id> up;
    for (auto& [id, m] : state().members)
      if (m.state == member_state::up) up.push_back(id);
    for (auto& node : state().challenges->due(up, clock->monotonic())) {
      std::uint64_t pick = 0;
      std::array<std::uint8_t, sizeof pick> bits{};
      random->fill(bits);
      std::copy_n(bits.begin(), bits.size(), reinterpret_cast<std::uint8_t*>(&pick));
      if (auto record = core().pick_held(node, pick)) challenge(node, *record);
    }
  }

  void challenge(const node_id& node, const chunk_record& record) const {
    challenge_core::random_bytes bytes{};
    random->fill(bytes);
    auto asked = state().challenges->make(node, record, bytes, clock->wall_us());
    auto holder_key = state().members.at(node).sign_key;
    state().holders.at(node)
      .request(self, challenge_core::answer_time_max, replica_challenge_request{asked})
      .then(
        [me = *this, asked, record, holder_key](const challenge_answer& answer) {
          // The recording's root follows from all its chunks' roots, and they from the store; the chunk's is enough.
          me.judged(record, challenge_core::judge(asked, record, me.core().position_of(record.key), answer, holder_key, {}));
        },
        [me = *this, asked, record](const caf::error& e) {
          me.note(from_caf(e));
          me.judged(record, challenge_core::judge(asked, me.core().position_of(record.key), from_caf(e)));
        });
  }

  void judged(const chunk_record& record, challenge_result result) const {
    sign_result(result, *state().parts.signs);
    auto& counts = state().challenge_counts[result.what.holder];
    ++counts[result.outcome == challenge_outcome::ok ? 0 : result.outcome == challenge_outcome::late ? 2 : 1];
    auto holder = result.what.holder;
    state().unwritten.push_back(std::move(result));
    auto verdict = state().unwritten.back().outcome;
    if (state().unwritten.size() > unwritten_results_max) state().unwritten.pop_front();
    write_results();
    if (verdict == challenge_outcome::missing) {
      core().lost(holder, record.key);
    } else if (verdict == challenge_outcome::failed) {
      // It has something there that is not the chunk: read as a whole it is found out and taken away, then put again.
      verify(holder, record.key.session, {{record.key.on, record.key.index, record.content}}, [](const outcome<replica_verify>&) {});
    }
  }

  void write_results() const {
    if (state().writing || state().unwritten.empty()) return;
    std::vector<challenge_result> results(state().unwritten.begin(), state().unwritten.end());
    state().unwritten.clear();
    state().writing = true;
    auto posted = run_on_pool(
      &*self, *state().parts.pool,
      [log = state().log, file = state().parts.challenges, results]() -> outcome<void> {
        if (!*log) {
          auto opened = challenge_log::open(file);
          if (!opened) return pass_on(std::move(opened));
          log->emplace(std::move(*opened));
        }
        for (auto& r : results)
          if (auto added = (*log)->add(r); !added) return added;
        return {};
      },
      [me = *this](outcome<void> done) {
        me.state().writing = false;
        if (!done) me.note(done.error());
        me.write_results();
      });
    if (posted) return;
    state().writing = false; // Busy: with the next result.
    state().unwritten.insert(state().unwritten.begin(), results.begin(), results.end());
  }

  // --- audits ----------------------------------------------------------------------------------------------------------

  template <class Then>
  void verify(const node_id& node, const session_id& session, std::vector<chunk_mark> chunks, Then then) const {
    replica_verify_request request{state().parts.self, session, std::move(chunks)};
    auto asked = request.chunks;
    state().holders.ask<replica_verify>(
      self, node, verify_timeout, std::move(request),
      [me = *this, node, session, asked, then](const replica_verify& answer) {
        for (auto* places : {&answer.damaged, &answer.missing})
          for (auto place : *places)
            if (place < asked.size()) me.core().lost(node, {session, asked[place].on, asked[place].index});
        then(outcome<replica_verify>(answer));
        me.go_on();
      },
      [me = *this, then](const caf::error& e) {
        me.note(from_caf(e));
        then(outcome<replica_verify>(tl::unexpected(from_caf(e))));
      });
  }

  struct audit_round {
    audit_part part;
    owed_answer<replication_audit> owed;
  };

  caf::typed_response_promise<replication_audit> audit(const replication_audit_request& r) const {
    owed_answer<replication_audit> owed(self);
    auto promise = owed.promise();
    if (!core().news_of(r.session)) {
      owed.deliver(to_caf({errc::not_found, "replication", "there is no session " + short_id(r.session), nullptr}));
      return promise;
    }
    auto page = core().page(r.session, r.from, verify_page_bytes_max, chunk_marks_max);
    auto round = std::make_shared<audit_round>(
      audit_round{audit_part(r, core().chunk_count(r.session), page, state().parts.limits.copies), std::move(owed)});
    for (auto& [node, m] : state().members) round->part.add_holder(node, m.name, core().held_of(node, r.session, page));
    if (round->part.is_complete()) round->owed.deliver(round->part.answer());
    for (std::size_t i = 0; i < round->part.holder_count(); ++i) {
      verify(round->part.holder(i), r.session, round->part.held_by(i), [round, i](const outcome<replica_verify>& found) {
        round->part.answered(i, found);
        if (round->part.is_complete()) round->owed.deliver(round->part.answer());
      });
    }
    return promise;
  }

  replication_status status() const {
    auto status = core().status();
    status.last_failure = state().last_failure;
    for (auto& h : status.holders) {
      auto& counts = state().challenge_counts[h.node];
      h.challenges_ok = counts[0];
      h.challenges_failed = counts[1];
      h.challenges_late = counts[2];
    }
    return status;
  }
};

replication_api::behavior_type replication_actor(replication_self self, actor_context ctx, replication_parts parts) {
  auto& state = self->state;
  state.core.emplace(parts.limits);
  state.challenges.emplace(parts.self, parts.challenge_interval);
  state.log = std::make_shared<std::optional<challenge_log>>();
  state.parts = std::move(parts);
  state.blobs = {ctx.directory(), paths::blobs};
  replication_shell shell{self, &ctx.clock(), &ctx.random(), &ctx.directory()};
  run_later(self, 0ms, [shell] { shell.round(); });
  return supervised(
    self, ctx,
    {
      [shell](const replication_status_request&) { return shell.status(); },
      [shell](const replication_audit_request& r) { return shell.audit(r); },
    },
    [self, shell] {
      auto& s = self->state;
      auto status = s.core->status();
      return state_fields{{"sessions", std::to_string(status.session_count)},
                          {"chunks", std::to_string(status.chunk_count)},
                          {"with all copies", std::to_string(status.replicated_count)},
                          {"without a copy", std::to_string(status.without_copy_count)},
                          {"under way", std::to_string(status.in_flight)},
                          {"chunks sent", std::to_string(s.put_count)},
                          {"bytes sent", std::to_string(s.put_bytes)},
                          {"last failure", s.last_failure}};
    });
}

} // namespace

child_spec replication_child(replication_parts parts) {
  return {.id = "replication", .start = child_of(replication_actor, std::move(parts)), .shutdown_timeout = 5s};
}

} // namespace lucid

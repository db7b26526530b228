// actors/console/console_shell.hpp - the console actor's state, and what it does for each request; private to this folder.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <caf/all.hpp>
#include <nlohmann/json.hpp>

#include "actors/console/actor_history.hpp"
#include "actors/console/api_json.hpp"
#include "actors/console/api_request.hpp"
#include "actors/console/console_actor.hpp"
#include "actors/console/flow_core.hpp"
#include "actors/console/metrics_core.hpp"
#include "actors/console/stream_core.hpp"
#include "messages/adoption_api.hpp"
#include "messages/console_api.hpp"
#include "messages/mesh_api.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/replication_api.hpp"
#include "messages/storage_api.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/inspect_tree.hpp"
#include "runtime/inspection/message_tap.hpp"
#include "runtime/log/log.hpp"
#include "runtime/reply.hpp"

namespace lucid {

inline constexpr std::chrono::seconds store_patience{20};
inline constexpr std::chrono::seconds status_patience{2};
inline constexpr std::chrono::seconds create_patience{40};
inline constexpr std::chrono::seconds audit_patience{10};
inline constexpr std::chrono::seconds door_retry{10};
inline constexpr std::chrono::seconds copies_patience{150}; ///< 64 MiB read and hashed by each holder, from slow cards.
inline constexpr std::chrono::seconds join_patience{120}; ///< Over Tor, to an onion service that is looked for first.

/// Which face of the API this is.
struct console_door {
  std::variant<control_door, browser_door> kind;
  bool is_browser() const noexcept { return std::holds_alternative<browser_door>(kind); }
  const http_limits& limits() const {
    return std::visit([](auto& door) -> const http_limits& { return door.limits; }, kind);
  }
};

struct console_state {
  static inline const char* name = "console";

  console_parts parts;
  console_door door;
  std::unique_ptr<http_server> server;
  std::optional<error> closed_because; ///< Why there is no server.
  std::optional<access_core> access;   ///< Of a browser's door.
  std::uint64_t login_count = 0, answered_count = 0, refused_count = 0;

  inspector_api inspector;
  ref<store_api> store;
  ref<recorder_api> recorder;
  ref<ledger_api> ledger;
  ref<audit_api> audit;
  ref<console_api> console;
  ref<links_api> links;
  ref<gateway_api> gateway;
  ref<replication_api> replication;
  ref<adoption_api> adoption;

  std::optional<machine_core> machine;
  bool looking_at_machine = false;
  std::vector<std::function<void()>> waiting_for_machine; ///< At most one for each request under way.
  std::optional<machine_facts> last_facts;
  metrics_core metrics;
  actor_history history;
  std::uint64_t looks = 0; ///< At the whole tree.

  stream_core streams;
  std::map<std::uint64_t, visitor> stream_owners;
  std::map<std::string, std::unique_ptr<tap_reader>> taps; ///< By path.
  std::map<session_id, flow_core> flows;
  bool in_round = false;
  std::uint64_t alarm = 0; ///< The last one set; an earlier one does nothing.
};
using console_self = console_api::stateful_pointer<console_state>;

/// A request that has been let in.
struct asker {
  std::uint64_t request = 0;
  visitor who;
  std::string by;              ///< For the audit log.
  bool wants_stream = false;
  bool wants_html = false;
  std::string accept_encoding;
};

/// Does what is asked for. A value: copied into continuations, which run inside the actor.
/// Threads: the actor's.
class console_shell {
public:
  console_shell(console_self self, const actor_context& ctx)
    : self_(self), names_(&ctx.directory()), clock_(&ctx.clock()), path_(ctx.path) {}

  void open_door() const;
  void serve(http_request request) const;
  outcome<login_link> make_login() const;
  state_fields tell() const;

  // The stream: actors/console/serve_stream.cpp.
  void heard(std::uint64_t stream, const std::string& text) const;
  void skipped(std::uint64_t stream) const;
  void closed(std::uint64_t stream) const;
  void note_refusal(std::string_view kind, std::string_view what) const;

private:
  console_state& state() const { return self_->state; }
  ref<session_api> session(const session_id& id) const { return {*names_, paths::of_session(id, "session")}; }

  // Coming in: actors/console/console_actor.cpp.
  outcome<http_server*> listen() const;
  outcome<visitor> admit(const http_request& request, std::string_view path) const;
  void send(std::uint64_t request, http_response response) const;
  void answer(const asker& to, std::string body, unsigned status = 200) const;
  void answer(const asker& to, const nlohmann::json& object, unsigned status = 200) const;
  void answer_bytes(const asker& to, std::string bytes, std::vector<http_header> headers = {}) const;
  void refuse(const asker& to, const error& e) const;
  void refuse(const asker& to, const error& e, unsigned status) const;
  auto refusing(const asker& to) const {
    return [me = *this, to](const caf::error& failed) { me.refuse(to, as_told_outside(from_caf(failed))); };
  }
  auto answering(const asker& to, unsigned status = 200) const {
    return [me = *this, to, status](const session_summary& summary) { me.answer(to, to_json(summary), status); };
  }
  /// Answers with what `work` (returns an outcome of something `tell` takes) finds on the pool.
  template <class Work, class Tell>
  void answer_from_pool(const asker& to, Work work, Tell tell) const;

  /// Has the action written to the audit log, and then `act`, which is given the entry. What then fails gets an entry, too.
  void audited(const asker& by, std::string action, std::string target, std::string consequence,
               std::function<void(const audit_entry&)> act) const;
  void audit_failure(const audit_entry& begun, const error& why) const;

  /// For an action that was begun and failed: told to who asked and to the audit log.
  auto failed_after(const asker& to, const audit_entry& begun) const {
    return [me = *this, to, begun](const caf::error& failed) {
      auto why = as_told_outside(from_caf(failed));
      me.audit_failure(begun, why);
      me.refuse(to, why);
    };
  }

  /// Runs `then` inside the actor once nobody holds the answer any more.
  std::shared_ptr<void> when_dropped(std::function<void()> then) const;

  void carry_out(const asker&, const api::open_stream&) const;
  void carry_out(const asker&, const api::make_login&) const;
  void carry_out(const asker&, const api::log_in&) const;
  void carry_out(const asker&, const api::log_out&) const;
  void carry_out(const asker&, const api::get_me&) const;
  void carry_out(const asker&, const api::get_page&) const;

  // The node: actors/console/serve_node.cpp.
  void carry_out(const asker&, const api::get_node&) const;
  void carry_out(const asker&, const api::get_machine&) const;
  void carry_out(const asker&, const api::get_config&) const;
  void carry_out(const asker&, const api::drain_node&) const;
  void carry_out(const asker&, const api::stop_node&) const;
  void carry_out(const asker&, const api::get_log&) const;
  void carry_out(const asker&, const api::set_log_level&) const;
  void carry_out(const asker&, const api::node_consequence&) const;
  void carry_out(const asker&, const api::get_health&) const;
  void carry_out(const asker&, const api::get_readiness&) const;
  void carry_out(const asker&, const api::get_metrics&) const;
  nlohmann::json node_facts() const;
  void with_machine(std::function<void()> then) const;
  template <class Then>
  void with_running_count(const asker& to, Then then) const;

  // Actors: actors/console/serve_actors.cpp.
  void carry_out(const asker&, const api::list_actors&) const;
  void carry_out(const asker&, const api::get_actor&) const;
  void carry_out(const asker&, const api::actor_consequence&) const;
  void carry_out(const asker&, const api::act_on_actor&) const;
  void carry_out(const asker&, const api::get_letters&) const;
  nlohmann::json letters(const std::vector<inspection>& tree) const;
  void took_tree(const std::vector<inspection>& tree) const;
  void act_here(const asker&, const api::act_on_actor&, const std::string& supervisor, const std::string& consequence,
                const audit_entry& begun) const;
  void act_elsewhere(const asker&, const api::act_on_actor&, const std::string& consequence, const audit_entry& begun) const;
  /// Looks at the actors among which `path` is: from outside at those of this node, or else at all of the cluster.
  void with_tree_of(const asker& to, const std::string& path, std::function<void(const std::vector<inspection>&)> then) const;
  /// Looks at all actors: this node's and those of its cluster.
  void with_tree(std::function<void(std::vector<inspection>&)> then, std::function<void(const caf::error&)> otherwise) const;
  /// Adds those of other nodes; goes on without them when they do not answer.
  void with_cluster_tree(std::vector<inspection> own, std::function<void(std::vector<inspection>&)> then) const;

  // Sessions: actors/console/serve_sessions.cpp.
  void carry_out(const asker&, const api::list_sessions&) const;
  void carry_out(const asker&, const api::create_session&) const;
  void carry_out(const asker&, const api::get_session&) const;
  void carry_out(const asker&, const api::stop_session&) const;
  void carry_out(const asker&, const api::extend_session&) const;
  void carry_out(const asker&, const api::remove_session&) const;
  void carry_out(const asker&, const api::session_consequence&) const;
  void carry_out(const asker&, const api::get_flow&) const;
  template <class Then>
  void with_session(const asker& to, const session_id& id, Then then) const;
  /// The rows with what the actors of those sessions say that run: the store is told at a session's turns alone.
  void with_live(std::vector<session_summary> rows, std::function<void(std::vector<session_summary>&)> then) const;
  template <class Request>
  void act_on_session(const asker& to, const session_id& id, std::string action, Request request) const;
  nlohmann::json flow_of(const session_id& id, const std::vector<inspection>& tree) const;

  // What is kept: actors/console/serve_records.cpp.
  void carry_out(const asker&, const api::get_manifest&) const;
  void carry_out(const asker&, const api::get_keys&) const;
  void carry_out(const asker&, const api::list_chunks&) const;
  void carry_out(const asker&, const api::get_chunk&) const;
  void carry_out(const asker&, const api::get_proof&) const;
  void carry_out(const asker&, const api::verify_session&) const;
  void carry_out(const asker&, const api::list_blocks&) const;
  void carry_out(const asker&, const api::get_block&) const;
  void carry_out(const asker&, const api::search_ledger&) const;
  void carry_out(const asker&, const api::list_capsules&) const;
  void carry_out(const asker&, const api::get_capsule&) const;
  void carry_out(const asker&, const api::get_audit&) const;

  // The cluster: actors/console/serve_cluster.cpp.
  void carry_out(const asker&, const api::get_cluster&) const;
  void carry_out(const asker&, const api::cluster_consequence&) const;
  void carry_out(const asker&, const api::begin_cluster&) const;
  void carry_out(const asker&, const api::make_invitation&) const;
  void carry_out(const asker&, const api::list_invitations&) const;
  void carry_out(const asker&, const api::take_back_invitation&) const;
  void carry_out(const asker&, const api::join_cluster&) const;
  void carry_out(const asker&, const api::remove_member&) const;
  void carry_out(const asker&, const api::rotate_keys&) const;
  void carry_out(const asker&, const api::get_replication&) const;
  void carry_out(const asker&, const api::audit_copies&) const;
  void carry_out(const asker&, const api::adopt_session&) const;
  template <class Request>
  void change_cluster(const asker& to, std::string action, std::string target, std::string consequence, Request request) const;

  // The stream: actors/console/serve_stream.cpp.
  void arm() const;
  void begin_round() const;
  void look_for(const std::set<std::string>& topics, const std::shared_ptr<void>& until_done) const;
  void end_round() const;
  void end_stale_streams(std::chrono::nanoseconds now) const;
  void read_taps() const;

  console_self self_;
  directory* names_;
  const clock_port* clock_;
  std::string path_;
};

// --- implementation ---

template <class Work, class Tell>
void console_shell::answer_from_pool(const asker& to, Work work, Tell tell) const {
  auto posted = run_on_pool(static_cast<caf::scheduled_actor*>(self_), *state().parts.pool, std::move(work),
                            [me = *this, to, tell = std::move(tell)](auto found) {
                              if (found) tell(std::move(*found));
                              else me.refuse(to, found.error());
                            });
  if (!posted) refuse(to, posted.error());
}

} // namespace lucid

// actors/mesh/gateway_actor.cpp - meets the gateways of other nodes, lends and borrows actors, shows their trees.
#include "actors/mesh/gateway_actor.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include <caf/all.hpp>

#include "messages/console_api.hpp"
#include "messages/mesh_api.hpp"
#include "messages/paths.hpp"
#include "messages/supervision_api.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/inspect_tree.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/log/log.hpp"
#include "runtime/middleman/gateway.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {

void gateway_road::attach(calls present) {
  std::lock_guard lock(mutex_);
  calls_ = std::move(present);
}

gateway_road::calls gateway_road::present() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

void gateway_road::stream_down(link_id link, const error& why) {
  if (auto now = present(); now.down) now.down(link, why);
}

outcome<int> gateway_road::local_end(link_id link, bool dialled) {
  auto now = present();
  if (!now.local_end) return fail(errc::unreachable, "gateway", "it is being started");
  return now.local_end(link, dialled);
}

namespace {

using namespace std::chrono_literals;

constexpr auto look_interval = 50ms;   ///< At the links, and at the actors that are lent.
constexpr auto stream_retry = 1s;      ///< After a stream ended on a link that lives.
constexpr auto tree_patience = 1500ms; ///< For one node's tree; a console asks each second.
constexpr auto action_patience = 2s;
constexpr auto audit_patience = 10s;

/// Another node, as long as there is a link to it.
struct peer_state {
  peer_link link;
  caf::strong_actor_ptr gateway; ///< Null: not met yet.
  std::optional<std::chrono::nanoseconds> retry_at;
  std::vector<slot_ptr> lent;    ///< To us.
};

struct gateway_state {
  static inline const char* name = "gateway";
  gateway_options options;
  std::map<node_id, peer_state> peers;
  std::vector<std::pair<slot_ptr, std::uint64_t>> exports; ///< With the generation that the others were told.
  inspector_api inspector;
  std::uint64_t met_count = 0;
  std::string last_breach;
};
using gateway_self = gateway_api::stateful_pointer<gateway_state>;
using tree = std::vector<inspection>;

struct gateway_shell {
  gateway_self self;
  directory* names;
  const clock_port* clock;
  std::string path;
  gateway_state& state() const { return self->state; }
  tunnel& road() const { return state().options.road->road(); }

  // --- how others get here, and we to them ------------------------------------------------------------------------

  outcome<void> open_door() const {
    auto fd = listen_local(state().options.socket);
    if (!fd) return pass_on(std::move(fd));
    auto home = caf::actor_cast<caf::strong_actor_ptr>(self);
    auto published = publish_gateway(self->system(), home, *fd);
    if (!published) return published;
    road().export_actor(self->id());
    auto weak = caf::actor_cast<caf::actor_addr>(self);
    auto* system = &self->system();
    auto socket = state().options.socket;
    auto inside = [weak](auto step) {
      if (auto there = caf::actor_cast<caf::actor>(weak)) run_inside(there, std::move(step));
    };
    state().options.road->attach(
      {[me = *this, system, socket, inside](link_id link, bool dialled) -> outcome<int> {
         if (!dialled) return connect_local(socket);
         auto ends = make_local_pair();
         if (!ends) return pass_on(std::move(ends));
         auto begun = connect_gateway(*system, ends->first,
                                      [me, link, inside](outcome<caf::strong_actor_ptr> there, const caf::node_id&) {
                                        inside([me, link, there = std::move(there)] { me.reached(link, there); });
                                      });
         if (!begun) return pass_on(std::move(begun));
         return ends->second;
       },
       [me = *this, inside](link_id link, error why) {
         inside([me, link, why = std::move(why)] { me.stream_ended(link, why); });
       }});
    return {};
  }

  // --- the links --------------------------------------------------------------------------------------------------

  void look() const {
    auto links = state().options.links->read();
    for (auto at = state().peers.begin(); at != state().peers.end();) {
      auto known = links.find(at->first);
      bool same = known != links.end() && known->second == at->second.link;
      if (!same) part_from(at->second);
      at = same ? std::next(at) : state().peers.erase(at);
    }
    for (auto& [id, link] : links) meet(id, link);
    tell_exports();
    run_later(self, look_interval, [me = *this] { me.look(); });
  }

  void meet(const node_id& id, const peer_link& link) const {
    auto [at, made] = state().peers.try_emplace(id, peer_state{link, nullptr, {}, {}});
    auto& peer = at->second;
    bool again = peer.retry_at && *peer.retry_at <= clock->monotonic();
    if (!made && !again) return;
    peer.retry_at.reset();
    if (made) road().detach(link.link); // The stream of an earlier gateway.
    road().attach(link.link, link.dialled); // Nothing, where a stream is open.
  }

  void part_from(peer_state& peer) const {
    road().detach(peer.link.link);
    withdraw(peer);
  }

  void withdraw(peer_state& peer) const {
    for (auto& slot : peer.lent) slot->place_remote(nullptr);
    if (peer.gateway) log::info(path, "{} cannot be reached any more", peer.link.name);
    peer.gateway = nullptr;
  }

  peer_state* peer_at(link_id link) const {
    for (auto& [id, peer] : state().peers)
      if (peer.link.link == link) return &peer;
    return nullptr;
  }

  void stream_ended(link_id link, const error& why) const {
    auto* peer = peer_at(link);
    if (!peer) return;
    bool breach = why.code == errc::permission_denied || why.code == errc::limit_exceeded ||
                  why.code == errc::protocol_violation;
    if (breach) {
      state().last_breach = peer->link.name + ": " + to_string(why);
      log::warn(path, "the stream of {} was ended: {}", peer->link.name, to_string(why));
    }
    withdraw(*peer);
    // Who dialled begins the next one; the other side waits for it, or the two would end each other's streams for ever.
    if (peer->link.dialled) peer->retry_at = clock->monotonic() + stream_retry;
  }

  // --- the gateways of others -------------------------------------------------------------------------------------

  void reached(link_id link, const outcome<caf::strong_actor_ptr>& there) const {
    auto* peer = peer_at(link);
    if (!peer) return;
    if (!there) return stream_ended(link, there.error());
    met(*peer, *there);
  }

  void met(peer_state& peer, caf::strong_actor_ptr gateway) const {
    peer.gateway = std::move(gateway);
    ++state().met_count;
    log::info(path, "met {}", peer.link.name);
    send_exports(peer);
  }

  void heard(const gateway_news& news) const {
    auto known = state().peers.find(news.from);
    auto sender = self->current_sender();
    if (known == state().peers.end() || !sender) return; // A link that we do not know of yet: it tells again.
    auto& peer = known->second;
    if (!peer.gateway) met(peer, sender);
    place(peer, std::string(paths::gateway), sender);
    for (auto& one : news.actors)
      if (peer.lent.size() <= exported_actors_max && one.path.size() <= actor_path_bytes_max) place(peer, one.path, one.actor);
  }

  void place(peer_state& peer, const std::string& there, const caf::strong_actor_ptr& actor) const {
    auto slot = names->slot(paths::of_node(peer.link.name, there));
    slot->place_remote(actor);
    if (std::find(peer.lent.begin(), peer.lent.end(), slot) == peer.lent.end()) peer.lent.push_back(slot);
  }

  // --- what is lent -----------------------------------------------------------------------------------------------

  gateway_news exported() const {
    gateway_news news{state().options.self, {}};
    for (auto& [slot, generation] : state().exports) {
      auto actor = slot->present().actor;
      if (actor) road().export_actor(actor->id());
      news.actors.push_back({slot->path(), std::move(actor)});
    }
    return news;
  }

  void send_exports(const peer_state& peer) const {
    if (peer.gateway) self->send(caf::actor_cast<gateway_api>(peer.gateway), exported());
  }

  /// To all who were met, when one of them is another incarnation.
  void tell_exports() const {
    bool changed = false;
    for (auto& [slot, told] : state().exports) {
      auto now = slot->generation_at()->load(std::memory_order_acquire);
      changed = changed || now != told;
      told = now;
    }
    if (!changed) return;
    for (auto& [id, peer] : state().peers) send_exports(peer);
  }

  // --- trees ------------------------------------------------------------------------------------------------------

  void show_tree(const owed_answer<tree>& promise) const {
    self->request(state().inspector, tree_patience, inspection_request{})
      .then(
        [promise](tree& all) {
          if (all.size() > node_tree_rows_max) all.resize(node_tree_rows_max);
          promise.deliver(std::move(all));
        },
        [promise](const caf::error& e) { promise.deliver(e); });
  }

  void show_others(const owed_answer<tree>& promise) const {
    auto all = std::make_shared<tree>();
    // The last answer lets go of it.
    std::shared_ptr<void> until_done(nullptr, [all, promise](void*) { promise.deliver(std::move(*all)); });
    for (auto& [id, peer] : state().peers) {
      if (!peer.gateway) continue;
      self->request(caf::actor_cast<gateway_api>(peer.gateway), tree_patience, node_tree_request{})
        .then([all, until_done, node = peer.link.name](tree& rows) { take_rows(*all, node, rows); },
              [until_done](const caf::error&) {});
    }
  }

  /// Rows as they are called here: "root" of a node is "nodes/<name>", and its parent our own root.
  static void take_rows(tree& all, const std::string& node, tree& rows) {
    auto named = [&](const std::string& there) { return there == "root" ? "nodes/" + node : paths::of_node(node, there); };
    for (auto& row : rows) {
      row.spec.parent = row.path == "root" ? "root" : named(row.spec.parent);
      row.path = named(row.path);
      for (auto& sender : row.senders)
        if (!sender.path.empty()) sender.path = named(sender.path);
      all.push_back(std::move(row));
    }
  }

  // --- actions ----------------------------------------------------------------------------------------------------

  // In our own log of actions first, as if it were asked for here.
  void act(const remote_action_request& wish, const owed_answer<child_ack>& promise) const {
    auto seen = names->slot(wish.path)->spec();
    if (seen.parent.empty())
      return promise.deliver(to_caf({errc::not_found, "gateway", "there is no actor at this path", nullptr}));
    audit_action what{wish.by + ", from another node", std::string(to_string(wish.action)), wish.path,
                      "asked for by a console of the cluster", "begun"};
    ref<audit_api>(*names, paths::audit)
      .request(self, audit_patience, audit_append_request{what})
      .then(
        [me = *this, wish, promise, parent = seen.parent](const audit_entry&) {
          ref<supervisor_api>(*me.names, parent)
            .request(me.self, action_patience,
                     child_action_request{wish.path.substr(wish.path.rfind('/') + 1), wish.action})
            .then([promise](const child_ack& done) { promise.deliver(done); },
                  [promise](const caf::error& e) { promise.deliver(e); });
        },
        [promise](const caf::error& e) { promise.deliver(e); });
  }
};

gateway_api::behavior_type gateway_actor(gateway_self self, actor_context ctx, gateway_options options) {
  auto& state = self->state;
  state.options = std::move(options);
  for (auto& exported : state.options.exports) state.exports.emplace_back(ctx.directory().slot(exported), 0);
  state.inspector = spawn_inspector(self->system(), ctx.directory(), ctx.clock());
  self->link_to(state.inspector);
  gateway_shell shell{self, &ctx.directory(), &ctx.clock(), ctx.path};
  if (auto open = shell.open_door(); !open) self->quit(to_caf(open.error()));
  shell.look();
  return supervised(
    self, ctx,
    {
      [shell](const gateway_news& news) { shell.heard(news); },
      [self, shell](const node_tree_request&) {
        owed_answer<tree> promise(self);
        shell.show_tree(promise);
        return promise.promise();
      },
      [self, shell](const remote_action_request& wish) {
        owed_answer<child_ack> promise(self);
        shell.act(wish, promise);
        return promise.promise();
      },
      [self, shell](const cluster_tree_request&) {
        owed_answer<tree> promise(self);
        shell.show_others(promise);
        return promise.promise();
      },
    },
    [self, shell] {
      auto& s = self->state;
      std::string met;
      for (auto& [id, peer] : s.peers)
        if (peer.gateway) met.append(met.empty() ? "" : ", ").append(peer.link.name);
      auto seen = shell.road().counters();
      return state_fields{{"nodes met", met},
                          {"streams", std::to_string(seen.streams)},
                          {"streams ended for a breach", std::to_string(seen.breaches)},
                          {"last breach", s.last_breach}};
    });
}

} // namespace

child_spec gateway_child(gateway_options options) {
  return {.id = "gateway", .start = child_of(gateway_actor, std::move(options)), .shutdown_timeout = 2s};
}

} // namespace lucid

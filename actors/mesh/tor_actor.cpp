// actors/mesh/tor_actor.cpp - Tor's news to the core, wishes to Tor; what was wished outlives an incarnation.
#include "actors/mesh/tor_actor.hpp"

#include <algorithm>
#include <utility>

#include <caf/all.hpp>

#include "messages/paths.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/log/log.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

/// Between two looks at Tor; what it failed to take is offered again as often.
constexpr auto look_interval = 5s;
/// Tor puts a second renewal off until ten seconds have passed; ours would not know when it comes.
constexpr auto renewal_interval = 15s;
/// After which it has forgotten what it forgets with a renewal.
constexpr auto renewal_time = 500ms;

using tor_self = tor_api::stateful_pointer<tor_actor_state>;

/// The steps of one actor. Handlers keep a copy; the state itself lives in the actor.
struct tor_shell {
  tor_self self;
  const clock_port* clock;
  tor_actor_state& state() const { return self->state; }
  tor_core& core() const { return *state().core; }
  onion_router& router() const { return *state().router; }
  tor_core::time now() const { return clock->monotonic(); }

  // --- start ---------------------------------------------------------------------------------------------------

  outcome<void> start() const {
    state().core.emplace(state().settings.limits, now());
    // Weak: the router, which keeps it, must not keep the actor.
    auto sink = [me = *this, weak = caf::actor_cast<caf::actor_addr>(self)](onion_news news) {
      auto there = caf::actor_cast<caf::actor>(weak);
      auto shared = std::make_shared<onion_news>(std::move(news));
      if (there) run_inside(there, [me, shared] { std::visit([&](auto& one) { me.hear(one); }, *shared); });
    };
    auto started = state().settings.start(std::move(sink));
    if (!started) return pass_on(std::move(started));
    state().router = std::move(*started);
    log::info(paths::tor, "Tor {} is at work, SOCKS at {}", router().version(), router().socks_address());
    auto wishes = state().settings.wishes->read();
    state().service_due = !wishes.service.ports.empty();
    state().peers_due = wishes.peers;
    offer_due();
    look();
    return {};
  }

  /// What Tor does not take now is offered again at the next look.
  void offer_due() const {
    if (state().service_due)
      if (auto published = publish(state().settings.wishes->read().service); !published) warn_of(published.error());
    for (auto& onion : std::set<std::string>(state().peers_due)) {
      auto taken = router().authorise(onion);
      if (!taken) return warn_of(taken.error());
      state().peers_due.erase(onion);
    }
  }

  void warn_of(const error& trouble) const { log::warn(paths::tor, "{}", to_string(trouble)); }

  // --- what is heard -------------------------------------------------------------------------------------------

  void hear(const onion_progress& news) const {
    core().heard(news, now());
    log_progress();
    if (!news.trouble.empty()) log::warn(paths::tor, "joining the Tor network: {}", news.trouble);
  }
  void hear(const onion_circuits& news) const {
    auto was_ready = core().ready();
    core().heard(news, now());
    if (was_ready && !core().ready()) log::warn(paths::tor, "no circuits: {}", news.reason);
    if (!was_ready && core().ready()) log::info(paths::tor, "circuits can be built");
  }
  void hear(const onion_upload& news) const {
    auto was_reachable = core().reachable();
    core().heard(news);
    if (!was_reachable && core().reachable()) log::info(paths::tor, "the onion service {} can be found", news.onion);
  }
  void hear(const onion_warning& news) const {
    state().last_warning = news.text;
    log::warn(paths::tor, "tor: {}", news.text);
  }
  void hear(const onion_gone& news) const { self->quit(to_caf(news.why)); }

  void log_progress() const {
    if (core().percent() == state().logged_percent) return;
    state().logged_percent = core().percent();
    log::info(paths::tor, "joining the Tor network: {}%, {}", core().percent(), core().summary());
  }

  // --- looks ---------------------------------------------------------------------------------------------------

  void look_later() const {
    run_later(self, look_interval, [me = *this] { me.look(); });
  }

  void look() const {
    auto health = router().health();
    if (!health) return self->quit(to_caf(health.error()));
    core().looked(*health, now());
    log_progress();
    state().read_bytes = health->read_bytes;
    state().written_bytes = health->written_bytes;
    if (auto stuck = core().stuck(now())) {
      if (router().process_id()) return self->quit(to_caf(*stuck));
      if (!std::exchange(state().warned_stuck, true)) warn_of(*stuck);
    } else {
      state().warned_stuck = false;
    }
    for (auto& onion : core().expired(now()))
      if (auto withdrawn = router().withdraw(onion); !withdrawn) warn_of(withdrawn.error());
    offer_due();
    look_later();
  }

  // --- wishes --------------------------------------------------------------------------------------------------

  outcome<std::string> publish(const onion_publish_request& wish) const {
    auto onion = router().publish(wish.ports, wish.clients);
    if (!onion) return onion;
    state().service_due = false;
    core().published(*onion);
    log::info(paths::tor, "published {} with {} ports for {}", *onion, wish.ports.size(),
              wish.clients.empty() ? "everybody who knows it" : std::to_string(wish.clients.size()) + " clients");
    return onion;
  }

  outcome<onion_service> take(const onion_publish_request& wish) const {
    auto present = state().settings.wishes->read().service;
    auto same = present.ports == wish.ports && present.clients == wish.clients;
    // Publishing anew makes a service hard to find for some seconds: not for nothing.
    if (same && !state().service_due && !core().onion().empty()) return onion_service{core().onion()};
    auto onion = publish(wish);
    if (!onion) {
      state().service_due = !present.ports.empty(); // What was there may be gone: it is offered again.
      return pass_on(std::move(onion));
    }
    state().settings.wishes->set_service(wish);
    return onion_service{*onion};
  }

  outcome<onion_service> take(const onion_rotate_request&) const {
    auto wish = state().settings.wishes->read().service;
    if (core().onion().empty()) return fail(errc::wrong_state, "tor", "no onion service is published");
    auto before = core().onion();
    auto onion = router().rotate(wish.ports, wish.clients);
    if (!onion) return pass_on(std::move(onion));
    core().rotated(*onion, now());
    log::info(paths::tor, "the onion service moved from {} to {}", before, *onion);
    return onion_service{*onion};
  }

  outcome<tor_status> take(const onion_authorise_request& wish) const {
    auto peers = state().settings.wishes->read().peers;
    if (!peers.contains(wish.onion) && peers.size() == onion_peers_max)
      return fail(errc::limit_exceeded, "tor",
                  "the client key is in use for " + std::to_string(onion_peers_max) + " onion services");
    if (auto taken = router().authorise(wish.onion); !taken) return pass_on(std::move(taken));
    state().peers_due.erase(wish.onion);
    state().settings.wishes->add_peer(wish.onion);
    return status();
  }

  outcome<tor_status> take(const onion_forget_request& wish) const {
    if (auto taken = router().forget(wish.onion); !taken) return pass_on(std::move(taken));
    state().peers_due.erase(wish.onion);
    state().settings.wishes->remove_peer(wish.onion);
    return status();
  }

  outcome<tor_status> take(const tor_renew_circuits_request&) const {
    auto& renewed_at = state().renewed_at;
    if (renewed_at && now() < *renewed_at + renewal_interval) return status();
    if (auto taken = router().renew_circuits(); !taken) return pass_on(std::move(taken));
    renewed_at = now();
    // With its circuits Tor forgets for which services our key is (since 0.4.3; a fresh identity must not carry it on).
    run_later(self, renewal_time, [me = *this] {
      me.state().peers_due = me.state().settings.wishes->read().peers;
      me.offer_due();
    });
    return status();
  }

  tor_status status() const {
    return {core().percent(),        core().summary(), core().onion(),        router().socks_address(),
            core().ready(),          core().reachable(), router().client_key(), router().version()};
  }

  state_fields fields() const {
    if (!state().core || !state().router) return {};
    auto& known = core();
    state_fields rows{{"joined", std::to_string(known.percent()) + "%"},
                      {"summary", known.summary()},
                      {"ready", known.ready() ? "yes" : "no"},
                      {"onion service", known.onion().empty() ? "none" : known.onion()},
                      {"can be found", known.reachable() ? "yes" : "no"},
                      {"descriptors stored", std::to_string(known.stored_count())},
                      {"descriptors refused", std::to_string(known.refused_count())},
                      {"old addresses", std::to_string(known.old_onion_count())},
                      {"peers with our key", std::to_string(state().settings.wishes->read().peers.size())},
                      {"circuits lost", std::to_string(known.loss_count())},
                      {"received bytes", std::to_string(state().read_bytes)},
                      {"sent bytes", std::to_string(state().written_bytes)},
                      {"socks", router().socks_address()},
                      {"version", router().version()},
                      {"process", router().process_id() ? std::to_string(*router().process_id()) : "a given one"}};
    if (!known.trouble().empty()) rows.push_back({"trouble", known.trouble()});
    if (!state().last_warning.empty()) rows.push_back({"last warning", state().last_warning});
    return rows;
  }
};

} // namespace

tor_api::behavior_type tor_actor(tor_self self, actor_context ctx, tor_settings settings) {
  tor_shell shell{self, &ctx.clock()};
  self->state.settings = std::move(settings);
  // Before the first message: no handler runs without Tor.
  if (auto started = shell.start(); !started) self->quit(to_caf(started.error()));
  return supervised(
    self, ctx,
    {
      [shell](const tor_status_request&) { return shell.status(); },
      [shell](const onion_publish_request& wish) { return reply(shell.take(wish)); },
      [shell](const onion_authorise_request& wish) { return reply(shell.take(wish)); },
      [shell](const onion_forget_request& wish) { return reply(shell.take(wish)); },
      [shell](const onion_rotate_request& wish) { return reply(shell.take(wish)); },
      [shell](const tor_renew_circuits_request& wish) { return reply(shell.take(wish)); },
    },
    [shell] { return shell.fields(); });
}

child_spec tor_child(tor_settings settings) {
  return {.id = "tor",
          .start = child_of<caf::detached>(tor_actor, std::move(settings)),
          .shutdown_timeout = std::chrono::seconds(10)};
}

} // namespace lucid

// runtime/actor_system.cpp - settings, the machine's clock, and the first and last moment of the tree.
#include "runtime/actor_system.hpp"

#include <time.h>

#include <cassert>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include <caf/all.hpp>
#include <caf/io/middleman.hpp>

#include "messages/type_ids.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/inspection/observed_actor.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/supervisor_actor.hpp"

namespace lucid {

unix_time_us system_clock_port::wall_us() const {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

// Counts while the machine sleeps, too: a lease that ended meanwhile has ended.
std::chrono::nanoseconds system_clock_port::monotonic() const {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

runtime_config::runtime_config(std::size_t scheduler_threads, bool deterministic,
                               std::optional<middleman_settings> middleman) {
  add_message_types<caf::id_block::lucid>();
  add_message_types<caf::id_block::lucid_runtime>();
  add_error_category(caf::detail::error_factory<errc>::category,
                     [](std::uint8_t code, caf::atom_value category, const caf::message& context) {
                       return lucid::to_string(from_caf(caf::error(code, category, context)));
                     });
  if (scheduler_threads != 0) set("scheduler.max-threads", scheduler_threads);
  // Work sharing sleeps when there is nothing to do; the default, work stealing, keeps looking.
  set("scheduler.policy", deterministic ? caf::atom("testing") : caf::atom("sharing"));
  if (middleman) use_middleman(*middleman);
}

void runtime_config::use_middleman(const middleman_settings& settings) {
  load<caf::io::middleman>();
  set("middleman.heartbeat-interval", caf::timespan(settings.heartbeat_interval));
  set("middleman.connection-timeout", caf::timespan(settings.connection_timeout));
  set("middleman.enable-automatic-connections", false);
  // On the scheduler: CAF starts one for each peer that waits five minutes for an answer which the tunnel lets nobody
  // give, and the system's end waits for every thread of an actor's own.
  set("middleman.attach-utility-actors", true);
  // Nothing may be spawned from afar: not a single type is registered for it.
  actor_factories.clear();
  // Read back as CAF reads them: a renamed key would switch both off without a word.
  assert(caf::get_or(*this, "middleman.heartbeat-interval", caf::timespan{0}).count() > 0);
  assert(caf::get_or(*this, "middleman.connection-timeout", caf::timespan{0}).count() > 0);
}

namespace {

bool regular(const caf::error& reason) { return !reason || reason == caf::exit_reason::user_shutdown; }

} // namespace

outcome<caf::actor> start_root(caf::actor_system& system, runtime_services services, supervisor_spec spec,
                               root_ended on_end) {
  auto slot = services.directory.slot(spec.id);
  actor_context ctx{spec.id, slot->begin_incarnation(), services,
                    std::make_shared<observed_actor>(services.clock.monotonic())};
  slot->describe(summary_of(spec));
  auto root = spawn_supervisor(system, ctx, std::move(spec), "");
  if (!root) return root;
  auto pointer = caf::actor_cast<caf::strong_actor_ptr>(*root);
  slot->publish(ctx.incarnation, pointer, ctx.observed, ctx.clock().wall_us());
  slot->show(actor_state::running);
  pointer->get()->attach_functor([slot, incarnation = ctx.incarnation, on_end = std::move(on_end)](const caf::error& why) {
    slot->withdraw(incarnation);
    slot->show(actor_state::stopped);
    if (!on_end) return;
    on_end(regular(why) ? std::nullopt : std::optional<error>(from_caf(why)));
  });
  return root;
}

outcome<void> stop_root(const caf::actor& root, std::chrono::milliseconds timeout) {
  auto gone = std::make_shared<std::promise<void>>();
  auto future = gone->get_future();
  root->attach_functor([gone] { gone->set_value(); });
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  if (future.wait_for(timeout) == std::future_status::ready) return {};
  return fail(errc::timeout, "root", "the tree did not stop within " + std::to_string(timeout.count()) + " ms");
}

} // namespace lucid

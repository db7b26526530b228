// actors/ledger/ledger_actor.cpp - batches in, places in the chain out.
#include "actors/ledger/ledger_actor.hpp"

#include "actors/ledger/ledger_file.hpp"
#include "messages/data_layout.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

outcome<void> open_chain(ledger_actor_state& state, ledger_settings& settings) {
  state.producer = settings.producer;
  auto store = settings.open();
  if (!store) return pass_on(std::move(store));
  state.store = std::move(*store);
  auto chain = ledger::open(*state.store, *state.producer);
  if (!chain) return pass_on(std::move(chain));
  state.chain.emplace(std::move(*chain));
  return {};
}

} // namespace

std::function<outcome<std::unique_ptr<ledger_store>>()> ledger_file_opener(std::filesystem::path data_folder) {
  return [folder = std::move(data_folder)]() -> outcome<std::unique_ptr<ledger_store>> {
    auto file = ledger_file::open(ledger_file_name(folder));
    if (!file) return pass_on(std::move(file));
    return std::unique_ptr<ledger_store>(new ledger_file(std::move(*file)));
  };
}

ledger_api::behavior_type ledger_actor(ledger_api::stateful_pointer<ledger_actor_state> self, actor_context ctx,
                                       ledger_settings settings) {
  auto opened = open_chain(self->state, settings);
  if (!opened) self->quit(to_caf(opened.error())); // Before the first message: no handler runs without a chain.
  return supervised(
    self, ctx,
    {
      [self, clock = &ctx.clock()](const ledger_append_request& r) {
        return reply(self->state.chain->append(r.entries, clock->wall_us()));
      },
      [self](const ledger_status_request&) { return self->state.chain->core().status(); },
    },
    [self] {
      auto& core = self->state.chain->core();
      return state_fields{{"height", std::to_string(core.status().height)},
                          {"entries", std::to_string(core.status().entry_count)},
                          {"blocks made with the clock behind", std::to_string(core.clock_step_count())}};
    });
}

child_spec ledger_child(ledger_settings settings) {
  return {.id = "ledger",
          .start = child_of<caf::detached>(ledger_actor, std::move(settings)),
          .shutdown_timeout = std::chrono::seconds(10)};
}

} // namespace lucid

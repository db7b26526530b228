// actors/console/console_actor.cpp - the shell: a request is decoded by the core and asked of whoever knows.
#include "actors/console/console_actor.hpp"

#include <chrono>
#include <memory>
#include <utility>
#include <variant>

#include <unistd.h>

#include <caf/all.hpp>
#include <nlohmann/json.hpp>

#include "actors/console/api_json.hpp"
#include "actors/console/api_request.hpp"
#include "messages/paths.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/storage_api.hpp"
#include "messages/version.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/directory/ref.hpp"
#include "runtime/inspection/inspect_tree.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/log/log.hpp"
#include "runtime/reply.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto store_timeout = 20s;
constexpr auto status_timeout = 2s;
constexpr auto create_timeout = 40s;

struct control_state {
  static inline const char* name = "control";
  control_options options;
  std::unique_ptr<http_server> server;
  inspector_api inspector;
  ref<store_api> store;
  ref<recorder_api> recorder;
  ref<ledger_api> ledger;
  std::uint64_t answered_count = 0;
  std::uint64_t refused_count = 0;
};
using control_self = caf::stateful_actor<control_state>*;

std::string dump(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace); }

struct control_shell {
  control_self self;
  directory* names;
  const clock_port* clock;

  control_state& state() const { return self->state; }

  void serve(const http_request& request) const {
    auto command = decode_api_request(request.method, request.target, request.body);
    if (!command) return refuse(request.id, command.error());
    std::visit([&](const auto& wish) { carry_out(request.id, wish); }, *command);
  }

private:
  void answer(std::uint64_t id, const json& object, unsigned status = 200) const {
    ++state().answered_count;
    state().server->reply(id, {status, "application/json", dump(object)});
  }

  void refuse(std::uint64_t id, const error& e) const {
    ++state().refused_count;
    state().server->reply(id, {http_status(e.code), "application/json", dump({{"error", to_json(e)}})});
  }

  auto refusing(std::uint64_t id) const {
    return [me = *this, id](const caf::error& failed) { me.refuse(id, as_told_outside(from_caf(failed))); };
  }
  auto answering(std::uint64_t id, unsigned status = 200) const {
    return [me = *this, id, status](const session_summary& summary) { me.answer(id, to_json(summary), status); };
  }

  ref<session_api> session(const session_id& id) const { return {*names, paths::of_session(id, "session")}; }

  void carry_out(std::uint64_t id, const api::node_status&) const {
    auto& options = state().options;
    json node{{"name", options.node_name},
              {"software", software_name},
              {"data_dir", options.data_dir.string()},
              {"pid", ::getpid()},
              {"started_us", options.started_us},
              {"uptime_us", clock->wall_us() - options.started_us}};
    state().ledger.request(self, status_timeout, ledger_status_request{})
      .then(
        [me = *this, id, node](const ledger_status& ledger) mutable {
          node["ledger_height"] = ledger.height;
          me.answer(id, node);
        },
        refusing(id));
  }

  void carry_out(std::uint64_t id, const api::node_stop&) const {
    log::info(paths::control, "the node was asked to stop");
    answer(id, {{"stopping", true}}, 202);
    state().options.stop_node();
  }

  void carry_out(std::uint64_t id, const api::actor_tree&) const {
    self->request(state().inspector, status_timeout, inspection_request{})
      .then(
        [me = *this, id](const std::vector<inspection>& seen) {
          auto actors = json::array();
          for (auto& one : seen) actors.push_back(to_json(one));
          me.answer(id, {{"actors", actors}});
        },
        refusing(id));
  }

  void carry_out(std::uint64_t id, const api::set_log_level& wish) const {
    auto level = log::level_from(wish.level);
    if (!level)
      return refuse(id, {errc::invalid_input, "control",
                         "level must be one of trace, debug, info, warn, error, off", nullptr});
    log::set_level(wish.subsystem, *level);
    answer(id, {{"subsystem", wish.subsystem}, {"level", wish.level}});
  }

  void carry_out(std::uint64_t id, const api::list_sessions& wish) const {
    state().store.request(self, store_timeout, session_list_request{wish.unfinished_only, wish.offset, wish.count})
      .then(
        [me = *this, id](const std::vector<session_summary>& listed) {
          auto sessions = json::array();
          for (auto& one : listed) sessions.push_back(to_json(one));
          me.answer(id, {{"sessions", sessions}});
        },
        refusing(id));
  }

  void carry_out(std::uint64_t id, const api::create_session& wish) const {
    state().recorder.request(self, create_timeout, session_create_request{wish.what, wish.policy})
      .then(answering(id, 201), refusing(id));
  }

  // Its own actor knows best; when that is gone, the store knows how it ended.
  void carry_out(std::uint64_t id, const api::get_session& wish) const {
    auto from_store = [me = *this, id, wish](const caf::error&) {
      me.state().store.request(me.self, store_timeout, session_get_request{wish.id})
        .then([me, id](const session_row& row) { me.answer(id, to_json(row.summary)); }, me.refusing(id));
    };
    session(wish.id).request(self, status_timeout, session_status_request{}).then(answering(id), from_store);
  }

  void carry_out(std::uint64_t id, const api::stop_session& wish) const {
    ask_running(id, wish.id, session_stop_request{wish.reason});
  }
  void carry_out(std::uint64_t id, const api::extend_session& wish) const {
    ask_running(id, wish.id, session_extend_request{wish.seconds});
  }
  void carry_out(std::uint64_t id, const api::remove_session& wish) const {
    state().store.request(self, store_timeout, session_remove_request{wish.id}).then(answering(id), refusing(id));
  }

  template <class Request>
  void ask_running(std::uint64_t id, const session_id& which, Request request) const {
    auto running = session(which);
    if (!running.reachable())
      return refuse(id, {errc::wrong_state, "control",
                         "session " + short_id(which) + " is not running; `lucid sessions show` tells how it ended",
                         nullptr});
    running.request(self, status_timeout, std::move(request)).then(answering(id), refusing(id));
  }
};

caf::behavior control_actor(control_self self, actor_context ctx, control_options options) {
  auto& state = self->state;
  state.options = std::move(options);
  state.store = {ctx.directory(), paths::store};
  state.recorder = {ctx.directory(), paths::recorder};
  state.ledger = {ctx.directory(), paths::ledger};
  state.inspector = spawn_inspector(self->system(), ctx.directory(), ctx.clock());
  self->link_to(state.inspector);
  control_shell shell{self, &ctx.directory(), &ctx.clock()};
  auto home = caf::actor_cast<caf::actor>(self);
  auto listening = http_server::listen(state.options.socket, state.options.limits, [home, shell](http_request request) {
    run_inside(home, [shell, request = std::move(request)] { shell.serve(request); });
  });
  if (listening)
    state.server = std::move(*listening);
  else
    self->quit(to_caf(listening.error()));
  return supervised(
    self, ctx, {[](caf::unit_t) {}},
    [self] {
      return state_fields{{"socket", self->state.options.socket.string()},
                          {"answered", std::to_string(self->state.answered_count)},
                          {"refused", std::to_string(self->state.refused_count)}};
    });
}

} // namespace

child_spec control_child(control_options options) {
  return {.id = std::string(paths::control),
          .start = child_of(control_actor, std::move(options)),
          .shutdown_timeout = 2s};
}

} // namespace lucid

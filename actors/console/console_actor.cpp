// actors/console/console_actor.cpp - the door, who may come in, and where each request goes.
#include "actors/console/console_actor.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actors/console/console_shell.hpp"
#include "actors/console/pages.hpp"
#include "runtime/inspection/supervised.hpp"
#include "runtime/supervision/spawn_child.hpp"

namespace lucid {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

std::string dump(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace); }

/// What a person sees who followed a link that leads nowhere.
std::string failure_page(const error& e) {
  auto escaped = [](std::string text) {
    for (auto [from, to] : {std::pair{'&', "&amp;"}, std::pair{'<', "&lt;"}})
      for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += 4) text.replace(at, 1, to);
    return text;
  };
  return fmt::format("<!doctype html><meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
                     "<title>Lucid</title><h1>This did not work</h1><p>{}</p>\n",
                     escaped(e.what));
}

std::vector<std::string> authorities_of(const browser_door& door, std::uint16_t port) {
  return console_authorities(door.tcp.address, port, door.names, door.tcp.tls.has_value());
}

json error_body(const error& e) { return {{"error", to_json(e)}}; }

} // namespace

// --- the door ---------------------------------------------------------------------------------------------------

void console_shell::open_door() const {
  auto& s = state();
  auto& doors = s.door.kind;
  auto home = caf::actor_cast<caf::actor>(self_);
  http_handlers handlers;
  handlers.on_request = [home, me = *this](http_request request) {
    run_inside(home, [me, request = std::move(request)]() mutable { me.serve(std::move(request)); });
  };
  handlers.on_message = [home, me = *this](std::uint64_t stream, std::string text) {
    run_inside(home, [me, stream, text = std::move(text)] { me.heard(stream, text); });
  };
  handlers.on_skipped = [home, me = *this](std::uint64_t stream) {
    run_inside(home, [me, stream] { me.skipped(stream); });
  };
  handlers.on_closed = [home, me = *this](std::uint64_t stream) {
    run_inside(home, [me, stream] { me.closed(stream); });
  };
  handlers.on_refused = [home, me = *this](http_peer, std::string what) {
    run_inside(home, [me, what = std::move(what)] { me.note_refusal("http", what); });
  };
  http_doors open;
  if (auto* control = std::get_if<control_door>(&doors)) open.socket = control->socket;
  else open.tcp = std::get<browser_door>(doors).tcp;

  auto listening = http_server::listen(open, s.door.limits(), std::move(handlers));
  if (listening) {
    s.server = std::move(*listening);
    s.closed_because.reset();
    if (!s.door.is_browser()) return;
    auto& browsers = std::get<browser_door>(doors);
    auto names = authorities_of(browsers, s.server->port());
    log::info(path_, "serves browsers on {}; `lucid console open` lets one in", names.front());
    s.access.emplace(browsers.access, std::move(names), browsers.tcp.tls.has_value());
    return;
  }
  if (!s.door.is_browser()) return self_->quit(to_caf(listening.error()));
  if (!s.closed_because || s.closed_because->what != listening.error().what)
    log::warn(path_, "no browser can come in, tried again every {} s: {}", door_retry.count(), to_string(listening.error()));
  s.closed_because = listening.error();
  run_later(self_, door_retry, [me = *this] { me.open_door(); });
}

outcome<login_link> console_shell::make_login() const {
  auto& s = state();
  if (!s.access)
    return fail(errc::wrong_state, "console",
                s.closed_because ? "no browser can come in: " + to_string(*s.closed_because)
                                 : "this is not where browsers come in");
  auto& door = std::get<browser_door>(s.door.kind);
  ++s.login_count;
  return login_link{fmt::format("{}://{}/login?token={}", door.tcp.tls ? "https" : "http",
                                authorities_of(door, s.server->port()).front(),
                                s.access->make_login(*s.parts.random, clock_->monotonic()))};
}

// --- who may come in --------------------------------------------------------------------------------------------

outcome<visitor> console_shell::admit(const http_request& request, std::string_view path) const {
  if (request.peer == http_peer::same_user) return visitor{};
  if (!state().access) return fail(errc::permission_denied, "console", "this door is not open");
  access_request asked;
  asked.method = request.method;
  asked.path = path;
  asked.host = request.header("host");
  asked.origin = request.header("origin");
  asked.cookie = request.header("cookie");
  asked.csrf = request.header("x-lucid-csrf");
  asked.wants_stream = request.wants_stream;
  return state().access->admit(asked, clock_->monotonic());
}

void console_shell::serve(http_request request) const {
  auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  asker from;
  from.request = request.id;
  from.wants_stream = request.wants_stream;
  from.wants_html = request.header("accept").find("text/html") != std::string_view::npos;
  from.accept_encoding = request.header("accept-encoding");
  auto let_in = admit(request, path);
  if (!let_in) {
    note_refusal("access", let_in.error().what);
    return refuse(from, let_in.error(), access_status(let_in.error().code));
  }
  from.who = std::move(*let_in);
  from.by = request.peer == http_peer::same_user ? "operator, control socket"
                                                 : fmt::format("operator, console login {}", from.who.session);
  auto wish = decode_api_request(request.method, request.target, request.body);
  if (wish) return std::visit([&](const auto& one) { carry_out(from, one); }, *wish);
  note_refusal("request", wish.error().what);
  auto allowed = wish.error().code == errc::not_found ? allowed_methods(request.target) : std::string();
  if (allowed.empty()) return refuse(from, wish.error());
  ++state().refused_count;
  send(from.request, {405, "application/json", dump(error_body(wish.error())), {{"allow", allowed}}});
}

void console_shell::note_refusal(std::string_view kind, std::string_view what) const {
  auto source = state().door.is_browser() ? "network" : "control socket";
  auto count = state().parts.refusals->note(kind, source, what, clock_->wall_us());
  // Whoever keeps asking must not fill the log: the first, and then each time it has doubled.
  if ((count & (count - 1)) == 0) log::warn(path_, "refused ({}, {} so far): {}", kind, count, what);
}

// --- answers ----------------------------------------------------------------------------------------------------

void console_shell::send(std::uint64_t request, http_response response) const {
  if (!state().server) return;
  if (state().door.is_browser())
    for (auto& [name, value] : security_headers()) response.headers.push_back({name, value});
  state().server->reply(request, std::move(response));
}

void console_shell::answer(const asker& to, std::string body, unsigned status) const {
  ++state().answered_count;
  send(to.request, {status, "application/json", std::move(body)});
}

void console_shell::answer(const asker& to, const json& object, unsigned status) const {
  answer(to, dump(object), status);
}

void console_shell::answer_bytes(const asker& to, std::string bytes, std::vector<http_header> headers) const {
  ++state().answered_count;
  send(to.request, {200, "application/octet-stream", std::move(bytes), std::move(headers)});
}

void console_shell::refuse(const asker& to, const error& e) const { refuse(to, e, http_status(e.code)); }

void console_shell::refuse(const asker& to, const error& e, unsigned status) const {
  ++state().refused_count;
  if (to.wants_html && state().door.is_browser())
    return send(to.request, {status, "text/html; charset=utf-8", failure_page(e)});
  send(to.request, {status, "application/json", dump(error_body(e))});
}

// --- the audit log ----------------------------------------------------------------------------------------------

void console_shell::audited(const asker& by, std::string action, std::string target, std::string consequence,
                            std::function<void(const audit_entry&)> act) const {
  consequence.resize(std::min(consequence.size(), audit_text_bytes_max));
  audit_action what{by.by, std::move(action), std::move(target), std::move(consequence), "begun"};
  log::info(path_, "{}: {} {}", what.by, what.action, what.target);
  state().audit.request(self_, audit_patience, audit_append_request{std::move(what)})
    .then([act = std::move(act)](const audit_entry& begun) { act(begun); },
          [me = *this, by](const caf::error& failed) {
            auto why = from_caf(failed);
            me.refuse(by, {why.code, "audit", "not done, since it cannot be written to the audit log",
                           std::make_shared<const error>(why)});
          });
}

void console_shell::audit_failure(const audit_entry& begun, const error& why) const {
  auto what = begun.what;
  what.consequence = fmt::format("entry {} came to nothing", begun.number);
  what.result = "failed: " + to_string(why);
  what.result.resize(std::min(what.result.size(), audit_text_bytes_max));
  state().audit.request(self_, audit_patience, audit_append_request{std::move(what)})
    .then([](const audit_entry&) {},
          [me = *this](const caf::error& lost) {
            log::error(me.path_, "an action that failed is not noted as such: {}", to_string(from_caf(lost)));
          });
}

std::shared_ptr<void> console_shell::when_dropped(std::function<void()> then) const {
  return {nullptr, [home = caf::weak_actor_ptr(self_->ctrl()), then = std::move(then)](void*) {
            if (auto there = home.lock()) run_inside(there, then);
          }};
}

// --- coming in and going out ------------------------------------------------------------------------------------

void console_shell::carry_out(const asker& from, const api::make_login&) const {
  if (state().door.is_browser())
    return refuse(from, {errc::permission_denied, "console", "a login link is made on the control socket alone", nullptr});
  state().console.request(self_, status_patience, login_link_request{})
    .then([me = *this, from](const login_link& link) { me.answer(from, json{{"url", link.url}}); },
          [me = *this, from](const caf::error& failed) {
            auto why = from_caf(failed);
            if (why.code == errc::unreachable)
              why = {errc::wrong_state, "console", "the console is switched off: console.serve is off", nullptr};
            me.refuse(from, why);
          });
}

void console_shell::carry_out(const asker& from, const api::log_in& wish) const {
  auto& access = state().access;
  if (!access) return refuse(from, {errc::not_found, "console", "browsers log in over TCP", nullptr});
  auto login = access->log_in(wish.token, *state().parts.random, clock_->monotonic());
  if (!login) {
    note_refusal("login", login.error().what);
    return refuse(from, login.error(), access_status(login.error().code));
  }
  log::info(path_, "login {}", login->who.session);
  ++state().answered_count;
  send(from.request, {303, "text/plain", "", {{"location", "/"}, {"set-cookie", login->set_cookie}}});
}

void console_shell::carry_out(const asker& from, const api::log_out&) const {
  auto& access = state().access;
  if (!access) return refuse(from, {errc::not_found, "console", "nobody logs in on the control socket", nullptr});
  auto forget = access->log_out(from.who);
  log::info(path_, "logout {}", from.who.session);
  end_stale_streams(clock_->monotonic());
  ++state().answered_count;
  send(from.request, {200, "application/json", "{}", {{"set-cookie", forget}}});
}

void console_shell::carry_out(const asker& from, const api::get_me&) const {
  if (!state().access) return refuse(from, {errc::not_found, "console", "nobody logs in on the control socket", nullptr});
  auto idle = std::get<browser_door>(state().door.kind).access.session_idle_max;
  answer(from, json{{"csrf", from.who.csrf},
                    {"idle_s", std::chrono::duration_cast<std::chrono::seconds>(idle).count()},
                    {"role", "operator"}});
}

void console_shell::carry_out(const asker& from, const api::get_page& wish) const {
  auto* file = state().door.is_browser() ? find_page(wish.path) : nullptr;
  if (!file) {
    note_refusal("request", "there is no such page");
    return refuse(from, {errc::not_found, "console", "there is no such page", nullptr});
  }
  ++state().answered_count;
  send(from.request, page_response(*file, from.accept_encoding));
}

// --- the actor --------------------------------------------------------------------------------------------------

state_fields console_shell::tell() const {
  auto& s = state();
  state_fields fields{{"answered", std::to_string(s.answered_count)}, {"refused", std::to_string(s.refused_count)},
                      {"streams", std::to_string(s.streams.stream_count())}};
  if (auto* control = std::get_if<control_door>(&s.door.kind)) fields.push_back({"socket", control->socket.string()});
  else if (s.server) fields.push_back({"port", std::to_string(s.server->port())});
  if (s.access) fields.push_back({"logins", std::to_string(s.access->session_count())});
  if (s.closed_because) fields.push_back({"closed", s.closed_because->what});
  return fields;
}

namespace {

console_api::behavior_type console_actor(console_self self, actor_context ctx, console_parts parts, console_door door) {
  auto& state = self->state;
  state.parts = std::move(parts);
  state.door = std::move(door);
  state.store = {ctx.directory(), paths::store};
  state.recorder = {ctx.directory(), paths::recorder};
  state.ledger = {ctx.directory(), paths::ledger};
  state.audit = {ctx.directory(), paths::audit};
  state.console = {ctx.directory(), paths::console};
  state.links = {ctx.directory(), paths::links};
  state.gateway = {ctx.directory(), paths::gateway};
  state.replication = {ctx.directory(), paths::replication};
  state.adoption = {ctx.directory(), paths::adoption};
  state.machine.emplace(state.parts.memory_bounds, "caf.multiplexer");
  state.inspector = spawn_inspector(self->system(), ctx.directory(), ctx.clock());
  self->link_to(state.inspector);
  console_shell shell(self, ctx);
  shell.open_door();
  return supervised(self, ctx, {[shell](const login_link_request&) { return reply(shell.make_login()); }},
                    [shell] { return shell.tell(); });
}

child_spec child(std::string_view id, console_parts parts, console_door door) {
  return {.id = std::string(id),
          .start = child_of(console_actor, std::move(parts), std::move(door)),
          .shutdown_timeout = 2s};
}

} // namespace

child_spec control_child(console_parts parts, control_door door) {
  return child(paths::control, std::move(parts), {std::move(door)});
}

child_spec console_child(console_parts parts, browser_door door) {
  return child(paths::console, std::move(parts), {std::move(door)});
}

} // namespace lucid

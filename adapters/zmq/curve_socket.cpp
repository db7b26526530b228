// adapters/zmq/curve_socket.cpp - the settings' bounds, and the way to the engine.
#include "adapters/zmq/curve_socket.hpp"

#include <utility>

#include "adapters/zmq/curve_engine.hpp"

namespace lucid {
namespace {

outcome<void> check(const curve_settings& settings) {
  using namespace std::chrono_literals;
  auto time_ok = [](std::chrono::milliseconds time) { return time >= 10ms && time <= 10min; };
  bool ok = settings.links_max >= 1 && settings.links_max <= 4096 && settings.unknown_max >= 1 && settings.unknown_max <= 1024 &&
            settings.frames_queued_max >= 1 && settings.frames_queued_max <= 1024 && time_ok(settings.handshake_timeout) &&
            time_ok(settings.heartbeat_interval) && settings.silence_timeout >= settings.heartbeat_interval &&
            settings.silence_timeout <= 1min;
  if (ok) return {};
  return fail(errc::invalid_input, "zmq", "a setting of the links is out of its range");
}

} // namespace

outcome<std::unique_ptr<curve_socket>> curve_socket::open(curve_settings settings, link_events& events) {
  if (auto checked = check(settings); !checked) return pass_on(std::move(checked));
  auto made = std::make_unique<engine>(std::move(settings), events);
  if (auto started = made->start(); !started) return pass_on(std::move(started));
  return std::unique_ptr<curve_socket>(new curve_socket(std::move(made)));
}

curve_socket::curve_socket(std::unique_ptr<engine> started) : engine_(std::move(started)) {}
curve_socket::~curve_socket() = default;

outcome<std::string> curve_socket::listen(const std::string& address) { return engine_->listen(address); }
void curve_socket::allow(std::vector<transport_key> keys) { engine_->allow(std::move(keys)); }
outcome<link_id> curve_socket::dial(dial_request request) { return engine_->dial(std::move(request)); }
void curve_socket::close(link_id link) { engine_->close(link); }
outcome<void> curve_socket::send(link_id link, byte_buffer frame) { return engine_->send(link, std::move(frame)); }
outcome<void> curve_socket::rekey(transport_secret secret) { return engine_->rekey(std::move(secret)); }
transport_counters curve_socket::counters() const { return engine_->counters(); }
void curve_socket::post(std::function<void()> work) { engine_->post(std::move(work)); }
void curve_socket::watch(int fd, bool read, bool write, descriptor_events* events) { engine_->watch(fd, read, write, events); }
std::size_t curve_socket::queued_bytes(link_id link) const { return engine_->queued_bytes(link); }

} // namespace lucid

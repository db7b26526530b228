// tests/doubles/tunnel_node.hpp - an actor system with a gateway, its links and its tunnel: all real, on loopback.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "actors/mesh/tunnel.hpp"
#include "adapters/zmq/curve_keys.hpp"
#include "adapters/zmq/curve_socket.hpp"
#include "runtime/actor_system.hpp"
#include "runtime/middleman/gateway.hpp"
#include "tests/doubles/temp_folder.hpp"

namespace lucid {

/// Remembers what it is told of links, and waits for it. Threads: any.
class link_book : public link_events {
public:
  struct entry {
    link_id link = 0;
    transport_key peer{};
    bool dialled = false, is_up = false, is_down = false;
    error why;
    std::vector<byte_buffer> frames;
  };

  void up(link_id link, const transport_key& peer, bool dialled) override {
    change([&] {
      auto& one = at(link);
      one.peer = peer;
      one.dialled = dialled;
      one.is_up = true;
    });
    on_up(link, dialled);
  }
  void down(link_id link, const error& why) override {
    on_down(link, why);
    change([&] {
      at(link).is_down = true;
      at(link).why = why;
    });
  }
  void frame(link_id link, byte_view bytes) override {
    if (on_frame(link, bytes)) return;
    change([&] { at(link).frames.emplace_back(bytes.begin(), bytes.end()); });
  }
  void refused(const link_refusal& refusal) override {
    if (std::getenv("LUCID_TEST_LOUD")) std::fprintf(stderr, "refused: %s %s\n", refusal.address.c_str(), to_string(refusal.why).c_str());
    change([&] { refusals.push_back(refusal); });
  }

  /// Hooks, on the transport's thread. `on_frame`: true when the frame was dealt with.
  std::function<void(link_id, bool)> on_up = [](link_id, bool) {};
  std::function<void(link_id, const error&)> on_down = [](link_id, const error&) {};
  std::function<bool(link_id, byte_view)> on_frame = [](link_id, byte_view) { return false; };

  template <class Until>
  bool wait(Until until, std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, timeout, [&] { return until(); });
  }
  bool wait_up(link_id link) {
    bool came = false;
    wait([&] { return (came = at(link).is_up) || at(link).is_down; });
    return came;
  }
  bool wait_down(link_id link, std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    return wait([&] { return at(link).is_down; }, timeout);
  }
  template <class Look>
  auto look(Look what) {
    std::lock_guard lock(mutex);
    return what();
  }
  template <class Change>
  void change(Change what) {
    {
      std::lock_guard lock(mutex);
      what();
    }
    changed.notify_all();
  }

  // Under the mutex: from `wait`, `look` and `change`.
  entry& at(link_id link) {
    for (auto& one : entries)
      if (one->link == link) return *one;
    entries.push_back(std::make_unique<entry>());
    entries.back()->link = link;
    return *entries.back();
  }
  std::vector<std::unique_ptr<entry>> entries;
  std::vector<link_refusal> refusals;

private:
  std::mutex mutex;
  std::condition_variable changed;
};

using echo_api = caf::typed_actor<caf::replies_to<std::uint64_t>::with<std::uint64_t>, caf::replies_to<std::string>::with<std::string>>;

inline echo_api::behavior_type echo(echo_api::pointer) {
  return {[](std::uint64_t x) { return x + 1; }, [](std::string& text) { return std::move(text); }};
}

struct tunnel_node final : tunnel_events {
  testing::temp_folder folder;
  link_book book;
  std::vector<error> streams_down; ///< Under the book's mutex, like the next two.
  std::size_t streams_up = 0;
  std::vector<caf::strong_actor_ptr> gateways;
  bool attach_at_once = true;
  curve_key_pair keys = make_curve_keys().value();
  runtime_config config;
  caf::actor_system system;
  echo_api gateway;
  std::unique_ptr<tunnel> streams;
  std::unique_ptr<curve_socket> links;
  std::string address;

  explicit tunnel_node(tunnel_settings settings = {}, std::size_t threads = 1)
      : config(threads, false, middleman_settings{}), system(config), gateway(system.spawn(echo)) {
    auto socket = folder.path() / "mesh" / "gateway";
    auto listening = listen_local(socket).value();
    if (auto done = publish_gateway(system, caf::actor_cast<caf::strong_actor_ptr>(gateway), listening); !done)
      throw std::runtime_error(to_string(done.error()));
    curve_settings with;
    with.secret = keys.secret;
    links = curve_socket::open(std::move(with), book).value();
    streams = std::make_unique<tunnel>(*links, settings, [this, socket](link_id, bool dialled) { return local(socket, dialled); }, *this);
    streams->export_actor(gateway.id());
    book.on_up = [this](link_id link, bool dialled) {
      if (attach_at_once) streams->attach(link, dialled);
    };
    book.on_down = [this](link_id link, const error& why) { streams->down(link, why); };
    book.on_frame = [this](link_id link, byte_view bytes) {
      if (bytes[0] != static_cast<std::uint8_t>(mesh_channel::tunnel)) return false;
      streams->frame(link, bytes);
      return true;
    };
    address = links->listen("tcp://127.0.0.1:*").value();
  }
  ~tunnel_node() override { caf::anon_send_exit(gateway, caf::exit_reason::user_shutdown); }

  outcome<int> local(const std::filesystem::path& socket, bool dialled) {
    if (!dialled) return connect_local(socket);
    auto ends = make_local_pair();
    if (!ends) return pass_on(std::move(ends));
    auto then = [this](outcome<caf::strong_actor_ptr> reached, const caf::node_id&) {
      book.change([&] { gateways.push_back(reached ? *reached : nullptr); });
    };
    if (auto begun = connect_gateway(system, ends->second, then); !begun) return pass_on(std::move(begun));
    return ends->first;
  }

  void stream_up(link_id) override {
    book.change([&] { ++streams_up; });
  }
  void stream_down(link_id, const error& why) override {
    if (std::getenv("LUCID_TEST_LOUD")) std::fprintf(stderr, "stream down: %s\n", to_string(why).c_str());
    book.change([&] { streams_down.push_back(why); });
  }

  outcome<link_id> dial(const tunnel_node& peer) { return links->dial({.peer_key = peer.keys.public_key, .address = peer.address}); }

  /// The gateway of the peer that was reached as number `count`; empty when it was not.
  std::optional<echo_api> reached(std::size_t count = 1) {
    if (!book.wait([&] { return gateways.size() >= count; })) return std::nullopt;
    auto pointer = book.look([&] { return gateways[count - 1]; });
    if (!pointer) return std::nullopt;
    return caf::actor_cast<echo_api>(pointer);
  }
};

/// Both know each other's keys.
inline void introduce(tunnel_node& a, tunnel_node& b) {
  a.links->allow({b.keys.public_key});
  b.links->allow({a.keys.public_key});
}

} // namespace lucid

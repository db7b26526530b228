// tests/doubles/mesh_end.hpp - a real mesh/links on a real transport, and a program that links to it and obeys no rule.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <caf/all.hpp>

#include "actors/mesh/envelope.hpp"
#include "actors/mesh/envelope_frames.hpp"
#include "actors/mesh/links_actor.hpp"
#include "adapters/sodium/system_random.hpp"
#include "adapters/zmq/curve_keys.hpp"
#include "adapters/zmq/curve_socket.hpp"
#include "runtime/actor_system.hpp"
#include "runtime/directory/directory.hpp"
#include "runtime/directory/ref.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"
#include "tests/doubles/tunnel_node.hpp"

namespace lucid::testing {

inline transport_secret as_transport_secret(const transport_key_pair& pair) {
  return transport_secret(std::span<const std::uint8_t, 32>(pair.secret->view()));
}

inline std::shared_ptr<const sign_key> new_sign_key() {
  secret_key secret;
  system_random().fill(secret.span());
  return std::make_shared<const sign_key>(secret);
}

inline transport_key_pair new_transport_pair() {
  secret_key secret;
  system_random().fill(secret.span());
  return transport_pair_of(std::move(secret));
}

/// A cluster of files: name to transport pair by its secret, and addresses as they become known.
struct cluster_plan {
  cluster_secret secret = must(derive_cluster_secret("0123456789abcdef0123456789abcdef", "home"));
  std::map<std::string, std::string> nodes;
  transport_key_pair pair(const std::string& name) const { return transport_pair_of(transport_secret_of(secret, name)); }
};

/// One node: transports, tunnel and mesh/links as node_mesh.cpp puts them together; no gateway.
class mesh_end final : public tunnel_events {
public:
  std::shared_ptr<const sign_key> sign = new_sign_key();
  transport_key_pair keys;
  std::string address, chunk_address;
  std::shared_ptr<message_links> message_events = std::make_shared<message_links>();
  std::vector<std::string> more_addresses; ///< That it has beside `address`; before `start`.
  std::shared_ptr<chunk_links> chunk_events = std::make_shared<chunk_links>();
  std::shared_ptr<link_table> table = std::make_shared<link_table>();
  system_clock_port clock;
  std::shared_ptr<cluster_state> shown = std::make_shared<cluster_state>(clock);

  /// Listens; `start` lets the actor loose.
  explicit mesh_end(transport_key_pair pair) : keys(std::move(pair)), config(1, false), system(config) {
    messages = open(*message_events, address);
    chunks = open(*chunk_events, chunk_address);
    streams = std::make_unique<tunnel>(*messages, tunnel_settings{}, [this](link_id, bool) -> outcome<int> {
      ++streams_begun;
      return fail(errc::unreachable, "test", "no gateway here");
    }, *this);
    message_events->connect(streams.get());
    chunk_events->connect(chunks.get(), &blobs, 8 * mesh_frame_bytes_max);
  }
  ~mesh_end() override {
    if (root) (void)stop_root(root, std::chrono::seconds(10));
    root = nullptr;
    messages.reset();
    chunks.reset();
  }

  void start(const std::string& name, const cluster_plan* plan, std::vector<network_peer> network_peers = {}) {
    links_options with;
    with.name = name;
    with.sign = sign;
    with.box = {9};
    with.software = "lucid test";
    with.open_store = [file = folder.path() / "mesh.db"] { return mesh_store::open(file); };
    with.load_keys = [pair = keys]() -> outcome<transport_keys> { return transport_keys{pair, {}}; };
    with.rotate_keys = with.load_keys;
    if (plan) with.by_files = cluster_by_files{plan->secret, plan->nodes};
    with.messages = messages.get();
    with.chunks = chunks.get();
    with.message_events = message_events;
    with.chunk_events = chunk_events;
    with.table = table;
    with.shown = shown;
    with.addresses = more_addresses;
    with.addresses.insert(with.addresses.begin(), address);
    with.chunk_addresses = {chunk_address};
    with.heartbeat_interval = std::chrono::milliseconds(500);
    with.peer_timeout = std::chrono::seconds(2);
    with.lease_time = std::chrono::seconds(2);
    with.peers_max = 32;
    with.network_peers = std::move(network_peers);
    with.note_refusal = [this](std::string_view kind, const std::string& what) {
      std::lock_guard lock(mutex);
      refusals.push_back(std::string(kind) + ": " + what);
    };
    runtime_services services{names, clock, random, {}};
    supervisor_spec mesh{.id = "mesh", .children = {links_child(std::move(with))}};
    root = must(start_root(system, services, supervisor_spec{.id = "root", .children = {nested(std::move(mesh))}}));
  }

  template <class Answer, class Request>
  outcome<Answer> ask(Request request) {
    outcome<Answer> answer = fail(errc::timeout, "test", "no answer");
    caf::scoped_actor self(system);
    self->request(actor(), std::chrono::seconds(30), std::move(request))
      .receive([&](Answer& got) { answer = std::move(got); },
               [&](const caf::error& failed) { answer = tl::unexpected(from_caf(failed)); });
    return answer;
  }
  std::string field(const std::string& key) {
    auto seen = must(ask<inspection>(inspection_request{}));
    for (auto& row : seen.state)
      if (row.key == key) return row.value;
    return "no such field";
  }
  std::uint64_t number(const std::string& key) { return std::stoull(field(key)); }

  /// Whether something was refused whose note has `text` in it.
  bool refused(const std::string& text, std::chrono::milliseconds patience = std::chrono::seconds(5)) {
    return wait_for([&] {
      std::lock_guard lock(mutex);
      return std::any_of(refusals.begin(), refusals.end(), [&](auto& one) { return one.find(text) != std::string::npos; });
    }, patience);
  }
  std::string all_refusals() {
    std::lock_guard lock(mutex);
    std::string all;
    for (auto& one : refusals) all += one + "\n";
    return all;
  }
  void forget_refusals() {
    std::lock_guard lock(mutex);
    refusals.clear();
  }
  template <class Until>
  static bool wait_for(Until until, std::chrono::milliseconds patience = std::chrono::seconds(10)) {
    auto end = std::chrono::steady_clock::now() + patience;
    while (!until()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }

  void stream_up(link_id) override {}
  void stream_down(link_id, const error&) override {}

  std::unique_ptr<curve_socket> messages, chunks;
  std::unique_ptr<tunnel> streams;
  std::atomic<std::size_t> streams_begun{0}, blob_frames{0};

private:
  struct count_blobs final : blob_link_events {
    explicit count_blobs(mesh_end& to) : owner(to) {}
    void link_up(const node_id&) override {}
    void link_down(const node_id&) override {}
    void link_frame(const node_id&, byte_view) override { ++owner.blob_frames; }
    mesh_end& owner;
  };

  std::unique_ptr<curve_socket> open(link_events& events, std::string& at) {
    curve_settings with;
    with.secret = as_transport_secret(keys);
    auto made = must(curve_socket::open(std::move(with), events));
    at = must(made->listen("tcp://127.0.0.1:*"));
    return made;
  }
  caf::actor actor() {
    wait_for([&] { return names.slot("mesh/links")->present().actor != nullptr; });
    return caf::actor_cast<caf::actor>(names.slot("mesh/links")->present().actor);
  }

  temp_folder folder;
  directory names;
  system_random random;
  count_blobs blobs{*this};
  runtime_config config;
  caf::actor_system system;
  caf::actor root;
  std::mutex mutex;
  std::vector<std::string> refusals;
};

/// Says what it likes. Its keys may be those of anybody.
struct hostile_end {
  link_book book;
  transport_key_pair keys;
  std::shared_ptr<const sign_key> sign = new_sign_key();
  std::unique_ptr<curve_socket> links;
  std::uint64_t counter = 0;

  explicit hostile_end(transport_key_pair pair) : keys(std::move(pair)) {
    curve_settings with;
    with.secret = as_transport_secret(keys);
    with.queue_bytes_max = 4 << 20;
    links = must(curve_socket::open(std::move(with), book));
  }

  node_id id() const { return node_id_of(sign->public_key()); }
  node_statement statement(const std::string& name, const sign_key& by) const {
    node_statement mine;
    mine.transport = keys.open;
    mine.name = name;
    mine.serial = 1;
    mine.software = "hostile";
    return must(sign_statement(mine, by));
  }
  node_statement statement(const std::string& name = "mallory") const { return statement(name, *sign); }

  /// A link to it, or 0 if it does not let us in.
  link_id dial(const transport_key& to, const std::string& address) {
    links->allow({to});
    auto link = must(links->dial({.peer_key = to, .address = address, .timeout = std::chrono::milliseconds(1500)}));
    counter = 0;
    return book.wait_up(link) ? link : 0;
  }
  link_id dial(const mesh_end& whom) { return dial(whom.keys.open, whom.address); }

  template <class Type>
  byte_buffer sealed(Type type, byte_view content, std::uint64_t epoch = 0) {
    return must(seal_envelope({static_cast<std::uint16_t>(type), id(), ++counter, epoch}, content, *sign));
  }
  /// False when the link is no more.
  bool put(link_id link, byte_view envelope) {
    for (auto& frame : frames_of_envelope(envelope))
      if (!put_frame(link, std::move(frame))) return false;
    return true;
  }
  bool put_frame(link_id link, byte_buffer frame) {
    for (;;) {
      auto sent = links->send(link, frame);
      if (sent) return true;
      if (sent.error().code != errc::busy) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  bool cut(link_id link) { return book.wait_down(link, std::chrono::seconds(5)); }

  /// The envelopes that came over the link.
  std::vector<byte_buffer> heard(link_id link) {
    return book.look([&] {
      std::vector<byte_buffer> envelopes;
      byte_buffer parts;
      for (auto& frame : book.at(link).frames) {
        if (frame[0] != static_cast<std::uint8_t>(mesh_channel::envelope)) continue;
        parts.insert(parts.end(), frame.begin() + envelope_frame_head_bytes, frame.end());
        if (frame[1] == 0) envelopes.push_back(std::exchange(parts, {}));
      }
      return envelopes;
    });
  }
};

} // namespace lucid::testing

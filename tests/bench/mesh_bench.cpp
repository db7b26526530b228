// tests/bench/mesh_bench.cpp - what the mesh costs: a request over the tunnel against plain BASP, frames over links and
// whole chunks over all that carries them against a bare pair of ZeroMQ sockets with CURVE, and memory for each peer.
//
// Both sides of each ratio are measured in turns in one run, all on loopback, both ends in this process. With --check the
// exit code is 1 when a bound is broken.
#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <unistd.h>

#include "actors/blobs/blob_exchange.hpp"
#include "actors/mesh/chunk_links.hpp"
#include "tests/doubles/tunnel_node.hpp"

using namespace lucid;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr double round_trip_ratio_max = 2.5;      // Issue: over the tunnel / plain BASP over TCP.
constexpr double bulk_ratio_min = 0.70;           // Issue: links / a bare CURVE pair.
constexpr double peer_bytes_max = 2.0 * (1 << 20); // Issue: memory per connected peer.

constexpr double blob_ratio_min = 0.70;            // Issue: chunks / a bare CURVE pair.

constexpr std::uint64_t bulk_bytes = 240ull << 20; // Of one round.
constexpr std::uint64_t blob_bytes = 10ull << 20;  // Of one blob, about a chunk.
constexpr std::uint64_t bulk_credit = 1 << 20;

struct result {
  const char* name;
  double value;
  const char* unit;
  double at_most = 0, at_least = 0; ///< 0: for information.
};

double median(std::vector<double> xs) {
  std::nth_element(xs.begin(), xs.begin() + static_cast<long>(xs.size() / 2), xs.end());
  return xs[xs.size() / 2];
}

double seconds_since(clock_type::time_point begin) { return std::chrono::duration<double>(clock_type::now() - begin).count(); }

double resident_bytes() {
  std::size_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void give_up(const std::string& what) {
  std::fprintf(stderr, "mesh_bench: %s\n", what.c_str());
  std::_Exit(2);
}

// --- round trips -------------------------------------------------------------------------------------------------

/// Microseconds of each request, one at a time.
double round_trip_us(caf::scoped_actor& self, const echo_api& whom, int count) {
  auto begin = clock_type::now();
  for (int i = 0; i < count; ++i)
    self->request(whom, 10s, std::uint64_t{7}).receive([](std::uint64_t) {}, [](const caf::error&) { give_up("a request failed"); });
  return 1e6 * seconds_since(begin) / count;
}

void measure_round_trips(std::vector<result>& results) {
  constexpr int rounds = 25, count = 400;
  tunnel_node a, b;
  introduce(a, b);
  auto link = a.dial(b);
  auto far = link && a.book.wait_up(*link) ? a.reached() : std::nullopt;
  if (!far) give_up("the tunnel did not come up");

  runtime_config plain_config_a(1, false, middleman_settings{}), plain_config_b(1, false, middleman_settings{});
  caf::actor_system plain_a(plain_config_a), plain_b(plain_config_b);
  auto server = plain_b.spawn(echo);
  auto port = plain_b.middleman().publish(server, 0, "127.0.0.1");
  auto plain = port ? plain_a.middleman().remote_actor<echo_api>("127.0.0.1", *port) : caf::expected<echo_api>(port.error());
  if (!plain) give_up("plain BASP did not connect");

  caf::scoped_actor over_tunnel(a.system), over_tcp(plain_a);
  std::vector<double> tunnel_us, plain_us, ratios;
  for (int round = 0; round < rounds; ++round) {
    if (round % 2 == 0) tunnel_us.push_back(round_trip_us(over_tunnel, *far, count));
    plain_us.push_back(round_trip_us(over_tcp, *plain, count));
    if (round % 2 == 1) tunnel_us.push_back(round_trip_us(over_tunnel, *far, count));
    if (round > 0) ratios.push_back(tunnel_us.back() / plain_us.back()); // The first one warms up.
  }
  results.push_back({"request, plain BASP over TCP", median(plain_us), "us"});
  results.push_back({"request, over the tunnel", median(tunnel_us), "us"});
  results.push_back({"tunnel / plain", median(ratios), "", round_trip_ratio_max});
  caf::anon_send_exit(server, caf::exit_reason::user_shutdown);
}

// --- bulk --------------------------------------------------------------------------------------------------------

/// Frames of 64 KiB through two `curve_socket`s, no more than 1 MiB without an answer. MB/s.
class linked_pair {
public:
  linked_pair() {
    auto keys_a = make_curve_keys().value(), keys_b = make_curve_keys().value();
    curve_settings with_a, with_b;
    with_a.secret = keys_a.secret;
    with_b.secret = keys_b.secret;
    at_b_.on_frame = [this](link_id link, byte_view bytes) {
      owed_ += bytes.size();
      if (owed_ < bulk_credit / 4) return true;
      byte_buffer credit(1 + sizeof(owed_), 3);
      std::memcpy(credit.data() + 1, &owed_, sizeof(owed_));
      owed_ = 0;
      return b_->send(link, std::move(credit)).has_value();
    };
    at_a_.on_frame = [this](link_id, byte_view bytes) {
      std::uint64_t credit = 0;
      std::memcpy(&credit, bytes.data() + 1, sizeof(credit));
      at_a_.change([&] { credit_ += credit; });
      return true;
    };
    a_ = curve_socket::open(std::move(with_a), at_a_).value();
    b_ = curve_socket::open(std::move(with_b), at_b_).value();
    a_->allow({keys_b.public_key});
    b_->allow({keys_a.public_key});
    auto address = b_->listen("tcp://127.0.0.1:*").value();
    link_ = a_->dial({.peer_key = keys_b.public_key, .address = address}).value();
    if (!at_a_.wait_up(link_)) give_up("a link did not come up");
  }

  double megabytes_per_second() {
    auto begin = clock_type::now();
    for (std::uint64_t sent = 0; sent < bulk_bytes; sent += mesh_frame_bytes_max) {
      auto may_send = [&] { return credit_ >= mesh_frame_bytes_max || at_a_.at(link_).is_down; };
      if (!at_a_.wait(may_send)) give_up("no credit in ten seconds");
      at_a_.look([&] { return credit_ -= mesh_frame_bytes_max; });
      if (auto taken = a_->send(link_, byte_buffer(mesh_frame_bytes_max, 3)); !taken) give_up(to_string(taken.error()));
    }
    at_a_.wait([&] { return credit_ == bulk_credit; });
    return static_cast<double>(bulk_bytes) / 1e6 / seconds_since(begin);
  }

private:
  link_book at_a_, at_b_;
  std::uint64_t credit_ = bulk_credit, owed_ = 0;
  link_id link_ = 0;
  std::unique_ptr<curve_socket> a_, b_;
};

/// Two plain ZeroMQ sockets with CURVE, their own contexts, the library's default bounds.
class bare_pair {
public:
  bare_pair() {
    char server_public[41], server_secret[41], client_public[41], client_secret[41];
    if (zmq_curve_keypair(server_public, server_secret) != 0 || zmq_curve_keypair(client_public, client_secret) != 0)
      give_up("no CURVE");
    receiver_ = zmq_socket(context_b_, ZMQ_ROUTER);
    sender_ = zmq_socket(context_a_, ZMQ_DEALER);
    int yes = 1;
    zmq_setsockopt(receiver_, ZMQ_CURVE_SERVER, &yes, sizeof(yes));
    zmq_setsockopt(receiver_, ZMQ_CURVE_SECRETKEY, server_secret, 41);
    zmq_setsockopt(sender_, ZMQ_CURVE_SERVERKEY, server_public, 41);
    zmq_setsockopt(sender_, ZMQ_CURVE_PUBLICKEY, client_public, 41);
    zmq_setsockopt(sender_, ZMQ_CURVE_SECRETKEY, client_secret, 41);
    if (zmq_bind(receiver_, "tcp://127.0.0.1:*") != 0) give_up("no port");
    char address[128] = {};
    std::size_t size = sizeof(address);
    zmq_getsockopt(receiver_, ZMQ_LAST_ENDPOINT, address, &size);
    if (zmq_connect(sender_, address) != 0) give_up("no connection");
  }
  ~bare_pair() {
    for (auto socket : {sender_, receiver_}) zmq_close(socket);
    for (auto context : {context_a_, context_b_}) zmq_ctx_term(context);
  }
  bare_pair(const bare_pair&) = delete;
  bare_pair& operator=(const bare_pair&) = delete;

  double megabytes_per_second() {
    auto begin = clock_type::now();
    std::thread receiving([this] {
      zmq_msg_t part;
      zmq_msg_init(&part);
      for (std::uint64_t got = 0; got < bulk_bytes;) {
        if (zmq_msg_recv(&part, receiver_, 0) < 0 || zmq_msg_recv(&part, receiver_, 0) < 0) give_up("the bare pair failed");
        got += zmq_msg_size(&part);
      }
      zmq_msg_close(&part);
    });
    for (std::uint64_t sent = 0; sent < bulk_bytes; sent += mesh_frame_bytes_max) {
      auto bytes = new byte_buffer(mesh_frame_bytes_max, 3);
      zmq_msg_t message;
      zmq_msg_init_data(&message, bytes->data(), bytes->size(), [](void*, void* it) { delete static_cast<byte_buffer*>(it); }, bytes);
      if (zmq_msg_send(&message, sender_, 0) < 0) give_up("the bare pair failed");
    }
    receiving.join();
    return static_cast<double>(bulk_bytes) / 1e6 / seconds_since(begin);
  }

private:
  void* context_a_ = zmq_ctx_new();
  void* context_b_ = zmq_ctx_new();
  void* receiver_ = nullptr;
  void* sender_ = nullptr;
};

void measure_bulk(std::vector<result>& results) {
  constexpr int rounds = 7;
  linked_pair links;
  bare_pair bare;
  std::vector<double> ours, theirs, ratios;
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(links.megabytes_per_second());
    theirs.push_back(bare.megabytes_per_second());
    if (round > 0) ratios.push_back(ours.back() / theirs.back());
  }
  results.push_back({"64 KiB frames, a bare CURVE pair", median(theirs), "MB/s"});
  results.push_back({"64 KiB frames, links, credit 1 MiB", median(ours), "MB/s"});
  results.push_back({"links / bare", median(ratios), "", 0, bulk_ratio_min});
}

// --- blobs -------------------------------------------------------------------------------------------------------

/// One end of what carries chunks between two nodes: exchange, links, socket, and the ticks that mesh/blobs gives.
class blob_end {
public:
  explicit blob_end(std::uint8_t number) : id{number}, keys(make_curve_keys().value()) {
    curve_settings with;
    with.secret = keys.secret;
    socket = curve_socket::open(std::move(with), links).value();
    links.connect(socket.get(), &exchange, link_queue_bytes_default);
    exchange.connect(&links);
  }
  ~blob_end() {
    ending_ = true;
    ticks_.join();
    socket.reset();
  }
  void let_in(const blob_end& other) {
    links.set_members({{other.keys.public_key, other.id}});
    socket->allow({other.keys.public_key});
  }

  node_id id;
  curve_key_pair keys;
  system_clock_port clock;
  blob_exchange exchange{{}, clock};
  chunk_links links;
  std::unique_ptr<curve_socket> socket;

private:
  std::atomic<bool> ending_{false};
  std::thread ticks_{[this] {
    while (!ending_) {
      std::this_thread::sleep_for(std::clamp<std::chrono::nanoseconds>(exchange.next_tick_in().value_or(500ms), 5ms, 50ms));
      exchange.tick();
    }
  }};
};

/// Blobs of 10 MiB from one node to another, as copies of chunks go: the hash is known, the receiver checks it. MB/s.
class blob_pair {
public:
  blob_pair() : content_(byte_buffer(blob_bytes, 3)), hash_(blake3(content_.view())) {
    a_.let_in(b_);
    b_.let_in(a_);
    auto address = b_.socket->listen("tcp://127.0.0.1:*").value();
    a_.links.dial(b_.id, {.peer_key = b_.keys.public_key, .address = address});
    a_.exchange.attach({[this](std::uint64_t, const outcome<blob_ref>& sent) { count(sent.has_value()); }, {}});
    b_.exchange.attach({{}, [this](std::uint64_t, const outcome<payload>& taken) { count(taken.has_value()); }});
    for (int i = 0; i < 500 && !(a_.links.linked(b_.id) && b_.links.linked(a_.id)); ++i) std::this_thread::sleep_for(10ms);
    if (!a_.links.linked(b_.id)) give_up("a link for chunks did not come up");
  }

  double megabytes_per_second() {
    auto begin = clock_type::now();
    {
      std::lock_guard lock(mutex_);
      open_ = 2 * (bulk_bytes / blob_bytes); // Sent and taken.
    }
    for (std::uint64_t i = 0; i < bulk_bytes / blob_bytes; ++i) {
      blob_id id{};
      ++number_;
      std::memcpy(id.data(), &number_, sizeof(number_));
      b_.exchange.take(number_, {a_.id, {id, blob_bytes, hash_}});
      a_.exchange.send(number_, {b_.id, id, content_, hash_});
    }
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, 60s, [this] { return open_ == 0; })) give_up("chunks did not arrive");
    return static_cast<double>(bulk_bytes) / 1e6 / seconds_since(begin);
  }

private:
  void count(bool good) {
    if (!good) give_up("a chunk did not pass");
    std::lock_guard lock(mutex_);
    if (--open_ == 0) changed_.notify_all();
  }

  payload content_;
  digest hash_;
  std::uint64_t number_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t open_ = 0;
  blob_end a_{1}, b_{2};
};

void measure_blobs(std::vector<result>& results) {
  constexpr int rounds = 9;
  blob_pair blobs;
  bare_pair bare;
  std::vector<double> ours, theirs, ratios;
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(blobs.megabytes_per_second());
    theirs.push_back(bare.megabytes_per_second());
    if (round > 0) ratios.push_back(ours.back() / theirs.back());
  }
  results.push_back({"64 KiB frames, a bare CURVE pair", median(theirs), "MB/s"});
  results.push_back({"chunks of 10 MiB, credit 1 MiB", median(ours), "MB/s"});
  results.push_back({"chunks / bare", median(ratios), "", 0, blob_ratio_min});
}

// --- memory ------------------------------------------------------------------------------------------------------

/// One node and many peers; both ends of each link are counted, and each has carried an 8 MiB request there and back.
void measure_memory(std::vector<result>& results) {
  constexpr std::size_t peers = 16;
  auto centre = std::make_unique<tunnel_node>();
  std::vector<std::unique_ptr<tunnel_node>> others;
  std::vector<transport_key> keys;
  for (std::size_t i = 0; i < peers; ++i) {
    others.push_back(std::make_unique<tunnel_node>());
    others.back()->links->allow({centre->keys.public_key});
    keys.push_back(others.back()->keys.public_key);
  }
  centre->links->allow(keys);
  auto before = resident_bytes();
  std::vector<link_id> links;
  for (const auto& one : others) {
    links.push_back(centre->dial(*one).value());
    if (!centre->book.wait_up(links.back()) || !centre->reached(links.size())) give_up("a peer did not come up");
  }
  auto connected = resident_bytes();
  caf::scoped_actor self(centre->system);
  for (std::size_t i = 0; i < peers; ++i)
    self->request(*centre->reached(i + 1), 30s, std::string(8 << 20, 'x')).receive([](const std::string&) {}, [](const caf::error&) {
      give_up("a large request failed");
    });
  auto used = resident_bytes();
  results.push_back({"memory per connected peer, both ends", (connected - before) / peers / (1 << 20), "MiB", peer_bytes_max / (1 << 20)});
  results.push_back({"the same, after 8 MiB there and back", (used - before) / peers / (1 << 20), "MiB"});
}

} // namespace

int main(int argc, char** argv) {
  bool check = false;
  std::string part; // "memory", "requests", "bulk", "blobs"; none: all.
  for (int i = 1; i < argc; ++i)
    if (std::strcmp(argv[i], "--check") == 0) check = true;
    else part = argv[i];
  std::vector<result> results;
  if (part.empty() || part == "requests") measure_round_trips(results);
  if (part.empty() || part == "bulk") measure_bulk(results);
  if (part.empty() || part == "blobs") measure_blobs(results);
  if (part.empty() || part == "memory") measure_memory(results);
  bool kept = true;
  for (const auto& r : results) {
    std::printf("%-42s %10.4g %-4s", r.name, r.value, r.unit);
    if (r.at_most > 0 || r.at_least > 0) {
      bool ok = (r.at_most == 0 || r.value <= r.at_most) && r.value >= r.at_least;
      kept = kept && ok;
      std::printf(" bound %.4g: %s", r.at_most > 0 ? r.at_most : r.at_least, ok ? "kept" : "BROKEN");
    }
    std::putchar('\n');
  }
  return check && !kept ? 1 : 0;
}

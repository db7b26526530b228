// actors/node/node_mesh.cpp - transports opened, parts introduced to each other.
#include "actors/node/node_mesh.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "actors/anchor/anchor_dispatch.hpp"
#include "actors/mesh/mesh_address.hpp"
#include "actors/mesh/mesh_store.hpp"
#include "actors/recorder/standby_core.hpp"
#include "adapters/lan/local_addresses.hpp"
#include "messages/data_layout.hpp"
#include "messages/version.hpp"
#include "runtime/config/explain.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t secret_bytes_min = 32;

struct endpoint {
  std::string ip;
  std::uint16_t port = 0;
};

outcome<endpoint> endpoint_of(const char* key, const std::string& text) {
  auto colon = text.rfind(':');
  std::uint16_t port = 0;
  bool good = colon != std::string::npos && colon > 0;
  if (good) {
    auto digits = std::string_view(text).substr(colon + 1);
    auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    good = failed == std::errc{} && end == digits.data() + digits.size() && port != 0;
  }
  if (good) return endpoint{text.substr(0, colon), port};
  return fail(errc::invalid_input, "config", std::string(key) + " = \"" + text + "\" is no IP address with a port; right is \"0.0.0.0:7800\"");
}

std::string text_of(const endpoint& e) { return "tcp://" + e.ip + ":" + std::to_string(e.port); }

/// Where chunks are listened for: one port above the messages unless it is said.
outcome<endpoint> chunk_endpoint(const configuration& settings, const endpoint& messages) {
  if (!settings.mesh.chunk_listen.empty()) return endpoint_of("mesh.chunk_listen", settings.mesh.chunk_listen);
  if (messages.port == 65535) return fail(errc::invalid_input, "config", "mesh.chunk_listen is needed: there is no port above 65535");
  return endpoint{messages.ip, static_cast<std::uint16_t>(messages.port + 1)};
}

/// Nobody can dial "every address": then it is each one that this machine has.
std::vector<std::string> addresses_of(const endpoint& at) {
  if (at.ip != "0.0.0.0" && at.ip != "::") return {text_of(at)};
  std::vector<std::string> addresses;
  for (auto& ip : local_addresses(mesh_address_count_max)) addresses.push_back(text_of({ip, at.port}));
  return addresses;
}

/// "tcp://10.0.0.2:7800" with another port.
std::string with_port(const std::string& address, std::uint16_t port) {
  return address.substr(0, address.rfind(':') + 1) + std::to_string(port);
}

outcome<std::optional<cluster_by_files>> by_files_of(const configuration& settings) {
  auto& cluster = settings.cluster;
  if (cluster.nodes.empty()) return std::optional<cluster_by_files>();
  if (!cluster.nodes.contains(settings.node.name))
    return fail(errc::invalid_input, "config",
                "node.name is \"" + settings.node.name + "\", which is not among cluster.nodes: set one of those names");
  if (cluster.name.empty() || cluster.secret_file.empty())
    return fail(errc::invalid_input, "config", "a cluster formed by cluster.nodes needs cluster.name and cluster.secret_file, too");
  auto secret = secret_from_file(cluster.secret_file);
  if (!secret) return pass_on(std::move(secret));
  if (secret->reveal().size() < secret_bytes_min)
    return fail(errc::invalid_input, "config", "the secret in " + cluster.secret_file.string() +
                  " is shorter than 32 characters; `openssl rand -hex 32` makes one");
  auto derived = derive_cluster_secret(secret->reveal(), cluster.name);
  if (!derived) return pass_on(std::move(derived));
  return std::optional(cluster_by_files{std::move(*derived), cluster.nodes});
}

/// The transport keys of a node, and new ones: in the key store, or, in a cluster by files, from its secret until they
/// are rotated for the first time.
class transport_key_source {
public:
  transport_key_source(const configuration& settings, std::shared_ptr<file_system> files, random_port& random,
                       const clock_port& clock, std::optional<transport_key_pair> first)
    : settings_(settings), files_(std::move(files)), random_(&random), clock_(&clock), first_(std::move(first)) {}

  outcome<transport_keys> load() const {
    if (first_ && !made()) return transport_keys{*first_, {}};
    return with_store([&](key_store& store, const key_protection& how) {
      return load_transport_keys(store, how, clock_->wall_us(), *random_);
    });
  }
  outcome<transport_keys> rotate() const {
    if (first_ && !made())
      return with_store([&](key_store& store, const key_protection& how) {
        return load_transport_keys(store, how, clock_->wall_us(), *random_);
      });
    return with_store([&](key_store& store, const key_protection& how) {
      return rotate_transport_keys(store, how, clock_->wall_us(), *random_);
    });
  }

private:
  bool made() const { return key_store(*files_, settings_.keys.dir).show(transport_key_name).has_value(); }

  template <class Use>
  outcome<transport_keys> with_store(Use use) const {
    auto passphrase = node_passphrase(settings_);
    if (!passphrase) return pass_on(std::move(passphrase));
    key_store store(*files_, settings_.keys.dir);
    if (passphrase->empty()) return use(store, key_protection(no_passphrase{}));
    return use(store, key_protection(under_passphrase{passphrase->reveal()}));
  }

  configuration settings_;
  std::shared_ptr<file_system> files_;
  random_port* random_;
  const clock_port* clock_;
  std::optional<transport_key_pair> first_;
};

mesh_ways ways_of(const configuration& settings) {
  auto& transport = settings.mesh.transport;
  return {transport != "tor", transport != "tcp"};
}

std::vector<placement_rule> leased_roles(const configuration& settings) {
  std::vector<placement_rule> rules;
  if (stand_in_for_each_other(settings.placement.capture))
    rules.push_back({std::string(capture_role), settings.placement.capture, 1});
  if (!settings.placement.anchor.empty()) rules.push_back({std::string(anchor_role), settings.placement.anchor, 1});
  if (settings.placement.seal.empty()) return rules;
  placement_rule seal{"seal", settings.placement.seal, 1};
  if (auto count = settings.placement.counts.find("seal"); count != settings.placement.counts.end())
    seal.count = static_cast<std::uint32_t>(std::stoul(count->second));
  rules.push_back(std::move(seal));
  return rules;
}

curve_settings transport_of(const configuration& settings, const transport_keys& keys) {
  curve_settings transport;
  transport.secret = transport_secret(std::span<const std::uint8_t, 32>(keys.present.secret->view()));
  transport.queue_bytes_max = mesh_queue_bytes_max;
  // One link that each side dialled, and those by invitation.
  transport.links_max = 2 * (settings.mesh.peers_max + static_cast<std::uint32_t>(settings.mesh.network_peers.size())) + 8;
  // Lucid's own heartbeat decides; this one only ends what nobody speaks on any more.
  transport.heartbeat_interval = std::max<std::chrono::milliseconds>(1s, settings.mesh.heartbeat_interval);
  transport.silence_timeout = std::max<std::chrono::milliseconds>(5s, 2 * settings.mesh.peer_timeout);
  if (ways_of(settings).tor) transport.handshake_timeout = 60s;
  return transport;
}

} // namespace

bool names_node(const std::vector<std::string>& nodes, const std::string& node) {
  return std::any_of(nodes.begin(), nodes.end(), [&](auto& one) { return one == "*" || one == node; });
}

bool stand_in_for_each_other(const std::vector<std::string>& recorders) {
  std::set<std::string> named(recorders.begin(), recorders.end());
  named.erase("*");
  return named.size() >= 2;
}

middleman_settings middleman_of(const configuration& settings) {
  middleman_settings middleman;
  middleman.heartbeat_interval = std::max<std::chrono::milliseconds>(1s, settings.mesh.heartbeat_interval);
  // The links notice sooner; this one is for a stream that hangs on a link that lives.
  middleman.connection_timeout = std::max<std::chrono::milliseconds>(30s, 10 * settings.mesh.peer_timeout);
  return middleman;
}

node_mesh::~node_mesh() { close(); }

void node_mesh::close() {
  beacon_.reset();
  messages_.reset(); // Before those that are told of it.
  chunks_.reset();
}

outcome<std::unique_ptr<node_mesh>> node_mesh::open(const configuration& settings, std::shared_ptr<const sign_key> sign,
                                                    box_public_key box, std::shared_ptr<file_system> files,
                                                    random_port& random, const clock_port& clock,
                                                    std::shared_ptr<refusal_book> refusals) {
  if (!is_node_name(settings.node.name))
    return fail(errc::invalid_input, "config", "node.name = \"" + settings.node.name +
                  "\" cannot be the name of a node of a mesh: it takes small letters, digits and '-'");
  auto by_files = by_files_of(settings);
  if (!by_files) return pass_on(std::move(by_files));
  std::optional<transport_key_pair> first;
  if (*by_files) first = transport_pair_of(transport_secret_of((*by_files)->secret, settings.node.name));
  auto source = std::make_shared<transport_key_source>(settings, files, random, clock, std::move(first));
  auto keys = source->load();
  if (!keys) return pass_on(std::move(keys));

  std::unique_ptr<node_mesh> mesh(new node_mesh(clock));
  mesh->socket_ = mesh_folder(settings.node.data_dir) / "gateway.sock";
  blob_limits limits;
  limits.credit_bytes = settings.mesh.chunk_credit_bytes;
  limits.bytes_per_second_max = settings.replication.bytes_per_second_max;
  limits.memory_bytes_max = mesh_blob_bytes_max;
  mesh->blobs_ = std::make_shared<blob_exchange>(limits, clock);

  auto& links = mesh->links_;
  links.name = settings.node.name;
  links.sign = std::move(sign);
  links.box = box;
  links.software = software_name;
  links.open_store = [file = mesh_file(settings.node.data_dir)] { return mesh_store::open(file); };
  links.load_keys = [source] { return source->load(); };
  links.rotate_keys = [source] { return source->rotate(); };
  links.by_files = std::move(*by_files);
  links.ways = ways_of(settings);
  links.heartbeat_interval = settings.mesh.heartbeat_interval;
  links.peer_timeout = settings.mesh.peer_timeout;
  links.lease_time = settings.mesh.lease_time;
  links.peers_max = settings.mesh.peers_max;
  links.roles = leased_roles(settings);
  for (auto& text : settings.mesh.network_peers) {
    auto peer = parse_network_peer(text);
    if (!peer) return pass_on(std::move(peer));
    links.network_peers.push_back(std::move(*peer));
  }
  links.note_refusal = [refusals, &clock](std::string_view kind, const std::string& what) {
    refusals->note(kind, "mesh", what, clock.wall_us());
  };
  if (auto listening = mesh->listen(settings, *keys); !listening) return pass_on(std::move(listening));
  return mesh;
}

outcome<void> node_mesh::listen(const configuration& settings, const transport_keys& keys) {
  auto at = endpoint_of("mesh.listen", settings.mesh.listen);
  if (!at) return pass_on(std::move(at));
  auto chunks_at = chunk_endpoint(settings, *at);
  if (!chunks_at) return pass_on(std::move(chunks_at));

  auto messages = curve_socket::open(transport_of(settings, keys), *message_events_);
  if (!messages) return pass_on(std::move(messages));
  auto for_chunks = transport_of(settings, keys);
  for_chunks.queue_bytes_max = std::max<std::size_t>(settings.mesh.chunk_credit_bytes, 8 * mesh_frame_bytes_max); // As blob_links asks for.
  const auto queue_bytes_max = for_chunks.queue_bytes_max;
  auto chunks = curve_socket::open(std::move(for_chunks), *chunk_events_);
  if (!chunks) return pass_on(std::move(chunks));
  messages_ = std::move(*messages);
  chunks_ = std::move(*chunks);

  tunnel_settings tunnel_how{settings.mesh.tunnel_credit_bytes, settings.mesh.message_bytes_max};
  tunnel_ = std::make_shared<tunnel>(*messages_, tunnel_how,
                                     [road = road_](link_id link, bool dialled) { return road->local_end(link, dialled); }, *road_);
  road_->connect(tunnel_);
  message_events_->connect(tunnel_.get());
  chunk_events_->connect(chunks_.get(), blobs_.get(), queue_bytes_max);
  blobs_->connect(chunk_events_.get());

  for (auto [transport, where] : {std::pair(messages_.get(), *at), std::pair(chunks_.get(), *chunks_at)})
    if (auto listening = transport->listen(text_of(where)); !listening) return pass_on(std::move(listening));

  links_.messages = messages_.get();
  links_.chunks = chunks_.get();
  links_.message_events = message_events_;
  links_.chunk_events = chunk_events_;
  links_.table = table_;
  links_.shown = state_;
  links_.port = at->port;
  links_.chunk_port = chunks_at->port;
  links_.addresses = settings.mesh.announce;
  if (links_.addresses.empty() && links_.by_files) links_.addresses = {links_.by_files->nodes.at(settings.node.name)};
  if (links_.addresses.empty()) links_.addresses = addresses_of(*at);
  for (auto& address : links_.addresses) links_.chunk_addresses.push_back(with_port(address, chunks_at->port));
  if (!links_.ways.tcp) links_.addresses.clear(), links_.chunk_addresses.clear();
  if (settings.mesh.discovery == "on" && links_.ways.tcp) return listen_to_beacons();
  return {};
}

outcome<void> node_mesh::listen_to_beacons() {
  auto beacon = lan_beacon::open({}, [events = message_events_] { return events->own_beacon(); },
                                 [events = message_events_](byte_view heard) { events->beacon(heard); });
  if (!beacon) return pass_on(std::move(beacon));
  beacon_ = std::move(*beacon);
  return {};
}

gateway_options node_mesh::gateway(std::vector<std::string> exports) const {
  return {self(), socket_, std::move(exports), table_, road_};
}

} // namespace lucid

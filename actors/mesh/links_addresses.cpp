// actors/mesh/links_addresses.cpp - where this node is reached and by which keys, over Tor as well; whom it has to be linked to.
#include <algorithm>
#include <array>
#include <utility>

#include "actors/mesh/links_shell.hpp"

namespace lucid {

using namespace std::chrono_literals;

// --- keys and addresses ------------------------------------------------------------

std::vector<std::string> links_shell::own_addresses(std::uint16_t port, const std::vector<std::string>& plain) const {
  auto addresses = plain;
  if (!options().ways.tor || state().tor.onion.empty()) return addresses;
  addresses.resize(std::min(addresses.size(), mesh_address_count_max - 1));
  addresses.push_back("tor://" + state().tor.onion + ":" + std::to_string(port));
  return addresses;
}

node_statement links_shell::own_statement() const {
  node_statement mine;
  mine.box_key = options().box;
  mine.transport = state().keys->present.open;
  if (options().ways.tor) mine.onion_client = state().tor.client_key;
  mine.name = options().name;
  mine.addresses = own_addresses(options().port, options().addresses);
  mine.chunk_addresses = own_addresses(options().chunk_port, options().chunk_addresses);
  mine.software = options().software;
  return mine;
}

void links_shell::announce_to_network() const {
  if (options().network_peers.empty()) return;
  auto mine = own_statement();
  mine.chunk_addresses.clear();
  mine.time_us = wall();
  mine.serial = static_cast<std::uint64_t>(std::max<unix_time_us>(mine.time_us, 1));
  auto made = sign_statement(std::move(mine), *options().sign);
  if (!made) return log::error(path, "{}", to_string(made.error()));
  carry_out(state().network->set_own(*made, now()));
}

void links_shell::announce() const {
  announce_to_network();
  if (!state().membership) return;
  auto effects = state().membership->announce(own_statement(), wall());
  if (!effects) return log::error(path, "{}", to_string(effects.error()));
  carry_out_or_quit(*effects);
  if (auto* mine = state().membership->statement_of(state().self)) options().message_events->set_own_beacon(encode_statement(*mine));
}

void links_shell::heard_beacon(byte_view bytes) const {
  auto& s = state();
  auto statement = s.membership ? decode_statement(bytes) : fail(errc::wrong_state, "mesh", "in no cluster");
  if (!statement || !s.membership->list().is_member(subject_of(*statement))) return;
  auto from = subject_of(*statement);
  if (from == s.self) return;
  auto news = s.membership->receive(from, membership_update{s.membership->list().origin().cluster_id, {}, {*statement}}, wall());
  carry_out_or_quit(news.effects);
}

bool links_shell::usable(const std::string& address) const {
  return is_onion(address) ? options().ways.tor : options().ways.tcp;
}

std::vector<std::string> links_shell::usable(const std::vector<std::string>& addresses) const {
  std::vector<std::string> found;
  std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(found), [&](auto& one) { return usable(one); });
  return found;
}

std::vector<link_target> links_shell::targets() const {
  auto& s = state();
  std::vector<link_target> found;
  if (!s.membership) return found;
  std::set<std::string> named;
  for (auto& member : s.membership->list().members()) {
    auto* statement = s.membership->statement_of(member.id);
    if (member.id == s.self || !statement) continue;
    named.insert(member.name);
    found.push_back({member.name, statement->transport, usable(statement->addresses)});
  }
  if (auto& files = options().by_files)
    for (auto& [name, address] : files->nodes)
      if (name != options().name && !named.contains(name) && usable(address))
        found.push_back({name, file_key(name).open, {address}});
  if (found.size() > options().peers_max) found.resize(options().peers_max);
  return found;
}

transport_key_pair links_shell::file_key(const std::string& name) const {
  return transport_pair_of(transport_secret_of(options().by_files->secret, name));
}

void links_shell::set_targets() const {
  auto& s = state();
  if (s.farewells != 0) return;
  std::vector<transport_key> allowed;
  std::map<transport_key, node_id> members;
  for (auto& peer : options().network_peers) allowed.push_back(peer.key);
  if (s.membership)
    for (auto& one : s.membership->allowed_keys(wall())) {
      if (!is_member_key(one.key)) continue;
      allowed.push_back(one.key);
      members[one.key] = one.id;
    }
  auto wanted = targets();
  std::erase_if(wanted, [&](auto& target) { return !is_member_key(target.key); });
  for (auto& target : wanted) allowed.push_back(target.key);
  for (auto& key : s.book.allowed_keys(wall())) allowed.push_back(key);
  std::erase_if(allowed, [&](auto& key) { return s.banned.contains(key); });
  options().chunk_events->set_members(members);
  std::vector<transport_key> of_members;
  for (auto& [key, id] : members) of_members.push_back(key);
  options().chunks->allow(std::move(of_members));
  options().messages->allow(std::move(allowed));
  if (s.peers)
    for (auto link : s.peers->set_targets(std::move(wanted), now())) options().messages->close(link);
}

void links_shell::set_lease_members() const {
  auto& s = state();
  if (!s.leases || !s.membership) return;
  std::vector<node_id> ids;
  for (auto& one : s.membership->list().members()) ids.push_back(one.id);
  s.network->set_members({ids.begin(), ids.end()});
  // Nodes of the files that have not met yet count as well: a few of them would be a majority of themselves.
  auto count = options().by_files ? options().by_files->nodes.size() : 0;
  carry_out(s.leases->set_members(s.membership->list().version(), ids, now(), count));
}

// --- Tor ------------------------------------------------------------

void links_shell::look_at_tor() const {
  auto& s = state();
  s.next_tor_look = now() + tor_look_interval;
  if (!s.tor_ref.reachable()) return;
  s.tor_ref.request(self, tor_patience, tor_status_request{})
    .then([me = *this](const tor_status& found) { me.tor_is(found); }, [](const caf::error&) {});
}

void links_shell::tor_is(const tor_status& found) const {
  auto& s = state();
  bool moved = found.onion != s.tor.onion || found.client_key != s.tor.client_key;
  s.tor = found;
  if (moved) announce();
  if (found.percent == 0) return;
  publish_onion();
  authorise_onions();
}

std::vector<box_public_key> links_shell::wanted_clients() const {
  auto& s = state();
  std::vector<box_public_key> keys;
  if (!s.membership || !s.book.allowed_keys(wall()).empty()) return keys;
  for (auto& statement : s.membership->statements())
    if (statement.onion_client != box_public_key{} && subject_of(statement) != s.self) keys.push_back(statement.onion_client);
  return keys;
}

void links_shell::publish_onion() const {
  auto& s = state();
  auto clients = wanted_clients();
  if (s.onion_clients == clients) return;
  s.onion_clients = clients;
  s.tor_ref.request(self, tor_patience, onion_publish_request{onion_ports(), std::move(clients)})
    .then([](const onion_service&) {},
          [me = *this](const caf::error& failed) {
            me.state().onion_clients.reset();
            me.state().last_trouble = to_string(from_caf(failed));
          });
}

void links_shell::authorise_onions() const {
  auto& s = state();
  if (!s.membership) return;
  for (auto& statement : s.membership->statements())
    for (auto& address : statement.addresses) {
      auto read = parse_mesh_address(address);
      if (!read || read->transport != address_transport::tor || subject_of(statement) == s.self) continue;
      if (!s.onions_authorised.insert(read->host).second) continue;
      s.tor_ref.request(self, tor_patience, onion_authorise_request{read->host})
        .then([](const tor_status&) {},
              [me = *this, host = read->host](const caf::error&) { me.state().onions_authorised.erase(host); });
    }
}

/// A peer whose tor was started anew has other introduction points than those that ours remembers.
void links_shell::renew_circuits() const {
  log::info(path, "a peer cannot be reached: tor is to find new ways");
  state().tor_ref.request(self, tor_patience, tor_renew_circuits_request{})
    .then([](const tor_status&) {}, [me = *this](const caf::error& failed) { me.state().last_trouble = to_string(from_caf(failed)); });
}

std::vector<onion_port> links_shell::onion_ports() const {
  return {{options().port, options().port}, {options().chunk_port, options().chunk_port}};
}

// --- new keys ------------------------------------------------------------

void links_shell::rotate(const keys_rotate_request& wish, const ack_promise& promise) const {
  if (wish.onion && !options().ways.tor)
    return promise.deliver(to_caf({errc::wrong_state, "keys", "this node has no onion address: mesh.transport is \"tcp\"", nullptr}));
  auto fresh = options().rotate_keys();
  if (!fresh) return promise.deliver(to_caf(fresh.error()));
  state().keys = std::move(*fresh);
  announce();
  run_later(self, rekey_after, [me = *this] { me.rekey(); });
  if (!wish.onion) return promise.deliver(ack("new transport key; links are made anew under it within seconds"));
  state().tor_ref.request(self, tor_patience, onion_rotate_request{})
    .then(
      [me = *this, promise](const onion_service& made) {
        me.state().tor.onion = made.onion;
        me.announce();
        promise.deliver(me.ack("new transport key and onion address: " + made.onion + "; the old one is heard for ten minutes more"));
      },
      [promise](const caf::error& failed) { promise.deliver(failed); });
}

void links_shell::rekey() const {
  auto secret = state().keys->present.secret->view();
  transport_secret fresh{std::span<const std::uint8_t, 32>(secret)};
  for (auto* transport : {options().messages, options().chunks})
    if (auto done = transport->rekey(fresh); !done) log::error(path, "{}", to_string(done.error()));
  state().network->set_own_key(state().keys->present.open, now());
  log::info(path, "links are made under a new transport key");
}

} // namespace lucid

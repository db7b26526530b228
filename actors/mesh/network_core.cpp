// actors/mesh/network_core.cpp - hello, then lists of signed statements.
#include "actors/mesh/network_core.hpp"

#include <algorithm>
#include <utility>

#include "actors/mesh/mesh_address.hpp"
#include "actors/mesh/network_message.hpp"
#include "actors/mesh/node_identity.hpp"

namespace lucid {
namespace {

constexpr const char* who_says = "network";
constexpr std::size_t key_digits = 2 * sizeof(transport_key);

} // namespace

outcome<network_peer> parse_network_peer(std::string_view text) {
  network_peer peer;
  bool alone = text.size() == key_digits;
  bool with_address = text.size() > key_digits && text[key_digits] == '@';
  if (!(alone || with_address) || !from_hex_into(text.substr(0, key_digits), peer.key))
    return fail(errc::invalid_input, who_says, "a peer is 64 hexadecimal digits, with or without @tcp://HOST:PORT behind them");
  if (alone) return peer;
  auto address = parse_mesh_address(text.substr(key_digits + 1));
  if (!address) return pass_on(std::move(address));
  peer.address = to_string(*address);
  return peer;
}

network_core::network_core(std::shared_ptr<const sign_key> self, network_settings settings,
                           const std::vector<network_peer>& peers)
  : sign_(std::move(self)), self_(node_id_of(sign_->public_key())), settings_(std::move(settings)) {
  for (auto& peer : peers) peers_.emplace(peer.key, peer);
}

// --- whom to dial ---------------------------------------------------------------------------------------------------

void network_core::set_own_key(const transport_key& key, time now) {
  // No patience: the other side may have no address of ours, so each dials at once, and one of two links is chosen.
  dials_.emplace(link_settings{to_hex(key), time(0), settings_.retry_min, settings_.retry_max});
  std::vector<link_target> targets;
  for (auto& [its, peer] : peers_) {
    link_target target{to_hex(its), its, {}};
    if (!peer.address.empty()) target.addresses.push_back(peer.address);
    if (its != key) targets.push_back(std::move(target));
  }
  (void)dials_->set_targets(std::move(targets), now); // New: there is no link yet that could end.
  next_look_ = now;
}

std::vector<link_dial> network_core::due(time now) {
  if (!dials_ || now < next_look_) return {};
  next_look_ = now + settings_.dial_interval;
  return dials_->due(now);
}

void network_core::dialling(const std::string& name, link_id link) {
  if (dials_) dials_->dialling(name, link);
}

void network_core::dial_failed(const std::string& name, time now) {
  if (dials_) dials_->dial_failed(name, now);
}

// --- what this node is ------------------------------------------------------------------------------------------------

network_outputs network_core::set_own(const node_statement& mine, time) {
  network_outputs out;
  own_ = mine;
  own_revision_ = ++revision_;
  for (auto& [id, one] : links_)
    if (!one.greeted) greet(id, one, out);
  return out;
}

void network_core::set_members(std::set<node_id> members) {
  members_ = std::move(members);
  std::erase_if(known_, [&](auto& one) { return members_.contains(one.first); });
}

// --- links ------------------------------------------------------------------------------------------------------------

network_outputs network_core::up(link_id link, const transport_key& key, bool dialled, std::uint64_t epoch, time now) {
  network_outputs out;
  auto same = std::ranges::count_if(links_, [&](auto& other) { return other.second.key == key; });
  auto& one = links_[link];
  one.key = key;
  one.dialled = dialled;
  one.since = now;
  one.counter.epoch = epoch;
  if (static_cast<std::size_t>(same) >= links_per_peer_max) {
    error why{errc::limit_exceeded, who_says, "more links than one peer may have", nullptr};
    out.refused.push_back({link, peer_offence::flood, std::move(why)});
    return out;
  }
  greet(link, one, out);
  return out;
}

void network_core::down(link_id link, time now) {
  links_.erase(link);
  if (dials_) dials_->down(link, now);
}

void network_core::greet(link_id id, peer_link& one, network_outputs& out) {
  if (!own_) return;
  one.greeted = true;
  network_hello hello{one.counter.epoch, settings_.software, encode_statement(*own_)};
  send(id, one, network_message::hello, encode_network_hello(hello), out);
}

void network_core::send(link_id id, peer_link& one, network_message type, byte_view content, network_outputs& out) {
  envelope_head head{static_cast<std::uint16_t>(type), self_, ++one.sent, type == network_message::hello ? 0 : one.epoch};
  // What is made here is within the bounds of its type: it cannot fail.
  if (auto sealed = seal_envelope(head, content, *sign_)) out.send.push_back({id, std::move(*sealed)});
}

// --- envelopes --------------------------------------------------------------------------------------------------------

network_outputs network_core::heard(link_id link, byte_view bytes, time now) {
  network_outputs out;
  auto known = links_.find(link);
  if (known == links_.end()) return out;
  auto taken = take_envelope(link, known->second, bytes, now, out);
  if (taken) return out;
  ++counts_.refused;
  out.refused.push_back({link, offence_of(taken.error()), taken.error()});
  return out;
}

outcome<void> network_core::take_envelope(link_id id, peer_link& one, byte_view bytes, time now, network_outputs& out) {
  auto head = peek_envelope(bytes, envelope_ring::network);
  if (!head) return pass_on(std::move(head));
  bool hello = head->type == static_cast<std::uint16_t>(network_message::hello);
  if (hello && one.who) return fail(errc::protocol_violation, who_says, "a second hello");
  if (hello) return take_hello(id, one, *head, bytes, now, out);
  if (!one.who) return fail(errc::protocol_violation, who_says, "a message before the peer has said who it is");
  if (head->sender != *one.who) return fail(errc::protocol_violation, who_says, "a message in the name of another");
  auto content = open_envelope(bytes, one.sign, one.counter, envelope_ring::network);
  if (!content) return pass_on(std::move(content));
  return take_list(one, *content, now);
}

/// The statement brings the key that the envelope is signed by, and names the key that the link was made with.
outcome<void> network_core::take_hello(link_id id, peer_link& one, const envelope_head& head, byte_view bytes, time now,
                                       network_outputs& out) {
  auto hello = decode_network_hello(envelope_content(bytes));
  if (!hello) return pass_on(std::move(hello));
  auto statement = decode_statement(hello->statement);
  if (!statement) return pass_on(std::move(statement));
  auto subject = subject_of(*statement);
  if (subject != head.sender || subject == self_) return fail(errc::bad_signature, who_says, "a hello in the name of another");
  if (statement->transport != one.key)
    return fail(errc::permission_denied, who_says, "the key of the link is not that of " + statement->name);
  auto content = open_envelope(bytes, statement->sign_key, one.counter, envelope_ring::network);
  if (!content) return pass_on(std::move(content));
  one.who = subject;
  one.sign = statement->sign_key;
  one.epoch = hello->epoch;
  auto key = one.key;
  take_statement(std::move(*statement), key, now);
  if (dials_)
    for (auto ended : dials_->named(id, to_hex(key), one.dialled, now)) out.close.push_back(ended);
  if (std::ranges::find(out.close, id) == out.close.end()) tell(id, one, now, out);
  return {};
}

/// All or nothing: who passes on one statement that is false is not believed in the others.
outcome<void> network_core::take_list(peer_link& one, byte_view bytes, time now) {
  auto list = decode_peer_list(bytes);
  if (!list) return pass_on(std::move(list));
  std::vector<node_statement> statements;
  for (auto& encoded : list->statements) {
    auto statement = decode_statement(encoded);
    if (!statement) return pass_on(std::move(statement));
    statements.push_back(std::move(*statement));
  }
  for (auto& statement : statements) take_statement(std::move(statement), one.key, now);
  return {};
}

void network_core::take_statement(node_statement statement, const transport_key& from, time now) {
  auto subject = subject_of(statement);
  auto known = known_.find(subject);
  bool ours = subject == self_ || members_.contains(subject);
  if (ours || (known != known_.end() && !is_newer(statement, known->second.statement))) {
    ++counts_.statements_ignored;
    if (known != known_.end()) known->second.heard_at = now;
    return;
  }
  ++counts_.statements_taken;
  if (known == known_.end()) make_room(from);
  // The newer one of a node that another peer told of first stays on that peer's account.
  auto teller = known == known_.end() ? from : known->second.from;
  known_[subject] = {std::move(statement), teller, now, ++revision_};
}

/// First what the teller itself told too much of, then what was heard of longest ago; those who are linked stay.
void network_core::make_room(const transport_key& from) {
  auto told = std::ranges::count_if(known_, [&](auto& one) { return one.second.from == from; });
  bool of_teller = static_cast<std::size_t>(told) >= told_by_one_max;
  if (!of_teller && known_.size() < known_max) return;
  auto oldest = known_.end();
  for (auto at = known_.begin(); at != known_.end(); ++at) {
    if (is_linked(at->first) || (of_teller && at->second.from != from)) continue;
    auto age = [](auto& one) { return std::pair(one->second.heard_at, one->second.revision); };
    if (oldest == known_.end() || age(at) < age(oldest)) oldest = at;
  }
  if (oldest != known_.end()) known_.erase(oldest);
}

bool network_core::is_linked(const node_id& id) const {
  return std::ranges::any_of(links_, [&](auto& one) { return one.second.who == id; });
}

// --- what is told -----------------------------------------------------------------------------------------------------

/// What the peer was not told yet, in the order in which it was learned, as far as one list goes.
void network_core::tell(link_id id, peer_link& one, time now, network_outputs& out) {
  if (!own_ || !one.who || (one.list_at && now - *one.list_at < settings_.list_interval)) return;
  std::vector<std::pair<std::uint64_t, const node_statement*>> news;
  if (own_revision_ > one.told) news.emplace_back(own_revision_, &*own_);
  for (auto& [node, known] : known_)
    if (known.revision > one.told && node != *one.who) news.emplace_back(known.revision, &known.statement);
  if (news.empty()) return;
  std::ranges::sort(news);
  if (news.size() > network_statements_max) news.resize(network_statements_max);
  peer_list list;
  for (auto& [revision, statement] : news) list.statements.push_back(encode_statement(*statement));
  std::ranges::sort(list.statements, [](auto& a, auto& b) { return std::ranges::lexicographical_compare(a, b); });
  one.told = news.back().first;
  one.list_at = now;
  send(id, one, network_message::peer_list, encode_peer_list(list), out);
}

network_outputs network_core::tick(time now) {
  network_outputs out;
  for (auto& [id, one] : links_) {
    if (one.who) tell(id, one, now, out);
    else if (now - one.since > settings_.hello_patience) out.close.push_back(id);
  }
  return out;
}

std::size_t network_core::content_bytes_max(link_id link) const {
  auto known = links_.find(link);
  return known != links_.end() && known->second.who ? peer_list_bytes_max : network_hello_bytes_max;
}

// --- what others see ----------------------------------------------------------------------------------------------------

std::optional<node_id> network_core::who(link_id link) const {
  auto known = links_.find(link);
  return known == links_.end() ? std::nullopt : known->second.who;
}

std::size_t network_core::linked() const {
  std::set<transport_key> keys;
  for (auto& [id, one] : links_)
    if (one.who) keys.insert(one.key);
  return keys.size();
}

std::vector<node_statement> network_core::known() const {
  std::vector<node_statement> found;
  for (auto& [id, one] : known_) found.push_back(one.statement);
  return found;
}

} // namespace lucid

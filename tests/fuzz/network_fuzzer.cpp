// tests/fuzz/network_fuzzer.cpp - any frames over a link of the network ring, and any words of a peer whose signature is right.
#include <cstdlib>

#include "actors/mesh/envelope_frames.hpp"
#include "actors/mesh/network_core.hpp"
#include "actors/mesh/network_message.hpp"
#include "actors/mesh/node_identity.hpp"

namespace {

using namespace lucid;
using namespace std::chrono_literals;

void require(bool so) {
  if (!so) std::abort();
}

const transport_key peer_key{7};

struct fixture {
  std::shared_ptr<const sign_key> own = std::make_shared<const sign_key>(secret_key{});
  sign_key theirs = make_theirs();
  node_statement own_statement = statement({9}, *own), their_statement = statement(peer_key, theirs);

  static sign_key make_theirs() {
    secret_key secret;
    secret.span()[0] = 1;
    return sign_key(secret);
  }
  static node_statement statement(const transport_key& key, const sign_key& by) {
    node_statement s;
    s.transport = key;
    s.serial = 5;
    s.name = "node";
    return sign_statement(s, by).value();
  }
};

/// The input as frames: u8 length, bytes. Nothing is kept beyond what was admitted.
void frames(byte_view input) {
  for (auto ring : {envelope_ring::cluster, envelope_ring::network}) {
    envelope_reader reader;
    std::size_t admitted = 0;
    for (auto rest = input; rest.size() > 1;) {
      auto size = std::min<std::size_t>(rest[0], rest.size() - 1);
      auto frame = rest.subspan(1, size);
      rest = rest.subspan(1 + size);
      auto whole = reader.take(frame, {ring, 4096}, [&](const message_rule& rule, std::size_t bytes) {
        require(rule.ring == ring && bytes <= 4096 + envelope_overhead_bytes && bytes <= rule.bytes_max + envelope_overhead_bytes);
        admitted = bytes;
        return bytes % 2 == 0;
      });
      if (!whole) break;
      require(reader.kept_bytes() < admitted || admitted == 0);
      if (*whole) require((*whole)->size() == admitted && envelope_size(**whole, ring).value() == admitted);
    }
  }
}

/// The content as it is, signed by a peer that has said hello: only what it says itself is believed.
void words(byte_view input, const fixture& with) {
  network_core core(with.own, {}, {{peer_key, ""}});
  core.set_own_key({9}, 0s);
  (void)core.set_own(with.own_statement, 0s);
  (void)core.up(1, peer_key, false, 3, 0s);
  auto as_it_is = core.heard(1, input, 0s);
  require(as_it_is.refused.size() == 1); // Nobody else can sign as the peer.
  std::uint64_t counter = 0;
  auto said = [&](network_message type, byte_view content, std::uint64_t epoch) {
    envelope_head head{static_cast<std::uint16_t>(type), node_id_of(with.theirs.public_key()), ++counter, epoch};
    auto sealed = seal_envelope(head, content, with.theirs);
    return sealed ? core.heard(1, *sealed, 0s) : network_outputs{};
  };
  (void)said(network_message::hello, input, 0);
  auto hello = encode_network_hello({4, "fuzz", encode_statement(with.their_statement)});
  require(core.who(1).has_value() || said(network_message::hello, hello, 0).refused.empty());
  (void)said(network_message::peer_list, input, 3);
  (void)core.tick(40s);
  require(core.known().size() <= 1 + network_statements_max);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  static const fixture with;
  byte_view input(data, size_bytes);
  frames(input);
  words(input, with);
  return 0;
}

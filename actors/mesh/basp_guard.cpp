// actors/mesh/basp_guard.cpp - the rules for what two middlemen may say to each other.
#include "actors/mesh/basp_guard.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace lucid {
namespace {

// Operations and flags: caf/io/basp/message_type.hpp, header.hpp.
constexpr std::uint8_t server_handshake = 0, client_handshake = 1, direct_message = 2, routed_message = 3,
                       monitor_message = 4, down_message = 5, heartbeat = 6;
constexpr std::uint8_t named_receiver_flag = 0x01, select_connection_flag = 0x02;

/// How CAF writes the name of a node that is a process of a host: atom("default"). Others are not in use.
constexpr std::array<std::uint8_t, 8> node_kind{0x00, 0x00, 0x3e, 0x9a, 0xab, 0x9b, 0xac, 0x79};

/// What follows a message's header: no stages (1 byte), an empty u16, the length and the text of the types' names.
constexpr std::size_t types_offset = 4;
/// Messages that CAF acts on itself, before any handler: links, exits, ends. One of them, with a handle of the wrong kind,
/// is taken for another class by 0.17.6.
constexpr std::string_view system_types[] = {"@<>+@atom+@strong_actor_ptr", "@<>+@exit", "@<>+@down"};
constexpr std::size_t longest_system_type = 27;
constexpr std::size_t message_peek_bytes = types_offset + longest_system_type;
static_assert(message_peek_bytes <= basp_peek_bytes_max);

constexpr std::uint64_t big_endian(byte_view bytes) {
  std::uint64_t value = 0;
  for (auto byte : bytes) value = value << 8 | byte;
  return value;
}

bool is_handshake(std::uint8_t operation) { return operation == server_handshake || operation == client_handshake; }
bool is_notice(std::uint8_t operation) { return operation == monitor_message || operation == down_message; }

std::uint64_t shortest_content(std::uint8_t operation) {
  if (is_handshake(operation)) return basp_node_bytes;
  if (is_notice(operation)) return 2 * basp_node_bytes;
  return operation == heartbeat ? 0 : types_offset;
}

std::size_t peek_bytes_of(std::uint8_t operation, std::uint64_t content_bytes) {
  auto peek = is_handshake(operation) ? basp_node_bytes : is_notice(operation) ? 2 * basp_node_bytes : message_peek_bytes;
  return static_cast<std::size_t>(std::min<std::uint64_t>(peek, content_bytes));
}

tl::unexpected<error> violation(std::string what) {
  return fail(errc::protocol_violation, "tunnel", "the middleman's stream: " + std::move(what));
}

} // namespace

bool id_book::add(std::uint64_t id) {
  if (ids_.contains(id)) return true;
  if (ids_.size() >= basp_known_ids_max) {
    if (retired_.empty()) return false;
    ids_.erase(retired_.front());
    retired_.pop_front();
  }
  ids_.emplace(id, false);
  return true;
}

void id_book::retire(std::uint64_t id) {
  auto found = ids_.find(id);
  if (found == ids_.end() || found->second) return;
  found->second = true;
  retired_.push_back(id);
}

basp_guard::basp_guard(basp_side side, std::uint64_t message_bytes_max)
    : side_(side), message_bytes_max_(message_bytes_max) {
  in_.from_peer = true;
}

outcome<void> basp_guard::export_actor(std::uint64_t actor_id) {
  if (exported_.add(actor_id)) return {};
  return fail(errc::limit_exceeded, "tunnel", "the peer knows " + std::to_string(basp_known_ids_max) + " living actors already");
}

outcome<void> basp_guard::from_peer(byte_view bytes, byte_buffer& to_local) { return read(in_, bytes, to_local); }
outcome<void> basp_guard::from_local(byte_view bytes, byte_buffer& to_peer) { return read(out_, bytes, to_peer); }

basp_guard::header basp_guard::decode(byte_view bytes) {
  return {.operation = bytes[0],
          .flags = bytes[3],
          .content_bytes = static_cast<std::uint32_t>(big_endian(bytes.subspan(4, 4))),
          .operation_data = big_endian(bytes.subspan(8, 8)),
          .source = big_endian(bytes.subspan(16, 8)),
          .target = big_endian(bytes.subspan(24, 8))};
}

outcome<void> basp_guard::read(direction& d, byte_view bytes, byte_buffer& into) {
  if (d.failed) return tl::unexpected(d.failure);
  auto stop = [&](error why) -> outcome<void> {
    d.failed = true;
    d.failure = std::move(why);
    return tl::unexpected(d.failure);
  };
  while (!bytes.empty()) {
    if (d.remaining_bytes > 0) {
      auto count = static_cast<std::size_t>(std::min<std::uint64_t>(d.remaining_bytes, bytes.size()));
      if (!d.dropping) into.insert(into.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
      d.remaining_bytes -= count;
      bytes = bytes.subspan(count);
      continue;
    }
    auto count = std::min(d.wanted_bytes - d.held_bytes, bytes.size());
    std::copy_n(bytes.begin(), count, d.held.begin() + static_cast<std::ptrdiff_t>(d.held_bytes));
    d.held_bytes += count;
    bytes = bytes.subspan(count);
    if (d.held_bytes < d.wanted_bytes) break;
    if (d.held_bytes == basp_header_bytes)
      if (auto read = read_header(d); !read) return stop(std::move(read).error());
    if (d.held_bytes == d.wanted_bytes)
      if (auto read = read_peek(d, into); !read) return stop(std::move(read).error());
  }
  return {};
}

/// Decides by the header alone; what it leaves open waits for the beginning of the content.
outcome<void> basp_guard::read_header(direction& d) {
  auto h = decode(byte_view(d.held).first(basp_header_bytes));
  auto judged = judge_header(d, h);
  if (!judged) return pass_on(std::move(judged));
  d.dropping = *judged == verdict::drop;
  if (d.dropping) {
    d.remaining_bytes = h.content_bytes;
    d.held_bytes = 0;
    return {};
  }
  d.wanted_bytes = basp_header_bytes + peek_bytes_of(h.operation, h.content_bytes);
  return {};
}

/// Decides by the beginning of the content, and passes on what was held.
outcome<void> basp_guard::read_peek(direction& d, byte_buffer& into) {
  auto held = byte_view(d.held).first(d.held_bytes);
  auto h = decode(held);
  auto peek = held.subspan(basp_header_bytes);
  auto judged = judge_content(d, h, peek);
  if (!judged) return pass_on(std::move(judged));
  d.dropping = *judged == verdict::drop;
  if (!d.dropping) {
    if (auto noted = take_note(d, h); !noted) return noted;
    into.insert(into.end(), held.begin(), held.end());
  }
  d.remaining_bytes = h.content_bytes - peek.size();
  d.held_bytes = 0;
  d.wanted_bytes = basp_header_bytes;
  return {};
}

/// From the peer it is a breach; what our own middleman says of this kind is dropped and counted.
outcome<basp_guard::verdict> basp_guard::unwanted(const direction& d, std::uint64_t basp_dropped::*counter, errc code,
                                                  const char* what) const {
  if (d.from_peer) return fail(code, "tunnel", what);
  ++(dropped_.*counter);
  return verdict::drop;
}

outcome<basp_guard::verdict> basp_guard::judge_header(const direction& d, const header& h) const {
  if (h.operation > heartbeat) return violation("operation " + std::to_string(h.operation) + " is unknown");
  if (!d.shaken && !is_handshake(h.operation)) return violation("words before the handshake");
  if (is_handshake(h.operation)) {
    bool by_client = d.from_peer == (side_ == basp_side::server);
    // CAF's client says its half twice.
    if (d.shaken && h.operation == server_handshake) return violation("a second handshake");
    if ((h.operation == client_handshake) != by_client) return violation("the other side's half of the handshake");
    if (h.content_bytes > basp_handshake_bytes_max)
      return fail(errc::limit_exceeded, "tunnel", "a handshake of " + std::to_string(h.content_bytes) + " bytes");
    if (h.source != 0 || h.target != 0 || (h.flags & ~select_connection_flag) != 0) return violation("a handshake's header");
  } else if (h.operation == heartbeat) {
    if (h.content_bytes != 0 || h.operation_data != 0 || h.source != 0 || h.target != 0) return violation("a heartbeat's header");
  } else if (is_notice(h.operation)) {
    if (h.content_bytes > basp_notice_bytes_max)
      return fail(errc::limit_exceeded, "tunnel", "a notice of " + std::to_string(h.content_bytes) + " bytes");
    bool one_actor = h.operation == monitor_message ? h.source == 0 && h.target != 0 : h.source != 0 && h.target == 0;
    if (h.flags != 0 || h.operation_data != 0 || !one_actor) return violation("a notice's header");
  } else {
    if ((h.flags & named_receiver_flag) != 0)
      return unwanted(d, &basp_dropped::named, errc::permission_denied, "the peer speaks to a service by name");
    if (h.operation == routed_message)
      return unwanted(d, &basp_dropped::routed, errc::permission_denied, "the peer speaks for, or to, a third node");
    if (h.content_bytes > message_bytes_max_)
      return unwanted(d, &basp_dropped::large, errc::limit_exceeded, "the peer announces a message beyond mesh.message_bytes_max");
    if (h.flags != 0 || h.target == 0) return violation("a message's header");
  }
  if (h.content_bytes < shortest_content(h.operation)) return violation("a content that is too short");
  if (!d.from_peer) return verdict::pass;
  if ((h.operation == direct_message || h.operation == monitor_message) && !exported_.contains(h.target))
    return fail(errc::permission_denied, "tunnel", "the peer names actor " + std::to_string(h.target) + ", which it was not told of");
  if (h.operation == down_message && !monitored_.contains(h.source))
    return fail(errc::permission_denied, "tunnel", "the end of actor " + std::to_string(h.source) + ", which nobody asked about");
  return verdict::pass;
}

outcome<basp_guard::verdict> basp_guard::judge_content(direction& d, const header& h, byte_view peek) {
  if (h.operation == heartbeat) return verdict::pass;
  if (h.operation == direct_message) return judge_message(d, peek);
  const auto& hearer = d.from_peer ? out_ : in_;
  auto first = peek.first(basp_node_bytes);
  if (is_handshake(h.operation)) {
    if (!std::equal(node_kind.begin(), node_kind.end(), first.begin())) return violation("a node without a name");
    if (hearer.shaken && std::equal(first.begin(), first.end(), hearer.speaker.begin()))
      return violation("the peer says that it is this node");
    if (d.shaken) {
      if (std::equal(first.begin(), first.end(), d.speaker.begin())) return verdict::drop;
      return violation("a second handshake, under another name");
    }
    std::copy(first.begin(), first.end(), d.speaker.begin());
    d.shaken = true;
    return verdict::pass;
  }
  // Another speaker's notice would end proxies of a third node; another hearer's would be sent on to it.
  auto second = peek.subspan(basp_node_bytes, basp_node_bytes);
  bool ours = std::equal(first.begin(), first.end(), d.speaker.begin()) && hearer.shaken &&
              std::equal(second.begin(), second.end(), hearer.speaker.begin());
  if (ours) return verdict::pass;
  return unwanted(d, &basp_dropped::routed, errc::permission_denied, "a notice for, or of, a third node");
}

outcome<basp_guard::verdict> basp_guard::judge_message(const direction& d, byte_view peek) const {
  // Stages are actors that the answer is handed on to: a list of guessed numbers would reach each of them.
  if (peek[0] != 0) return unwanted(d, &basp_dropped::system, errc::permission_denied, "a message with stages");
  if (peek[1] != 0 || peek[2] != 0) return violation("a message's types");
  std::size_t length = peek[3];
  auto types = as_text(peek.subspan(types_offset));
  for (auto name : system_types)
    if (length == name.size() && types.substr(0, length) == name)
      return unwanted(d, &basp_dropped::system, errc::permission_denied, "a message of CAF's own: a link, an exit, an end");
  return verdict::pass;
}

/// What passes decides what the other side may say.
outcome<void> basp_guard::take_note(const direction& d, const header& h) {
  if (d.from_peer) {
    if (h.operation == down_message) monitored_.retire(h.source);
    return {};
  }
  if (h.operation == direct_message && h.source != 0) return export_actor(h.source);
  if (h.operation == down_message) exported_.retire(h.source);
  if (h.operation == monitor_message && !monitored_.add(h.target))
    return fail(errc::limit_exceeded, "tunnel", "more living actors of the peer than may be watched");
  return {};
}

} // namespace lucid

// actors/mesh/tunnel.cpp - moves bytes between local sockets and frames; what may pass is decided by `tunnel_stream`.
#include "actors/mesh/tunnel.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

namespace lucid {
namespace {

/// Reads of one local socket before others have their turn.
constexpr int reads_at_once = 8;
/// Of what our middleman has taken already; then the rest moves to the front.
constexpr std::size_t written_bytes_kept_max = 256 * 1024;

bool is_breach(errc code) {
  return code == errc::permission_denied || code == errc::limit_exceeded || code == errc::protocol_violation || code == errc::corrupted;
}

void add(basp_dropped& total, const basp_dropped& one) {
  total.named += one.named;
  total.routed += one.routed;
  total.system += one.system;
  total.large += one.large;
}

} // namespace

/// A local socket and the stream that it is one end of.
struct tunnel::stream {
  link_id link = 0;
  std::uint32_t number = 0;
  int fd = -1;
  tunnel_stream core;
  byte_buffer to_local;
  std::size_t written = 0; ///< Of `to_local`.
  bool told_up = false;

  stream(link_id on, int socket, const tunnel_stream_settings& settings)
      : link(on), number(settings.stream), fd(socket), core(settings) {}
  ~stream() {
    if (fd >= 0) ::close(fd);
  }
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
};

/// What closures on the transport's thread keep alive. Threads: the transport's, except for the counters.
struct tunnel::shared : std::enable_shared_from_this<tunnel::shared>, descriptor_events {
  struct peer {
    bool attached = false;
    bool dialled = false;
    bool wanted = false;                ///< Dialled: a stream is to be opened.
    std::optional<tunnel_open> waiting; ///< Accepted: the peer was quicker than whoever attaches here.
    std::uint32_t last_stream = 0;
    std::unique_ptr<stream> open;
  };

  mesh_transport& transport;
  tunnel_settings settings;
  local_end make_local;
  tunnel_events& events;
  std::map<link_id, peer> peers;
  std::map<int, link_id> by_descriptor;
  /// Ended here, and not yet closed by our middleman. Until it has, it believes the old connection to the peer to be the one
  /// to answer on, and what it says would be lost; so no stream begins meanwhile.
  std::set<int> lingering;
  std::set<std::uint64_t> exported;
  byte_buffer read_buffer = byte_buffer(tunnel_data_bytes_max);

  mutable std::mutex counting;
  tunnel_counters totals;

  ~shared() override {
    for (auto fd : lingering) ::close(fd);
  }
  shared(mesh_transport& over, tunnel_settings with, local_end make, tunnel_events& tell)
      : transport(over), settings(with), make_local(std::move(make)), events(tell) {}

  void attach(link_id link, bool dialled);
  void detach(link_id link);
  void export_actor(std::uint64_t actor_id);
  void frame(link_id link, byte_view bytes);
  void down(link_id link, const error& why);
  void ready(int fd, bool readable, bool writable) override;

  outcome<stream*> begin(link_id link, peer& with, std::uint32_t number);
  void opened_by_peer(link_id link, const tunnel_open& open);
  void end(link_id link, peer& with, const error& why, bool tell_peer);
  void refuse(link_id link, std::uint32_t number, error why);
  void read_local(peer& with);
  void write_local(peer& with);
  void after(peer& with);
  void let_go(int fd);
  void drain(int fd);
  void advance(link_id link);
  outcome<void> say(link_id link, byte_buffer frame);
};

outcome<void> tunnel::shared::say(link_id link, byte_buffer frame) {
  if (frame.empty()) return {};
  return transport.send(link, std::move(frame));
}

/// A stream with its local end; not yet accepted by anyone.
outcome<tunnel::stream*> tunnel::shared::begin(link_id link, peer& with, std::uint32_t number) {
  auto fd = make_local(link, with.dialled);
  if (!fd) return pass_on(std::move(fd));
  with.last_stream = number;
  auto made = std::make_unique<stream>(link, *fd,
                                       tunnel_stream_settings{.stream = number,
                                                              .side = with.dialled ? basp_side::client : basp_side::server,
                                                              .credit_bytes = settings.credit_bytes,
                                                              .message_bytes_max = settings.message_bytes_max});
  for (auto id : exported)
    if (auto done = made->core.export_actor(id); !done) return pass_on(std::move(done));
  by_descriptor[*fd] = link;
  with.open = std::move(made);
  std::lock_guard lock(counting);
  ++totals.streams;
  return with.open.get();
}

void tunnel::shared::attach(link_id link, bool dialled) {
  auto& with = peers[link];
  if (with.open) return;
  with.attached = true;
  with.dialled = dialled;
  with.wanted = dialled;
  advance(link);
}

/// Begins the stream that is wanted, or that the peer waits for.
void tunnel::shared::advance(link_id link) {
  auto& with = peers[link];
  if (!with.attached || with.open || !lingering.empty()) return;
  if (auto open = std::exchange(with.waiting, std::nullopt)) return opened_by_peer(link, *open);
  if (!std::exchange(with.wanted, false)) return;
  auto begun = begin(link, with, with.last_stream + 1);
  if (!begun) return events.stream_down(link, begun.error());
  if (auto said = say(link, (*begun)->core.open_frame()); !said) end(link, with, said.error(), false);
}

void tunnel::shared::detach(link_id link) {
  auto found = peers.find(link);
  if (found == peers.end()) return;
  end(link, found->second, {errc::wrong_state, "tunnel", "this node ended the stream", nullptr}, true);
  found->second.attached = found->second.wanted = false;
}

void tunnel::shared::export_actor(std::uint64_t actor_id) {
  exported.insert(actor_id);
  for (auto& [link, with] : peers)
    if (with.open)
      if (auto done = with.open->core.export_actor(actor_id); !done) end(link, with, done.error(), true);
}

void tunnel::shared::down(link_id link, const error& why) {
  auto found = peers.find(link);
  if (found == peers.end()) return;
  end(link, found->second, why, false);
  peers.erase(link);
}

void tunnel::shared::refuse(link_id link, std::uint32_t number, error why) {
  // If the queue is full the peer learns it by its own timeout.
  (void)say(link, encode(tunnel_close{number, why.code, why.what}));
}

void tunnel::shared::opened_by_peer(link_id link, const tunnel_open& open) {
  auto& with = peers[link];
  if (!with.attached || !lingering.empty()) {
    with.waiting = open; // At most one a link.
    return;
  }
  if (with.dialled)
    return refuse(link, open.stream, {errc::permission_denied, "tunnel", "no stream is expected from this peer", nullptr});
  if (with.open || open.stream <= with.last_stream)
    return refuse(link, open.stream, {errc::wrong_state, "tunnel", "there is a stream, or was one of this number", nullptr});
  auto begun = begin(link, with, open.stream);
  if (!begun) {
    refuse(link, open.stream, begun.error());
    return events.stream_down(link, begun.error());
  }
  auto accepted = (*begun)->core.accept(open);
  if (!accepted) return end(link, with, accepted.error(), true);
  if (auto said = say(link, std::move(*accepted)); !said) return end(link, with, said.error(), false);
  after(with);
}

void tunnel::shared::frame(link_id link, byte_view bytes) {
  auto frame = decode_tunnel_frame(bytes);
  auto found = peers.find(link);
  if (!frame) {
    if (found != peers.end()) end(link, found->second, frame.error(), true);
    return;
  }
  if (auto open = std::get_if<tunnel_open>(&*frame)) return opened_by_peer(link, *open);
  auto number = std::visit([](const auto& one) { return one.stream; }, *frame);
  if (found != peers.end() && found->second.waiting && found->second.waiting->stream == number) found->second.waiting.reset();
  // Of a stream that has ended here and not yet there.
  if (found == peers.end() || !found->second.open || found->second.open->number != number) return;
  auto& with = found->second;
  bool closed = std::holds_alternative<tunnel_close>(*frame);
  if (auto taken = with.open->core.receive(*frame, with.open->to_local); !taken) return end(link, with, taken.error(), !closed);
  write_local(with);
  if (with.open) after(with);
}

void tunnel::shared::let_go(int fd) {
  ::shutdown(fd, SHUT_WR);
  lingering.insert(fd);
  transport.watch(fd, true, false, this);
  drain(fd);
}

/// Reads what nobody wants any more, until the middleman has closed its end.
void tunnel::shared::drain(int fd) {
  ssize_t count = 0;
  do count = ::recv(fd, read_buffer.data(), read_buffer.size(), 0);
  while (count > 0 || (count < 0 && errno == EINTR));
  if (count < 0 && errno == EAGAIN) return;
  transport.watch(fd, false, false, nullptr);
  lingering.erase(fd);
  ::close(fd);
  if (!lingering.empty()) return;
  // Not from here: whoever ends a stream is not done with it yet.
  transport.post([me = weak_from_this()] {
    auto there = me.lock();
    if (!there) return;
    std::vector<link_id> links;
    for (const auto& [link, with] : there->peers) links.push_back(link);
    for (auto link : links)
      if (there->peers.contains(link)) there->advance(link);
  });
}

void tunnel::shared::ready(int fd, bool readable, bool writable) {
  if (lingering.contains(fd)) return drain(fd);
  auto found = by_descriptor.find(fd);
  if (found == by_descriptor.end()) return;
  auto link = found->second;
  auto& with = peers.at(link);
  if (writable) write_local(with);
  if (readable && with.open) read_local(with);
  if (with.open) after(with);
}

void tunnel::shared::read_local(peer& with) {
  for (int i = 0; i < reads_at_once; ++i) {
    auto& one = *with.open;
    auto wanted = std::min(one.core.readable_bytes(), read_buffer.size());
    if (wanted == 0) return;
    auto count = ::recv(one.fd, read_buffer.data(), wanted, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0)
      return end(one.link, with, {errc::unreachable, "tunnel", "the middleman ended its connection", nullptr}, true);
    auto frame = one.core.read_local(byte_view(read_buffer).first(static_cast<std::size_t>(count)));
    if (!frame) return end(one.link, with, frame.error(), true);
    if (auto said = say(one.link, std::move(*frame)); !said) return end(one.link, with, said.error(), true);
    if (static_cast<std::size_t>(count) < wanted) return;
  }
}

void tunnel::shared::write_local(peer& with) {
  auto& one = *with.open;
  std::size_t before = one.written;
  while (one.written < one.to_local.size()) {
    auto count = ::send(one.fd, one.to_local.data() + one.written, one.to_local.size() - one.written, MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (count <= 0)
      return end(one.link, with, {errc::unreachable, "tunnel", "the middleman ended its connection", nullptr}, true);
    one.written += static_cast<std::size_t>(count);
  }
  auto written = one.written - before;
  if (one.written == one.to_local.size() || one.written >= written_bytes_kept_max) {
    one.to_local.erase(one.to_local.begin(), one.to_local.begin() + static_cast<std::ptrdiff_t>(one.written));
    one.written = 0;
  }
  if (written == 0) return;
  if (auto said = say(one.link, one.core.wrote_local(written)); !said) end(one.link, with, said.error(), true);
}

/// What the stream waits for now.
void tunnel::shared::after(peer& with) {
  auto& one = *with.open;
  transport.watch(one.fd, one.core.readable_bytes() > 0, !one.to_local.empty(), this);
  if (one.told_up || !one.core.guard().shaken()) return;
  one.told_up = true;
  events.stream_up(one.link);
}

void tunnel::shared::end(link_id link, peer& with, const error& why, bool tell_peer) {
  if (!with.open) return;
  auto ended = std::move(with.open);
  if (tell_peer) (void)say(link, ended->core.close_frame(why));
  by_descriptor.erase(ended->fd);
  let_go(std::exchange(ended->fd, -1));
  {
    std::lock_guard lock(counting);
    --totals.streams;
    totals.breaches += is_breach(why.code);
    add(totals.dropped, ended->core.guard().dropped());
  }
  ended.reset();
  events.stream_down(link, why);
}

// --- the public class --------------------------------------------------------------------------------------------

tunnel::tunnel(mesh_transport& transport, tunnel_settings settings, local_end make_local, tunnel_events& events)
    : shared_(std::make_shared<shared>(transport, settings, std::move(make_local), events)) {}

tunnel::~tunnel() = default;

void tunnel::attach(link_id link, bool dialled) {
  shared_->transport.post([to = std::weak_ptr(shared_), link, dialled] {
    if (auto there = to.lock()) there->attach(link, dialled);
  });
}

void tunnel::detach(link_id link) {
  shared_->transport.post([to = std::weak_ptr(shared_), link] {
    if (auto there = to.lock()) there->detach(link);
  });
}

void tunnel::export_actor(std::uint64_t actor_id) {
  shared_->transport.post([to = std::weak_ptr(shared_), actor_id] {
    if (auto there = to.lock()) there->export_actor(actor_id);
  });
}

void tunnel::frame(link_id link, byte_view bytes) { shared_->frame(link, bytes); }
void tunnel::down(link_id link, const error& why) { shared_->down(link, why); }

tunnel_counters tunnel::counters() const {
  std::lock_guard lock(shared_->counting);
  return shared_->totals;
}

} // namespace lucid

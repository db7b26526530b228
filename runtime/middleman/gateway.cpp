// runtime/middleman/gateway.cpp - Unix sockets, and the broker of CAF's middleman that is handed their descriptors.
#include "runtime/middleman/gateway.hpp"

#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/doorman_impl.hpp>
#include <caf/io/network/scribe_impl.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/reply.hpp"

namespace lucid {
namespace {

constexpr int waiting_connections_max = 64; ///< Not yet accepted by the middleman; one a peer.

std::string last_error() { return std::generic_category().message(errno); }

outcome<sockaddr_un> address_of(const std::filesystem::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.native().size() >= sizeof(address.sun_path))
    return fail(errc::limit_exceeded, "middleman", socket.string() + ": a socket's path has at most 107 bytes");
  std::memcpy(address.sun_path, socket.c_str(), socket.native().size());
  return address;
}

/// The descriptor closes itself unless it is released.
class socket_holder {
public:
  explicit socket_holder(int fd) : fd_(fd) {}
  ~socket_holder() {
    if (fd_ >= 0) ::close(fd_);
  }
  socket_holder(const socket_holder&) = delete;
  socket_holder& operator=(const socket_holder&) = delete;
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

private:
  int fd_;
};

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

// CAF ends the process when it asks a Unix socket for its port, so neither of these asks. A connection of this kind has
// no port: 0 is what both say, and 0 is what the broker looks the published actor up by.

class local_scribe final : public caf::io::network::scribe_impl {
public:
  using scribe_impl::scribe_impl;
  std::string addr() const override { return "local"; }
  std::uint16_t port() const override { return 0; }
};

class local_doorman final : public caf::io::network::doorman_impl {
public:
  using doorman_impl::doorman_impl;
  std::string addr() const override { return "local"; }
  std::uint16_t port() const override { return 0; }

  bool new_connection() override {
    if (detached()) return false;
    auto& multiplexer = acceptor_.backend();
    auto scribe = caf::make_counted<local_scribe>(multiplexer, acceptor_.accepted_socket());
    auto handle = scribe->hdl();
    parent()->add_scribe(std::move(scribe));
    return doorman::new_connection(&multiplexer, handle);
  }
};

caf::io::network::default_multiplexer& multiplexer_of(caf::actor_system& system) {
  return static_cast<caf::io::network::default_multiplexer&>(system.middleman().backend());
}

/// The broker that speaks BASP. CAF gives everyone the same one by this name.
outcome<caf::actor> broker_of(caf::actor_system& system) {
  if (!system.has_middleman()) return fail(errc::wrong_state, "middleman", "this process was started without a middleman");
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

} // namespace

outcome<int> listen_local(const std::filesystem::path& socket) {
  auto address = address_of(socket);
  if (!address) return pass_on(std::move(address));
  auto folder = socket.parent_path();
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed || ::chmod(folder.c_str(), 0700) != 0)
    return fail(errc::io_failed, "middleman", folder.string() + ": cannot be made for this user alone: " + last_error());
  ::unlink(socket.c_str());
  socket_holder fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // The folder is closed to others before the socket exists, so its mode at birth does not matter.
  if (fd.get() < 0 || ::bind(fd.get(), generic(*address), sizeof(*address)) != 0 || ::chmod(socket.c_str(), 0600) != 0 ||
      ::listen(fd.get(), waiting_connections_max) != 0)
    return fail(errc::io_failed, "middleman", socket.string() + ": " + last_error());
  return fd.release();
}

outcome<int> connect_local(const std::filesystem::path& socket) {
  auto address = address_of(socket);
  if (!address) return pass_on(std::move(address));
  socket_holder fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0 || ::connect(fd.get(), generic(*address), sizeof(*address)) != 0)
    return fail(errc::unreachable, "middleman", socket.string() + ": " + last_error());
  return fd.release();
}

outcome<std::pair<int, int>> make_local_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(errc::io_failed, "middleman", "no pair of sockets: " + last_error());
  return std::pair(ends[0], ends[1]);
}

outcome<void> publish_gateway(caf::actor_system& system, caf::strong_actor_ptr whom, int fd) {
  socket_holder holder(fd);
  auto broker = broker_of(system);
  if (!broker) return pass_on(std::move(broker));
  caf::io::doorman_ptr doorman = caf::make_counted<local_doorman>(multiplexer_of(system), holder.release());
  caf::anon_send(*broker, caf::publish_atom::value, std::move(doorman), std::uint16_t{0}, std::move(whom),
                 std::set<std::string>{});
  return {};
}

outcome<void> connect_gateway(caf::actor_system& system, int fd, gateway_reached then, std::chrono::milliseconds timeout) {
  socket_holder holder(fd);
  auto broker = broker_of(system);
  if (!broker) return pass_on(std::move(broker));
  caf::io::scribe_ptr scribe = caf::make_counted<local_scribe>(multiplexer_of(system), holder.release());
  system.spawn([broker = *broker, scribe = std::move(scribe), then = std::move(then), timeout](caf::event_based_actor* self) mutable {
    auto once = std::make_shared<gateway_reached>(std::move(then));
    self->request(broker, timeout, caf::connect_atom::value, std::move(scribe), std::uint16_t{0})
      .then(
        [once](const caf::node_id& node, const caf::strong_actor_ptr& gateway, const std::set<std::string>&) {
          if (gateway) return (*once)(gateway, node);
          (*once)(fail(errc::not_found, "middleman", "the peer has published no gateway"), node);
        },
        [once](caf::error& why) {
          (*once)(fail(errc::unreachable, "middleman", "no handshake with the peer's middleman", from_caf(why)), caf::node_id{});
        });
  });
  return {};
}

} // namespace lucid

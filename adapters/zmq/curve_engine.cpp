// adapters/zmq/curve_engine.cpp - commands from other threads, the loop, and what all links have in common.
#include "adapters/zmq/curve_engine.hpp"

#include <algorithm>
#include <future>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace lucid {
namespace {

constexpr int deadline_step_ms = 50;     ///< How exact deadlines are.
constexpr int blocked_step_ms = 5;       ///< ZeroMQ says when it takes more; in case that it was missed.

/// What CURVE adds to a frame on the wire (RFC 26: name, nonce, authenticator, flags), rounded up.
constexpr std::int64_t curve_bytes = 64;

std::atomic<link_id> last_link{0};

} // namespace

curve_socket::engine::engine(curve_settings settings, link_events& events) : settings_(std::move(settings)), events_(events) {}

curve_socket::engine::~engine() {
  stopping_ = true;
  if (wake_ >= 0) {
    eventfd_write(wake_, 1);
    if (thread_.joinable()) thread_.join();
  }
  links_.clear();
  by_identity_.clear();
  by_descriptor_.clear();
  close_router();
  zap_ = {};
  if (context_) zmq_ctx_term(context_);
  if (wake_ >= 0) ::close(wake_);
}

outcome<void> curve_socket::engine::start() {
  if (zmq_has("curve") == 0) return fail(errc::unsupported, "zmq", "this ZeroMQ was built without CURVE");
  wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  context_ = zmq_ctx_new();
  if (wake_ < 0 || !context_) return zmq_detail::failure("context");
  // Two sockets and their monitors for each link, and those of accepting.
  zmq_ctx_set(context_, ZMQ_MAX_SOCKETS, static_cast<int>(3 * settings_.links_max + 64));
  auto zap = zmq_detail::zap_handler::in(context_);
  if (!zap) return pass_on(std::move(zap));
  zap_ = std::move(*zap);
  thread_ = std::thread([this] {
    thread_id_ = std::this_thread::get_id();
    pthread_setname_np(pthread_self(), "mesh-links");
    run();
  });
  return {};
}

// --- any thread --------------------------------------------------------------------------------------------------

void curve_socket::engine::wake() {
  if (on_thread() || std::exchange(woken_, true)) return;
  eventfd_write(wake_, 1);
}

void curve_socket::engine::post(std::function<void()> work) {
  std::lock_guard lock(mutex_);
  commands_.push_back(std::move(work));
  wake();
}

template <class Result>
Result curve_socket::engine::run_there(std::function<Result()> work) {
  if (on_thread()) return work();
  auto promise = std::make_shared<std::promise<Result>>();
  auto answer = promise->get_future();
  post([promise, work = std::move(work)] { promise->set_value(work()); });
  return answer.get();
}

outcome<std::string> curve_socket::engine::listen(const std::string& address) {
  return run_there<outcome<std::string>>([this, address]() -> outcome<std::string> {
    if (router_) return fail(errc::wrong_state, "zmq", "listens already at " + listening_at_);
    if (auto opened = open_router(address); !opened) return pass_on(std::move(opened));
    return listening_at_;
  });
}

outcome<void> curve_socket::engine::rekey(transport_secret secret) {
  return run_there<outcome<void>>([this, &secret]() -> outcome<void> {
    std::vector<link_id> all;
    for (const auto& [id, one] : links_) all.push_back(id);
    cut_all(all, {errc::wrong_state, "zmq", "the node has another key now", nullptr});
    settings_.secret = std::move(secret);
    if (!router_) return {};
    close_router();
    return open_router(listening_at_);
  });
}

/// Nothing is passed on when this returns; on the thread itself nothing is being passed on but by the caller.
void curve_socket::engine::allow(std::vector<transport_key> keys) {
  std::vector<link_id> gone;
  {
    std::lock_guard lock(mutex_);
    allowed_ = {keys.begin(), keys.end()};
    for (const auto& [id, one] : shared_) {
      if (!one->listed || allowed_.contains(one->peer)) continue;
      one->cut = true;
      gone.push_back(id);
    }
  }
  if (gone.empty()) return;
  if (!on_thread()) std::lock_guard passed(delivery_);
  post([this, gone] { cut_all(gone, {errc::permission_denied, "zmq", "the peer's key is not on the list any more", nullptr}); });
}

outcome<link_id> curve_socket::engine::dial(dial_request request) {
  if (auto checked = check_dial(request); !checked) return pass_on(std::move(checked));
  auto shared = std::make_shared<shared_link>();
  shared->peer = request.peer_key;
  shared->listed = !request.own_secret;
  auto id = next_id();
  {
    std::lock_guard lock(mutex_);
    if (shared->listed && !allowed_.contains(request.peer_key))
      return fail(errc::permission_denied, "zmq", "the peer's key is not on the list");
    if (shared_.size() >= settings_.links_max)
      return fail(errc::limit_exceeded, "zmq", "there are " + std::to_string(settings_.links_max) + " links already");
    shared_.emplace(id, shared);
  }
  post([this, id, shared, request = std::move(request)]() mutable { begin_dial(id, shared, std::move(request)); });
  return id;
}

void curve_socket::engine::close(link_id id) {
  {
    std::lock_guard lock(mutex_);
    auto found = shared_.find(id);
    if (found == shared_.end()) return;
    found->second->cut = true;
  }
  post([this, id] { cut_all({id}, {errc::wrong_state, "zmq", "closed by this node", nullptr}); });
}

outcome<void> curve_socket::engine::send(link_id id, byte_buffer frame) {
  if (frame.empty() || frame[0] == static_cast<std::uint8_t>(mesh_channel::control))
    return fail(errc::invalid_input, "zmq", "an empty frame, or one of the control channel");
  if (frame.size() > mesh_frame_bytes_max)
    return fail(errc::limit_exceeded, "zmq", "a frame of " + std::to_string(frame.size()) + " bytes");
  std::lock_guard lock(mutex_);
  auto found = shared_.find(id);
  if (found == shared_.end() || found->second->cut || !found->second->up)
    return fail(errc::unreachable, "zmq", "link " + std::to_string(id) + " is not up");
  auto& one = *found->second;
  if (one.queued_bytes + frame.size() > settings_.queue_bytes_max)
    return fail(errc::busy, "zmq", "the queue of link " + std::to_string(id) + " is full");
  one.queued_bytes += frame.size();
  if (one.queue.empty()) with_queue_.push_back(id);
  one.queue.push_back(std::move(frame));
  wake();
  return {};
}

transport_counters curve_socket::engine::counters() const {
  transport_counters now;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, one] : shared_) now.links += one->up && !one->cut;
  }
  now.refused = refused_;
  now.dropped = dropped_;
  now.frames_sent = frames_sent_;
  now.frames_received = frames_received_;
  now.bytes_sent = bytes_sent_;
  now.bytes_received = bytes_received_;
  return now;
}

std::size_t curve_socket::engine::queued_bytes(link_id id) const {
  std::lock_guard lock(mutex_);
  auto found = shared_.find(id);
  return found == shared_.end() ? 0 : found->second->queued_bytes.load();
}

bool curve_socket::engine::on_list(const transport_key& key) const {
  std::lock_guard lock(mutex_);
  return allowed_.contains(key);
}

// --- the loop ----------------------------------------------------------------------------------------------------

void curve_socket::engine::watch(int fd, bool read, bool write, descriptor_events* events) {
  auto kinds = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
  if (kinds == 0 || !events) watched_.erase(fd);
  else watched_[fd] = {kinds, events};
}

void curve_socket::engine::run() {
  while (!stopping_) {
    wait(work_left() ? 0 : timeout_ms());
    work();
  }
}

int curve_socket::engine::timeout_ms() const {
  if (!blocked_.empty()) return blocked_step_ms;
  return dialling_.empty() && unknown_.empty() ? -1 : deadline_step_ms;
}

bool curve_socket::engine::work_left() {
  if (look_at_router_ || !look_at_.empty()) return true;
  std::lock_guard lock(mutex_);
  return !commands_.empty() || !with_queue_.empty();
}

void curve_socket::engine::wait(int timeout_ms) {
  std::vector<pollfd> fds;
  std::vector<link_ptr> owners;
  auto add = [&](int fd, short events) { fds.push_back({fd, events, 0}); };
  add(wake_, POLLIN);
  add(zap_.descriptor(), POLLIN);
  add(router_ ? router_.descriptor() : -1, POLLIN);
  add(router_ ? router_monitor_.descriptor() : -1, POLLIN);
  auto first_dealer = fds.size();
  for (const auto& [id, one] : links_) {
    if (!one->dialled) continue;
    owners.push_back(one);
    add(one->dealer.descriptor(), POLLIN);
    add(one->monitor.descriptor(), POLLIN);
  }
  auto first_watched = fds.size();
  for (const auto& [fd, one] : watched_) add(fd, one.events);

  if (::poll(fds.data(), fds.size(), timeout_ms) <= 0) return;
  if (fds[0].revents) {
    eventfd_t ignored = 0;
    eventfd_read(wake_, &ignored);
    std::lock_guard lock(mutex_);
    woken_ = false;
  }
  if (fds[1].revents)
    zap_.answer([this](const transport_key& key, const std::string& address) {
      if (on_list(key)) return true;
      if (turned_away_.size() < settings_.unknown_max) turned_away_.insert(address);
      refuse({key, address, {errc::permission_denied, "zmq", "the key is not on the list", nullptr}});
      return false;
    });
  if (fds[2].revents) look_at_router_ = true;
  if (fds[3].revents) read_router_monitor();
  for (std::size_t i = 0; i < owners.size(); ++i) {
    if (fds[first_dealer + 2 * i].revents) look_at_.insert(owners[i]->id);
    if (fds[first_dealer + 2 * i + 1].revents) read_dealer_monitor(owners[i]);
  }
  for (auto i = first_watched; i < fds.size(); ++i) {
    auto found = watched_.find(fds[i].fd);
    if (!fds[i].revents || found == watched_.end()) continue;
    bool ended = (fds[i].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    found->second.who->ready(fds[i].fd, ended || (fds[i].revents & POLLIN), (fds[i].revents & POLLOUT) != 0);
  }
}

void curve_socket::engine::work() {
  run_commands();
  look_at_deadlines();
  take_queues(); // Before reading, which sending asks for: one turn instead of two.
  if (look_at_router_) look_at_router_ = read_router();
  for (auto id : std::exchange(look_at_, {})) {
    auto found = links_.find(id);
    if (found != links_.end() && read_dealer(found->second)) look_at_.insert(id);
  }
  for (auto id : std::set<link_id>(blocked_)) {
    auto found = links_.find(id);
    if (found != links_.end()) flush(link_ptr(found->second));
    else blocked_.erase(id);
  }
}

void curve_socket::engine::run_commands() {
  std::vector<std::function<void()>> commands;
  {
    std::lock_guard lock(mutex_);
    commands.swap(commands_);
  }
  for (auto& command : commands) command();
}

void curve_socket::engine::take_queues() {
  std::vector<link_ptr> filled;
  {
    std::lock_guard lock(mutex_);
    for (auto id : std::exchange(with_queue_, {})) {
      auto shared = shared_.find(id);
      auto found = links_.find(id);
      if (shared == shared_.end() || found == links_.end()) continue;
      auto& queue = shared->second->queue;
      for (auto& frame : queue) found->second->out.push_back(std::move(frame));
      queue.clear();
      filled.push_back(found->second);
    }
  }
  for (const auto& one : filled) flush(one);
}

void curve_socket::engine::look_at_deadlines() {
  if (dialling_.empty() && unknown_.empty()) return;
  auto now = clock::now();
  std::vector<link_ptr> late;
  for (auto id : dialling_)
    if (auto found = links_.find(id); found != links_.end() && found->second->deadline <= now) late.push_back(found->second);
  for (const auto& one : late) end(one, {errc::timeout, "zmq", "the peer did not answer in time", nullptr});
  for (auto& [fd, one] : unknown_) {
    if (one.cut || one.deadline > now) continue;
    one.cut = true;
    cut_connection(fd, one.remote);
    refuse({{}, one.remote, {errc::timeout, "zmq", "the connection did not say in time who it is", nullptr}});
  }
}

// --- links -------------------------------------------------------------------------------------------------------

bool curve_socket::engine::set_common(zmq_detail::socket& socket, const transport_secret& secret) const {
  auto ms = [](std::chrono::milliseconds time) { return static_cast<int>(time.count()); };
  auto frames = static_cast<int>(settings_.frames_queued_max);
  return socket.set(ZMQ_CURVE_SECRETKEY, byte_view(secret.view())) && socket.set(ZMQ_SNDHWM, frames) &&
         socket.set(ZMQ_RCVHWM, frames) && socket.set_size(ZMQ_MAXMSGSIZE, static_cast<std::int64_t>(mesh_frame_bytes_max) + curve_bytes) &&
         socket.set(ZMQ_HANDSHAKE_IVL, ms(settings_.handshake_timeout)) &&
         socket.set(ZMQ_HEARTBEAT_IVL, ms(settings_.heartbeat_interval)) &&
         socket.set(ZMQ_HEARTBEAT_TIMEOUT, ms(settings_.silence_timeout)) &&
         socket.set(ZMQ_HEARTBEAT_TTL, ms(settings_.silence_timeout));
}

void curve_socket::engine::come_up(const link_ptr& one) {
  one->up = true;
  dialling_.erase(one->id);
  std::lock_guard hold(delivery_);
  if (one->shared->cut) return; // Its end is under way.
  one->shared->up = true;
  events_.up(one->id, one->shared->peer, one->dialled);
}

void curve_socket::engine::end(const link_ptr& one, const error& why) {
  if (links_.erase(one->id) == 0) return;
  one->shared->cut = true;
  dialling_.erase(one->id);
  blocked_.erase(one->id);
  std::size_t unsent = one->out.size();
  {
    std::lock_guard lock(mutex_);
    shared_.erase(one->id);
    unsent += one->shared->queue.size();
    one->shared->queue.clear();
  }
  dropped_ += unsent;
  one->out.clear();
  if (one->dialled) {
    if (one->dealer) zmq_socket_monitor(one->dealer.get(), nullptr, 0);
    one->monitor = {};
    one->dealer = {};
    one->relay = {};
  } else {
    by_identity_.erase(one->identity);
    forget(one->identity);
    if (auto at = by_descriptor_.find(one->descriptor); at != by_descriptor_.end() && at->second == one) {
      by_descriptor_.erase(at);
      cut_connection(one->descriptor, one->remote);
    }
  }
  if (!stopping_) events_.down(one->id, why);
}

void curve_socket::engine::cut_all(const std::vector<link_id>& ids, const error& why) {
  for (auto id : ids)
    if (auto found = links_.find(id); found != links_.end()) end(link_ptr(found->second), why);
}

/// Gives ZeroMQ what it takes.
void curve_socket::engine::flush(const link_ptr& one) {
  // Sending reads ZeroMQ's signals as well, so there may be something to receive that nothing else tells of.
  if (one->dialled) look_at_.insert(one->id);
  else look_at_router_ = true;
  while (!one->out.empty()) {
    if (one->shared->cut) return;
    auto size = one->out.front().size();
    if (!hand_over(one, one->out.front())) return;
    one->out.pop_front();
    one->shared->queued_bytes -= std::min(size, one->shared->queued_bytes.load());
    ++frames_sent_;
    bytes_sent_ += size;
  }
  blocked_.erase(one->id);
}

bool curve_socket::engine::hand_over(const link_ptr& one, byte_buffer& frame) {
  if (!one->dialled && !router_.send(as_bytes(one->identity), true)) {
    if (zmq_errno() == EAGAIN) blocked_.insert(one->id);
    else end(one, {errc::unreachable, "zmq", "the connection has ended", nullptr});
    return false;
  }
  zmq_detail::message body(std::move(frame));
  if ((one->dialled ? one->dealer : router_).send(body)) return true;
  if (one->dialled && zmq_errno() == EAGAIN) {
    frame = body.take_back();
    blocked_.insert(one->id);
    return false;
  }
  end(one, {errc::io_failed, "zmq", std::string("a frame was not taken: ") + zmq_strerror(zmq_errno()), nullptr});
  return false;
}

void curve_socket::engine::deliver(const link_ptr& one, byte_view bytes) {
  if (bytes.size() > mesh_frame_bytes_max)
    return end(one, {errc::limit_exceeded, "zmq", "a frame of " + std::to_string(bytes.size()) + " bytes", nullptr});
  std::lock_guard hold(delivery_);
  if (one->shared->cut) {
    ++dropped_;
    return;
  }
  ++frames_received_;
  bytes_received_ += bytes.size();
  events_.frame(one->id, bytes);
}

link_id curve_socket::engine::next_id() { return ++last_link; }

} // namespace lucid

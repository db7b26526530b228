// adapters/zmq/curve_engine.hpp - the thread behind a `curve_socket`, and what it knows.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "adapters/zmq/curve_socket.hpp"
#include "adapters/zmq/socket_handle.hpp"
#include "adapters/zmq/socket_monitor.hpp"
#include "adapters/zmq/socks_relay.hpp"
#include "adapters/zmq/zap_handler.hpp"

namespace lucid {

/// One thread waits for everything: commands, ZeroMQ's sockets, their monitors, watched descriptors.
///
/// Any thread queues frames and commands under `mutex_`; all else belongs to the thread. `delivery_` is held while a
/// frame is passed on, so that `allow` can promise that none is when it returns.
class curve_socket::engine {
public:
  engine(curve_settings settings, link_events& events);
  ~engine();
  outcome<void> start();

  outcome<std::string> listen(const std::string& address);
  void allow(std::vector<transport_key> keys);
  outcome<link_id> dial(dial_request request);
  void close(link_id id);
  outcome<void> send(link_id id, byte_buffer frame);
  outcome<void> rekey(transport_secret secret);
  transport_counters counters() const;
  void post(std::function<void()> work);
  void watch(int fd, bool read, bool write, descriptor_events* events);
  std::size_t queued_bytes(link_id id) const;

private:
  using clock = std::chrono::steady_clock;

  /// What other threads know of a link.
  struct shared_link {
    transport_key peer{};
    bool listed = true;           ///< Its key has to be on the list.
    std::atomic<bool> up{false};
    std::atomic<bool> cut{false};
    std::deque<byte_buffer> queue; ///< Under `mutex_`.
    std::atomic<std::size_t> queued_bytes{0};
  };
  using shared_link_ptr = std::shared_ptr<shared_link>;

  /// What the thread knows of a link.
  struct link {
    link_id id = 0;
    shared_link_ptr shared;
    bool dialled = false;
    bool up = false;
    std::deque<byte_buffer> out;   ///< Taken from the queue, not yet taken by ZeroMQ.
    clock::time_point deadline;    ///< Until it is up.
    zmq_detail::socket dealer;     ///< Dialled: its own socket, and its monitor.
    zmq_detail::socket_monitor monitor;
    std::unique_ptr<zmq_detail::socks_relay> relay; ///< Dialled through a proxy.
    std::string identity;          ///< Accepted: its name at the ROUTER, and its connection.
    int descriptor = -1;
    std::string remote;
  };
  using link_ptr = std::shared_ptr<link>;

  /// An accepted connection that has not said who it is.
  struct unknown {
    clock::time_point deadline;
    std::string remote; ///< "10.0.0.9:40112"; tells a descriptor that was used again.
    bool cut = false;
  };
  struct watched {
    short events = 0;
    descriptor_events* who = nullptr;
  };

  // The thread.
  void run();
  void wait(int timeout_ms);
  void work();
  int timeout_ms() const;
  void run_commands();
  void take_queues();
  void look_at_deadlines();
  bool work_left();
  void wake();
  bool on_thread() const { return std::this_thread::get_id() == thread_id_.load(); }
  template <class Result>
  Result run_there(std::function<Result()> work);

  // Accepting.
  outcome<void> open_router(const std::string& address);
  void close_router();
  void read_router_monitor();
  bool read_router();
  void receive_accepted(const std::string& identity, const zmq_detail::message& body, bool more);
  void meet(const std::string& identity, const zmq_detail::message& body, bool more);
  void accepted(int fd);
  void disconnected(int fd);
  void refuse(link_refusal refusal);
  void forget(const std::string& identity);
  bool on_list(const transport_key& key) const;

  // Dialling.
  static outcome<void> check_dial(const dial_request& request);
  outcome<void> make_dealer(const link_ptr& one, const dial_request& request);
  void begin_dial(link_id id, shared_link_ptr shared, dial_request request);
  static std::string why_gone(const link& one);
  void read_dealer_monitor(const link_ptr& one);
  bool read_dealer(const link_ptr& one);

  // Links.
  static link_id next_id();
  bool set_common(zmq_detail::socket& socket, const transport_secret& secret) const;
  void come_up(const link_ptr& one);
  void end(const link_ptr& one, const error& why);
  void flush(const link_ptr& one);
  bool hand_over(const link_ptr& one, byte_buffer& frame);
  void deliver(const link_ptr& one, byte_view bytes);
  void cut_all(const std::vector<link_id>& ids, const error& why);
  static void cut_connection(int fd, const std::string& remote);

  curve_settings settings_;
  link_events& events_;
  void* context_ = nullptr;
  int wake_ = -1;
  std::thread thread_;
  std::atomic<std::thread::id> thread_id_;
  std::atomic<bool> stopping_{false};
  std::mutex delivery_;

  mutable std::mutex mutex_;
  std::vector<std::function<void()>> commands_;
  std::vector<link_id> with_queue_;  ///< Links whose queue was empty before.
  std::unordered_map<link_id, shared_link_ptr> shared_;
  std::set<transport_key> allowed_;
  bool woken_ = false;

  // Of the thread alone.
  zmq_detail::zap_handler zap_;
  zmq_detail::socket router_;
  zmq_detail::socket_monitor router_monitor_;
  std::string listening_at_;
  std::unordered_map<link_id, link_ptr> links_;
  std::unordered_map<std::string, link_ptr> by_identity_;
  std::map<int, link_ptr> by_descriptor_;
  std::unordered_set<std::string> gone_; ///< Identities whose frames may still come, while their descriptor is used again.
  std::deque<std::string> gone_in_order_;
  std::map<int, unknown> unknown_;
  std::set<link_id> dialling_;
  std::set<link_id> blocked_;  ///< ZeroMQ takes no more for now.
  std::multiset<std::string> turned_away_; ///< Addresses that the ZAP handler refused; their connections end next.
  std::map<int, watched> watched_;
  std::set<link_id> look_at_;  ///< Dealers that may have more.
  bool look_at_router_ = false;

  std::atomic<std::uint64_t> refused_{0}, dropped_{0}, frames_sent_{0}, frames_received_{0}, bytes_sent_{0}, bytes_received_{0};
};

} // namespace lucid

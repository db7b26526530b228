// tests/unit/blob_exchange_tests.cpp - two exchanges with a thread each for their link: order, breaks, and how fast.
#define BOOST_TEST_MODULE blob_exchange_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <thread>

#include "actors/blobs/blob_exchange.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

class real_clock final : public clock_port {
public:
  unix_time_us wall_us() const override { return 0; }
  std::chrono::nanoseconds monotonic() const override { return std::chrono::steady_clock::now().time_since_epoch(); }
};

/// One direction of a link, with a thread that hands frames to the receiver. Faults: it refuses a frame when told to.
class one_way final : public blob_links {
public:
  one_way(blob_exchange& to, const node_id& from) : to_(to), from_(from), thread_([this] { work(); }) {}
  ~one_way() { end(); }
  /// Nothing is handed on any more when this returns.
  void end() {
    {
      std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  std::size_t room_bytes(const node_id&) const override {
    std::lock_guard lock(mutex_);
    return queue_bytes_max - std::min(queue_bytes_max, queued_);
  }
  outcome<void> send(const node_id&, byte_buffer frame) override {
    if (refuse_in_ > 0 && --refuse_in_ == 0) return fail(errc::busy, "link", "told to refuse");
    std::lock_guard lock(mutex_);
    if (queued_ + frame.size() > queue_bytes_max) return fail(errc::busy, "link", "full");
    queued_ += frame.size();
    queue_.push_back(std::move(frame));
    wake_.notify_all();
    return {};
  }
  void cut(const node_id&, const error&) override { ++cut_count; }
  void clear() {
    std::unique_lock lock(mutex_);
    queue_.clear();
    queued_ = 0;
    wake_.wait(lock, [&] { return !busy_; });
  }
  void hold(bool on) {
    std::lock_guard lock(mutex_);
    held_ = on;
    wake_.notify_all();
  }
  std::atomic<int> cut_count{0};
  std::atomic<int> refuse_in_{0};

private:
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return closing_ || (!held_ && !queue_.empty()); });
      if (closing_) return;
      auto frame = std::move(queue_.front());
      queue_.pop_front();
      queued_ -= frame.size();
      busy_ = true;
      lock.unlock();
      to_.link_frame(from_, frame);
      lock.lock();
      busy_ = false;
      wake_.notify_all();
    }
  }
  blob_exchange& to_;
  node_id from_;
  static constexpr std::size_t queue_bytes_max = 512u << 10; // Less than the credit: the rest waits in the exchange.
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::size_t queued_ = 0;
  std::deque<byte_buffer> queue_;
  bool closing_ = false, busy_ = false, held_ = false;
  std::thread thread_;
};

struct two_nodes {
  static constexpr node_id a_id{1}, b_id{2};
  real_clock clock;
  blob_exchange a{{}, clock}, b{{}, clock};
  one_way from_a{b, a_id}, from_b{a, b_id};
  std::uint64_t attachment = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::uint64_t, outcome<blob_ref>> sent;
  std::map<std::uint64_t, outcome<payload>> taken;

  two_nodes() {
    a.connect(&from_a);
    b.connect(&from_b);
    attachment = a.attach({[this](std::uint64_t t, outcome<blob_ref> r) { note(sent, t, std::move(r)); }, {}});
    b.attach({{}, [this](std::uint64_t t, outcome<payload> r) { note(taken, t, std::move(r)); }});
  }
  ~two_nodes() { // Before what the links' threads note goes.
    from_a.end();
    from_b.end();
    a.connect(nullptr);
    b.connect(nullptr);
  }
  template <class Map, class T>
  void note(Map& into, std::uint64_t token, T result) {
    std::lock_guard lock(mutex);
    into.emplace(token, std::move(result));
    changed.notify_all();
  }
  /// A link is up at both ends before it carries anything.
  void link() {
    from_a.hold(true);
    from_b.hold(true);
    a.link_up(b_id);
    b.link_up(a_id);
    from_a.hold(false);
    from_b.hold(false);
  }
  bool wait(auto until) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 30s, until);
  }
};

blob_id number(std::uint8_t n) { return blob_id{n}; }

} // namespace

BOOST_AUTO_TEST_CASE(large_blobs_pass_between_threads_and_fast) {
  two_nodes n;
  n.link();
  payload what(byte_buffer(10u << 20, 7));
  blob_ref ref{{}, what.size(), blake3(what.view())};
#ifdef __SANITIZE_THREAD__
  constexpr int count = 4; // Ten to twenty times slower.
#else
  constexpr int count = 40;
#endif
  auto begun = std::chrono::steady_clock::now();
  for (std::uint8_t i = 1; i <= count; ++i) {
    n.a.send(i, {n.b_id, number(i), what});
    ref.id = number(i);
    n.b.take(i, {n.a_id, ref});
  }
  BOOST_REQUIRE(n.wait([&] { return n.sent.size() == count && n.taken.size() == count; }));
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  for (auto& [token, got] : n.taken) BOOST_REQUIRE(got.has_value());
  BOOST_TEST(n.from_a.cut_count == 0);
  BOOST_TEST_MESSAGE("MB/s " << static_cast<double>(count) * 10.485 / took.count());
}

BOOST_AUTO_TEST_CASE(a_link_that_refuses_a_frame_is_cut_and_the_blob_arrives_over_the_next_one) {
  two_nodes n;
  n.link();
  payload what(byte_buffer(4u << 20, 7));
  n.from_a.refuse_in_ = 20;
  n.b.take(1, {n.a_id, {number(1), what.size(), blake3(what.view())}});
  n.a.send(1, {n.b_id, number(1), what});
  for (int i = 0; i < 500 && n.from_a.cut_count == 0; ++i) std::this_thread::sleep_for(10ms);
  BOOST_TEST(n.from_a.cut_count == 1);
  n.from_a.clear();
  n.b.link_down(n.a_id);
  n.from_b.clear();
  n.a.link_down(n.b_id);
  BOOST_TEST(n.sent.empty());
  n.link();
  BOOST_REQUIRE(n.wait([&] { return n.sent.size() == 1 && n.taken.size() == 1; }));
  BOOST_TEST(n.taken.at(1).value().size() == what.size());
  BOOST_TEST(n.a.counters().resumed_count == 1u);
}

BOOST_AUTO_TEST_CASE(who_detaches_hears_nothing_more_and_the_peer_lets_go) {
  two_nodes n;
  payload what(byte_buffer(1u << 20, 7));
  n.a.send(1, {n.b_id, number(1), what});
  BOOST_TEST(n.a.sending_count() == 1u);
  n.a.detach(n.attachment + 1); // Of somebody else.
  BOOST_TEST(n.a.sending_count() == 1u);
  n.a.detach(n.attachment);
  BOOST_TEST(n.a.sending_count() == 0u);
  n.link();
  n.a.send(2, {n.b_id, number(2), what}); // Nobody hears of it; it arrives all the same.
  for (int i = 0; i < 500 && n.b.memory_bytes() == 0; ++i) std::this_thread::sleep_for(10ms);
  BOOST_TEST(n.sent.empty());
}

BOOST_AUTO_TEST_CASE(a_peer_that_asks_and_does_not_read_is_cut_before_its_answers_fill_the_memory) {
  /// A link without room.
  struct deaf final : blob_links {
    std::size_t room_bytes(const node_id&) const override { return 0; }
    outcome<void> send(const node_id&, byte_buffer) override { return {}; }
    void cut(const node_id&, const error&) override { ++cut_count; }
    int cut_count = 0;
  } link;
  real_clock clock;
  blob_exchange exchange({}, clock);
  exchange.connect(&link);
  exchange.link_up({9});
  blob_id id{};
  std::size_t asked = 0;
  for (; asked < 1'000'000 && link.cut_count == 0; ++asked) {
    for (std::size_t i = 0; i < 4; ++i) id[i] = static_cast<std::uint8_t>(asked >> (8 * i));
    exchange.link_frame({9}, blob_frames::encode(blob_frames::offer{{id, payload::size_bytes_max, {}}}));
  }
  BOOST_TEST(link.cut_count == 1);
  BOOST_TEST(asked < 150'000u); // 2 MiB of refusals of 19 bytes.
  exchange.link_frame({9}, blob_frames::encode(blob_frames::offer{{blob_id{77}, 5, {}}}));
  BOOST_TEST(link.cut_count == 1); // Behind the cut nothing counts.
}

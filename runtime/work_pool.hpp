// runtime/work_pool.hpp - threads for work that would hold up the scheduler: hashing, compression, encryption.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <caf/actor_cast.hpp>

#include "messages/outcome.hpp"
#include "runtime/actor_task.hpp"
#include "runtime/owed_answer.hpp"
#include "runtime/reply.hpp"

namespace lucid {

/// Runs jobs. Threads: `post` from any.
class work_pool {
public:
  using job = std::function<void()>;
  virtual ~work_pool() = default;

  /// Runs `work` in time, or refuses: `busy` when the queue is full, `cancelled` when the pool is closing.
  virtual outcome<void> post(job work) = 0;
};

/// A fixed number of threads and a bounded queue.
/// Owns: its threads; the destructor drops what is queued and waits for what is running.
class thread_pool final : public work_pool {
public:
  /// Jobs that wait, for each thread. Each holds at most one chunk (16 MiB), so 4 cores hold at most 256 MiB.
  static constexpr std::size_t queued_per_thread_max = 4;

  explicit thread_pool(std::size_t thread_count, std::size_t queued_per_thread = queued_per_thread_max);
  ~thread_pool() override;
  outcome<void> post(job work) override;
  std::size_t thread_count() const noexcept { return threads_.size(); }

private:
  void work();

  const std::size_t queued_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<job> queue_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

/// Runs each job where it is posted. For tests on the deterministic scheduler.
class inline_pool final : public work_pool {
public:
  outcome<void> post(job work) override {
    work();
    return {};
  }
};

namespace detail {
/// Calls `work`; what it throws becomes an error.
template <class Work>
auto run_caught(Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& e) {
    return fail(errc::crashed, "work pool", e.what());
  }
}
} // namespace detail

/// Runs `work` (returns an outcome<T>) on the pool, then `then(outcome<T>)` inside `self`, a supervised actor.
/// Errors: the pool's refusal; `then` is not called. If the actor ends first, `then` is dropped.
template <class Self, class Work, class Then>
outcome<void> run_on_pool(Self* self, work_pool& pool, Work work, Then then) {
  auto home = caf::actor_cast<caf::actor>(self);
  return pool.post([home, work = std::move(work), then = std::move(then)]() mutable {
    auto result = detail::run_caught(work);
    run_inside(home, [then = std::move(then), result = std::move(result)]() mutable { then(std::move(result)); });
  });
}

/// What a handler returns to answer with the outcome of `work`, done on the pool: `return answer_from_pool<T>(...)`.
/// A refusal by the pool is the answer.
template <class T, class Self, class Work>
caf::typed_response_promise<T> answer_from_pool(Self* self, work_pool& pool, Work work) {
  owed_answer<T> owed(self);
  auto posted = run_on_pool(self, pool, std::move(work),
                            [owed](outcome<T> result) { deliver(owed, std::move(result)); });
  if (!posted) owed.deliver(to_caf(posted.error()));
  return owed.promise();
}

} // namespace lucid

// runtime/work_pool.cpp - threads around one bounded queue.
#include "runtime/work_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <string>

namespace lucid {

thread_pool::thread_pool(std::size_t thread_count, std::size_t queued_per_thread)
  : queued_max_(std::max<std::size_t>(thread_count, 1) * queued_per_thread) {
  for (std::size_t i = 0; i < std::max<std::size_t>(thread_count, 1); ++i) threads_.emplace_back([this] { work(); });
}

thread_pool::~thread_pool() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    queue_.clear();
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

outcome<void> thread_pool::post(job work) {
  {
    std::lock_guard lock(mutex_);
    if (closing_) return fail(errc::cancelled, "work pool", "it is closing");
    if (queue_.size() >= queued_max_)
      return fail(errc::busy, "work pool", "all " + std::to_string(queued_max_) + " places in its queue are taken");
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
  return {};
}

void thread_pool::work() {
  pthread_setname_np(pthread_self(), "lucid-work"); // As who looks at the process finds it.
  for (;;) {
    job next;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (closing_) return;
      next = std::move(queue_.front());
      queue_.pop_front();
    }
    next();
  }
}

} // namespace lucid

// runtime/inspection/handler_scope.hpp - the time from here to the end of the block is an actor's work.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

#include "messages/ports/clock.hpp"
#include "runtime/inspection/observed_actor.hpp"

namespace lucid {

/// Measures one handler, and remembers for its duration on whose behalf this thread works.
/// Threads: stays on one.
class handler_scope {
public:
  /// Whose work it is. Nobody: nothing is measured.
  struct owner {
    std::shared_ptr<observed_actor> actor;
    const clock_port* clock = nullptr;
  };

  static constexpr std::uint64_t reply_key = 1; ///< All replies are one row.

  template <class Name>
  handler_scope(const owner& by, std::uint64_t key, Name&& name, std::uint64_t mailbox_length = 0)
    : by_(by), before_(current_), exceptions_(std::uncaught_exceptions()) {
    current_ = &by_;
    if (by_.actor) begin(by_.actor->stats.row_of(key, std::forward<Name>(name)), mailbox_length);
  }
  ~handler_scope() {
    if (by_.actor) end();
    current_ = before_;
  }
  handler_scope(const handler_scope&) = delete;
  handler_scope& operator=(const handler_scope&) = delete;

  /// Attributes what is asked for in this block to `by`, without measuring the block: an actor's first moment.
  class on_behalf_of {
  public:
    explicit on_behalf_of(owner by) : by_(std::move(by)), before_(current_) { current_ = &by_; }
    ~on_behalf_of() { current_ = before_; }
    on_behalf_of(const on_behalf_of&) = delete;
    on_behalf_of& operator=(const on_behalf_of&) = delete;

  private:
    owner by_;
    const owner* before_;
  };

  /// The innermost on this thread; empty outside of handlers.
  static owner current() { return current_ ? *current_ : owner(); }

private:
  void begin(std::size_t row, std::uint64_t mailbox_length);
  void end() noexcept;
  void tap(std::size_t row) const;

  const owner& by_;
  const owner* before_;
  int exceptions_; ///< Under way when the block was entered.
  static thread_local const owner* current_;
};

} // namespace lucid

// runtime/owed_answer.hpp - an answer that is owed: given once, and given as an error when whoever owes it is gone.
#pragma once

#include <memory>
#include <utility>

#include <caf/make_message.hpp>
#include <caf/response_promise.hpp>
#include <caf/typed_response_promise.hpp>

#include "runtime/reply.hpp"

namespace lucid {

/// A response promise that is not forgotten. CAF's own leaves the asking actor to its timeout when the asked one ends
/// with the promise in its state; this one then answers `unreachable` at once.
///
///     [self](const plain_chunk& chunk) {
///       owed_answer<chunk_record> owed(self);
///       self->state.waiting.push_back(owed);
///       return owed.promise();
///     }
///
/// Owns: a share of the promise; the last copy that goes without `deliver` answers with the error.
/// Threads: `deliver` on the actor's own; the last copy may go on any thread, such as the work pool's.
template <class T>
class owed_answer {
public:
  owed_answer() = default;

  /// Within a handler of `self`: the answer to the message that is being handled.
  template <class Self>
  explicit owed_answer(Self* self) : owed_(std::make_shared<debt>(self->template make_response_promise<T>())) {}

  /// Once; later ones change nothing.
  template <class U>
  void deliver(U&& value) const {
    if (owed_ && owed_->promise.pending()) owed_->promise.deliver(std::forward<U>(value));
  }

  /// What the handler returns: tells CAF that the answer comes later. Not to be delivered to.
  caf::typed_response_promise<T> promise() const { return owed_ ? owed_->shown : caf::typed_response_promise<T>(); }

private:
  struct debt {
    explicit debt(caf::typed_response_promise<T> made) : promise(made), shown(std::move(made)) {}
    debt(const debt&) = delete;
    debt& operator=(const debt&) = delete;
    ~debt() {
      caf::response_promise& left = promise;
      if (!left.pending() || left.async()) return;
      // Past CAF's own delivery, which runs in the context of an actor that may have ended.
      error gone{errc::unreachable, "actor system", "the receiver ended before it answered", nullptr};
      if (auto whom = left.next()) whom->enqueue(nullptr, left.id().response_id(), caf::make_message(to_caf(gone)), nullptr);
    }
    caf::typed_response_promise<T> promise;
    caf::typed_response_promise<T> shown;
  };
  std::shared_ptr<debt> owed_;
};

} // namespace lucid

// runtime/inspection/measured_response.hpp - a request under way whose handlers count as the asking actor's work.
#pragma once

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <caf/response_handle.hpp>

#include "runtime/inspection/handler_scope.hpp"

namespace lucid {

/// A function that is measured while it runs, and waits while its actor is suspended. Keeps the signature, which CAF
/// deduces message types from.
template <class F, class Signature = typename caf::detail::get_callable_trait<F>::fun_sig>
class measured_function;

template <class F, class Result, class... Ts>
class measured_function<F, Result(Ts...)> {
public:
  measured_function(F f, handler_scope::owner by) : f_(std::move(f)), by_(std::move(by)) {}

  Result operator()(Ts... xs) {
    static_assert(std::is_void_v<Result>, "an answer is not answered");
    if (by_.actor && by_.actor->gate.closed()) [[unlikely]]
      return hold(std::forward<Ts>(xs)...);
    handler_scope measured(by_, handler_scope::reply_key, [] { return "reply"; });
    f_(std::forward<Ts>(xs)...);
  }

private:
  // An answer comes once: function and contents may be moved into what is kept, which the actor owns itself.
  void hold(Ts... xs) {
    auto kept = std::make_shared<std::pair<F, std::tuple<std::decay_t<Ts>...>>>(
      std::move(f_), std::tuple<std::decay_t<Ts>...>(std::forward<Ts>(xs)...));
    by_.actor->gate.hold([kept, actor = std::weak_ptr<observed_actor>(by_.actor), clock = by_.clock] {
      handler_scope::owner by{actor.lock(), clock};
      handler_scope measured(by, handler_scope::reply_key, [] { return "reply"; });
      std::apply([&](auto&... ys) { kept->first(static_cast<Ts>(ys)...); }, kept->second);
    });
  }

  F f_;
  handler_scope::owner by_;
};

/// Wraps what `self->request` returns; use it in the same way.
template <class Response>
class measured_response {
public:
  explicit measured_response(Response response) : response_(std::move(response)), by_(handler_scope::current()) {}

  template <class F>
  void then(F f) const {
    response_.then(measured(std::move(f)));
  }
  template <class F, class OnError>
  void then(F f, OnError g) const {
    response_.then(measured(std::move(f)), measured(std::move(g)));
  }
  template <class F>
  void await(F f) const {
    response_.await(measured(std::move(f)));
  }
  template <class F, class OnError>
  void await(F f, OnError g) const {
    response_.await(measured(std::move(f)), measured(std::move(g)));
  }
  /// Scoped actors: blocks for the answer.
  template <class F, class OnError>
  void receive(F f, OnError g) {
    response_.receive(std::move(f), std::move(g));
  }

private:
  template <class F>
  measured_function<F> measured(F f) const {
    return {std::move(f), by_};
  }

  Response response_;
  handler_scope::owner by_;
};

} // namespace lucid

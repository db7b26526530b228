// runtime/inspection/measured_response.hpp - a request under way whose handlers count as the asking actor's work.
#pragma once

#include <utility>

#include <caf/response_handle.hpp>

#include "runtime/inspection/handler_scope.hpp"

namespace lucid {

/// A function that is measured while it runs. Keeps the signature, which CAF deduces message types from.
template <class F, class Signature = typename caf::detail::get_callable_trait<F>::fun_sig>
class measured_function;

template <class F, class Result, class... Ts>
class measured_function<F, Result(Ts...)> {
public:
  measured_function(F f, handler_scope::owner by) : f_(std::move(f)), by_(std::move(by)) {}

  Result operator()(Ts... xs) {
    handler_scope measured(by_, handler_scope::reply_key, [] { return "reply"; });
    return f_(std::forward<Ts>(xs)...);
  }

private:
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

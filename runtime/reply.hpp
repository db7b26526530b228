// runtime/reply.hpp - our errors and CAF's, into each other.
#pragma once

#include <utility>

#include <caf/error.hpp>
#include <caf/result.hpp>

#include "messages/outcome.hpp"
#include "messages/type_ids.hpp"

namespace lucid {

/// How deep a chain of causes travels; deeper ones are cut off.
inline constexpr std::size_t error_causes_max = 8;

/// `e` as CAF carries it: code, who, what, and the causes.
caf::error to_caf(const error& e);

/// The error inside `e`. CAF's own become ours: a request that was not answered is `timeout`, a receiver that is gone
/// `unreachable`, an exit `crashed` (or `cancelled` for a shutdown); the rest is `internal`. The text says which.
error from_caf(const caf::error& e);

/// What a handler returns: the value, or the error as CAF carries it.
template <class T>
caf::result<T> reply(outcome<T> value) {
  if (!value) return to_caf(value.error());
  if constexpr (std::is_void_v<T>)
    return caf::unit;
  else
    return std::move(*value);
}

/// Fulfils a promise that a handler made before.
template <class Promise, class T>
void deliver(const Promise& promise, outcome<T> value) {
  if (!value)
    promise.deliver(to_caf(value.error()));
  else if constexpr (std::is_void_v<T>)
    promise.deliver(caf::unit);
  else
    promise.deliver(std::move(*value));
}

} // namespace lucid

// messages/outcome.hpp - a value or the error that took its place.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "messages/error.hpp"

namespace lucid {

/// The result of anything that may be refused or fail. Never ignored: check it or pass it on.
template <class T>
using outcome = tl::expected<T, error>;

/// An error in place of a value: `return fail(errc::not_found, "store", "no session 12ab");`
[[nodiscard]] inline tl::unexpected<error> fail(errc code, std::string who, std::string what) {
  return tl::unexpected(error{code, std::move(who), std::move(what), nullptr});
}

/// As above, with the error that led to this one.
[[nodiscard]] inline tl::unexpected<error> fail(errc code, std::string who, std::string what, error cause) {
  return tl::unexpected(error{code, std::move(who), std::move(what), std::make_shared<const error>(std::move(cause))});
}

/// Passes the error of `failed` on, whatever value type the caller returns.
template <class T>
[[nodiscard]] tl::unexpected<error> pass_on(outcome<T>&& failed) {
  return tl::unexpected(std::move(failed).error());
}

} // namespace lucid

// messages/console.hpp - what the console is asked for by message.
#pragma once

#include <string>

#include "messages/inspect.hpp"

namespace lucid {

/// Asks for a way into the console: whoever may ask this node anything may let a browser in.
struct login_link_request {};

/// Good for one login, for ten minutes. Secret.
struct login_link {
  std::string url;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, login_link_request&) {
  return f();
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, login_link& x) {
  return f(hidden<Inspector>(x.url));
}

} // namespace lucid

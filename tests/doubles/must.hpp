// tests/doubles/must.hpp - takes the value of an outcome a test relies on; ends the test with the error's text.
#pragma once

#include <stdexcept>

#include "messages/outcome.hpp"

namespace lucid::testing {

template <class T>
T must(outcome<T> result) {
  if (!result) throw std::runtime_error(to_string(result.error()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

} // namespace lucid::testing

// actors/format/little_endian.hpp - fixed-width fields in a byte sequence, written and read in order.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <concepts>
#include <span>
#include <type_traits>

#include "messages/bytes.hpp"

namespace lucid {

/// Writes fields one after the other into a buffer of the right size.
class field_writer {
public:
  explicit field_writer(std::span<std::uint8_t> into) noexcept : rest_(into) {}

  template <std::integral T>
  field_writer& put(T value) noexcept {
    auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) rest_[i] = static_cast<std::uint8_t>(bits >> (8 * i));
    rest_ = rest_.subspan(sizeof(T));
    return *this;
  }
  field_writer& put(byte_view bytes) noexcept {
    assert(bytes.size() <= rest_.size());
    std::copy(bytes.begin(), bytes.end(), rest_.begin());
    rest_ = rest_.subspan(bytes.size());
    return *this;
  }

private:
  std::span<std::uint8_t> rest_;
};

/// Reads fields one after the other. REQUIRES: the caller has checked that there are enough bytes.
class field_reader {
public:
  explicit field_reader(byte_view from) noexcept : rest_(from) {}

  template <std::integral T>
  T get() noexcept {
    assert(sizeof(T) <= rest_.size());
    std::make_unsigned_t<T> bits = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      bits = static_cast<std::make_unsigned_t<T>>(bits | static_cast<std::make_unsigned_t<T>>(rest_[i]) << (8 * i));
    rest_ = rest_.subspan(sizeof(T));
    return static_cast<T>(bits);
  }
  template <std::size_t N>
  void get(std::array<std::uint8_t, N>& into) noexcept {
    assert(N <= rest_.size());
    std::copy_n(rest_.begin(), N, into.begin());
    rest_ = rest_.subspan(N);
  }

private:
  byte_view rest_;
};

} // namespace lucid

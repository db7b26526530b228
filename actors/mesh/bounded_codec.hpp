// actors/mesh/bounded_codec.hpp - fields of varying length, written and read in order, each with its bound.
#pragma once

#include <array>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

#include "messages/bytes.hpp"

namespace lucid {

/// Appends fields, little-endian. Lengths stand before what has one.
class bounded_writer {
public:
  template <std::integral T>
  bounded_writer& put(T value) {
    auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes_.push_back(static_cast<std::uint8_t>(bits >> (8 * i)));
    return *this;
  }
  bounded_writer& put(byte_view bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  /// `Length` bytes of length, then `bytes`. REQUIRES: the length fits; the caller has checked its bound.
  template <std::unsigned_integral Length>
  bounded_writer& put_sized(byte_view bytes) {
    return put(static_cast<Length>(bytes.size())).put(bytes);
  }
  const byte_buffer& bytes() const noexcept { return bytes_; }
  byte_buffer take() noexcept { return std::move(bytes_); }

private:
  byte_buffer bytes_;
};

/// Reads fields. The first that is missing or over its bound spoils the reader: what follows is zero or empty, and
/// `finish` tells. So bytes can be read field by field without a branch for each.
class bounded_reader {
public:
  bounded_reader(byte_view from, const char* who) noexcept : rest_(from), who_(who) {}

  template <std::integral T>
  T get() {
    std::make_unsigned_t<T> bits = 0;
    auto bytes = take(sizeof(T));
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bits = static_cast<std::make_unsigned_t<T>>(bits | static_cast<std::make_unsigned_t<T>>(bytes[i]) << (8 * i));
    return static_cast<T>(bits);
  }
  template <std::size_t N>
  void get(std::array<std::uint8_t, N>& into) {
    auto bytes = take(N);
    for (std::size_t i = 0; i < bytes.size(); ++i) into[i] = bytes[i];
  }
  /// The next `size_bytes`, as a view of what is read; empty once spoilt.
  byte_view take(std::size_t size_bytes) {
    if (!good()) return {};
    if (size_bytes > rest_.size()) {
      refuse(errc::truncated, "it ends before it should");
      return {};
    }
    auto bytes = rest_.first(size_bytes);
    rest_ = rest_.subspan(size_bytes);
    return bytes;
  }
  template <std::unsigned_integral Length>
  byte_view get_sized(std::size_t size_bytes_max, std::string_view field) {
    return take(get_count<Length>(size_bytes_max, field));
  }
  /// A number of things or bytes, within its bound; 0 once spoilt.
  template <std::unsigned_integral Number>
  std::size_t get_count(std::size_t max, std::string_view field) {
    std::size_t count = get<Number>();
    if (good() && count > max)
      refuse(errc::limit_exceeded,
             std::string(field) + ": " + std::to_string(count) + ", at most " + std::to_string(max) + " are allowed");
    return good() ? count : 0;
  }

  bool good() const noexcept { return problem_.empty(); }
  std::size_t left() const noexcept { return rest_.size(); }

  /// Marks what is read as wrong; the first reason stays.
  void refuse(errc code, std::string what) {
    if (!good()) return;
    code_ = code;
    problem_ = std::move(what);
  }
  /// All was read, and all of it was right.
  outcome<void> finish() {
    if (good() && !rest_.empty()) refuse(errc::invalid_input, std::to_string(rest_.size()) + " bytes too many");
    if (good()) return {};
    return fail(code_, who_, problem_);
  }

private:
  byte_view rest_;
  const char* who_;
  errc code_ = errc::invalid_input;
  std::string problem_;
};

} // namespace lucid

// runtime/inspection/field_writer.hpp - inspectors that go through the fields of a message: one counts, one writes.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "messages/bytes.hpp"
#include "messages/payload.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace detail {
template <class T>
concept scalar = std::is_arithmetic_v<T> || std::is_enum_v<T>;
template <class T>
concept text = std::is_convertible_v<const T&, std::string_view>;
template <class T>
concept range = !text<T> && requires(const T& xs) { xs.begin(); xs.end(); };
} // namespace detail

/// Adds up the bytes of a value's fields. Secrets count as what is shown of them.
class size_counter {
public:
  using result_type = void;
  using for_people = void;
  static constexpr bool reads_state = true, writes_state = false;

  template <class... Ts>
  void operator()(const Ts&... xs) {
    (add(xs), ...);
  }

  std::uint64_t bytes() const noexcept { return bytes_; }

private:
  void add(const payload& x) { bytes_ += x.size(); }

  template <class T>
  void add(const T& x) {
    if constexpr (detail::scalar<T>)
      bytes_ += sizeof(T);
    else if constexpr (detail::text<T>)
      bytes_ += std::string_view(x).size();
    else if constexpr (detail::range<T>)
      for (const auto& one : x) add(one);
    else
      inspect(*this, const_cast<T&>(x)); // Inspectors of both directions share one function.
  }

  std::uint64_t bytes_ = 0;
};

/// Writes a value's fields with their names, and stops when the text is long enough.
class field_writer {
public:
  using result_type = void;
  using for_people = void;
  static constexpr bool reads_state = true, writes_state = false;

  explicit field_writer(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// The names of the fields that come next: "x.first, x.second".
  void fields(std::string_view names) { names_ = names; }

  template <class... Ts>
  void operator()(const Ts&... xs) {
    [[maybe_unused]] auto names = std::exchange(names_, {});
    [[maybe_unused]] bool first = true;
    ((field(names, first), write(xs)), ...);
  }

  /// One element of a message.
  template <class T>
  void element(const T& x) {
    if (!text_.empty()) put(", ");
    if constexpr (detail::scalar<T> || detail::text<T> || detail::range<T> || std::same_as<T, payload>)
      write(x);
    else
      inspect(*this, const_cast<T&>(x));
  }

  /// At most the bound, cut between two characters.
  std::string take() && { return shortened(std::move(text_), bytes_max_); }

private:
  // A URL's credentials end at an '@' that must be in sight for them to be blotted out; sources have at most 4 KiB.
  static constexpr std::size_t text_bytes_max = 8192;
  static constexpr std::size_t digest_bytes_shown = 6;

  bool full() const noexcept { return text_.size() > bytes_max_; }
  void put(std::string_view text) {
    if (!full()) text_ += text;
  }

  void field(std::string_view& names, bool& first) {
    if (!std::exchange(first, false)) put(" ");
    auto name = names.substr(0, names.find(','));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    name.remove_prefix(name.rfind('.') + 1); // npos + 1 is 0.
    name = name.substr(0, name.find(')'));
    if (name.empty()) return;
    put(name);
    put("=");
  }

  void write(const payload& x) { put(fmt::format("{} bytes", x.size())); }
  void write(const byte_buffer& x) { put(fmt::format("{} bytes", x.size())); }

  template <std::size_t Size>
  void write(const std::array<std::uint8_t, Size>& x) {
    put(to_hex(byte_view(x).first(std::min(Size, digest_bytes_shown))));
    if constexpr (Size > digest_bytes_shown) put("..");
  }

  template <class T>
  void write(const T& x) {
    if (full()) return;
    if constexpr (detail::text<T>) {
      quote(x);
    } else if constexpr (std::same_as<T, bool>) {
      put(x ? "true" : "false");
    } else if constexpr (std::is_enum_v<T>) {
      if constexpr (requires { std::string_view(to_string(x)); })
        put(to_string(x));
      else
        put(fmt::format("{}", static_cast<std::underlying_type_t<T>>(x)));
    } else if constexpr (detail::scalar<T>) {
      put(fmt::format("{}", x));
    } else if constexpr (detail::range<T>) {
      list(x);
    } else {
      put("{");
      inspect(*this, const_cast<T&>(x)); // Inspectors of both directions share one function.
      put("}");
    }
  }

  void quote(std::string_view x) {
    put("\"");
    put(printable(without_credentials(x.substr(0, text_bytes_max))));
    put("\"");
  }

  template <class T>
  void list(const T& xs) {
    put("[");
    bool first = true;
    for (const auto& one : xs) {
      if (full()) break;
      if (!std::exchange(first, false)) put(", ");
      write(one);
    }
    put("]");
  }

  std::size_t bytes_max_;
  std::string_view names_;
  std::string text_;
};

} // namespace lucid

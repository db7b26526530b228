// messages/error.cpp - names of the codes, and an error as one line of text.
#include "messages/error.hpp"

#include <array>

namespace lucid {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(errc_last) + 1> names{
  "none",          "invalid_input",      "limit_exceeded",      "not_found",
  "already_exists", "wrong_state",       "permission_denied",   "corrupted",
  "truncated",     "unsupported",        "wrong_key",           "bad_signature",
  "disk_full",     "read_only",          "io_failed",           "timeout",
  "unreachable",   "refused",            "login_failed",        "certificate_changed",
  "protocol_violation", "cancelled",     "busy",                "clock_stepped",
  "missing_dependency", "crashed",       "internal"};

} // namespace

std::string_view to_string(errc code) noexcept {
  auto index = static_cast<std::size_t>(code);
  return index < names.size() ? names[index] : "unknown";
}

std::string to_string(const error& e) {
  std::string text = e.who + ": " + e.what + " (" + std::string(to_string(e.code)) + ")";
  if (e.because) text += ", because of: " + to_string(*e.because);
  return text;
}

const error& root_cause(const error& e) noexcept {
  const error* at = &e;
  while (at->because) at = at->because.get();
  return *at;
}

} // namespace lucid

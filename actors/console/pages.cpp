// actors/console/pages.cpp - finding a page, and how it is sent.
#include "actors/console/pages.hpp"

#include <algorithm>

namespace lucid {
namespace {

std::string_view trimmed(std::string_view text) {
  auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool same_word(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// What stands before `separator`, which is taken off `text` with it.
std::string_view take_until(std::string_view& text, char separator) {
  auto at = text.find(separator);
  auto part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return trimmed(part);
}

/// Whether the parameters of a coding rule it out: "q=0", "q=0.000". What is no weight counts as one of 1.
bool is_refused(std::string_view parameters) {
  while (!parameters.empty()) {
    auto value = take_until(parameters, ';');
    auto name = take_until(value, '=');
    value = trimmed(value);
    if (same_word(name, "q")) return !value.empty() && value.find_first_not_of("0.") == std::string_view::npos;
  }
  return false;
}

} // namespace

const page_file* find_page(std::string_view path) noexcept {
  auto files = page_files();
  auto found = std::ranges::lower_bound(files, path, {}, &page_file::path);
  return found != files.end() && found->path == path ? &*found : nullptr;
}

bool accepts_gzip(std::string_view accept_encoding) noexcept {
  bool any = false;
  while (!accept_encoding.empty()) {
    auto parameters = take_until(accept_encoding, ',');
    auto coding = take_until(parameters, ';');
    if (same_word(coding, "gzip") || same_word(coding, "x-gzip")) return !is_refused(parameters); // Wins over "*".
    if (coding == "*") any = !is_refused(parameters);
  }
  return any;
}

http_response page_response(const page_file& file, std::string_view accept_encoding) {
  http_response response;
  response.content_type = file.content_type;
  response.headers.push_back({"cache-control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache"});
  bool packed = !file.gzip_body.empty() && accepts_gzip(accept_encoding);
  if (!file.gzip_body.empty()) response.headers.push_back({"vary", "accept-encoding"});
  if (packed) response.headers.push_back({"content-encoding", "gzip"});
  response.body = packed ? file.gzip_body : file.body;
  return response;
}

} // namespace lucid

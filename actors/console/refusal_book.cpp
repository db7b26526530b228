// actors/console/refusal_book.cpp - rows by kind and source.
#include "actors/console/refusal_book.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace lucid {

namespace {

/// Not through the middle of a character of UTF-8.
std::string_view cut(std::string_view text) {
  auto end = std::min(text.size(), refusal_book::text_bytes_max);
  if (end < text.size())
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

} // namespace

std::uint64_t refusal_book::note(std::string_view kind, std::string_view source, std::string_view what,
                                 unix_time_us at_us) {
  kind = cut(kind), source = cut(source), what = cut(what);
  std::lock_guard guard(mutex_);
  ++total_;
  auto known = std::find_if(rows_.begin(), rows_.end(), [&](const row& r) { return r.kind == kind && r.source == source; });
  if (known != rows_.end()) {
    std::rotate(known, known + 1, rows_.end());
  } else {
    if (rows_.size() >= rows_max) rows_.erase(rows_.begin());
    rows_.push_back({std::string(kind), std::string(source), {}, 0, 0});
  }
  auto& newest = rows_.back();
  newest.what = what;
  newest.at_us = at_us;
  return ++newest.count;
}

std::uint64_t refusal_book::total() const {
  std::lock_guard guard(mutex_);
  return total_;
}

nlohmann::json refusal_book::report() const {
  std::lock_guard guard(mutex_);
  auto list = nlohmann::json::array();
  for (auto each = rows_.rbegin(); each != rows_.rend(); ++each)
    list.push_back({{"at_us", each->at_us},
                    {"kind", each->kind},
                    {"source", each->source},
                    {"what", each->what},
                    {"count", each->count}});
  return list;
}

} // namespace lucid

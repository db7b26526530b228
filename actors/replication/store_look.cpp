// actors/replication/store_look.cpp - page by page, and of known sessions only what is new.
#include "actors/replication/store_look.hpp"

#include <set>
#include <utility>

namespace lucid {
namespace {

constexpr std::uint32_t session_page = 1000;
constexpr std::uint32_t chunk_page = 1000;

bool is_final(const news_mark& news) { return lucid::is_final(static_cast<session_state>(news.state)); }

/// Reads what is new of a session.
outcome<store_look::session_news> read_news(replica_source& source, const session_summary& row, const known_session& known) {
  store_look::session_news news{row.id, {static_cast<std::uint8_t>(row.state), known.news.has_manifest, known.news.has_anchor}, {}};
  for (auto [on, from] : {std::pair(track::video, known.video), std::pair(track::events, known.events)})
    for (;;) {
      auto page = source.chunks(row.id, on, from, chunk_page);
      if (!page) return pass_on(std::move(page));
      news.chunks.insert(news.chunks.end(), page->begin(), page->end());
      from += static_cast<std::uint32_t>(page->size());
      if (page->size() < chunk_page) break;
    }
  // A manifest is there from "anchoring" on, an anchor from its block on: nobody is asked before.
  if (!news.news.has_manifest && row.state >= session_state::storing) {
    auto manifest = source.manifest(row.id);
    if (!manifest) return pass_on(std::move(manifest));
    news.news.has_manifest = manifest->has_value();
  }
  if (!news.news.has_anchor && row.block_height > 0) {
    auto anchor = source.anchor(row.id);
    if (!anchor) return pass_on(std::move(anchor));
    news.news.has_anchor = anchor->has_value();
  }
  return news;
}

} // namespace

known_sessions known_to(const replication_core& core, bool full) {
  known_sessions known;
  for (auto& id : core.sessions()) {
    auto news = *core.news_of(id);
    if (!full && is_final(news)) continue;
    known.emplace(id, known_session{news, core.next_index(id, track::video), core.next_index(id, track::events)});
  }
  return known;
}

outcome<store_look> look_at_store(replica_source& source, const known_sessions& known, bool full) {
  store_look look;
  look.full = full;
  std::set<session_id> seen;
  auto take = [&](const session_summary& row) -> outcome<void> {
    if (!seen.insert(row.id).second) return {};
    auto old = known.find(row.id);
    bool is_done = old != known.end() && is_final(old->second.news) &&
                   old->second.news.state == static_cast<std::uint8_t>(row.state);
    if (is_done) return {};
    auto news = read_news(source, row, old == known.end() ? known_session{} : old->second);
    if (!news) return pass_on(std::move(news));
    look.found.push_back(std::move(*news));
    return {};
  };
  for (std::uint32_t offset = 0;; offset += session_page) {
    auto page = source.sessions({!full, offset, session_page});
    if (!page) return pass_on(std::move(page));
    for (auto& row : *page) {
      if (full) look.all.push_back(row.id);
      if (auto taken = take(row); !taken) return pass_on(std::move(taken));
    }
    if (page->size() < session_page) break;
  }
  if (full) return look;
  // Those that were unfinished and are not any more.
  for (auto& [id, k] : known) {
    if (is_final(k.news) || seen.contains(id)) continue;
    auto row = source.row(id);
    if (!row && row.error().code == errc::not_found) continue; // Removed: the next full look tells.
    if (!row) return pass_on(std::move(row));
    if (auto taken = take(row->summary); !taken) return pass_on(std::move(taken));
  }
  return look;
}

} // namespace lucid

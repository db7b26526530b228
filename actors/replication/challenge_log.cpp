// actors/replication/challenge_log.cpp - rows in and out.
#include "actors/replication/challenge_log.hpp"

#include <array>

namespace lucid {
namespace {

/// Append, never change one.
constexpr std::array<std::string_view, 1> migrations{R"sql(
CREATE TABLE results(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  challenger BLOB NOT NULL, holder BLOB NOT NULL, session BLOB NOT NULL,
  track INTEGER NOT NULL, place INTEGER NOT NULL, block INTEGER NOT NULL,
  nonce BLOB NOT NULL, asked_us INTEGER NOT NULL,
  position INTEGER NOT NULL, answered_us INTEGER NOT NULL, outcome INTEGER NOT NULL,
  leaf BLOB NOT NULL, holder_by BLOB NOT NULL, challenger_by BLOB NOT NULL
) STRICT;
)sql"};

outcome<challenge_result> read(row_reader& r) {
  challenge_result x;
  auto& c = x.what;
  auto number = r.count(0);
  c.challenger = r.fixed<32>(1);
  c.holder = r.fixed<32>(2);
  c.session = r.fixed<32>(3);
  auto on = r.count_as<std::uint8_t>(4);
  if (on >= track_count) r.spoil(4, "a track, 0 or 1");
  c.on = static_cast<track>(on);
  c.index = r.count_as<std::uint32_t>(5);
  c.block_index = r.count_as<std::uint32_t>(6);
  c.nonce = r.fixed<32>(7);
  c.asked_us = r.integer(8);
  x.chunk_position = r.count_as<std::uint32_t>(9);
  x.answered_us = r.integer(10);
  auto result = r.count_as<std::uint8_t>(11);
  if (result < static_cast<int>(challenge_outcome::ok) || result > static_cast<int>(challenge_outcome::late))
    r.spoil(11, "an outcome, 1 to 4");
  x.outcome = static_cast<challenge_outcome>(result);
  x.leaf = r.fixed<32>(12);
  x.holder_by = r.fixed<64>(13);
  x.challenger_by = r.fixed<64>(14);
  auto sound = r.check("results", std::to_string(number));
  if (!sound) return pass_on(std::move(sound));
  return x;
}

} // namespace

outcome<challenge_log> challenge_log::open(const std::filesystem::path& file, std::uint64_t count_max) {
  auto db = database::open(file, migrations);
  if (!db) return pass_on(std::move(db));
  return challenge_log(std::move(*db), count_max);
}

outcome<void> challenge_log::add(const challenge_result& x) {
  auto change = transaction::begin(db_);
  if (!change) return pass_on(std::move(change));
  auto& c = x.what;
  auto row = db_.prepare("INSERT INTO results(challenger, holder, session, track, place, block, nonce, asked_us, position,"
                         " answered_us, outcome, leaf, holder_by, challenger_by) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!row) return pass_on(std::move(row));
  auto done = row->bind(byte_view(c.challenger)).bind(byte_view(c.holder)).bind(byte_view(c.session))
                .bind_count(static_cast<std::uint64_t>(c.on)).bind_count(c.index).bind_count(c.block_index)
                .bind(byte_view(c.nonce)).bind(c.asked_us).bind_count(x.chunk_position).bind(x.answered_us)
                .bind_count(static_cast<std::uint64_t>(x.outcome)).bind(byte_view(x.leaf)).bind(byte_view(x.holder_by))
                .bind(byte_view(x.challenger_by)).run();
  if (!done) return done;
  // Numbers have no gaps: what is that far behind the newest is one too many.
  auto cut = db_.prepare("DELETE FROM results WHERE number <= (SELECT max(number) FROM results) - ?");
  if (!cut) return pass_on(std::move(cut));
  done = cut->bind_count(count_max_).run();
  if (!done) return done;
  return change->commit();
}

outcome<std::vector<challenge_result>> challenge_log::newest(std::uint32_t count) {
  auto query = db_.prepare("SELECT number, challenger, holder, session, track, place, block, nonce, asked_us, position,"
                           " answered_us, outcome, leaf, holder_by, challenger_by FROM results ORDER BY number DESC LIMIT ?");
  if (!query) return pass_on(std::move(query));
  query->bind_count(count);
  std::vector<challenge_result> found;
  for (;;) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return found;
    auto one = read(**row);
    if (!one) return pass_on(std::move(one));
    found.push_back(*one);
  }
}

outcome<std::uint64_t> challenge_log::count() {
  auto query = db_.prepare("SELECT count(*) FROM results");
  if (!query) return pass_on(std::move(query));
  auto row = query->step();
  if (!row) return pass_on(std::move(row));
  return *row ? (*row)->count(0) : 0;
}

} // namespace lucid

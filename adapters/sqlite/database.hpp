// adapters/sqlite/database.hpp - one SQLite file: connection, statement, transaction, versions.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/bytes.hpp"
#include "messages/outcome.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace lucid {

/// One row of a result while it is looked at. Views live until the next step of the statement.
/// Every read is checked: a column of another type, a negative count or a blob of another length is `corrupted`,
/// told once by `check`, so that a row can be read field by field without a branch for each.
class row_reader {
public:
  std::int64_t integer(int column);
  std::uint64_t count(int column);  ///< An integer that is never negative.
  template <class Number>
  Number count_as(int column) {
    auto value = count(column);
    auto narrow = static_cast<Number>(value);
    if (narrow != value) spoil(column, "a number within its range");
    return narrow;
  }
  std::string text(int column, std::size_t size_bytes_max);
  byte_view blob(int column, std::size_t size_bytes_max);
  template <std::size_t N>
  std::array<std::uint8_t, N> fixed(int column) {
    std::array<std::uint8_t, N> value{};
    fixed_into(column, value);
    return value;
  }
  bool is_null(int column) const;
  void spoil(int column, std::string_view expected); ///< Marks the row as damaged: what should have been there.

  /// What was wrong with the row, if anything: `corrupted`, naming `table`, `row` and the column.
  outcome<void> check(std::string_view table, std::string_view row) const;

private:
  friend class statement;
  explicit row_reader(sqlite3_stmt* of) : of_(of) {}
  void fixed_into(int column, std::span<std::uint8_t> into);

  sqlite3_stmt* of_;
  std::string problem_; ///< The first one.
};

/// A prepared statement. Bound in order, stepped, and reset by the destructor of `use`.
/// Threads: as its database.
class statement {
public:
  statement(statement&& other) noexcept;
  statement(const statement&) = delete;
  statement& operator=(const statement&) = delete;
  ~statement();

  /// Binds the next parameter. Texts and blobs must live until the statement is reset.
  statement& bind(std::int64_t value);
  statement& bind_count(std::uint64_t value); ///< Above 2^63 - 1 the statement fails with `limit_exceeded`.
  statement& bind(std::string_view text);
  statement& bind(byte_view blob);

  /// The next row, or none at the end (the statement is then reset and can be bound again).
  outcome<std::optional<row_reader>> step();

  /// Runs a statement that answers no rows.
  outcome<void> run();

  /// Forgets bindings and position.
  void reset();

private:
  friend class database;
  statement(sqlite3* db, sqlite3_stmt* of) : db_(db), of_(of) {}
  sqlite3* db_;
  sqlite3_stmt* of_;
  int next_ = 1;
  int bind_code_ = 0;
};

/// A connection to one database file: WAL, synchronous=FULL (a commit is on disk when it returns), foreign keys on,
/// deleted content overwritten.
///
/// Owns: the connection. Statements must not outlive it.
/// Threads: one at a time.
/// Errors: `disk_full`, `read_only`, `corrupted` (not a database, or a damaged page), `busy` (locked longer than
/// `busy_timeout_ms`), `already_exists` (a key or constraint), `unsupported` (made by a newer version), `io_failed`.
class database {
public:
  /// How long a writer waits for another one. Commits take milliseconds; 5 s is a disk in trouble.
  static constexpr int busy_timeout_ms = 5000;

  /// Opens `file`, creating it if needed, and brings it to the version `migrations.size()`: script `n` (from 0) leads
  /// from version n to n + 1, each in a transaction of its own. A file of a higher version is refused.
  static outcome<database> open(const std::filesystem::path& file, std::span<const std::string_view> migrations);

  /// For looking only, also while another process writes. The version must be exactly `version`, or from `version_min`
  /// up to it.
  static outcome<database> open_read_only(const std::filesystem::path& file, int version);
  static outcome<database> open_read_only(const std::filesystem::path& file, int version, int version_min);

  database(database&& other) noexcept;
  database& operator=(database&& other) noexcept;
  ~database();

  outcome<statement> prepare(std::string_view sql);

  /// Runs statements that take no parameters and answer no rows.
  outcome<void> execute(const std::string& sql);

  /// SQLite's own check of every page and index: its findings, none if all is well. Reads the whole file.
  outcome<std::vector<std::string>> findings();

  /// Moves the write-ahead log into the file and empties it: what was deleted is then nowhere.
  outcome<void> checkpoint();

  const std::filesystem::path& file() const noexcept { return file_; }

  /// Of the file, as the migrations number it.
  outcome<int> version();

private:
  database(sqlite3* db, std::filesystem::path file) : db_(db), file_(std::move(file)) {}
  static outcome<database> connect(const std::filesystem::path& file, int flags, const std::string& uri_options);
  outcome<void> migrate(std::span<const std::string_view> migrations);

  sqlite3* db_ = nullptr;
  std::filesystem::path file_;
};

/// Begins at construction by `begin`, rolls back unless committed. Takes the write lock at once, so that it cannot
/// fail half-way because of another writer.
class transaction {
public:
  static outcome<transaction> begin(database& on);
  transaction(transaction&& other) noexcept : on_(std::exchange(other.on_, nullptr)) {}
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction();

  /// On disk when it returns without an error; rolled back if it returns one.
  outcome<void> commit();

private:
  explicit transaction(database& on) : on_(&on) {}
  database* on_;
};

} // namespace lucid

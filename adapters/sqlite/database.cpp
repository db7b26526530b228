// adapters/sqlite/database.cpp - SQLite's C interface, its codes turned into ours.
#include "adapters/sqlite/database.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace lucid {
namespace {

errc errc_of_sqlite(int code) noexcept {
  switch (code) {
    case SQLITE_IOERR_CORRUPTFS:
    case SQLITE_IOERR_DATA: return errc::corrupted;
    case SQLITE_CANTOPEN_ISDIR:
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_NOTNULL:
    case SQLITE_CONSTRAINT_DATATYPE: return errc::invalid_input;
    case SQLITE_CONSTRAINT_FOREIGNKEY: return errc::not_found;
    case SQLITE_CONSTRAINT_TRIGGER: return errc::wrong_state;
    default: break;
  }
  switch (code & 0xff) { // The low byte is the primary code of an extended one.
    case SQLITE_FULL: return errc::disk_full;
    case SQLITE_READONLY: return errc::read_only;
    case SQLITE_PERM:
    case SQLITE_AUTH: return errc::permission_denied;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return errc::corrupted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return errc::busy;
    case SQLITE_CONSTRAINT: return errc::already_exists;
    case SQLITE_TOOBIG:
    case SQLITE_RANGE: return errc::limit_exceeded;
    case SQLITE_MISUSE: return errc::internal;
    default: return errc::io_failed;
  }
}

/// The code, made sharper by what the system said where SQLite only says that it could not.
errc errc_of_failure(sqlite3* db, int code) noexcept {
  auto primary = code & 0xff;
  if (db && (primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR)) switch (sqlite3_system_errno(db)) {
      case ENOSPC:
      case EDQUOT: return errc::disk_full;
      case EROFS: return errc::read_only;
      case EACCES:
      case EPERM: return errc::permission_denied;
      case ENOENT: return errc::not_found;
      default: break;
    }
  return errc_of_sqlite(code);
}

/// "cannot commit /data/store.db: database or disk is full (SQLite code 13)"
tl::unexpected<error> failed(sqlite3* db, int code, const std::string& doing) {
  const char* file = db ? sqlite3_db_filename(db, "main") : nullptr;
  std::string what = "cannot " + doing;
  if (file && *file) what += std::string(" in ") + file;
  what += std::string(": ") + (db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  what += " (SQLite code " + std::to_string(code) + ")";
  return fail(errc_of_failure(db, code), "sqlite", std::move(what));
}

constexpr int error_of_too_large = SQLITE_TOOBIG;

/// A file name as SQLite reads it in a URI: everything but letters, digits and a few signs is escaped.
std::string uri_of(const std::filesystem::path& file, const std::string& options) {
  static constexpr std::string_view plain = "/-_.~";
  std::string uri = "file:";
  for (char c : std::filesystem::absolute(file).string()) {
    auto byte = static_cast<std::uint8_t>(c);
    bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (letter || plain.find(c) != plain.npos)
      uri += c;
    else
      uri += '%' + to_hex(byte_view(&byte, 1));
  }
  return uri + options;
}

/// SQLite says only "unable to open" of a folder in which it cannot create its log.
outcome<void> check_writable(const std::filesystem::path& folder) {
  auto where = folder.empty() ? std::filesystem::path(".") : folder;
  if (::access(where.c_str(), W_OK) == 0) return {};
  auto number = errno;
  auto code = number == EROFS ? errc::read_only : number == ENOENT ? errc::not_found : errc::permission_denied;
  return fail(code, "sqlite",
              "cannot write in " + where.string() + ": " + std::generic_category().message(number));
}

} // namespace

// --- row_reader ------------------------------------------------------------------------------------------------

void row_reader::spoil(int column, std::string_view expected) {
  if (!problem_.empty()) return;
  const char* name = sqlite3_column_name(of_, column);
  problem_ = std::string("column ") + (name ? name : "?") + " should hold " + std::string(expected);
}

bool row_reader::is_null(int column) const { return sqlite3_column_type(of_, column) == SQLITE_NULL; }

std::int64_t row_reader::integer(int column) {
  if (sqlite3_column_type(of_, column) != SQLITE_INTEGER) {
    spoil(column, "an integer");
    return 0;
  }
  return sqlite3_column_int64(of_, column);
}

std::uint64_t row_reader::count(int column) {
  auto value = integer(column);
  if (value >= 0) return static_cast<std::uint64_t>(value);
  spoil(column, "a number that is not negative");
  return 0;
}

std::string row_reader::text(int column, std::size_t size_bytes_max) {
  if (sqlite3_column_type(of_, column) != SQLITE_TEXT) {
    spoil(column, "text");
    return {};
  }
  auto size = static_cast<std::size_t>(sqlite3_column_bytes(of_, column));
  if (size > size_bytes_max) {
    spoil(column, "at most " + std::to_string(size_bytes_max) + " bytes of text");
    return {};
  }
  return std::string(reinterpret_cast<const char*>(sqlite3_column_text(of_, column)), size);
}

byte_view row_reader::blob(int column, std::size_t size_bytes_max) {
  if (sqlite3_column_type(of_, column) != SQLITE_BLOB) {
    spoil(column, "bytes");
    return {};
  }
  auto size = static_cast<std::size_t>(sqlite3_column_bytes(of_, column));
  if (size > size_bytes_max) {
    spoil(column, "at most " + std::to_string(size_bytes_max) + " bytes");
    return {};
  }
  return {static_cast<const std::uint8_t*>(sqlite3_column_blob(of_, column)), size};
}

void row_reader::fixed_into(int column, std::span<std::uint8_t> into) {
  auto bytes = blob(column, into.size());
  if (bytes.size() == into.size())
    std::copy(bytes.begin(), bytes.end(), into.begin());
  else
    spoil(column, std::to_string(into.size()) + " bytes");
}

outcome<void> row_reader::check(std::string_view table, std::string_view row) const {
  if (problem_.empty()) return {};
  return fail(errc::corrupted, "sqlite",
              "table " + std::string(table) + ", row " + std::string(row) + ": " + problem_);
}

// --- statement -------------------------------------------------------------------------------------------------

statement::statement(statement&& other) noexcept
  : db_(other.db_), of_(std::exchange(other.of_, nullptr)), next_(other.next_), bind_code_(other.bind_code_) {}

statement::~statement() { sqlite3_finalize(of_); }

statement& statement::bind(std::int64_t value) {
  if (auto code = sqlite3_bind_int64(of_, next_++, value); code != SQLITE_OK) bind_code_ = code;
  return *this;
}

statement& statement::bind_count(std::uint64_t value) {
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) bind_code_ = error_of_too_large;
  return bind(static_cast<std::int64_t>(value));
}

statement& statement::bind(std::string_view text) {
  // A null pointer would bind NULL; an empty text is a text.
  auto* from = text.data() ? text.data() : "";
  if (auto code = sqlite3_bind_text64(of_, next_++, from, text.size(), SQLITE_STATIC, SQLITE_UTF8);
      code != SQLITE_OK)
    bind_code_ = code;
  return *this;
}

statement& statement::bind(byte_view blob) {
  auto code = blob.empty() ? sqlite3_bind_zeroblob(of_, next_++, 0)
                           : sqlite3_bind_blob64(of_, next_++, blob.data(), blob.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) bind_code_ = code;
  return *this;
}

void statement::reset() {
  sqlite3_reset(of_);
  sqlite3_clear_bindings(of_);
  next_ = 1;
  bind_code_ = SQLITE_OK;
}

outcome<std::optional<row_reader>> statement::step() {
  if (bind_code_ != SQLITE_OK) {
    auto code = std::exchange(bind_code_, SQLITE_OK);
    std::string sql = sqlite3_sql(of_);
    reset();
    return fail(errc_of_sqlite(code), "sqlite",
                std::string("a value does not fit a column (") + sqlite3_errstr(code) + "): " + sql);
  }
  auto code = sqlite3_step(of_);
  if (code == SQLITE_ROW) return std::optional<row_reader>(row_reader(of_));
  if (code == SQLITE_DONE) {
    reset();
    return std::optional<row_reader>();
  }
  code = sqlite3_extended_errcode(db_);
  auto problem = failed(db_, code, std::string("run \"") + sqlite3_sql(of_) + '"');
  reset();
  return problem;
}

outcome<void> statement::run() {
  auto row = step();
  if (!row) return pass_on(std::move(row));
  if (*row) reset();
  return {};
}

// --- database --------------------------------------------------------------------------------------------------

database::database(database&& other) noexcept
  : db_(std::exchange(other.db_, nullptr)), file_(std::move(other.file_)) {}

database& database::operator=(database&& other) noexcept {
  std::swap(db_, other.db_);
  std::swap(file_, other.file_);
  return *this;
}

database::~database() { sqlite3_close_v2(db_); }

outcome<database> database::connect(const std::filesystem::path& file, int flags, const std::string& uri_options) {
  // SQLite would make it readable for all; its log and index files take over the mode of the database.
  if ((flags & SQLITE_OPEN_CREATE) != 0)
    if (int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); fd >= 0) ::close(fd);
  sqlite3* db = nullptr;
  auto code = sqlite3_open_v2(uri_of(file, uri_options).c_str(), &db,
                              flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  database opened(db, file);
  if (code != SQLITE_OK) return failed(db, code, "open " + file.string());
  sqlite3_busy_timeout(db, busy_timeout_ms);
  // The file may come from elsewhere: no functions or virtual tables of its schema run, and sizes stay ours.
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 256 << 20); // A manifest of 2^20 chunks is under 256 MiB.
  return opened;
}

outcome<database> database::open(const std::filesystem::path& file, std::span<const std::string_view> migrations) {
  auto writable = check_writable(file.parent_path());
  if (!writable) return pass_on(std::move(writable));
  auto opened = connect(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "");
  if (!opened) return opened;
  auto ready = opened->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                               "PRAGMA secure_delete=ON; PRAGMA cell_size_check=ON;");
  if (!ready) return pass_on(std::move(ready));
  auto migrated = opened->migrate(migrations);
  if (!migrated) return pass_on(std::move(migrated));
  return opened;
}

outcome<database> database::open_read_only(const std::filesystem::path& file, int version) {
  return open_read_only(file, version, version);
}

outcome<database> database::open_read_only(const std::filesystem::path& file, int version, int version_min) {
  auto opened = connect(file, SQLITE_OPEN_READONLY, "");
  auto found = opened ? opened->version() : pass_on(std::move(opened));
  auto log = file;
  log += "-wal";
  if (!found && !std::filesystem::exists(log) && std::filesystem::exists(file)) {
    // Without a log nobody writes, and in a folder that cannot be written none can be made: read the file as it is.
    opened = connect(file, SQLITE_OPEN_READONLY, "?immutable=1");
    if (!opened) return opened;
    found = opened->version();
  }
  if (!found) return pass_on(std::move(found));
  if (*found > version || *found < version_min)
    return fail(errc::unsupported, "sqlite",
                file.string() + " is of version " + std::to_string(*found) + ", this program reads version " +
                  std::to_string(version));
  return opened;
}

outcome<statement> database::prepare(std::string_view sql) {
  sqlite3_stmt* made = nullptr;
  auto code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &made,
                                 nullptr);
  if (code != SQLITE_OK) return failed(db_, code, "prepare \"" + std::string(sql) + '"');
  return statement(db_, made);
}

outcome<void> database::execute(const std::string& sql) {
  auto code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(db_, code, "run \"" + sql.substr(0, 60) + '"');
  return {};
}

outcome<int> database::version() {
  auto query = prepare("PRAGMA user_version");
  if (!query) return pass_on(std::move(query));
  auto row = query->step();
  if (!row) return pass_on(std::move(row));
  return *row ? static_cast<int>((*row)->integer(0)) : 0;
}

outcome<void> database::migrate(std::span<const std::string_view> migrations) {
  auto now = version();
  if (!now) return pass_on(std::move(now));
  auto known = static_cast<int>(migrations.size());
  if (*now < 0 || *now > known)
    return fail(errc::unsupported, "sqlite",
                file_.string() + " is of version " + std::to_string(*now) + ", this program knows versions up to " +
                  std::to_string(known));
  for (int step = *now; step < known; ++step) {
    auto change = transaction::begin(*this);
    if (!change) return pass_on(std::move(change));
    auto done = execute(std::string(migrations[static_cast<std::size_t>(step)]));
    if (done) done = execute("PRAGMA user_version=" + std::to_string(step + 1));
    if (done) done = change->commit();
    if (!done) return done;
  }
  return {};
}

outcome<std::vector<std::string>> database::findings() {
  auto query = prepare("PRAGMA integrity_check(100)"); // The first hundred tell the story.
  if (!query) return pass_on(std::move(query));
  std::vector<std::string> found;
  for (;;) {
    auto row = query->step();
    if (!row) return pass_on(std::move(row));
    if (!*row) return found;
    auto line = (*row)->text(0, 4096);
    if (line != "ok") found.push_back(std::move(line));
  }
}

outcome<void> database::checkpoint() { return execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

// --- transaction -----------------------------------------------------------------------------------------------

outcome<transaction> transaction::begin(database& on) {
  auto begun = on.execute("BEGIN IMMEDIATE");
  if (!begun) return pass_on(std::move(begun));
  return transaction(on);
}

transaction::~transaction() {
  // Nothing to report to: without COMMIT the changes are not there, whether or not this succeeds.
  if (on_) (void)on_->execute("ROLLBACK");
}

outcome<void> transaction::commit() {
  auto done = on_->execute("COMMIT");
  if (done) on_ = nullptr; // Else the destructor rolls back.
  return done;
}

} // namespace lucid

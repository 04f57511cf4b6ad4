#include "common/sqlite/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "common/check.h"
#include "common/sqlite/late_sync.h"
#include "common/sqlite/sync_count.h"

namespace meridian::sqlite {
namespace {

// Throws for failures of the environment, aborts on our own bugs.
[[noreturn]] void fail(sqlite3* db, int code, const char* doing) {
  MERIDIAN_CHECK(code != SQLITE_MISUSE && code != SQLITE_RANGE);
  int extended = db != nullptr ? sqlite3_extended_errcode(db) : code;
  if ((extended & 0xff) != (code & 0xff)) extended = code;
  std::string what = std::string("sqlite: ") + doing + ": " + sqlite3_errstr(code);
  if (db != nullptr) what += std::string(" (") + sqlite3_errmsg(db) + ")";
  throw SqliteError(extended, what);
}

int size_of(std::size_t size) {
  MERIDIAN_CHECK(size <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  return static_cast<int>(size);
}

int on_wal(void* frames, sqlite3*, const char*, int pages) {
  *static_cast<int*>(frames) = pages;
  return SQLITE_OK;
}

}  // namespace

bool SqliteError::is_full() const { return code() == SQLITE_FULL; }
bool SqliteError::is_damage() const {
  return code() == SQLITE_CORRUPT || code() == SQLITE_NOTADB;
}

void damaged(const std::string& what) {
  throw SqliteError(SQLITE_CORRUPT, "the database file is damaged: " + what + " cannot be read");
}

bool SqliteError::is_busy() const { return code() == SQLITE_BUSY || code() == SQLITE_LOCKED; }

Database::Database(const std::string& path, const OpenOptions& options) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (options.mode) {
    case OpenMode::read_only: flags |= SQLITE_OPEN_READONLY; break;
    case OpenMode::read_write: flags |= SQLITE_OPEN_READWRITE; break;
    case OpenMode::create: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE; break;
  }
  const char* vfs = options.vfs.empty() ? counting_vfs() : options.vfs.c_str();
  int code = sqlite3_open_v2(path.c_str(), &handle_, flags, vfs);
  if (code != SQLITE_OK) {
    std::string what = "sqlite: open " + path + ": " +
                       (handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code));
    sqlite3_close_v2(handle_);
    throw SqliteError(code, what);
  }
  sqlite3_busy_timeout(handle_, options.busy_timeout_ms);
}

Database::~Database() {
  // Statements that are still alive would leave a zombie connection: a bug in the order of members.
  int code = sqlite3_close(handle_);
  MERIDIAN_CHECK(code != SQLITE_BUSY);
}

void Database::execute(const std::string& sql) {
  int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(handle_, code, "execute");
}

std::optional<std::int64_t> Database::query_int64(const std::string& sql) {
  Statement statement(*this, sql);
  Query row = statement.run();
  if (!row.step() || row.is_null(0)) return std::nullopt;
  return row.int64(0);
}

std::optional<std::string> Database::query_text(const std::string& sql) {
  Statement statement(*this, sql);
  Query row = statement.run();
  if (!row.step() || row.is_null(0)) return std::nullopt;
  return std::string(row.text(0));
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
std::int64_t Database::last_insert_rowid() const { return sqlite3_last_insert_rowid(handle_); }
std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }
std::int64_t Database::total_changes() const { return sqlite3_total_changes64(handle_); }

void Database::take_over_checkpoints() {
  sqlite3_wal_hook(handle_, on_wal, &wal_frames_);  // replaces the automatic checkpoint's own hook
}

bool Database::checkpoint_passive() {
  int frames = -1;
  int copied = -1;
  int code =
      sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
  if (code == SQLITE_BUSY) return false;
  if (code != SQLITE_OK) fail(handle_, code, "checkpoint");
  return frames == copied;
}

bool Database::checkpoint_passive_late() {
  MERIDIAN_CHECK(late_sync_ != nullptr);
  late_sync_->allow(true);
  try {
    bool whole = checkpoint_passive();
    late_sync_->allow(false);
    return whole;
  } catch (...) {
    late_sync_->allow(false);
    throw;
  }
}

void Database::sync_copies_late(std::function<void(std::function<void()>)> runner) {
  MERIDIAN_CHECK(late_sync_ == nullptr);
  late_sync_ = std::make_unique<LateSync>(handle_, std::move(runner));
}

void Database::rewrite_wal() {
  sqlite3_file* wal = nullptr;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
  if (wal == nullptr || wal->pMethods == nullptr) return;
  sqlite3_int64 size = 0;
  int code = wal->pMethods->xFileSize(wal, &size);
  std::string bytes(std::size_t{1} << 16, '\0');
  for (sqlite3_int64 at = 0; at < size && code == SQLITE_OK;) {
    int piece = static_cast<int>(std::min<sqlite3_int64>(size - at, size_of(bytes.size())));
    code = wal->pMethods->xRead(wal, bytes.data(), piece, at);
    if (code == SQLITE_OK) code = wal->pMethods->xWrite(wal, bytes.data(), piece, at);
    at += piece;
  }
  if (code == SQLITE_OK && size > 0) code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
  if (code != SQLITE_OK) fail(nullptr, code, "rewrite the WAL");
}

void Database::checkpoint_truncate() {
  int code =
      sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) fail(handle_, code, "checkpoint");
}

Statement::Statement(Database& db, const std::string& sql) {
  int code = sqlite3_prepare_v3(db.handle(), sql.data(), size_of(sql.size()),
                                SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code != SQLITE_OK) fail(db.handle(), code, sql.c_str());
  MERIDIAN_CHECK(handle_ != nullptr);
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement::Statement(Statement&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), running_(other.running_) {
  MERIDIAN_CHECK(!running_);
}

Statement& Statement::operator=(Statement&& other) noexcept {
  MERIDIAN_CHECK(!running_ && !other.running_);
  std::swap(handle_, other.handle_);
  return *this;
}

void Statement::bind(int at, std::int64_t value) {
  int code = sqlite3_bind_int64(handle_, at, value);
  if (code != SQLITE_OK) fail(sqlite3_db_handle(handle_), code, "bind");
}

void Statement::bind(int at, BytesView value) {
  // A null pointer would bind NULL; an empty blob is a value.
  const char* data = value.data() != nullptr ? value.data() : "";
  int code = sqlite3_bind_blob(handle_, at, data, size_of(value.size()), SQLITE_STATIC);
  if (code != SQLITE_OK) fail(sqlite3_db_handle(handle_), code, "bind");
}

void Statement::bind(int at, Text value) {
  const char* data = value.text.data() != nullptr ? value.text.data() : "";
  int code = sqlite3_bind_text(handle_, at, data, size_of(value.text.size()), SQLITE_STATIC);
  if (code != SQLITE_OK) fail(sqlite3_db_handle(handle_), code, "bind");
}

void Statement::bind(int at, std::nullptr_t) {
  int code = sqlite3_bind_null(handle_, at);
  if (code != SQLITE_OK) fail(sqlite3_db_handle(handle_), code, "bind");
}

bool Statement::step() {
  running_ = true;
  int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  fail(sqlite3_db_handle(handle_), code, sqlite3_sql(handle_));
}

void Statement::reset() noexcept {
  // What step() failed with was thrown already; reset() only says it again.
  sqlite3_reset(handle_);
  running_ = false;
}

std::int64_t Query::int64(int column) const {
  return sqlite3_column_int64(statement_->handle_, column);
}

BytesView Query::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_->handle_, column);
  int size = sqlite3_column_bytes(statement_->handle_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

std::string_view Query::text(int column) const {
  const unsigned char* data = sqlite3_column_text(statement_->handle_, column);
  int size = sqlite3_column_bytes(statement_->handle_, column);
  if (data == nullptr) return {};
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_->handle_, column) == SQLITE_NULL;
}

Transaction::Transaction(Database& db) : db_(db) { db_.execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() { rollback(); }

void Transaction::commit() {
  MERIDIAN_CHECK(open_);
  db_.execute("COMMIT");
  open_ = false;
}

void Transaction::rollback() noexcept {
  if (!open_) return;
  open_ = false;
  // Some failures have rolled back already; a failing ROLLBACK leaves the same state.
  if (db_.in_transaction()) sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace meridian::sqlite

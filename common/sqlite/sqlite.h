// A thin owner of SQLite handles: Database, Statement, Query, Transaction.
//
//   Database db(path, {});
//   Statement insert(db, "INSERT INTO t(key, value) VALUES(?1, ?2)");
//   insert.execute(BytesView(key), std::int64_t{7});
//   Statement select(db, "SELECT value FROM t WHERE key = ?1");
//   if (Query row = select.run(BytesView(key)); row.step()) use(row.int64(0));
//
// Binding: std::int64_t (and narrower integers), std::uint64_t (kept as the same 64 bits), BytesView
// (a blob), Text, nullptr, and std::optional of a view.  Bytes are not copied: what is bound must
// stay valid until the Query is gone (for execute(): during the call).
//
// Threads: a Database and its statements belong to one thread at a time.
// Owns: the connection; a Statement must not outlive its Database, nor a Query its Statement.
// Errors: SqliteError with SQLite's code when the environment fails (disk full, I/O error, busy, not a
// database) or a table is gone; SQLITE_MISUSE aborts, because it is a bug of ours.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "common/bytes.h"

struct sqlite3;
struct sqlite3_stmt;

namespace meridian::sqlite {

class LateSync;

class SqliteError : public std::runtime_error {
 public:
  SqliteError(int extended_code, const std::string& what)
      : std::runtime_error(what), extended_code_(extended_code) {}
  [[nodiscard]] int extended_code() const { return extended_code_; }
  [[nodiscard]] int code() const { return extended_code_ & 0xff; }
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] bool is_busy() const;
  // The file is not what was written: damaged, or no database at all.
  [[nodiscard]] bool is_damage() const;

 private:
  int extended_code_;
};

// Throws the error of a damaged file: `what` was read, and nobody can have written it so.
[[noreturn]] void damaged(const std::string& what);

enum class OpenMode { read_only, read_write, create };

struct OpenOptions {
  OpenMode mode = OpenMode::create;
  std::string vfs = {};     // empty for the default one, with syncs counted (sync_count.h)
  int busy_timeout_ms = 0;  // how long to wait for another connection's lock
};

// A string bound as TEXT; a plain BytesView is bound as a BLOB.
struct Text {
  std::string_view text;
};

class Database {
 public:
  Database(const std::string& path, const OpenOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs any number of statements and ignores their rows.
  void execute(const std::string& sql);
  // First column of the first row; empty when there is no row or it is NULL.
  std::optional<std::int64_t> query_int64(const std::string& sql);
  std::optional<std::string> query_text(const std::string& sql);

  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] std::int64_t last_insert_rowid() const;
  // Rows changed by the last statement.
  [[nodiscard]] std::int64_t changes() const;
  // Rows inserted, updated or deleted since the connection was opened.
  [[nodiscard]] std::int64_t total_changes() const;

  // Turns automatic WAL checkpoints off and counts the frames in the WAL after every commit.
  void take_over_checkpoints();
  [[nodiscard]] int wal_frames() const { return wal_frames_; }
  // Copies what it can without waiting for anyone.  Answers whether the whole WAL was copied, so that
  // the next write starts it anew.
  bool checkpoint_passive();
  // The same, but the copy's sync is left to the runner given to sync_copies_late(); until it is made,
  // commits are appended to the WAL.
  bool checkpoint_passive_late();
  void sync_copies_late(std::function<void(std::function<void()>)> runner);
  // Null before sync_copies_late().
  [[nodiscard]] const LateSync* late_sync() const { return late_sync_.get(); }
  // Writes the WAL's bytes again where they are, and syncs them: what is read from it is then on the
  // disk, even if an earlier sync failed.
  void rewrite_wal();
  // Copies the whole WAL, syncs, and empties it.  Waits for readers as long as for other locks.
  void checkpoint_truncate();

  [[nodiscard]] sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
  int wal_frames_ = 0;
  std::unique_ptr<LateSync> late_sync_;
};

class Query;

class Statement {
 public:
  Statement(Database& db, const std::string& sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Binds all parameters in order; the rows come from the Query, which resets on destruction.
  template <typename... Args>
  [[nodiscard]] Query run(const Args&... args);
  // Binds, runs to the end and resets; for statements without rows.
  template <typename... Args>
  void execute(const Args&... args);

 private:
  friend class Query;
  void bind(int at, std::int64_t value);
  void bind(int at, std::uint64_t value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, int value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, unsigned value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, std::uint16_t value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, bool value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, long long value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, BytesView value);
  void bind(int at, const Bytes& value) { bind(at, BytesView(value)); }
  void bind(int at, Text value);
  void bind(int at, std::nullptr_t);
  template <typename T>
  void bind(int at, const std::optional<T>& value) {
    if (value) {
      bind(at, *value);
    } else {
      bind(at, nullptr);
    }
  }
  // A bare C string could mean either kind.
  void bind(int at, const char* value) = delete;

  bool step();
  void reset() noexcept;

  sqlite3_stmt* handle_ = nullptr;
  bool running_ = false;
};

// One run of a statement.  Column views are valid until the next step() or the end of the Query.
class Query {
 public:
  explicit Query(Statement& statement) : statement_(&statement) {}
  ~Query() {
    if (statement_ != nullptr) statement_->reset();
  }
  Query(Query&& other) noexcept : statement_(other.statement_) { other.statement_ = nullptr; }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  Query& operator=(Query&&) = delete;

  // True when there is a row.
  [[nodiscard]] bool step() { return statement_->step(); }

  [[nodiscard]] std::int64_t int64(int column) const;
  [[nodiscard]] std::uint64_t uint64(int column) const {
    return static_cast<std::uint64_t>(int64(column));
  }
  [[nodiscard]] BytesView blob(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  // Empty for NULL.
  [[nodiscard]] std::optional<BytesView> maybe_blob(int column) const {
    if (is_null(column)) return std::nullopt;
    return blob(column);
  }

 private:
  Statement* statement_;
};

template <typename... Args>
Query Statement::run(const Args&... args) {
  Query query(*this);
  int at = 0;
  (bind(++at, args), ...);
  return query;
}

template <typename... Args>
void Statement::execute(const Args&... args) {
  Query query = run(args...);
  while (query.step()) {
  }
}

// BEGIN IMMEDIATE now; ROLLBACK at the end of the scope unless committed.
class Transaction {
 public:
  explicit Transaction(Database& db);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();
  void rollback() noexcept;

 private:
  Database& db_;
  bool open_ = true;
};

}  // namespace meridian::sqlite

// The SQL of SqliteReader, prepared at first use, and the read transaction that it runs in.
//
// Threads, ownership: as the reader's.  Private to reader.cc and reader_ledger.cc.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "common/sqlite/sqlite.h"
#include "region-node/store/columns.h"
#include "region-node/store/reader.h"
#include "region-node/store/schema.h"

namespace meridian::store {

struct SqliteReader::Meta {
  sqlite::Statement begin;
  sqlite::Statement end;
  sqlite::Statement flow;
  sqlite::Statement flows;
  sqlite::Statement stats;
  sqlite::Statement parked;
  sqlite::Statement parked_of_key;
  sqlite::Statement parked_stats;
  sqlite::Statement log_shard;
  sqlite::Statement history;
  sqlite::Statement acknowledgement;
  sqlite::Statement cursor;
  sqlite::Statement watermarks;
  sqlite::Statement barrier;
  sqlite::Statement collected;

  explicit Meta(sqlite::Database& db)
      : begin(db, "BEGIN"),
        end(db, "ROLLBACK"),
        flow(db, "SELECT start, seq FROM flows WHERE number = ?1 AND source = ?2 AND shard = ?3"),
        flows(db, "SELECT source, shard, start, seq FROM flows WHERE number = ?1"),
        stats(db, "SELECT items, item_bytes, tombstones FROM tables WHERE number = ?1"),
        parked(db, std::string("SELECT ") + kParkedColumns +
                       " FROM parked WHERE number = ?1 AND id > ?2 ORDER BY id LIMIT ?3"),
        parked_of_key(db, std::string("SELECT ") + kParkedColumns +
                              " FROM parked WHERE number = ?1 AND key = ?2"
                              " ORDER BY version LIMIT ?3"),
        parked_stats(db, "SELECT count(*), min(committed_us) FROM parked WHERE number = ?1"),
        log_shard(db,
                  "SELECT trimmed_to, trimmed_records, trimmed_bytes, origin FROM log_shards"
                  " WHERE number = ?1 AND shard = ?2"),
        history(db,
                "SELECT first_seq, start FROM history WHERE number = ?1 AND shard = ?2"
                " ORDER BY first_seq"),
        acknowledgement(db,
                        "SELECT start, seq FROM acknowledgements"
                        " WHERE number = ?1 AND sink = ?2 AND shard = ?3"),
        cursor(db, "SELECT value FROM cursors WHERE number = ?1 AND name = ?2"),
        watermarks(db, "SELECT origin, hlc FROM watermarks WHERE number = ?1"),
        barrier(db, std::string("SELECT value FROM meta WHERE name = '") + kBarrierName + "'"),
        collected(db, "SELECT hlc FROM collections WHERE number = ?1") {}

  // A read transaction that has failed already may be closed; there is nothing to lose.
  void rollback() noexcept {
    try {
      end.execute();
    } catch (const sqlite::SqliteError&) {
    }
  }
};

struct SqliteReader::ShardStatements {
  sqlite::Statement last;
  sqlite::Statement counts;
  sqlite::Statement committed;
  sqlite::Statement overwritten_image;
  sqlite::Statement read_log;
  sqlite::Statement read_stream;

  ShardStatements(sqlite::Database& db, std::int64_t number, ShardId shard)
      : last(db, "SELECT seq, local_records, local_bytes FROM " + log_table(number, shard) +
                     " ORDER BY seq DESC LIMIT 1"),
        counts(db, "SELECT local_records, local_bytes FROM " + log_table(number, shard) +
                       " WHERE seq = ?1"),
        committed(db, "SELECT committed_us FROM " + log_table(number, shard) + " WHERE seq = ?1"),
        overwritten_image(db, "SELECT old_image FROM " + log_table(number, shard) +
                                  " WHERE seq = (SELECT by FROM " + next_table(number, shard) +
                                  " WHERE seq = ?1)"),
        read_log(db, "SELECT seq, key, version, parent, context, committed_us, kind, flags FROM " +
                         log_table(number, shard) + " WHERE seq > ?1 ORDER BY seq"),
        read_stream(db,
                    "SELECT seq, key, version, parent, context, committed_us, kind, flags,"
                    " old_image FROM " +
                        log_table(number, shard) + " WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq") {}
};

struct SqliteReader::TableStatements {
  sqlite::Statement get;
  sqlite::Statement get_row;
  sqlite::Statement scan_rows;
  sqlite::Statement visit_span;
  sqlite::Statement visit_rest;
  sqlite::Statement image_written_by;
  std::array<std::unique_ptr<ShardStatements>, kShardsMax> shards;

  TableStatements(sqlite::Database& db, std::int64_t number)
      : get(db, "SELECT image FROM " + item_table(number) + " WHERE key = ?1"),
        get_row(db, "SELECT key, version, context, image FROM " + item_table(number) +
                        " WHERE key = ?1"),
        scan_rows(db, "SELECT key, version, context, image FROM " + item_table(number) +
                          " WHERE key > ?1 ORDER BY key LIMIT ?2"),
        visit_span(db, "SELECT key, version, image FROM " + item_table(number) +
                           " WHERE key > ?1 AND key <= ?2 ORDER BY key"),
        visit_rest(db, "SELECT key, version, image FROM " + item_table(number) +
                           " WHERE key > ?1 ORDER BY key"),
        image_written_by(
            db, "SELECT image FROM " + item_table(number) + " WHERE key = ?1 AND seq = ?2"),
        db_(db),
        number_(number) {}

  sqlite::Statement& scan(Direction direction, bool bounded) {
    bool descending = direction == Direction::descending;
    auto& slot = scans_[(descending ? 2U : 0U) + (bounded ? 1U : 0U)];
    if (!slot) {
      slot.emplace(db_, "SELECT key, image FROM " + item_table(number_) + " WHERE key >= ?1" +
                            (bounded ? " AND key < ?2" : "") +
                            " AND image IS NOT NULL ORDER BY key" + (descending ? " DESC" : ""));
    }
    return *slot;
  }

 private:
  sqlite::Database& db_;
  std::int64_t number_;
  std::array<std::optional<sqlite::Statement>, 4> scans_;
};

// One read transaction: every statement in it sees the same commit.
class SqliteReader::Snapshot {
 public:
  explicit Snapshot(Meta& meta) : meta_(meta) { meta_.begin.execute(); }
  ~Snapshot() { meta_.rollback(); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Meta& meta_;
};

inline constexpr int kNoSuchTable = 1;  // SQLITE_ERROR: for a reader, a table that is gone

template <typename Body>
bool SqliteReader::read(const TableId& table, Body body) {
  auto found = find(table);
  if (!found) return false;
  try {
    Snapshot snapshot(*meta_);
    body(*found);
    return true;
  } catch (const sqlite::SqliteError& error) {
    if (error.is_damage()) shared_->report_damage(error.what());
    auto now = find(table);
    bool dropped = !now || now->number != found->number;
    if (error.code() != kNoSuchTable || !dropped) throw;
    tables_.erase(found->number);
    return false;
  }
}

}  // namespace meridian::store

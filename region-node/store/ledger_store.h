// LedgerStore: the conflict ledger on the file.
//
// Costs nothing where there is no conflict: which entries could be withdrawn is known in memory.
// Threads: the engine's, inside its transaction.  Borrows: the connection.
// Invariants: memory mirrors the open transaction; after a rollback, load() again.
// Errors: sqlite::SqliteError.
// Limits: entries_max and bytes_max of all tables together; past them the oldest losers are dropped and
// counted.
// Source: conflict/ledger.h; layout in schema.h.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "common/sqlite/sqlite.h"
#include "conflict/ledger.h"
#include "region-node/store/state.h"
#include "region-node/store/store_options.h"

namespace meridian::store {

class LedgerStore {
 public:
  // One side of a conflict, as views.
  struct Side {
    const conflict::Version& version;
    BytesView context;
    std::int64_t committed_us = 0;
    std::optional<BytesView> image;
  };

  LedgerStore(sqlite::Database& db, const StoreOptions& options);

  void load();
  // Begins a table's ledger: complete for what is written here later than `after`.
  void begin_table(std::int64_t number, conflict::Hlc after);
  // The region has forgotten what it listed of its own writes up to `until`: others' lists count there.
  void forget_until(const TableState& table, conflict::Hlc until);

  // Answers whether it was not listed before.
  bool list(const TableState& table, BytesView key, const Side& loser, const Side& winner,
            std::int64_t now_us);
  // Takes back this region's own `version`, if it is listed; quick when it is not.
  void withdraw(const TableState& table, BytesView key, const conflict::Version& version);
  // Deletes up to `rows_max` entries of a table that is gone; answers how many.
  std::size_t purge(std::int64_t number, std::size_t rows_max);
  void forget_table(std::int64_t number);

  struct Figures {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    std::uint64_t dropped = 0;  // of the tables that are here
  };
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  enum class Change { come, gone };
  void count(std::int64_t number, Change change, std::uint64_t bytes);
  void keep_within_limits();

  sqlite::Database& db_;
  const RegionId region_;
  const std::uint64_t entries_max_;
  const std::uint64_t bytes_max_;
  sqlite::Statement list_;
  sqlite::Statement count_;
  sqlite::Statement withdraw_;
  sqlite::Statement take_oldest_;
  sqlite::Statement count_dropped_;
  sqlite::Statement forget_until_;
  Figures figures_;
  std::unordered_set<std::uint64_t> own_;  // hashes of this region's own losers
};

}  // namespace meridian::store

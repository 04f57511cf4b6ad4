#include "region-node/store/ledger_store.h"

#include "conflict/no_ledger.h"
#include "region-node/store/columns.h"

namespace meridian::store {
namespace {

using sqlite::Query;
using sqlite::Statement;

// What an entry takes besides its keys, contexts and images.
constexpr std::uint64_t kEntryBytes = 200;

std::uint64_t mark_of(std::int64_t number, BytesView key, const conflict::Version& version) {
  constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15ULL;
  return (hash64(key) ^ version.hlc.value) * kMix + static_cast<std::uint64_t>(number);
}

}  // namespace

LedgerStore::LedgerStore(sqlite::Database& db, const StoreOptions& options)
    : db_(db),
      region_(options.region),
      entries_max_(options.ledger_entries_max),
      bytes_max_(options.ledger_bytes_max),
      list_(db,
            "INSERT OR IGNORE INTO conflicts(number, key, version, context, committed_us,"
            " winner, winner_context, winner_committed_us, listed_us, bytes, image,"
            " winner_image)"
            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"),
      count_(db,
             "UPDATE ledgers SET entries = entries + ?2, bytes = bytes + ?3 WHERE number = ?1"),
      withdraw_(db,
                "DELETE FROM conflicts WHERE number = ?1 AND key = ?2 AND version = ?3"
                " RETURNING bytes"),
      take_oldest_(db,
                   "DELETE FROM conflicts WHERE id ="
                   " (SELECT id FROM conflicts ORDER BY version LIMIT 1)"
                   " RETURNING number, key, version, bytes"),
      count_dropped_(db,
                     "UPDATE ledgers SET dropped = dropped + 1,"
                     " complete_after = max(complete_after, ?2) WHERE number = ?1"),
      forget_until_(db,
                    "UPDATE ledgers SET complete_after = max(complete_after, ?2)"
                    " WHERE number = ?1") {}

void LedgerStore::load() {
  figures_ = {};
  own_.clear();
  Statement select(db_, "SELECT number, key, version FROM conflicts");
  for (Query row = select.run(); row.step();) {
    conflict::Version version = version_at(row, 2);
    if (version.region == region_) own_.insert(mark_of(row.int64(0), row.blob(1), version));
  }
  Statement sum(db_, "SELECT entries, bytes, dropped FROM ledgers");
  for (Query row = sum.run(); row.step();) {
    figures_.entries += row.uint64(0);
    figures_.bytes += row.uint64(1);
    figures_.dropped += row.uint64(2);
  }
}

void LedgerStore::begin_table(std::int64_t number, conflict::Hlc after) {
  Statement insert(db_,
                   "INSERT INTO ledgers(number, complete_after, entries, bytes, dropped)"
                   " VALUES(?1, ?2, 0, 0, 0)");
  insert.execute(number, entries_max_ > 0 ? after.value : conflict::kNoLedger.value);
}

void LedgerStore::forget_until(const TableState& table, conflict::Hlc until) {
  forget_until_.execute(table.number, until.value);
}

// Counts an entry that has come or gone.
void LedgerStore::count(std::int64_t number, Change change, std::uint64_t bytes) {
  std::int64_t sign = change == Change::come ? 1 : -1;
  count_.execute(number, sign, sign * static_cast<std::int64_t>(bytes));
  figures_.entries += static_cast<std::uint64_t>(sign);
  figures_.bytes += static_cast<std::uint64_t>(sign) * bytes;
}

bool LedgerStore::list(const TableState& table, BytesView key, const Side& loser,
                       const Side& winner, std::int64_t now_us) {
  std::uint64_t bytes = kEntryBytes + key.size() + loser.context.size() + winner.context.size() +
                        (loser.image ? loser.image->size() : 0) +
                        (winner.image ? winner.image->size() : 0);
  list_.execute(table.number, key, conflict::encode_version(loser.version), loser.context,
                 loser.committed_us, conflict::encode_version(winner.version), winner.context,
                 winner.committed_us, now_us, bytes, loser.image, winner.image);
  if (db_.changes() == 0) return false;
  count(table.number, Change::come, bytes);
  if (loser.version.region == region_) own_.insert(mark_of(table.number, key, loser.version));
  keep_within_limits();
  return true;
}

void LedgerStore::withdraw(const TableState& table, BytesView key,
                           const conflict::Version& version) {
  if (own_.empty()) return;
  auto mark = own_.find(mark_of(table.number, key, version));
  if (mark == own_.end()) return;
  std::uint64_t bytes = 0;
  bool found = false;
  const Bytes encoded = conflict::encode_version(version);
  for (Query row = withdraw_.run(table.number, key, encoded); row.step();) {
    found = true;
    bytes = row.uint64(0);
  }
  if (!found) return;  // another entry's mark
  own_.erase(mark);
  count(table.number, Change::gone, bytes);
}

// Drops the oldest losers of all tables: what descends from a loser is newer than it, so that it is
// there for as long.
void LedgerStore::keep_within_limits() {
  while (figures_.entries > entries_max_ || figures_.bytes > bytes_max_) {
    std::int64_t number = 0;
    conflict::Version version;
    std::uint64_t bytes = 0;
    {
      Query row = take_oldest_.run();
      if (!row.step()) sqlite::damaged("the counts of the conflict ledger");
      number = row.int64(0);
      version = version_at(row, 2);
      bytes = row.uint64(3);
      if (version.region == region_) own_.erase(mark_of(number, row.blob(1), version));
      while (row.step()) {
      }
    }
    count(number, Change::gone, bytes);
    count_dropped_.execute(number, version.hlc.value);
    ++figures_.dropped;
  }
}

std::size_t LedgerStore::purge(std::int64_t number, std::size_t rows_max) {
  Statement erase(db_,
                  "DELETE FROM conflicts WHERE id IN (SELECT id FROM conflicts WHERE number = ?1"
                  " LIMIT ?2) RETURNING key, version, bytes");
  std::vector<std::uint64_t> sizes;
  for (Query row = erase.run(number, static_cast<std::int64_t>(rows_max)); row.step();) {
    own_.erase(mark_of(number, row.blob(0), version_at(row, 1)));
    sizes.push_back(row.uint64(2));
  }
  for (std::uint64_t bytes : sizes) count(number, Change::gone, bytes);
  return sizes.size();
}

void LedgerStore::forget_table(std::int64_t number) {
  Statement erase(db_, "DELETE FROM ledgers WHERE number = ?1 RETURNING dropped");
  for (Query row = erase.run(number); row.step();) figures_.dropped -= row.uint64(0);
}

}  // namespace meridian::store

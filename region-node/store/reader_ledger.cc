// SqliteReader on the conflict ledger, and on the log of one key.
#include "conflict/absence.h"
#include "region-node/model/key.h"
#include "region-node/store/columns.h"
#include "region-node/store/reader.h"
#include "region-node/store/reader_statements.h"

namespace meridian::store {

using sqlite::Query;
using sqlite::Statement;

namespace {

std::optional<Bytes> image_at(const Query& row, int column) {
  auto image = row.maybe_blob(column);
  if (!image) return std::nullopt;
  return Bytes(*image);
}

LedgerEntry entry_from(const Query& row, bool images) {
  LedgerEntry entry;
  entry.key = row.blob(0);
  entry.loser.lineage = {version_at(row, 1), context_at(row, 2)};
  entry.loser.committed_us = row.int64(3);
  entry.winner.lineage = {version_at(row, 4), context_at(row, 5)};
  entry.winner.committed_us = row.int64(6);
  entry.listed_us = row.int64(7);
  entry.loser.removed = row.is_null(8);
  entry.winner.removed = row.is_null(9);
  if (images) {
    entry.loser.image = image_at(row, 8);
    entry.winner.image = image_at(row, 9);
  }
  return entry;
}

}  // namespace

LedgerSummary SqliteReader::ledger(const TableId& table) {
  LedgerSummary summary;
  read(table, [&](const Found& found) {
    Statement select(db_,
                     "SELECT entries, dropped, complete_after FROM ledgers WHERE number = ?1");
    Query row = select.run(found.number);
    if (row.step()) summary = {row.uint64(0), row.uint64(1), conflict::Hlc{row.uint64(2)}};
  });
  return summary;
}

LedgerPage SqliteReader::conflicts(const TableId& table, const LedgerQuery& query) {
  LedgerPage page;
  read(table, [&](const Found& found) {
    std::string sql =
        "SELECT key, version, context, committed_us, winner, winner_context, winner_committed_us,"
        " listed_us, image, winner_image FROM conflicts WHERE number = ?1"
        " AND (key, version) > (?2, ?3) AND version >= ?4 AND version < ?5";
    if (query.key) sql += " AND key = ?6";
    else sql += " AND ?6 IS NULL";
    if (query.version) sql += " AND version = ?7";
    Statement select(db_, sql + " ORDER BY key, version");
    Bytes after_version;
    if (query.after_version) conflict::encode_version(after_version, *query.after_version);
    Bytes from;
    put_u64(from, query.from.value);
    Bytes to;
    put_u64(to, query.to.value_or(conflict::Hlc{UINT64_MAX}).value);
    std::optional<Bytes> version;
    if (query.version) version = conflict::encode_version(*query.version);
    Query row = query.version ? select.run(found.number, query.after_key, after_version, from, to,
                                           query.key, version)
                              : select.run(found.number, query.after_key, after_version, from, to,
                                           query.key);
    std::size_t bytes = 0;
    while (row.step()) {
      if (page.entries.size() >= query.entries_max || bytes >= query.bytes_max) {
        page.more = true;
        break;
      }
      page.entries.push_back(entry_from(row, query.images));
      const LedgerEntry& entry = page.entries.back();
      bytes += entry.loser.image ? entry.loser.image->size() : 0;
      bytes += entry.winner.image ? entry.winner.image->size() : 0;
    }
  });
  return page;
}

KeyHistory SqliteReader::key_history(const TableId& table, BytesView key,
                                     std::size_t records_max) {
  KeyHistory history;
  read(table, [&](const Found& found) {
    auto published = shared_->published();
    auto info = published->catalog.find(table);
    if (!info) return;
    ShardId shard = model::shard_of(info->keys, key, found.shards);
    read_history(found.number, shard, key, records_max, history);
  });
  return history;
}

// From the row to the record that wrote it, and from each record to the one that it replaced, whose new
// image is this one's old image.
void SqliteReader::read_history(std::int64_t number, ShardId shard, BytesView key,
                                std::size_t records_max, KeyHistory& history) {
  std::uint64_t sequence = 0;
  std::optional<Bytes> image;
  {
    Statement item(db_, "SELECT seq, image FROM " + item_table(number) + " WHERE key = ?1");
    Query row = item.run(key);
    if (!row.step()) return;
    sequence = row.uint64(0);
    image = image_at(row, 1);
  }
  Statement select(db_,
                   "SELECT seq, key, version, parent, context, committed_us, kind, flags, prev_seq,"
                   " old_image FROM " +
                       log_table(number, shard) + " WHERE seq = ?1");
  while (sequence != 0) {
    Query row = select.run(sequence);
    if (history.records.size() >= records_max || !row.step()) {
      history.complete = false;
      return;
    }
    KeyRecord record;
    record.record = record_from(row);
    record.record.new_image = std::move(image);
    record.local = (row.int64(7) & kLocalOrigin) != 0;
    image = image_at(row, 9);
    history.records.push_back(std::move(record));
    if (row.uint64(8) >= sequence) sqlite::damaged("the chain of a key's records");
    sequence = row.uint64(8);
  }
  // It replaced a tombstone that had been collected, or may have.
  bool forgotten = history.records.back().record.context.of(conflict::everywhere()).has_value();
  if (forgotten) history.complete = false;
}

}  // namespace meridian::store

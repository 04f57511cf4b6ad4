#include "region-node/store/item_log.h"

#include "region-node/store/columns.h"
#include "region-node/store/schema.h"

namespace meridian::store {

using sqlite::Query;
using sqlite::Statement;

struct ItemLog::ShardStatements {
  Statement append;
  Statement link;

  ShardStatements(sqlite::Database& db, std::int64_t number, ShardId shard)
      : append(db, "INSERT INTO " + log_table(number, shard) +
                       "(seq, key, version, parent, context, prev_seq, committed_us, kind, flags,"
                       " local_records, local_bytes, old_image)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"),
        link(db, "INSERT INTO " + next_table(number, shard) + "(seq, by) VALUES(?1, ?2)") {}
};

struct ItemLog::TableStatements {
  Statement find;
  Statement insert;
  Statement update;
  Statement bury;
  Statement unbury;
  std::vector<std::unique_ptr<ShardStatements>> shards;

  TableStatements(sqlite::Database& db, const TableState& table)
      : find(db, "SELECT id, version, context, seq, image FROM " + item_table(table.number) +
                     " WHERE key = ?1"),
        insert(db, "INSERT INTO " + item_table(table.number) +
                       "(key, version, context, seq, image) VALUES(?1, ?2, ?3, ?4, ?5)"),
        update(db, "UPDATE " + item_table(table.number) +
                       " SET version = ?2, context = ?3, seq = ?4, image = ?5 WHERE id = ?1"),
        bury(db, "INSERT INTO " + tombstone_table(table.number) + "(version, id) VALUES(?1, ?2)"),
        unbury(db, "DELETE FROM " + tombstone_table(table.number) +
                       " WHERE version = ?1 AND id = ?2"),
        shards(table.shards.size()) {}
};

ItemLog::ItemLog(sqlite::Database& db) : db_(db) {}
ItemLog::~ItemLog() = default;

void ItemLog::forget_statements() {
  tables_.clear();
  recent_ = nullptr;
  recent_number_ = 0;
}

ItemLog::TableStatements& ItemLog::statements(const TableState& table) {
  if (recent_ != nullptr && recent_number_ == table.number) return *recent_;
  auto& slot = tables_[table.number];
  if (!slot) slot = std::make_unique<TableStatements>(db_, table);
  recent_ = slot.get();
  recent_number_ = table.number;
  return *slot;
}

ItemLog::ShardStatements& ItemLog::shard_statements(const TableState& table, ShardId shard) {
  auto& slot = statements(table).shards[shard.value];
  if (!slot) slot = std::make_unique<ShardStatements>(db_, table.number, shard);
  return *slot;
}

std::optional<StoredItem> ItemLog::find(const TableState& table, BytesView key) {
  Query cursor = statements(table).find.run(key);
  if (!cursor.step()) return std::nullopt;
  std::int64_t id = cursor.int64(0);
  conflict::Version version = version_at(cursor, 1);
  BytesView version_bytes = cursor.blob(1);
  BytesView context_bytes = cursor.blob(2);
  Sequence sequence(cursor.uint64(3));
  auto image = cursor.maybe_blob(4);
  return StoredItem{std::move(cursor), id, version, version_bytes, context_bytes, sequence, image};
}

void ItemLog::write(TableState& table, std::optional<StoredItem> stored, const ItemChange& change) {
  ShardState& shard = table.shard(change.shard);
  TableStatements& items = statements(table);
  ShardStatements& log = shard_statements(table, change.shard);

  count(table, stored, change);
  Sequence sequence = shard.history.end.next();
  Sequence replaced = stored ? stored->sequence : Sequence(0);
  version_scratch_.clear();
  conflict::encode_version(version_scratch_, change.version);
  std::optional<BytesView> old_image;
  if (stored) old_image = stored->image;

  log.append.execute(sequence.value, change.key, version_scratch_, change.parent_bytes,
                     change.context_bytes, replaced.value, change.committed_us,
                     change.image ? kPut : kRemove, change.flags, shard.counts.records,
                     shard.counts.bytes, old_image);
  if (stored) {
    if (replaced > shard.history.trimmed_to) log.link.execute(replaced.value, sequence.value);
    std::int64_t id = stored->id;
    if (!stored->image) items.unbury.execute(stored->version_bytes, id);
    stored.reset();  // closes the cursor before its row changes
    items.update.execute(id, version_scratch_, change.context_bytes, sequence.value, change.image);
    if (!change.image) items.bury.execute(version_scratch_, id);
  } else {
    items.insert.execute(change.key, version_scratch_, change.context_bytes, sequence.value,
                         change.image);
    if (!change.image) items.bury.execute(version_scratch_, db_.last_insert_rowid());
  }
  shard.history.end = sequence;
}

std::vector<ItemLog::Tombstone> ItemLog::old_tombstones(const TableState& table,
                                                       conflict::Hlc horizon,
                                                       std::size_t rows_max) {
  Bytes above;  // every version at the horizon, whatever its region
  put_u64(above, horizon.next().value);
  std::vector<Tombstone> out;
  Statement oldest(db_, "SELECT version, id FROM " + tombstone_table(table.number) +
                            " WHERE version < ?1 ORDER BY version, id LIMIT ?2");
  Query row = oldest.run(above, static_cast<std::int64_t>(rows_max));
  while (row.step()) out.push_back({Bytes(row.blob(0)), row.int64(1)});
  return out;
}

void ItemLog::collect(TableState& table, const std::vector<Tombstone>& oldest) {
  Statement erase(db_, "DELETE FROM " + item_table(table.number) +
                           " WHERE id = ?1 AND image IS NULL");
  for (const auto& tombstone : oldest) {
    erase.execute(tombstone.id);
    if (db_.changes() != 1) sqlite::damaged("the list of tombstones");
  }
  Statement strike(db_, "DELETE FROM " + tombstone_table(table.number) +
                            " WHERE (version, id) <= (?1, ?2)");
  strike.execute(oldest.back().version, oldest.back().id);
  table.stats.tombstones -= oldest.size();
}

std::optional<std::int64_t> ItemLog::committed_us(const TableState& table, ShardId shard,
                                                  Sequence sequence) {
  Statement select(db_, "SELECT committed_us FROM " + log_table(table.number, shard) +
                            " WHERE seq = ?1");
  Query row = select.run(sequence.value);
  if (!row.step()) return std::nullopt;
  return row.int64(0);
}

void ItemLog::count(TableState& table, const std::optional<StoredItem>& stored,
                    const ItemChange& change) {
  ShardState& shard = table.shard(change.shard);
  if ((change.flags & kLocalOrigin) != 0) {
    std::uint64_t bytes = change.key.size() + (change.image ? change.image->size() : 0);
    ++shard.counts.records;
    shard.counts.bytes += bytes;
    table.local_bytes += bytes;
    if (table.holders.empty()) table.acknowledged_bytes += bytes;
  }
  if (stored) {
    if (stored->image) {
      --table.stats.items;
      table.stats.item_bytes -= stored->image->size();
    } else {
      --table.stats.tombstones;
    }
  }
  if (change.image) {
    ++table.stats.items;
    table.stats.item_bytes += change.image->size();
  } else {
    ++table.stats.tombstones;
  }
  table.stats_dirty = true;
}

}  // namespace meridian::store

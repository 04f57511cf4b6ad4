#include "region-node/store/invariants.h"

#include <fmt/format.h>

#include <map>

#include "common/sqlite/sqlite.h"
#include "region-node/model/key.h"
#include "region-node/store/catalog_store.h"
#include "region-node/store/schema.h"
#include "region-node/store/watermark_store.h"

namespace meridian::store {
namespace {

using sqlite::Query;
using sqlite::Statement;

// One table's rows against what is kept about them.
class TableCheck {
 public:
  TableCheck(sqlite::Database& db, const TableState& table, std::vector<std::string>& problems)
      : db_(db), table_(table), problems_(problems), name_("table " + table.info->name) {}

  void run() {
    for (std::uint16_t i = 0; i < table_.info->shards; ++i) check_log(ShardId(i));
    check_items();
    check_tombstones();
    if (problems_.size() > 50) problems_.resize(50);
  }

 private:
  // What the log says of a key, as it goes along.
  struct Newest {
    Sequence sequence;
    bool put = false;
    conflict::Version version;
  };

  template <typename... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    problems_.push_back(name_ + ": " + fmt::format(format, std::forward<Args>(args)...));
  }

  void check_log(ShardId shard) {
    const ShardState& state = table_.shard(shard);
    Sequence expected = state.history.trimmed_to.next();
    LocalCounts counts = state.trimmed_counts;
    Statement select(db_,
                     "SELECT l.seq, l.key, l.version, l.prev_seq, l.kind, l.flags,"
                     " l.local_records, l.local_bytes, l.old_image IS NULL, n.by FROM " +
                         log_table(table_.number, shard) + " l LEFT JOIN " +
                         next_table(table_.number, shard) + " n ON n.seq = l.seq ORDER BY l.seq");
    std::map<Bytes, std::pair<Sequence, Sequence>>
        awaited;  // key: its newest record, its successor
    for (Query row = select.run(); row.step(); expected = expected.next()) {
      Sequence sequence(row.uint64(0));
      if (sequence != expected) {
        say("shard {}: record {} follows {}", shard.value, sequence.value, expected.value - 1);
        expected = sequence;
      }
      check_record(shard, row, awaited);
      check_counts(shard, row, counts);
    }
    for (const auto& [key, chain] : awaited)
      if (chain.second.value != 0)
        say("shard {}: record {} names a successor {} that is not there", shard.value,
            chain.first.value, chain.second.value);
    if (expected != state.history.end.next())
      say("shard {}: the log ends at {}, not {}", shard.value, expected.value - 1,
          state.history.end.value);
    check_links(shard);
    check_history(shard, state);
  }

  void check_record(ShardId shard, const Query& row,
                    std::map<Bytes, std::pair<Sequence, Sequence>>& awaited) {
    Sequence sequence(row.uint64(0));
    Bytes key(row.blob(1));
    auto version = conflict::decode_version(row.blob(2));
    if (!version) say("shard {}: record {} has no version", shard.value, sequence.value);
    if (model::shard_of(table_.info->keys, key, table_.info->shards) != shard)
      say("shard {}: record {} belongs to another shard", shard.value, sequence.value);
    Sequence replaced(row.uint64(3));
    auto known = awaited.find(key);
    if (known == awaited.end()) {
      if (replaced > table_.shard(shard).history.trimmed_to)
        say("shard {}: record {} replaced {}, which is not there", shard.value, sequence.value,
            replaced.value);
    } else {
      // (Unless what went before was a tombstone that has been collected since.)
      bool after_nothing = replaced.value == 0 && !newest_[key].put &&
                           newest_[key].version.hlc <= table_.collected &&
                           known->second.second.value == 0;
      if (after_nothing)
        known->second = {Sequence(0), sequence};
      else if (known->second.first != replaced)
        say("shard {}: record {} replaced {}, not {}", shard.value, sequence.value,
            known->second.first.value, replaced.value);
      if (known->second.second != sequence)
        say("shard {}: record {} names {} as successor, not {}", shard.value,
            known->second.first.value, known->second.second.value, sequence.value);
      bool old_is_null = row.int64(8) != 0;
      if (newest_[key].put == old_is_null)
        say("shard {}: record {} has lost its old image", shard.value, sequence.value);
    }
    bool put = row.int64(4) == kPut;
    awaited[key] = {sequence, Sequence(row.is_null(9) ? 0 : row.uint64(9))};
    newest_[key] = {sequence, put, version.value_or(conflict::Version{})};
  }

  // The bytes of a record are those of its new image, wherever that lies.
  void check_counts(ShardId shard, const Query& row, LocalCounts& counts) {
    Sequence sequence(row.uint64(0));
    BytesView key = row.blob(1);
    if ((row.int64(5) & kLocalOrigin) != 0) {
      ++counts.records;
      counts.bytes += key.size();
      if (row.int64(4) == kPut) counts.bytes += new_image_bytes(shard, key, row);
    }
    if (counts.records != row.uint64(6) || counts.bytes != row.uint64(7))
      say("shard {}: record {} counts {} records and {} bytes, not {} and {}", shard.value,
          sequence.value, row.uint64(6), row.uint64(7), counts.records, counts.bytes);
    counts = {row.uint64(6), row.uint64(7)};
  }

  std::uint64_t new_image_bytes(ShardId shard, BytesView key, const Query& row) {
    Statement item(db_, row.is_null(9)
                            ? "SELECT length(image) FROM " + item_table(table_.number) +
                                  " WHERE key = ?1 AND seq = ?2"
                            : "SELECT length(old_image) FROM " + log_table(table_.number, shard) +
                                  " WHERE key = ?1 AND seq = ?2");
    Query image = item.run(key, row.is_null(9) ? row.uint64(0) : row.uint64(9));
    if (image.step() && !image.is_null(0)) return image.uint64(0);
    say("shard {}: record {} has lost its new image", shard.value, row.uint64(0));
    return 0;
  }

  void check_links(ShardId shard) {
    Statement dangling(db_, "SELECT n.seq FROM " + next_table(table_.number, shard) +
                                " n LEFT JOIN " + log_table(table_.number, shard) +
                                " l ON l.seq = n.seq WHERE l.seq IS NULL");
    for (Query row = dangling.run(); row.step();)
      say("shard {}: a successor of {} is noted, which is not there", shard.value, row.uint64(0));
  }

  void check_history(ShardId shard, const ShardState& state) {
    Sequence before(0);
    for (const auto& stretch : state.history.stretches) {
      if (stretch.first <= before || stretch.first > state.history.end.next())
        say("shard {}: the history of starts is out of order", shard.value);
      before = stretch.first;
    }
    bool empty = state.history.end == state.history.trimmed_to;
    if (!empty && (state.history.stretches.empty() ||
                   state.history.stretches.front().first > state.history.trimmed_to.next()))
      say("shard {}: the oldest record belongs to no start", shard.value);
  }

  void check_items() {
    TableStats stats;
    Statement select(db_,
                     "SELECT key, version, context, seq, image FROM " + item_table(table_.number));
    for (Query row = select.run(); row.step();) {
      auto image = row.maybe_blob(4);
      if (image) {
        ++stats.items;
        stats.item_bytes += image->size();
      } else {
        ++stats.tombstones;
      }
      check_item(row, image.has_value());
    }
    // What is left of a collected tombstone is its record.
    std::erase_if(newest_, [this](const auto& each) {
      return !each.second.put && each.second.version.hlc <= table_.collected;
    });
    if (!newest_.empty()) say("{} keys are in the log but not in the table", newest_.size());
    if (stats.items != table_.stats.items || stats.item_bytes != table_.stats.item_bytes ||
        stats.tombstones != table_.stats.tombstones)
      say("figures are {}/{}/{}, rows say {}/{}/{} (items, bytes, tombstones)", table_.stats.items,
          table_.stats.item_bytes, table_.stats.tombstones, stats.items, stats.item_bytes,
          stats.tombstones);
  }

  void check_tombstones() {
    Statement unlisted(db_, "SELECT count(*) FROM " + item_table(table_.number) +
                                " i WHERE i.image IS NULL AND NOT EXISTS (SELECT 1 FROM " +
                                tombstone_table(table_.number) +
                                " t WHERE t.version = i.version AND t.id = i.id)");
    Statement listed(db_, "SELECT count(*) FROM " + tombstone_table(table_.number));
    Query missing = unlisted.run();
    Query all = listed.run();
    if (missing.step() && missing.int64(0) != 0)
      say("{} tombstones are not in their list", missing.int64(0));
    if (all.step() && all.uint64(0) != table_.stats.tombstones)
      say("{} tombstones are listed, {} are there", all.uint64(0), table_.stats.tombstones);
  }

  void check_item(const Query& row, bool put) {
    Bytes key(row.blob(0));
    Sequence sequence(row.uint64(3));
    ShardId shard = model::shard_of(table_.info->keys, key, table_.info->shards);
    if (!conflict::Context::decode(row.blob(2))) say("item {} has no context", to_hex(key));
    auto newest = newest_.find(key);
    if (newest == newest_.end()) {
      if (sequence > table_.shard(shard).history.trimmed_to)
        say("item {}: its record {} is not in the log", to_hex(key), sequence.value);
      return;
    }
    if (newest->second.sequence != sequence)
      say("item {} names record {}, the log's newest is {}", to_hex(key), sequence.value,
          newest->second.sequence.value);
    if (newest->second.put != put) say("item {} is not what its record says", to_hex(key));
    if (conflict::decode_version(row.blob(1)) != newest->second.version)
      say("item {} has another version than its record", to_hex(key));
    newest_.erase(newest);
  }

  sqlite::Database& db_;
  const TableState& table_;
  std::vector<std::string>& problems_;
  std::string name_;
  std::map<Bytes, Newest> newest_;
};

void check_ledger(sqlite::Database& db, std::vector<std::string>& problems) {
  Statement select(db,
                   "SELECT l.number, l.entries, l.bytes, count(c.id), total(c.bytes) FROM ledgers l"
                   " LEFT JOIN conflicts c ON c.number = l.number GROUP BY l.number");
  for (Query row = select.run(); row.step();)
    if (row.uint64(1) != row.uint64(3) || row.uint64(2) != row.uint64(4))
      problems.push_back(
          fmt::format("the ledger of table {} counts {} entries of {} bytes, not {} of {}",
                      row.int64(0), row.uint64(1), row.uint64(2), row.uint64(3), row.uint64(4)));
  auto strays = db.query_int64(
      "SELECT count(*) FROM conflicts WHERE number NOT IN (SELECT number FROM ledgers)");
  if (strays.value_or(0) > 0) problems.push_back("the ledger has entries of no table");
  auto missing = db.query_int64(
      "SELECT count(*) FROM tables WHERE number NOT IN (SELECT number FROM ledgers)");
  if (missing.value_or(0) > 0) problems.push_back("a table has no ledger");
}

}  // namespace

std::vector<std::string> check_store_invariants(const std::string& path, const std::string& vfs) {
  sqlite::OpenOptions open;
  // A WAL left by a crash can only be read with its index, which a read-only opener cannot make.
  open.mode = sqlite::OpenMode::read_write;
  open.vfs = vfs;
  sqlite::Database db(path, open);
  db.execute("PRAGMA query_only=1");
  std::vector<std::string> problems;
  auto verdict = db.query_text("PRAGMA integrity_check");
  if (verdict.value_or("") != "ok") problems.push_back("SQLite: " + verdict.value_or("no answer"));
  db.execute("BEGIN");
  CatalogStore catalog(db);
  EngineState state = catalog.load();
  WatermarkStore(db).load(state);
  for (const auto& [id, table] : state.tables) TableCheck(db, table, problems).run();
  check_ledger(db, problems);
  db.execute("ROLLBACK");
  return problems;
}

}  // namespace meridian::store

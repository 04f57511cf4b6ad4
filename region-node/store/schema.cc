#include "region-node/store/schema.h"

namespace meridian::store {
namespace {

constexpr std::int64_t kApplicationId = 0x4d524431;  // "MRD1"

constexpr const char* kMetaTables = R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE tables(
  number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
  partition_name TEXT NOT NULL, partition_type INTEGER NOT NULL,
  sort_name TEXT, sort_type INTEGER, shards INTEGER NOT NULL, created_ms INTEGER NOT NULL,
  deletion_protection INTEGER NOT NULL,
  items INTEGER NOT NULL, item_bytes INTEGER NOT NULL, tombstones INTEGER NOT NULL);
CREATE TABLE dropped(number INTEGER PRIMARY KEY, shards INTEGER NOT NULL);
CREATE TABLE replicas(
  number INTEGER NOT NULL, region TEXT NOT NULL, present INTEGER NOT NULL, changed BLOB NOT NULL,
  PRIMARY KEY(number, region)) WITHOUT ROWID;
CREATE TABLE streams(
  number INTEGER NOT NULL, label TEXT NOT NULL, view INTEGER NOT NULL, created_ms INTEGER NOT NULL,
  disabled_ms INTEGER, PRIMARY KEY(number, label)) WITHOUT ROWID;
CREATE TABLE stream_shards(
  number INTEGER NOT NULL, label TEXT NOT NULL, shard INTEGER NOT NULL, generation INTEGER NOT NULL,
  first_seq INTEGER NOT NULL, last_seq INTEGER, created_ms INTEGER NOT NULL,
  PRIMARY KEY(number, label, shard, generation)) WITHOUT ROWID;
CREATE TABLE log_shards(
  number INTEGER NOT NULL, shard INTEGER NOT NULL, trimmed_to INTEGER NOT NULL,
  trimmed_records INTEGER NOT NULL, trimmed_bytes INTEGER NOT NULL, origin INTEGER NOT NULL,
  PRIMARY KEY(number, shard)) WITHOUT ROWID;
CREATE TABLE history(
  number INTEGER NOT NULL, shard INTEGER NOT NULL, first_seq INTEGER NOT NULL,
  start INTEGER NOT NULL, PRIMARY KEY(number, shard, first_seq)) WITHOUT ROWID;
CREATE TABLE flows(
  number INTEGER NOT NULL, source TEXT NOT NULL, shard INTEGER NOT NULL, start INTEGER NOT NULL,
  seq INTEGER NOT NULL, PRIMARY KEY(number, source, shard)) WITHOUT ROWID;
CREATE TABLE acknowledgements(
  number INTEGER NOT NULL, sink TEXT NOT NULL, shard INTEGER NOT NULL, start INTEGER NOT NULL,
  seq INTEGER NOT NULL, PRIMARY KEY(number, sink, shard)) WITHOUT ROWID;
CREATE TABLE identities(region TEXT PRIMARY KEY, node INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE parked(
  id INTEGER PRIMARY KEY, number INTEGER NOT NULL, source TEXT NOT NULL, shard INTEGER NOT NULL,
  seq INTEGER NOT NULL, key BLOB NOT NULL, version BLOB NOT NULL, parent BLOB,
  context BLOB NOT NULL, committed_us INTEGER NOT NULL, image BLOB, reason TEXT NOT NULL);
CREATE UNIQUE INDEX parked_by_key ON parked(number, key, version);
CREATE TABLE probe(id INTEGER PRIMARY KEY, pad BLOB);
)sql";

// What format 2 added to format 1.
constexpr const char* kAddedBy2 = R"sql(
CREATE TABLE cursors(
  number INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY(number, name)) WITHOUT ROWID;
CREATE TABLE settings(
  number INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, changed BLOB NOT NULL,
  PRIMARY KEY(number, name)) WITHOUT ROWID;
CREATE TABLE conflicts(
  id INTEGER PRIMARY KEY, number INTEGER NOT NULL, key BLOB NOT NULL, version BLOB NOT NULL,
  context BLOB NOT NULL, committed_us INTEGER NOT NULL, winner BLOB NOT NULL,
  winner_context BLOB NOT NULL, winner_committed_us INTEGER NOT NULL, listed_us INTEGER NOT NULL,
  bytes INTEGER NOT NULL, image BLOB, winner_image BLOB);
CREATE UNIQUE INDEX conflicts_by_key ON conflicts(number, key, version);
CREATE INDEX conflicts_by_version ON conflicts(version);
CREATE TABLE ledgers(
  number INTEGER PRIMARY KEY, complete_after INTEGER NOT NULL, entries INTEGER NOT NULL,
  bytes INTEGER NOT NULL, dropped INTEGER NOT NULL);
CREATE TABLE watermarks(
  number INTEGER NOT NULL, origin TEXT NOT NULL, hlc INTEGER NOT NULL,
  PRIMARY KEY(number, origin)) WITHOUT ROWID;
CREATE TABLE collections(number INTEGER PRIMARY KEY, hlc INTEGER NOT NULL);
CREATE TABLE repairs(
  number INTEGER NOT NULL, region TEXT NOT NULL, reason INTEGER NOT NULL, since_ms INTEGER NOT NULL,
  pinned INTEGER NOT NULL, frozen INTEGER NOT NULL, PRIMARY KEY(number, region)) WITHOUT ROWID;
ALTER TABLE replicas ADD COLUMN joined BLOB;
)sql";

// Format 1 had settings without versions, as columns; and the view type only in the stream.
constexpr const char* kSettingsFrom1 = R"sql(
INSERT INTO settings SELECT number, 'billing_mode', billing_mode, zeroblob(8) FROM tables;
INSERT INTO settings SELECT number, 'read_units', CAST(read_units AS TEXT), zeroblob(8)
  FROM tables WHERE read_units > 0;
INSERT INTO settings SELECT number, 'write_units', CAST(write_units AS TEXT), zeroblob(8)
  FROM tables WHERE write_units > 0;
INSERT INTO settings SELECT number, 'stream_view', CASE view WHEN 0 THEN 'KEYS_ONLY'
  WHEN 1 THEN 'NEW_IMAGE' WHEN 2 THEN 'OLD_IMAGE' ELSE 'NEW_AND_OLD_IMAGES' END, zeroblob(8)
  FROM streams WHERE disabled_ms IS NULL;
ALTER TABLE tables DROP COLUMN billing_mode;
ALTER TABLE tables DROP COLUMN read_units;
ALTER TABLE tables DROP COLUMN write_units;
)sql";

// For tables that are older than the ledger.  Nothing that was minted is later than the clock's ceiling.
constexpr const char* kBeginLedgers =
    "INSERT INTO ledgers SELECT number,"
    " coalesce((SELECT value FROM meta WHERE name = 'hlc_ceiling'), 0), 0, 0, 0 FROM tables";

}  // namespace

std::string item_table(std::int64_t number) { return "item_" + std::to_string(number); }

std::string tombstone_table(std::int64_t number) { return "tombstones_" + std::to_string(number); }

std::string log_table(std::int64_t number, ShardId shard) {
  return "log_" + std::to_string(number) + "_" + std::to_string(shard.value);
}

std::string next_table(std::int64_t number, ShardId shard) {
  return "next_" + std::to_string(number) + "_" + std::to_string(shard.value);
}

namespace {

void create_tombstone_list(sqlite::Database& db, std::int64_t number) {
  db.execute("CREATE TABLE " + tombstone_table(number) +
             "(version BLOB NOT NULL, id INTEGER NOT NULL,"
             " PRIMARY KEY(version, id)) WITHOUT ROWID");
}

}  // namespace

void configure_writer(sqlite::Database& db, const StoreOptions& options) {
  db.execute("PRAGMA page_size=" + std::to_string(kPageBytes));
  if (!options.has_wal()) {
    db.execute("PRAGMA synchronous=OFF");
  } else {
    // A replicated position must not outlive the writes before it, so commits are synced: FULL.
    if (db.query_text("PRAGMA journal_mode=WAL") != "wal")
      throw StoreError("the data directory's file system cannot hold a SQLite WAL");
    db.execute(std::string("PRAGMA synchronous=") + (options.sync ? "FULL" : "OFF"));
    db.take_over_checkpoints();
  }
  db.execute("PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0");
  db.execute("PRAGMA cache_size=-" + std::to_string(options.cache_bytes / 1024));
  if (options.pages_max > 0)
    db.execute("PRAGMA max_page_count=" + std::to_string(options.pages_max));
}

void configure_reader(sqlite::Database& db, const StoreOptions& options) {
  db.execute("PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA query_only=1");
  db.execute("PRAGMA cache_size=-" + std::to_string(options.reader_cache_bytes / 1024));
}

bool check_format(sqlite::Database& db, const std::string& path) {
  auto format = db.query_int64("PRAGMA user_version").value_or(0);
  auto objects = db.query_int64("SELECT count(*) FROM sqlite_schema").value_or(0);
  if (format == 0 && objects == 0) return true;
  if (db.query_int64("PRAGMA application_id").value_or(0) != kApplicationId)
    throw StoreError(path + " is not a Meridian store");
  if (format > kFormatVersion) {
    throw StoreError(path + " has format " + std::to_string(format) + "; this region-node knows " +
                     std::to_string(kFormatVersion) + " at most: run a newer release");
  }
  return false;
}

void create_schema(sqlite::Database& db) {
  sqlite::Transaction transaction(db);
  db.execute(kMetaTables);
  db.execute(kAddedBy2);
  db.execute("PRAGMA application_id=" + std::to_string(kApplicationId));
  db.execute("PRAGMA user_version=" + std::to_string(kFormatVersion));
  transaction.commit();
}

bool is_older_format(sqlite::Database& db) {
  return db.query_int64("PRAGMA user_version").value_or(0) < kFormatVersion;
}

void migrate(sqlite::Database& db) {
  if (!is_older_format(db)) return;
  std::vector<std::int64_t> numbers;
  {
    // (Those of dropped tables, too: they are emptied step by step.)
    sqlite::Statement select(db, "SELECT number FROM tables UNION SELECT number FROM dropped");
    for (sqlite::Query row = select.run(); row.step();) numbers.push_back(row.int64(0));
  }
  sqlite::Transaction transaction(db);
  db.execute(kAddedBy2);
  db.execute(kSettingsFrom1);
  db.execute(kBeginLedgers);
  for (std::int64_t number : numbers) {
    create_tombstone_list(db, number);
    db.execute("INSERT INTO " + tombstone_table(number) + "(version, id) SELECT version, id FROM " +
               item_table(number) + " WHERE image IS NULL");
  }
  db.execute("PRAGMA user_version=" + std::to_string(kFormatVersion));
  transaction.commit();
}

void create_table_storage(sqlite::Database& db, std::int64_t number, std::uint16_t shards) {
  db.execute("CREATE TABLE " + item_table(number) +
             "(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, version BLOB NOT NULL,"
             " context BLOB NOT NULL, seq INTEGER NOT NULL, image BLOB)");
  create_tombstone_list(db, number);
  for (std::uint16_t i = 0; i < shards; ++i) {
    db.execute("CREATE TABLE " + log_table(number, ShardId(i)) +
               "(seq INTEGER PRIMARY KEY, key BLOB NOT NULL, version BLOB NOT NULL, parent BLOB,"
               " context BLOB NOT NULL, prev_seq INTEGER NOT NULL, committed_us INTEGER NOT NULL,"
               " kind INTEGER NOT NULL, flags INTEGER NOT NULL, local_records INTEGER NOT NULL,"
               " local_bytes INTEGER NOT NULL, old_image BLOB)");
    db.execute("CREATE TABLE " + next_table(number, ShardId(i)) +
               "(seq INTEGER PRIMARY KEY, by INTEGER NOT NULL)");
  }
}

void drop_table_storage(sqlite::Database& db, std::int64_t number, std::uint16_t shards) {
  db.execute("DROP TABLE IF EXISTS " + item_table(number));
  db.execute("DROP TABLE IF EXISTS " + tombstone_table(number));
  for (std::uint16_t i = 0; i < shards; ++i) {
    db.execute("DROP TABLE IF EXISTS " + log_table(number, ShardId(i)));
    db.execute("DROP TABLE IF EXISTS " + next_table(number, ShardId(i)));
  }
}

}  // namespace meridian::store

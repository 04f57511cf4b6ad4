#include "checkpoint/rows.h"

#include "checkpoint/schema.h"

namespace meridian::checkpoint {
namespace {

// Changes nothing when the checkpoint would move back, nor when its holder has been replaced.
constexpr const char* kSave =
    "INSERT INTO checkpoints(sink, table_id, shard, start_id, sequence, updated_ms, hash)"
    " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE ?8 = 0 OR EXISTS("
    "   SELECT 1 FROM leases WHERE table_id = ?2 AND shard = ?3 AND token = ?8)"
    " ON CONFLICT(sink, table_id, shard) DO UPDATE SET start_id = excluded.start_id,"
    " sequence = excluded.sequence, updated_ms = excluded.updated_ms,"
    " hash = excluded.hash WHERE excluded.start_id <> start_id OR excluded.sequence >= sequence";

// Of all that a row says.  A position that a damaged disk has moved ahead, and that is still a
// position, would let the node trim records which the sink never got.
std::uint64_t hash_of(const Checkpoint& checkpoint) {
  Bytes row(checkpoint.key.sink.name());
  row.push_back(0);
  row += encode_table(checkpoint.key.table);
  put_u64(row, checkpoint.key.shard.value);
  put_u64(row, checkpoint.position.start.value);
  put_u64(row, checkpoint.position.sequence.value);
  put_u64(row, static_cast<std::uint64_t>(checkpoint.updated_ms));
  return hash64(row);
}

}  // namespace

Checkpoint checkpoint_at(const sqlite::Query& row) {
  Checkpoint out;
  auto sink = RegionId::parse(row.text(0));
  if (!sink) sqlite::damaged("a checkpoint");
  out.key = {*sink, decode_table(row.blob(1)), ShardId(static_cast<std::uint16_t>(row.int64(2)))};
  out.position = {StartId(row.uint64(3)), Sequence(row.uint64(4))};
  out.updated_ms = row.int64(5);
  if (row.uint64(6) != hash_of(out)) sqlite::damaged("a checkpoint");
  return out;
}

CheckpointSave::CheckpointSave(sqlite::Database& db) : db_(db), statement_(db, kSave) {}

bool CheckpointSave::save(const Checkpoint& checkpoint) {
  Bytes table = encode_table(checkpoint.key.table);
  statement_.execute(sqlite::Text{checkpoint.key.sink.name()}, table, checkpoint.key.shard.value,
                     checkpoint.position.start.value, checkpoint.position.sequence.value,
                     checkpoint.updated_ms, hash_of(checkpoint), checkpoint.token);
  return db_.changes() > 0;
}

}  // namespace meridian::checkpoint

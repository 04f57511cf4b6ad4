// ChangeRecord: one item modification, as the log keeps it and the wire carries it.
//
// Images and keys are opaque bytes here: their canonical encodings belong to region-node/model, and
// only equality, order and hash matter on the way.
// Threads: value types.
// Limits: kBatchRecordsMax and kBatchBytesMax bound one batch; an image is at most kImageBytesMax.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/bytes.h"
#include "common/ids.h"
#include "conflict/context.h"
#include "conflict/version.h"

namespace meridian::rpc {

inline constexpr std::size_t kBatchRecordsMax = 1024;
// Sum of keys and images; one record may exceed it alone, and then travels alone.
inline constexpr std::size_t kBatchBytesMax = 1 << 20;
// A 400 KB item in our encoding, with room for lengths and tags.
inline constexpr std::size_t kImageBytesMax = 1 << 20;

struct ChangeRecord {
  Sequence sequence;          // in the shard of the log that it was read from
  Bytes key;                  // encoded key (region-node/model/key.h)
  conflict::Version version;  // its region is the record's origin
  std::optional<conflict::Version> parent;  // the version it replaced where it was written
  conflict::Context context;                // what it knew; does not include itself
  std::int64_t committed_us = 0;            // wall clock of the log's region at commit
  std::optional<Bytes> new_image;           // empty for a delete
  std::optional<Bytes> old_image;           // only in records read for a stream, never on the wire
  bool in_stream = true;                    // false for a write that left the item equal by value

  bool operator==(const ChangeRecord&) const = default;
};

// What counts towards kBatchBytesMax.
inline std::size_t payload_bytes(const ChangeRecord& record) {
  return record.key.size() + (record.new_image ? record.new_image->size() : 0);
}

// Identifies one ordered flow: one shard of one table, from one region.  (The sink is implied by
// where the flow arrives.)
struct FlowId {
  TableId table;
  ShardId shard;
  RegionId source;
  auto operator<=>(const FlowId&) const = default;
};

// The range (from, to] of a source's log shard.  `records` holds those of local origin, ascending;
// it may be empty.  Applied only if `from` equals the sink's position.
struct ReplicationBatch {
  FlowId flow;
  LogPosition from;
  LogPosition to;
  std::vector<ChangeRecord> records;
  bool operator==(const ReplicationBatch&) const = default;
};

// What the sink says of a batch.
enum class ApplyStatus : std::uint16_t {
  applied,            // durable; position is the batch's `to`
  wrong_position,     // `from` is not the sink's position, which the answer carries
  held,               // a version lies beyond the clock bound; try again in retry_ms
  not_member,         // the source is not a replica of the table, or the sink is not
  no_such_table,      // the sink has no table of this id
  wrong_identity,     // the region's name is pinned to another node
  unavailable,        // the sink refuses writes (failed commit, full disk, shutting down, overload)
  invalid,            // the batch breaks the protocol; a bug or a hostile peer
};

struct ApplyOutcome {
  ApplyStatus status = ApplyStatus::unavailable;
  LogPosition position;             // the sink's position after the call
  std::int64_t visible_us = 0;      // the sink's wall clock when the batch became visible; 0 if not
  std::int64_t retry_ms = 0;        // for held
  std::int64_t clock_ahead_ms = 0;  // for held: how far the version lies beyond the sink's clock
  bool operator==(const ApplyOutcome&) const = default;
};

// What a source answers to a read of its log.
enum class ReadStatus : std::uint16_t {
  ok,
  trimmed,         // `after` lies before the oldest record kept: the flow needs repair
  not_in_history,  // the position belongs to another life of this log: the flow needs repair
  no_such_table,
  unavailable,
};

struct LogPage {
  ReadStatus status = ReadStatus::ok;
  LogPosition to;                      // end of the range read; equals `after` when nothing is new
  std::vector<ChangeRecord> records;   // local origin only, unless asked otherwise
  Sequence end;                        // newest sequence of the shard at the time of the read
  std::uint64_t pending = 0;           // records of local origin after `to`
  bool operator==(const LogPage&) const = default;
};

}  // namespace meridian::rpc

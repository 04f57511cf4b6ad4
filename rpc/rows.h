// Rows: items and tombstones as they stand in a region, with what replication knows of them: what
// backfill and repair carry, as a ChangeRecord is what a flow carries.  Unlike a flow's records, rows
// may be of any origin.
//
// Threads: value types.
// Limits: kRowsMax and kRowsBytesMax bound one page; one row may exceed the latter alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/ids.h"
#include "conflict/context.h"
#include "conflict/version.h"
#include "rpc/change_record.h"

namespace meridian::rpc {

inline constexpr std::size_t kRowsMax = 1024;
inline constexpr std::size_t kRowsBytesMax = kBatchBytesMax;  // sum of keys and images

// Stands of one offer: a region and shard each.
inline constexpr std::size_t kStandsMax = 8192;

struct Row {
  Bytes key;
  conflict::Version version;
  conflict::Context context;
  std::optional<Bytes> image;  // empty for a tombstone
  bool operator==(const Row&) const = default;
};

// What counts towards kRowsBytesMax.
inline std::size_t payload_bytes(const Row& row) {
  return row.key.size() + (row.image ? row.image->size() : 0);
}

// Rows after `after` and before `until`, in key order, tombstones included.
struct RowsRead {
  TableId table;
  Bytes after;                 // excluded; empty for the beginning
  std::optional<Bytes> until;  // excluded; empty for the end of the table
  std::uint32_t rows_max = 0;
  std::uint32_t bytes_max = 0;
  bool operator==(const RowsRead&) const = default;
};

enum class RowsStatus : std::uint16_t {
  ok,
  no_such_table,
  not_member,   // who asks, or who is asked, is not a replica of the table
  unavailable,
};

struct RowsPage {
  RowsStatus status = RowsStatus::ok;
  std::vector<Row> rows;  // ascending keys
  bool end = false;       // there is nothing more before `until`
  // Another one whenever rows that came outside of any flow (backfill, repair) changed the table.  A scan
  // over which it changed may have missed what no flow will bring.
  std::uint64_t epoch = 0;
  bool operator==(const RowsPage&) const = default;
};

// What a seed is told that is asked for an offer: it may have been put back to an older copy, unawares.
struct OfferQuestion {
  TableId table;
  std::vector<LogPosition> flows = {};  // where its own flows stand at the asker, shard by shard
  std::vector<LogPosition> scanned = {};  // CopyOffer::ends of when the asker's scan began, if it has
  bool operator==(const OfferQuestion&) const = default;
};

// Where one flow stands at a sink; for the sink's own shards, where its log ends.
struct FlowStand {
  RegionId source;
  ShardId shard;
  LogPosition position;
  bool operator==(const FlowStand&) const = default;
};

// What a region says that is asked to be the seed of a new replica.  All that the stands cover is in
// the rows that are read after it.
struct CopyOffer {
  RowsStatus status = RowsStatus::ok;
  std::string reason;  // why it is unavailable
  std::vector<FlowStand> stands;
  // What the seed has received and could not apply: its rows have it not, and its stands are beyond.
  std::vector<Row> parked;
  std::uint64_t rows = 0;   // about so many, tombstones included
  std::uint64_t epoch = 0;  // see RowsPage
  conflict::Hlc collected;  // G of the seed: its rows have no tombstone that was collected
  std::map<RegionId, conflict::Hlc> watermarks = {};  // V of the seed, itself included
  std::set<RegionId> unsettled = {};  // ended lives of which others may hold more than the seed
  std::vector<LogPosition> ends = {};  // of its logs, shard by shard: its rows are those of all they hold
  bool rewound = false;  // its rows are not all here any more that were when the asker's scan began
  bool operator==(const CopyOffer&) const = default;
};

// Rows to be applied, with the place in the work that they are part of.
struct CursorMove {
  std::string name;
  std::optional<Bytes> from;  // what must be stored now; empty for nothing
  std::optional<Bytes> to;    // what is stored with the rows; empty to forget it
  bool operator==(const CursorMove&) const = default;
};

struct RowsBatch {
  TableId table;
  RegionId source;        // the region that they were read in
  std::vector<Row> rows;  // ascending keys, at most kRowsMax
  std::optional<CursorMove> cursor;
};

struct RowsOutcome {
  ApplyStatus status = ApplyStatus::unavailable;  // wrong_position: the cursor is not `from`
  std::optional<Bytes> cursor;                    // as it stands after the call
  std::int64_t retry_ms = 0;                      // for held
  std::int64_t clock_ahead_ms = 0;                // for held
  std::uint64_t applied = 0;                      // rows that won
  std::uint64_t parked = 0;                       // that cannot become items of this table
};

}  // namespace meridian::rpc

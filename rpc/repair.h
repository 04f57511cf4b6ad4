// What two regions say to each other when they compare a table and repair it: digests of key ranges,
// the heads of rows, whole rows, and what is to be done with them.
//
// Keys and images are opaque bytes here.  A span holds the keys after `after` up to and with `to`.
// Threads: value types.
// Limits: the constants below; the codec (rpc/codec_repair.h) checks them on arrival.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "common/bytes.h"
#include "common/ids.h"
#include "conflict/context.h"
#include "conflict/version.h"
#include "rpc/change_record.h"
#include "rpc/rows.h"

namespace meridian::rpc {

inline constexpr std::size_t kDigestPartsMax = 4096;     // in one answer
inline constexpr std::size_t kDigestRowsMax = 1 << 18;   // looked at for one answer
inline constexpr std::size_t kCompareSpansMax = 4096;    // in one call
inline constexpr std::size_t kCompareHashesMax = 32768;  // in one call
inline constexpr std::size_t kCompareRowsMax = 16384;    // in one answer
inline constexpr std::size_t kRepairRowsMax = 1024;      // fetched or applied in one call
// Keys and images of one call; one row may exceed it alone.
inline constexpr std::size_t kRepairBytesMax = 1 << 20;

struct KeySpan {
  Bytes after;
  std::optional<Bytes> to;  // empty: up to the end of the table
  bool operator==(const KeySpan&) const = default;
};

// The sum of the rows' hashes: order does not matter, and digests of adjoining spans add up.
struct Digest {
  std::uint64_t sum = 0;
  std::uint64_t items = 0;
  std::uint64_t tombstones = 0;
  bool operator==(const Digest&) const = default;

  [[nodiscard]] std::uint64_t rows() const { return items + tombstones; }
  Digest& operator+=(const Digest& other) {
    sum += other.sum;
    items += other.items;
    tombstones += other.tombstones;
    return *this;
  }
};

// Tombstones at or below `horizon` are left out: for both sides they are as good as gone.
struct DigestRequest {
  TableId table;
  KeySpan span;
  conflict::Hlc horizon;
  std::uint32_t rows_per_part = 0;
  std::uint32_t parts_max = 0;
};

// The span after the part before it, up to and with `to`.
struct DigestPart {
  std::optional<Bytes> to;  // empty: up to the end of the table
  Digest digest;
  bool operator==(const DigestPart&) const = default;
};

struct DigestPage {
  ReadStatus status = ReadStatus::ok;
  std::vector<DigestPart> parts;  // the last one ends where the span ends, or there is more to ask for
  bool ended = false;             // the whole span is covered
};

// A row without its image.
struct RowHead {
  Bytes key;
  conflict::Version version;
  std::uint64_t image_hash = 0;  // conflict::kTombstoneHash for a tombstone
  bool operator==(const RowHead&) const = default;
};

// "These are the hashes of my rows in these spans, in the order of their keys: where do you differ?"
struct CompareRequest {
  struct Span {
    KeySpan keys;
    std::vector<std::uint64_t> hashes;
  };
  TableId table;
  conflict::Hlc horizon;
  std::vector<Span> spans;
};

struct Comparison {
  ReadStatus status = ReadStatus::ok;
  std::vector<RowHead> theirs;           // rows that the asker does not have, in the order of keys
  std::vector<std::uint32_t> unmatched;  // rows that only the asker has: places among all its hashes
  // How far the answer goes: so many whole spans, and of the next one up to and with this key.
  std::uint32_t spans_covered = 0;
  std::optional<Bytes> covered_to;
};

struct FetchRequest {
  TableId table;
  std::vector<Bytes> keys;
};

struct FetchedRows {
  ReadStatus status = ReadStatus::ok;
  std::vector<Row> rows;  // in the order asked for, those that are there
  std::uint32_t keys_covered = 0;
};

// What one side is to do with rows of its table.
struct RepairWork {
  struct Row {
    rpc::Row row;
    // Take it although the key is absent and the row at or below the collected horizon: it was lost
    // here, not deleted.
    bool lost = false;
  };
  // Give up a row that the other side has seen deleted, unless it has changed since.
  struct Drop {
    Bytes key;
    conflict::Version version;
  };
  TableId table;
  // The horizon of the one who does it, as it was when this was decided.
  conflict::Hlc collected;
  conflict::Hlc drops_at;  // horizon of the side that has seen them deleted
  std::vector<Row> rows;
  std::vector<Drop> drops;
};

struct RepairOutcome {
  ApplyStatus status = ApplyStatus::unavailable;
  std::uint32_t applied = 0;
  std::uint32_t dropped = 0;
  std::uint32_t stale = 0;    // something newer was there
  std::uint32_t skipped = 0;  // the ground has moved since it was decided; look again
  std::int64_t retry_ms = 0;  // for held
};

// What one region knows of a table's state, for deciding about rows.
struct ReplicaFacts {
  std::map<RegionId, conflict::Hlc> watermarks;
  conflict::Hlc collected;
  std::uint64_t membership = 0;       // by which it goes; 0: it does not say
  std::set<RegionId> unsettled = {};  // as in TableWatermarks
  // With the first and the last call of a repair: what is parked there.  Its watermarks cover what that would
  // replace, so whoever takes them over has to have it, too.
  std::vector<Row> parked = {};
  bool more_parked = false;  // than may be told
  bool operator==(const ReplicaFacts&) const = default;
};

inline constexpr std::size_t kRepairShardsMax = 64;

// Where the asker's flows stand, shard by shard of its log, and what is known here.
struct StateRequest {
  TableId table;
  std::uint16_t shards = 0;
};

struct StateAnswer {
  ReadStatus status = ReadStatus::ok;
  std::vector<LogPosition> positions;
  ReplicaFacts facts;
  std::uint16_t shards = 0;  // of the answerer's log
};

// The same, at the begin of a repair.  `positions`: where the answerer's flows stand at the asker.
struct BeginRequest {
  TableId table;
  std::uint16_t shards = 0;
  std::vector<LogPosition> positions;
};

struct BeginAnswer {
  ReadStatus status = ReadStatus::ok;
  bool busy = false;  // with another repair of the table
  std::vector<LogPosition> positions;
  ReplicaFacts facts;
  // Where the answerer's flows to the asker begin anew when all is done; empty if they go on.
  std::vector<LogPosition> pins;
};

// All is done: the asker's flows begin at `positions`, if there are any, and what it knows holds for
// the answerer too.
struct FinishRequest {
  TableId table;
  std::vector<LogPosition> positions;
  ReplicaFacts facts;
  // By which membership both sides went when the repair began; 0: not by the same.
  std::uint64_t settles = 0;
};

struct FinishAnswer {
  ReadStatus status = ReadStatus::ok;
  bool done = false;
};

using RepairRequest = std::variant<StateRequest, BeginRequest, DigestRequest, CompareRequest,
                                   FetchRequest, RepairWork, FinishRequest>;
using RepairAnswer = std::variant<StateAnswer, BeginAnswer, DigestPage, Comparison, FetchedRows,
                                  RepairOutcome, FinishAnswer>;

}  // namespace meridian::rpc

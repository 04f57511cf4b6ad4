// Checkpoint: how far one flow (one shard of one table, to one sink) is known to be durable at its
// sink.  A hint that saves a question at a start; the sink's own position is the authority (ADR 0006).
// Threads: value types.
#pragma once

#include <compare>
#include <cstdint>

#include "common/ids.h"

namespace meridian::checkpoint {

struct CheckpointKey {
  RegionId sink;
  TableId table;
  ShardId shard;
  auto operator<=>(const CheckpointKey&) const = default;
  bool operator==(const CheckpointKey&) const = default;
};

struct Checkpoint {
  CheckpointKey key;
  LogPosition position;  // of the source's log
  std::int64_t updated_ms = 0;
  std::uint64_t token = 0;  // of the lease under which it is saved (lease.h); 0: under none
  bool operator==(const Checkpoint&) const = default;
};

}  // namespace meridian::checkpoint

// The life of a table's streams: enabled, rolled over, disabled, forgotten.
//
// Stream shards are stretches of log shards (ADR 0009).  A closed shard that never held a record has
// last = first - 1.  A shard that has held none since it was opened is not rolled over, so that idle
// tables grow no lineage.
// Pure: changes a TableInfo that is on its way to becoming the next snapshot.
// Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/ids.h"
#include "region-node/store/table_info.h"

namespace meridian::store {

// Newest sequence of each log shard.
using ShardEnds = std::vector<Sequence>;

// "2026-11-21T02:14:07.123", UTC.
std::string stream_label(std::int64_t time_ms);

// REQUIRES: no stream is enabled.
void enable_stream(TableInfo& info, model::StreamViewType view, const ShardEnds& ends,
                   std::int64_t now_ms);
// REQUIRES: one is.
void disable_stream(TableInfo& info, const ShardEnds& ends, std::int64_t now_ms);
// Closes open shards older than `rollover_ms` and opens their children.  Answers whether it did.
bool roll_over(TableInfo& info, const ShardEnds& ends, std::int64_t now_ms,
               std::int64_t rollover_ms);
// Forgets shards closed, and streams disabled, longer ago than `retention_ms`.
bool forget_closed(TableInfo& info, std::int64_t now_ms, std::int64_t retention_ms);

}  // namespace meridian::store

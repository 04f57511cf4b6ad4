// The identifiers of the streams API, and how they follow from the change log's own.
//
// Sequence number: decimal text of 10^20 + sequence * 1000 + log shard: 21 digits (AWS wants 21 to
// 40), growing within a shard, unique within a stream.
// Shard id: shardId-<20 digits>-<8 hex>: creation time of the shard in ms (the Kinesis adapter reads
// it), then log shard and generation, 4 hex digits each; so ids ascend with time.
// Iterator: <stream ARN>|1|<base64 of a fixed layout>, with a check value against garbage.
// Threads: any.
// Source: DynamoDB Streams API reference; the forms of real ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/ids.h"
#include "region-node/store/table_info.h"

namespace meridian::api {

std::string sequence_number(ShardId shard, Sequence sequence);
// Empty unless `text` is a sequence number of that shard.
std::optional<Sequence> parse_sequence_number(std::string_view text, ShardId shard);

std::string shard_id(const store::StreamShard& shard);

// 32 hex digits, the same whenever the record is read.
std::string event_id(const TableId& table, ShardId shard, Sequence sequence);

struct ShardIterator {
  TableId table;
  std::string stream_arn;
  ShardId shard;
  std::uint32_t generation = 0;
  Sequence next;  // first sequence to read
  std::int64_t issued_ms = 0;
};
std::string encode_iterator(const ShardIterator& iterator);
std::optional<ShardIterator> decode_iterator(std::string_view text);

}  // namespace meridian::api

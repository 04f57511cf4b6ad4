// Encoded keys: one byte string per primary key, unique in its table, in DynamoDB's order.
//
// The partition key comes first and is self-delimiting, so that all items of one partition are
// neighbours and ascend by sort key: strings by UTF-8 bytes, binaries by bytes, numbers by value.
// Pure.  Threads: any.
// Source: DynamoDB "Query" ("results are always sorted by the sort key value").
#pragma once

#include <optional>
#include <string>

#include "common/bytes.h"
#include "common/result.h"
#include "region-node/model/attribute_value.h"
#include "region-node/model/table.h"

namespace meridian::model {

// The key attributes of `item`.  The error is the text of AWS's ValidationException (missing key,
// wrong type, empty value, over 2048 or 1024 bytes).
Result<Bytes, std::string> encode_key(const KeySchema& schema, const Item& item);
// The same for a Key argument, which must hold the key attributes and nothing else.
Result<Bytes, std::string> encode_exact_key(const KeySchema& schema, const Item& key);
// Prefix shared by all keys of one partition.
Result<Bytes, std::string> encode_partition(const KeySchema& schema,
                                            const AttributeValue& partition);
// The ordered bytes of one sort key value (what follows the partition prefix).
Result<Bytes, std::string> encode_sort(const KeySchema& schema, const AttributeValue& sort);

// The key attributes back; empty when malformed.
std::optional<Item> decode_key(const KeySchema& schema, BytesView key);
// The partition part of an encoded key, for choosing a shard; empty when malformed.
std::optional<BytesView> partition_part(const KeySchema& schema, BytesView key);
// Shard of a key: by hash of the partition part, so that one partition's records stay in order.
ShardId shard_of(const KeySchema& schema, BytesView key, std::uint16_t shards);

// Smallest string greater than every string with this prefix; empty when there is none.
std::optional<Bytes> prefix_end(BytesView prefix);

}  // namespace meridian::model

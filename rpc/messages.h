// What the wire says about tables, replicas and backlogs, as plain structs.  (Change records, batches
// and pages: rpc/change_record.h.)
//
// Key types and view types stay text here: their meaning belongs to region-node/model.
// Threads: value types.
// Limits: the constants below; the codec checks them on arrival and before sending.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.h"
#include "conflict/version.h"

namespace meridian::rpc {

// A release speaks its own protocol and that of the release before it, so that neighbours replicate
// during a rolling upgrade.  What came with which: rpc/README.md.
inline constexpr std::uint32_t kProtocolMin = 2;
inline constexpr std::uint32_t kProtocolVersion = 3;
// From here on a node knows of barriers and watermarks.
inline constexpr std::uint32_t kProtocolWithBarriers = 3;
inline constexpr std::uint32_t kProtocolWithRepair = 3;

inline constexpr std::size_t kNameBytesMax = 255;  // DynamoDB's limit on table and attribute names
inline constexpr std::size_t kErrorBytesMax = 4096;
inline constexpr std::size_t kReplicasMax = 64;
inline constexpr std::size_t kSettingsMax = 1024;
inline constexpr std::size_t kSettingBytesMax = 4096;
inline constexpr std::size_t kTablesMax = 4096;  // in one answer of replicatedTables
inline constexpr std::size_t kAcknowledgementsMax = 65536;
inline constexpr std::size_t kBacklogQueriesMax = 4096;
inline constexpr std::size_t kLogReadsMax = 256;  // in one call of readLog
inline constexpr std::size_t kBatchesMax = 256;   // in one call of apply
// Of all pages of one answer, or all batches of one call; the last one may exceed it.
inline constexpr std::size_t kCallBytesMax = 4 * 1024 * 1024;

enum class Role : std::uint16_t { replicator, peer_node, peer_replicator };

// Who speaks, said once per connection.
struct Hello {
  std::uint32_t protocol = kProtocolVersion;  // the highest spoken; once welcome, the one agreed on
  RegionId region;
  NodeId node;
  Role role = Role::replicator;
  std::uint32_t protocol_min = kProtocolMin;
};

// The highest protocol that both speak; empty when there is none.  `protocol_max`: ours, which an
// operator may hold down until every region has been upgraded.
inline std::optional<std::uint32_t> agreed_protocol(const Hello& hello,
                                                    std::uint32_t protocol_max) {
  auto highest = std::min(hello.protocol, protocol_max);
  if (highest < std::max(hello.protocol_min, kProtocolMin)) return std::nullopt;
  return highest;
}

struct HelloAnswer {
  std::uint32_t protocol = kProtocolVersion;  // agreed on
  RegionId region;
  NodeId node;
  StartId start;
  bool operator==(const HelloAnswer&) const = default;
};

struct KeyAttribute {
  std::string name;
  std::string type;  // "S", "N" or "B"
  bool operator==(const KeyAttribute&) const = default;
};

struct ReplicaEntry {
  bool present = false;
  conflict::Version changed;
  bool copying = false;
  bool expelled = false;
  conflict::Version joined = {};
  bool operator==(const ReplicaEntry&) const = default;
};

// A setting as the store keeps it; `changed` is empty for what a table was made with.
struct Setting {
  std::string value;
  conflict::Version changed;
  bool operator==(const Setting&) const = default;
};

struct TableDefinition {
  TableId id;
  std::string name;
  KeyAttribute partition;
  std::optional<KeyAttribute> sort;
  std::int64_t created_ms = 0;
  std::map<RegionId, ReplicaEntry> replicas;
  std::string billing_mode;
  std::int64_t read_units = 0;
  std::int64_t write_units = 0;
  std::string stream_view;  // empty when no stream was asked for
  std::map<std::string, Setting> settings;  // those before it, too; none from an older release
  bool operator==(const TableDefinition&) const = default;
};

struct TableForReplication {
  TableId id;
  std::string name;
  std::uint16_t shards = 0;
  std::vector<RegionId> sinks;
  bool operator==(const TableForReplication&) const = default;
};

struct ReplicatedTables {
  std::uint64_t generation = 0;
  std::vector<TableForReplication> tables;
  bool operator==(const ReplicatedTables&) const = default;
};

// `position` is durable at `sink`.
struct Acknowledgement {
  TableId table;
  ShardId shard;
  RegionId sink;
  LogPosition position;
  bool operator==(const Acknowledgement&) const = default;
};

// A read of one shard's log.
struct LogRead {
  TableId table;
  ShardId shard;
  LogPosition after;
  std::uint32_t records_max = 0;
  std::uint32_t bytes_max = 0;
  RegionId sink = {};  // for whom
  bool operator==(const LogRead&) const = default;
};

struct BacklogQuery {
  TableId table;
  ShardId shard;
  RegionId sink;
  bool operator==(const BacklogQuery&) const = default;
};

struct BacklogAnswer {
  std::uint64_t pending_records = 0;
  std::uint64_t pending_bytes = 0;
  std::optional<std::int64_t> oldest_us;  // commit time
  LogPosition acknowledged;
  bool operator==(const BacklogAnswer&) const = default;
};

// A refusal in AWS's words; `type` is empty on success.
struct Refusal {
  std::string type;
  std::string message;
  bool operator==(const Refusal&) const = default;
};

}  // namespace meridian::rpc

// NodeConfig: every setting of a region node, read once at start, validated whole, then immutable.
//
// Settings come from a flag, the environment, a YAML file or the default, in that order
// (common/config.h).  Threads: value type.  Errors: ConfigError with every problem at once.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/config.h"
#include "common/ids.h"
#include "common/log.h"
#include "common/settings.h"

namespace meridian::node {

struct NodeConfig {
  RegionId region;
  std::string data_dir;
  Reach reach = Reach::loopback;  // of the addresses below
  std::string table_address;
  std::string stream_address;
  AdminSettings admin;
  std::string peer_address;
  std::vector<std::pair<RegionId, std::string>> peers;  // other regions' peer RPC addresses
  // The deployment as a browser reaches it: admin endpoints of the nodes and of the replicators.
  std::vector<std::pair<RegionId, std::string>> console_nodes;
  std::vector<std::pair<RegionId, std::string>> console_replicators;
  std::string console_drills;  // where `meridian drill serve` listens; may be empty
  TlsSettings tls;  // of the peer RPC
  std::uint32_t protocol_max = 0;  // spoken with peers
  LogLevel log_level = LogLevel::info;
  unsigned http_threads = 2;
  std::uint16_t shards = 4;  // log shards of a new table
  std::int64_t clock_drift_ms_max = 500;
  bool accept_old_clock = false;  // start though the clock is behind the newest version minted here
  std::uint64_t unacknowledged_bytes_max = 0;  // per table, before writes are refused
  std::uint64_t ledger_entries_max = 0;        // conflict ledger, of all tables
  std::uint64_t ledger_bytes_max = 0;
  std::uint64_t copy_bytes_per_s_max = 0;  // of replicas that are filled here, together
  std::int64_t tombstone_retention_s = 600;  // at least; then until no replica needs them
  std::int64_t stream_retention_hours = 24;
  std::int64_t stream_shard_hours = 4;
  bool global_tables_2017 = false;  // the calls of that version work
};

NodeConfig read_config(ConfigSource& source);

}  // namespace meridian::node

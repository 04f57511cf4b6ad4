// ReplicatorConfig: every setting of a replicator, read once at start, validated whole, then immutable.
//
//   region: us-east-1
//   node: 127.0.0.1:7000            # peer RPC of the own region node
//   peers: [{region: eu-west-1, address: "127.0.0.1:7100"}]
//   checkpoint_dir: var/us-east-1/checkpoints
//   tls: {certificate: us-east-1.crt, key: us-east-1.key, authority: authority.crt}
//   worker: worker-1              # told apart from the region's other workers; kept over restarts
//   lease_ms: 3500                # a worker that is silent for so long loses its shards
//   admin: 127.0.0.1:9080         # beyond loopback with admin_token_file only, or listen_beyond_loopback
//   admin_token_file: /etc/meridian/admin-token
//   log_level: info
//   collapse_tables: Orders,Carts # whose backlog is shipped without what a newer write replaced
//   limits: {batch_records_max: 512, ...}   # see PumpLimits
//
// Settings come from a flag, the environment, a YAML file or the default, in that order
// (common/config.h).  Threads: value type.  Errors: ConfigError with every problem at once.
#pragma once

#include <string>

#include "common/config.h"
#include "common/log.h"
#include "common/settings.h"
#include "replicator/supervisor.h"

namespace meridian::replicator {

struct ReplicatorConfig {
  ReplicatorOptions options;
  std::string checkpoint_dir;
  AdminSettings admin;
  std::vector<std::pair<RegionId, std::string>> console_nodes;  // where consoles are served
  LogLevel log_level = LogLevel::info;
};

ReplicatorConfig read_config(ConfigSource& source);

}  // namespace meridian::replicator

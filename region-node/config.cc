#include "region-node/config.h"

#include "common/settings.h"
#include "region-node/store/table_info.h"
#include "rpc/messages.h"

namespace meridian::node {

NodeConfig read_config(ConfigSource& source) {
  NodeConfig config;
  config.region = region_setting(source);
  config.data_dir = source.text("data_dir", std::nullopt);
  config.reach = reach_setting(source);
  config.table_address = listen_setting(source, "listen.table", "127.0.0.1:8000", config.reach);
  config.stream_address = listen_setting(source, "listen.streams", "127.0.0.1:8001", config.reach);
  config.admin = admin_setting(source, "listen.admin", "127.0.0.1:8080", config.reach);
  config.tls = tls_setting(source);
  // With TLS only those who hold a certificate get a word in.
  config.peer_address = listen_setting(source, "listen.peer", "127.0.0.1:7000",
                                       config.tls.on() ? Reach::anybody : config.reach);
  check_plain_text(source, config.tls, "listen.peer", config.peer_address);
  config.peers = peers_setting(source, config.region);
  config.console_nodes = addresses_setting(source, "console.nodes");
  config.console_replicators = addresses_setting(source, "console.replicators");
  config.console_drills = source.text("console.drills", "");
  if (!config.console_drills.empty() && !valid_address(config.console_drills))
    source.complain("console.drills must be HOST:PORT, not '" + config.console_drills + "'");
  for (const auto& [region, address] : config.peers)
    check_plain_text(source, config.tls, "peers.address", address);
  config.protocol_max = static_cast<std::uint32_t>(source.integer(
      "protocol_max", rpc::kProtocolVersion, rpc::kProtocolMin, rpc::kProtocolVersion));
  config.log_level = log_level_setting(source);
  config.http_threads = static_cast<unsigned>(source.integer("http_threads", 2, 1, 64));
  config.shards = static_cast<std::uint16_t>(
      source.integer("shards", store::kShardsDefault, 1, store::kShardsMax));
  config.clock_drift_ms_max = source.integer("clock_drift_ms_max", 500, 200, 60'000);
  config.accept_old_clock = source.flag("accept_old_clock", false);
  config.unacknowledged_bytes_max = static_cast<std::uint64_t>(source.integer(
      "unacknowledged_bytes_max", std::int64_t{16} << 30, 1 << 20, std::int64_t{1} << 50));
  config.ledger_entries_max = static_cast<std::uint64_t>(
      source.integer("ledger_entries_max", 100'000, 0, std::int64_t{1} << 32));
  config.ledger_bytes_max = static_cast<std::uint64_t>(
      source.integer("ledger_bytes_max", 256 << 20, 0, std::int64_t{1} << 40));
  config.copy_bytes_per_s_max = static_cast<std::uint64_t>(
      source.integer("copy_bytes_per_s_max", 8 << 20, 1024, std::int64_t{1} << 40));
  config.tombstone_retention_s = source.integer("tombstone_retention_s", 600, 0, 30 * 24 * 3600);
  config.stream_retention_hours = source.integer("stream_retention_hours", 24, 24, 24 * 365);
  config.global_tables_2017 = source.flag("global_tables_2017", false);
  config.stream_shard_hours = source.integer("stream_shard_hours", 4, 1, 24);
  return config;
}

}  // namespace meridian::node

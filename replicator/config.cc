#include "replicator/config.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "common/settings.h"
#include "rpc/change_record.h"
#include "rpc/messages.h"

namespace meridian::replicator {
namespace {

constexpr std::int64_t kLeaseMsMin = 700;
constexpr std::int64_t kLeaseMsMax = 600'000;
constexpr std::size_t kWorkerBytesMax = 64;

std::size_t size_of(ConfigSource& source, const std::string& name, std::size_t fallback,
                    std::size_t most) {
  return static_cast<std::size_t>(source.integer(name, static_cast<std::int64_t>(fallback), 1,
                                                 static_cast<std::int64_t>(most)));
}

PumpLimits read_limits(ConfigSource& source) {
  PumpLimits limits;
  limits.batch_records_max =
      size_of(source, "limits.batch_records_max", limits.batch_records_max, rpc::kBatchRecordsMax);
  limits.batch_bytes_max =
      size_of(source, "limits.batch_bytes_max", limits.batch_bytes_max, rpc::kBatchBytesMax);
  limits.window_batches_max =
      size_of(source, "limits.window_batches_max", limits.window_batches_max, 1024);
  limits.window_bytes_max =
      size_of(source, "limits.window_bytes_max", limits.window_bytes_max, std::size_t{1} << 30);
  limits.save_interval_ms =
      source.integer("limits.save_interval_ms", limits.save_interval_ms, 10, 60'000);
  limits.idle_advance_ms =
      source.integer("limits.idle_advance_ms", limits.idle_advance_ms, 10, 60'000);
  limits.backoff_ms_max = source.integer("limits.backoff_ms_max", limits.backoff_ms_max,
                                         limits.backoff_ms_min, 600'000);
  return limits;
}

// Names of tables, with commas between them.
std::set<std::string> collapse_setting(ConfigSource& source) {
  std::set<std::string> out;
  std::istringstream names(source.text("collapse_tables", ""));
  for (std::string name; std::getline(names, name, ',');)
    if (!name.empty()) out.insert(name);
  return out;
}

std::string worker_setting(ConfigSource& source) {
  std::string name = source.text("worker", "worker-1");
  bool fine = !name.empty() && name.size() <= kWorkerBytesMax &&
              std::all_of(name.begin(), name.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
              });
  if (!fine) source.complain("worker must be 1 to 64 characters of [A-Za-z0-9._-]");
  return name;
}

}  // namespace

ReplicatorConfig read_config(ConfigSource& source) {
  ReplicatorConfig config;
  auto& options = config.options;
  options.region = region_setting(source);
  options.node_address = address_setting(source, "node", "127.0.0.1:7000");
  options.peers = peers_setting(source, options.region);
  options.tls = tls_setting(source);
  check_plain_text(source, options.tls, "node", options.node_address);
  for (const auto& [region, address] : options.peers)
    check_plain_text(source, options.tls, "peers.address", address);
  options.protocol_max = static_cast<std::uint32_t>(source.integer(
      "protocol_max", rpc::kProtocolVersion, rpc::kProtocolMin, rpc::kProtocolVersion));
  config.checkpoint_dir = source.text("checkpoint_dir", std::nullopt);
  config.admin = admin_setting(source, "admin", "127.0.0.1:9080", reach_setting(source));
  config.console_nodes = addresses_setting(source, "console.nodes");
  options.limits = read_limits(source);
  options.collapse_tables = collapse_setting(source);
  options.worker = worker_setting(source);
  options.lease_timing.lease_ms = source.integer("lease_ms", options.lease_timing.lease_ms,
                                                 kLeaseMsMin, kLeaseMsMax);
  options.lease_timing.round_ms = options.lease_timing.lease_ms * 2 / 7;
  config.log_level = log_level_setting(source);
  return config;
}

}  // namespace meridian::replicator

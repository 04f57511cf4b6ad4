#include "replicator/config.h"

#include <charconv>

#include "rpc/change_record.h"

namespace meridian::replicator {
namespace {

bool valid_address(const std::string& address) {
  std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  int port = 0;
  const char* end = address.data() + address.size();
  auto [stop, error] = std::from_chars(address.data() + colon + 1, end, port);
  return error == std::errc() && stop == end && port >= 0 && port <= 65535;
}

RegionId region_name(ConfigSource& source, const std::string& what, const std::string& name) {
  if (name.empty()) return {};  // the source has complained that it is missing
  auto region = RegionId::parse(name);
  if (!region)
    source.complain(what + " must be a region name of 1 to 22 characters of [a-z0-9-], not '" +
                    name + "'");
  return region.value_or(RegionId{});
}

std::string address_of(ConfigSource& source, const std::string& name,
                       const std::optional<std::string>& fallback) {
  std::string address = source.text(name, fallback);
  if (!address.empty() && !valid_address(address))
    source.complain(name + " must be host:port, not '" + address + "'");
  return address;
}

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

}  // namespace

ReplicatorConfig read_config(ConfigSource& source) {
  ReplicatorConfig config;
  auto& options = config.options;
  options.region = region_name(source, "region", source.text("region", std::nullopt));
  options.node_address = address_of(source, "node", "127.0.0.1:7000");
  for (const auto& [name, address] : source.pairs("peers", "region", "address")) {
    RegionId peer = region_name(source, "peers.region", name);
    if (!valid_address(address))
      source.complain("peers.address must be host:port, not '" + address + "'");
    if (peer == options.region) source.complain("peers must not name this region (" + name + ")");
    options.peers.emplace_back(peer, address);
  }
  config.checkpoint_dir = source.text("checkpoint_dir", std::nullopt);
  config.admin_address = address_of(source, "admin", "127.0.0.1:9080");
  options.limits = read_limits(source);
  std::string level = source.text("log_level", "info");
  if (auto parsed = parse_log_level(level)) {
    config.log_level = *parsed;
  } else {
    source.complain("log_level must be debug, info, warn or error, not '" + level + "'");
  }
  return config;
}

}  // namespace meridian::replicator

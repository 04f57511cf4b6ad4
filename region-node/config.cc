#include "region-node/config.h"

#include <charconv>
#include <optional>

#include "region-node/store/table_info.h"

namespace meridian::node {
namespace {

std::optional<std::pair<std::string, int>> split_address(const std::string& address) {
  std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  int port = 0;
  const char* end = address.data() + address.size();
  auto [stop, error] = std::from_chars(address.data() + colon + 1, end, port);
  if (error != std::errc() || stop != end || port < 0 || port > 65535) return std::nullopt;
  return std::pair(address.substr(0, colon), port);
}

// Until requests are authenticated, a listener that others can reach would be an open door.
std::string loopback_address(ConfigSource& source, const std::string& name,
                             const std::string& fallback) {
  std::string address = source.text(name, fallback);
  if (!valid_address(address)) {
    source.complain(name + " must be host:port, not '" + address + "'");
  } else if (!is_loopback(address)) {
    source.complain(name + " must be a loopback address: signatures are not verified yet ('" +
                    address + "')");
  }
  return address;
}

RegionId region_name(ConfigSource& source, const std::string& what, const std::string& name) {
  if (name.empty()) return {};  // the source has complained that it is missing
  auto region = RegionId::parse(name);
  if (!region) {
    source.complain(what + " must be a region name of 1 to 22 characters of [a-z0-9-], not '" +
                    name + "'");
    return {};
  }
  return *region;
}

}  // namespace

bool valid_address(const std::string& address) { return split_address(address).has_value(); }

bool is_loopback(const std::string& address) {
  auto parts = split_address(address);
  if (!parts) return false;
  const std::string& host = parts->first;
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

NodeConfig read_config(ConfigSource& source) {
  NodeConfig config;
  config.region = region_name(source, "region", source.text("region", std::nullopt));
  config.data_dir = source.text("data_dir", std::nullopt);
  config.table_address = loopback_address(source, "listen.table", "127.0.0.1:8000");
  config.stream_address = loopback_address(source, "listen.streams", "127.0.0.1:8001");
  config.admin_address = loopback_address(source, "listen.admin", "127.0.0.1:8080");
  config.peer_address = loopback_address(source, "listen.peer", "127.0.0.1:7000");
  for (const auto& [name, address] : source.pairs("peers", "region", "address")) {
    RegionId peer = region_name(source, "peers.region", name);
    if (!valid_address(address))
      source.complain("peers.address must be host:port, not '" + address + "'");
    if (peer == config.region) source.complain("peers must not name this region (" + name + ")");
    config.peers.emplace_back(peer, address);
  }
  std::string level = source.text("log_level", "info");
  if (auto parsed = parse_log_level(level)) {
    config.log_level = *parsed;
  } else {
    source.complain("log_level must be debug, info, warn or error, not '" + level + "'");
  }
  config.http_threads = static_cast<unsigned>(source.integer("http_threads", 2, 1, 64));
  config.shards = static_cast<std::uint16_t>(
      source.integer("shards", store::kShardsDefault, 1, store::kShardsMax));
  config.clock_drift_ms_max = source.integer("clock_drift_ms_max", 500, 200, 60'000);
  config.unacknowledged_bytes_max = static_cast<std::uint64_t>(source.integer(
      "unacknowledged_bytes_max", std::int64_t{16} << 30, 1 << 20, std::int64_t{1} << 50));
  config.stream_retention_hours = source.integer("stream_retention_hours", 24, 24, 24 * 365);
  config.stream_shard_hours = source.integer("stream_shard_hours", 4, 1, 24);
  return config;
}

}  // namespace meridian::node

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "replicator/admin/admin.h"

namespace meridian::replicator {
namespace {

namespace json = boost::json;

template <typename T>
json::value maybe(const std::optional<T>& value) {
  if (!value) return nullptr;
  return *value;
}

json::value maybe_ms(const std::optional<std::int64_t>& value_us) {
  if (!value_us) return nullptr;
  return static_cast<double>(*value_us) / 1000.0;
}

double ms(std::int64_t us) { return static_cast<double>(us) / 1000.0; }

// Quantiles of the records of the last while; of the probes when there was none; unknown when
// there was neither.
void add_quantiles(json::object& out, const LinkStatus& link) {
  bool records = link.records.count() > 0;
  const LagCounts& lag = records ? link.records : link.probes;
  bool none = lag.count() == 0;
  auto quantile = [&](double q) { return none ? json::value(nullptr) : ms(lag.quantile_us(q)); };
  out["p50_ms"] = quantile(0.50);
  out["p95_ms"] = quantile(0.95);
  out["p99_ms"] = quantile(0.99);
  out["max_ms"] = none ? json::value(nullptr) : json::value(ms(lag.max_us));
  out["measured_by"] = none ? json::value(nullptr) : records ? "records" : "probes";
}

json::object counts_json(const LagCounts& lag) {
  json::array counts;
  for (const auto& [bound_us, count] : lag.by_bound) counts.push_back(json::array{bound_us, count});
  return {{"max_us", lag.max_us}, {"counts", std::move(counts)}};
}

void add_pending(json::object& out, const Pending& pending) {
  out["pending_records"] = maybe(pending.records);
  out["pending_bytes"] = maybe(pending.bytes);
  // Nothing waits: age zero.  Not known: null.
  bool none = pending.records && *pending.records == 0;
  out["oldest_pending_ms"] = none ? json::value(0) : maybe(pending.oldest_ms);
}

std::string reason_of(const LinkStatus& link) {
  std::string out = link.reason;
  for (auto fault = link.faults.rbegin(); fault != link.faults.rend(); ++fault)
    out += fmt::format("{}{} on purpose, {:.1f} s left", out.empty() ? "" : "; ", fault->text,
                       static_cast<double>(fault->left_ms) / 1000.0);
  return out;
}

json::object link_json(const RegionId& source, const LinkStatus& link) {
  json::object out{
      {"table", link.table_name}, {"table_id", link.table.hex()}, {"source", source.name()},
      {"sink", link.sink.name()}, {"state", link_state(link)},      {"reason", reason_of(link)}};
  out["flow_state"] = flow_state_name(link.state);
  json::array faults;
  for (const auto& fault : link.faults)
    faults.push_back(json::object{
        {"state", fault.state}, {"text", fault.text}, {"left_ms", fault.left_ms}});
  out["faults"] = std::move(faults);
  add_quantiles(out, link);
  out["records"] = link.lag->total().count();
  out["records_collapsed"] = link.records_collapsed;
  out["bytes_collapsed"] = link.bytes_collapsed;
  add_pending(out, link.pending);
  out["trend"] = trend_name(link.trend);
  out["applied_us"] = maybe(link.applied_us);
  out["probe_us"] = maybe(link.probe_us);
  out["clock_offset_ms"] = maybe_ms(link.clock_offset_us);
  return out;
}

json::object flow_json(const FlowStatus& flow) {
  json::object out{{"table", flow.table_name},
                   {"table_id", flow.table.hex()},
                   {"shard", flow.shard.value},
                   {"sink", flow.sink.name()},
                   {"state", flow_state_name(flow.state)},
                   {"reason", flow.reason}};
  add_pending(out, flow.pending);
  out["acknowledged"] =
      json::object{{"start", fmt::format("{:016x}", flow.acknowledged.start.value)},
                   {"sequence", flow.acknowledged.sequence.value}};
  out["restarts"] = flow.restarts;
  out["records_shipped"] = flow.records_shipped;
  out["records_acknowledged"] = flow.records_acknowledged;
  out["records_collapsed"] = flow.records_collapsed;
  out["bytes_collapsed"] = flow.bytes_collapsed;
  out["in_flight_batches"] = flow.in_flight_batches;
  out["in_flight_bytes"] = flow.in_flight_bytes;
  return out;
}

json::object peer_json(const PeerStatus& peer) {
  return {{"region", peer.region.name()},
          {"own", peer.own},
          {"connected", peer.connected},
          {"connects", peer.connects},
          {"protocol", peer.protocol},
          {"reason", peer.reason},
          {"trouble", rpc::link_trouble_name(peer.trouble)},
          {"round_trip_ms", maybe_ms(peer.round_trip_us)},
          {"clock_offset_ms", maybe_ms(peer.clock_offset_us)}};
}

json::array leases_json(const LeaseFigures& leases) {
  json::array out;
  for (const auto& row : leases.rows)
    out.push_back(json::object{{"table", row.table_name},
                               {"table_id", row.table.hex()},
                               {"shard", row.shard.value},
                               {"owner", row.owner},
                               {"wanted", row.wanted},
                               {"token", row.token},
                               {"own", row.owner == leases.worker},
                               {"held_ms", maybe(row.held_ms)},
                               {"silent_ms", maybe(row.silent_ms)}});
  return out;
}

}  // namespace

std::string_view link_state(const LinkStatus& link) {
  bool worse = link.state == FlowState::held || link.state == FlowState::repair_needed;
  if (link.faults.empty() || worse) return flow_state_name(link.state);
  return link.faults.back().state;
}

std::string status_json(const ReplicatorStatus& status, const std::string& version) {
  json::array links;
  for (const auto& link : status.links) links.push_back(link_json(status.region, link));
  json::array flows;
  for (const auto& flow : status.flows) flows.push_back(flow_json(flow));
  json::array peers;
  for (const auto& peer : status.peers) peers.push_back(peer_json(peer));
  json::object out{{"region", status.region.name()},
                   {"version", version},
                   {"ready", status.ready},
                   {"reason", status.reason},
                   {"window_ms", status.window_ms},
                   {"links", std::move(links)},
                   {"flows", std::move(flows)},
                   {"peers", std::move(peers)},
                   {"worker", status.leases.worker},
                   {"leases", leases_json(status.leases)},
                   {"lease_ms", status.leases.lease_ms},
                   {"lease_look_ms", maybe(status.leases.look_ms)},
                   {"leases_held", status.leases.held},
                   {"leases_gained", status.leases.gained},
                   {"leases_lost", status.leases.lost},
                   {"lease_rounds_failed", status.leases.rounds_failed},
                   {"checkpoint_saves_failed", status.checkpoint_saves_failed}};
  return json::serialize(out);
}

std::string lag_json(const ReplicatorStatus& status) {
  json::array links;
  for (const auto& link : status.links) {
    json::object each = link_json(status.region, link);
    each["record_lag"] = counts_json(link.records);
    each["probe_lag"] = counts_json(link.probes);
    links.push_back(std::move(each));
  }
  return json::serialize(json::object{{"region", status.region.name()},
                                      {"worker", status.leases.worker},
                                      {"window_ms", status.window_ms},
                                      {"links", std::move(links)}});
}

}  // namespace meridian::replicator

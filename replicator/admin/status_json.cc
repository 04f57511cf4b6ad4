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

// Unknown until something has arrived.
json::value quantile_ms(const Histogram& lag, double quantile) {
  if (lag.count() == 0) return nullptr;
  return static_cast<double>(lag.quantile_us(quantile)) / 1000.0;
}

void add_pending(json::object& out, const Pending& pending) {
  out["pending_records"] = maybe(pending.records);
  out["pending_bytes"] = maybe(pending.bytes);
  // Nothing waits: age zero.  Not known: null.
  bool none = pending.records && *pending.records == 0;
  out["oldest_pending_ms"] = none ? json::value(0) : maybe(pending.oldest_ms);
}

// What is done to a link on purpose explains how it is, unless something worse is the matter.
std::string_view state_of(const LinkStatus& link) {
  bool worse = link.state == FlowState::held || link.state == FlowState::repair_needed;
  if (link.faults.empty() || worse) return flow_state_name(link.state);
  return link.faults.back().state;
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
      {"sink", link.sink.name()}, {"state", state_of(link)},      {"reason", reason_of(link)}};
  out["flow_state"] = flow_state_name(link.state);
  json::array faults;
  for (const auto& fault : link.faults)
    faults.push_back(json::object{
        {"state", fault.state}, {"text", fault.text}, {"left_ms", fault.left_ms}});
  out["faults"] = std::move(faults);
  out["p50_ms"] = quantile_ms(*link.lag, 0.50);
  out["p95_ms"] = quantile_ms(*link.lag, 0.95);
  out["p99_ms"] = quantile_ms(*link.lag, 0.99);
  out["max_ms"] = link.lag->count() == 0
                      ? json::value(nullptr)
                      : json::value(static_cast<double>(link.lag->max_us()) / 1000.0);
  out["records"] = link.lag->count();
  add_pending(out, link.pending);
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
                               {"own", row.owner == leases.worker}});
  return out;
}

}  // namespace

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
                   {"links", std::move(links)},
                   {"flows", std::move(flows)},
                   {"peers", std::move(peers)},
                   {"worker", status.leases.worker},
                   {"leases", leases_json(status.leases)},
                   {"leases_held", status.leases.held},
                   {"leases_gained", status.leases.gained},
                   {"leases_lost", status.leases.lost},
                   {"lease_rounds_failed", status.leases.rounds_failed},
                   {"checkpoint_saves_failed", status.checkpoint_saves_failed}};
  return json::serialize(out);
}

}  // namespace meridian::replicator

#include <array>
#include <map>
#include <tuple>

#include "common/metrics.h"
#include "replicator/admin/admin.h"

namespace meridian::replicator {
namespace {

constexpr std::array kStates{FlowState::idle,         FlowState::asking, FlowState::running,
                             FlowState::waiting,      FlowState::held,   FlowState::backing_off,
                             FlowState::repair_needed};

// What link_state() may say.
constexpr std::array kLinkStates{"idle",        "asking",        "running", "waiting", "held",
                                 "backing_off", "repair_needed", "cut",     "paused",  "limited",
                                 "lossy",        "delayed"};

double seconds(std::int64_t value_us) { return static_cast<double>(value_us) / 1e6; }

MetricLabels labels_of(const ReplicatorStatus& status, const LinkStatus& link) {
  return {{"table", link.table_name},
          {"source", std::string(status.region.name())},
          {"sink", std::string(link.sink.name())}};
}

// Sums over the flows of one link.
struct Totals {
  std::uint64_t shipped = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t collapsed = 0;
  std::uint64_t collapsed_bytes = 0;
  std::uint64_t restarts = 0;
  std::map<FlowState, std::uint64_t> states;
};
using TotalsByLink = std::map<std::tuple<TableId, RegionId>, Totals>;

TotalsByLink sum_up(const ReplicatorStatus& status) {
  TotalsByLink out;
  for (const auto& flow : status.flows) {
    auto& totals = out[{flow.table, flow.sink}];
    totals.shipped += flow.records_shipped;
    totals.acknowledged += flow.records_acknowledged;
    totals.collapsed += flow.records_collapsed;
    totals.collapsed_bytes += flow.bytes_collapsed;
    totals.restarts += flow.restarts;
    ++totals.states[flow.state];
  }
  return out;
}

void add_lag(MetricsPage& page, const ReplicatorStatus& status, const LinkStatus& link) {
  auto labels = labels_of(status, link);
  page.histogram("meridian_replication_lag_seconds",
                 "Commit at the source to visibility at the sink, corrected by the clock offset.",
                 link.lag->total(), labels);
  if (link.pending.records)
    page.gauge("meridian_replication_pending_records", "Records not yet acknowledged by the sink.",
               static_cast<double>(*link.pending.records), labels);
  if (link.pending.bytes)
    page.gauge("meridian_replication_pending_bytes", "Bytes of those records.",
               static_cast<double>(*link.pending.bytes), labels);
  // Absent while nothing waits, so that "now minus this" is never an age of nothing.
  if (link.pending.oldest_us)
    page.gauge(
        "meridian_replication_oldest_pending_timestamp_seconds",
        "Commit time of the oldest record that the sink has not acknowledged; absent when none.",
        seconds(*link.pending.oldest_us), labels);
  if (link.applied_us)
    page.gauge("meridian_replication_applied_timestamp_seconds",
               "Commit time of the newest record that is at the sink.", seconds(*link.applied_us),
               labels);
  if (link.probe_us)
    page.gauge("meridian_replication_probe_timestamp_seconds",
               "When the newest probe that has arrived at the sink began; none begin while"
               " records flow.",
               seconds(*link.probe_us), labels);
  for (const char* state : kLinkStates) {
    auto with_state = labels;
    with_state.emplace_back("state", state);
    page.gauge("meridian_replication_state", "1 for the state of the link.",
               link_state(link) == state ? 1 : 0, with_state);
  }
  if (link.clock_offset_us)
    page.gauge("meridian_replication_clock_offset_seconds", "Sink's wall clock minus the source's.",
               seconds(*link.clock_offset_us), labels);
}

void add_totals(MetricsPage& page, const MetricLabels& labels, Totals totals) {
  page.counter("meridian_replication_records_shipped_total", "Records sent, repeats included.",
               static_cast<double>(totals.shipped), labels);
  page.counter("meridian_replication_records_acknowledged_total", "Records durable at the sink.",
               static_cast<double>(totals.acknowledged), labels);
  page.counter("meridian_replication_records_collapsed_total",
               "Records left out of a backlog because a newer one of their key went with them.",
               static_cast<double>(totals.collapsed), labels);
  page.counter("meridian_replication_collapsed_bytes_total",
               "What these would have cost to ship.", static_cast<double>(totals.collapsed_bytes),
               labels);
  page.counter("meridian_replication_flow_restarts_total", "Times that a flow dropped its window.",
               static_cast<double>(totals.restarts), labels);
  for (auto state : kStates) {
    auto with_state = labels;
    with_state.emplace_back("state", flow_state_name(state));
    page.gauge("meridian_replication_flow_state", "Number of flows in each state.",
               static_cast<double>(totals.states[state]), with_state);
  }
}

void add_peer(MetricsPage& page, const PeerStatus& peer) {
  MetricLabels labels{{"peer", std::string(peer.region.name())}};
  page.gauge("meridian_replication_link_connected", "1 while connected to that region's node.",
             peer.connected ? 1 : 0, labels);
  page.counter("meridian_replication_connects_total", "Connections made to that region's node.",
               static_cast<double>(peer.connects), labels);
  for (auto trouble : rpc::kLinkTroubles) {
    auto with_trouble = labels;
    with_trouble.emplace_back("trouble", rpc::link_trouble_name(trouble));
    page.gauge("meridian_replication_link_down", "1 while not connected, by the kind of trouble.",
               peer.trouble == trouble ? 1 : 0, with_trouble);
  }
  if (peer.round_trip_us)
    page.gauge("meridian_replication_round_trip_seconds", "Fastest recent round trip.",
               seconds(*peer.round_trip_us), labels);
}

void add_tls(MetricsPage& page, const TlsStatus& tls) {
  page.gauge("meridian_tls_certificate_expiry_timestamp_seconds",
             "When the certificate in use expires.", seconds(tls.expires_us));
  page.counter("meridian_tls_loads_total", "Times that the certificate's files were taken.",
               static_cast<double>(tls.loads));
  page.counter("meridian_tls_loads_failed_total", "Times that they could not be used.",
               static_cast<double>(tls.loads_failed));
}

}  // namespace

void collect(const ReplicatorStatus& status, MetricsPage& page) {
  auto totals = sum_up(status);
  page.gauge("meridian_replicator_ready", "1 while the own region node answers.",
             status.ready ? 1 : 0);
  for (const auto& link : status.links) add_lag(page, status, link);
  for (const auto& link : status.links)
    add_totals(page, labels_of(status, link), totals[{link.table, link.sink}]);
  for (const auto& peer : status.peers) add_peer(page, peer);
  if (status.tls) add_tls(page, *status.tls);
  page.gauge("meridian_replicator_leases_held", "Shards that this worker ships.",
             static_cast<double>(status.leases.held));
  page.counter("meridian_replicator_leases_gained_total", "Leases that this worker was given.",
               static_cast<double>(status.leases.gained));
  page.counter("meridian_replicator_leases_lost_total",
               "Leases that another worker took because this one seemed dead.",
               static_cast<double>(status.leases.lost));
  page.counter("meridian_replicator_lease_rounds_failed_total",
               "Looks at the leases that failed; what is held is held on.",
               static_cast<double>(status.leases.rounds_failed));
  page.counter("meridian_replicator_checkpoint_saves_failed_total",
               "Checkpoint transactions that failed.",
               static_cast<double>(status.checkpoint_saves_failed));
}

}  // namespace meridian::replicator

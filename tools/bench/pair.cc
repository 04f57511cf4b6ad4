#include "tools/bench/pair.h"

#include <stdexcept>

#include "common/clock.h"

namespace meridian::bench {
namespace {

constexpr std::int64_t kPairPollUs = 10'000;
constexpr std::int64_t kStandstillMsMax = 60'000;  // without a record applied

}  // namespace

Pair::Pair(const Options& options, const WorkDir& dir, const std::string& sink_settings)
    : options_(options),
      source_ports_(draw_ports("us-east-1")),
      sink_ports_(draw_ports("eu-west-1")),
      sink_node_(make_node(options, dir, sink_ports_, {source_ports_}, sink_settings)),
      source_(options, dir, source_ports_, {sink_ports_}),
      source_replicator_(make_replicator(dir, source_ports_, {sink_ports_})),
      sink_replicator_(make_replicator(dir, sink_ports_, {source_ports_})) {
  sink_node_.start();
  source_replicator_.start();
  if (!options_.one_way) sink_replicator_.start();
}

Pair::~Pair() {
  // Replicators first: they would complain of the nodes' end.
  source_replicator_.stop();
  sink_replicator_.stop();
  sink_node_.stop();
}

store::TablePtr Pair::create_table(const std::string& name) {
  return source_.create_table(name, {sink_ports_.region});
}

void Pair::start_replicator() { source_replicator_.process().start(); }

NodeCounters Pair::sink() {
  sink_node_.process().check_alive();
  return node_counters(sink_ports_.admin);
}

void Pair::wait_for(std::uint64_t records) {
  SystemClock clock;
  std::uint64_t seen = 0;
  std::int64_t moved_ms = clock.monotonic_ms();
  for (;;) {
    std::uint64_t now = sink().records;
    if (now >= records) return;
    if (now != seen) moved_ms = clock.monotonic_ms();
    seen = now;
    if (clock.monotonic_ms() - moved_ms > kStandstillMsMax)
      throw std::runtime_error("replication stands still at " + std::to_string(now) + " of " +
                               std::to_string(records) + " records; the replicator says:\n" +
                               source_replicator_.process().log_tail());
    source_replicator_.process().check_alive();
    pause_us(kPairPollUs);
  }
}

std::vector<Cost> Pair::costs() {
  auto cost = [](const char* name, const Usage& usage) {
    return Cost{name, usage.cpu_us, usage.rss_peak_bytes};
  };
  std::vector<Cost> out{cost("sink_node", sink_node_.process().usage()),
                        cost("source_replicator", source_replicator_.process().usage()),
                        cost("source_and_feeder", own_usage())};
  if (!options_.one_way)
    out.push_back(cost("sink_replicator", sink_replicator_.process().usage()));
  return out;
}

std::vector<Cost> Pair::costs_since(const std::vector<Cost>& before) {
  auto out = costs();
  for (std::size_t i = 0; i < out.size(); ++i)
    if (before[i].cpu_us < out[i].cpu_us) out[i].cpu_us -= before[i].cpu_us;
  return out;
}

}  // namespace meridian::bench

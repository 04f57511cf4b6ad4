#include "region-node/alarms.h"

#include <chrono>
#include <utility>
#include <vector>

namespace meridian::node {

void Alarms::look(const store::StoreHealth& health, const store::ClockReport& clock) {
  if (!health.accepts_writes && !refuses_)
    log_.error("store_refuses_writes", "reason=\"{}\" see=/readyz", health.reason);
  if (health.accepts_writes && refuses_) log_.info("store_accepts_writes", "");
  refuses_ = !health.accepts_writes;
  if (health.records_parked > parked_)
    log_.error("records_in_quarantine", "new={} see=\"meridian quarantine list\"",
               health.records_parked - parked_);
  parked_ = health.records_parked;
  if (health.records_forked > forked_)
    log_.error("versions_forked", "new={} meaning=\"one version came with two images\"",
               health.records_forked - forked_);
  forked_ = health.records_forked;
  // Counted over restarts, and less once a table is dropped.
  if (dropped_ && health.ledger_dropped > *dropped_)
    log_.warn("conflict_ledger_full", "dropped={} see=\"meridian conflicts export\"",
              health.ledger_dropped - *dropped_);
  dropped_ = health.ledger_dropped;
  look_at_clock(clock);
}

void Alarms::look_at_clock(const store::ClockReport& clock) {
  if (clock.stepped && !stepped_)
    log_.error("clock_stepped", "by_ms={} effect=\"client writes are refused\"", clock.step_ms);
  if (!clock.stepped && stepped_) log_.info("clock_trusted", "");
  stepped_ = clock.stepped;

  bool behind = clock.minted_ahead_ms > clock.bound_ms;
  if (behind && !behind_)
    log_.error("clock_behind_own_versions", "by_ms={} effect=\"client writes are refused\"",
               clock.minted_ahead_ms);
  if (!behind && behind_) log_.info("clock_has_caught_up", "");
  behind_ = behind;

  std::set<RegionId> held;
  for (const auto& each : clock.held) {
    held.insert(each.source);
    if (!held_.contains(each.source))
      log_.error("region_held_by_clock_guard",
                 "source={} flows={} ahead_ms={} effect=\"nothing of it is applied\"",
                 each.source.name(), each.flows, each.ahead_ms);
  }
  for (const auto& source : held_)
    if (!held.contains(source)) log_.info("region_no_longer_held", "source={}", source.name());
  held_ = std::move(held);
}

AlarmThread::AlarmThread(store::Store& store, Logger log)
    : store_(store), alarms_(std::move(log)), thread_([this] { run(); }) {}

AlarmThread::~AlarmThread() {
  stop_.close();
  thread_.join();
}

void AlarmThread::run() {
  std::vector<int> nothing;
  while (stop_.wait_drain(nothing, std::chrono::milliseconds(kLookMs)))
    alarms_.look(store_.health(), store_.clock_report());
}

}  // namespace meridian::node

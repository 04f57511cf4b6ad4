// The fields of a shape that a script writes down, by name.
//
// Threads: none of its own.
#pragma once

#include <fmt/format.h>

#include <string>

#include "tests/sim/shape.h"

namespace meridian::sim {

// Calls visit(name, reference) for each, always in the same order.
template <typename Visit>
void visit_fields(Shape& shape, Visit visit) {
  visit("tables", shape.tables);
  visit("workers", shape.workers);
  visit("keys", shape.load.keys);
  visit("storm_ms", shape.storm_ms);
  visit("joins", shape.joins);
  visit("batch_records_max", shape.pump.batch_records_max);
  visit("batch_bytes_max", shape.pump.batch_bytes_max);
  visit("window_batches_max", shape.pump.window_batches_max);
  visit("window_bytes_max", shape.pump.window_bytes_max);
  visit("save_interval_ms", shape.pump.save_interval_ms);
  visit("idle_advance_ms", shape.pump.idle_advance_ms);
  visit("backoff_ms_max", shape.pump.backoff_ms_max);
  visit("collapse_backlog", shape.pump.collapse_backlog);
  visit("request_deadline_ms", shape.request_deadline_ms);
  visit("stream_rollover_ms", shape.stream_rollover_ms);
  visit("retention_ms", shape.retention_ms);
  visit("unacknowledged_bytes_max", shape.unacknowledged_bytes_max);
  visit("tombstone_retention_ms", shape.tombstone_retention_ms);
  visit("survivors_after_ms", shape.survivors_after_ms);
  visit("wal_checkpoint_pages", shape.wal_checkpoint_pages);
  for (std::size_t i = 0; i < shape.regions.size(); ++i) {
    RegionShape& region = shape.regions[i];
    auto name = [i](const char* field) { return fmt::format("region.{}.{}", i, field); };
    visit(name("shards"), region.shards);
    visit(name("clock_offset_us"), region.clock_offset_us);
    visit(name("clock_drift_ppm"), region.clock_drift_ppm);
    visit(name("commit_us_min"), region.commit_us_min);
    visit(name("commit_us_max"), region.commit_us_max);
    visit(name("stall_percent"), region.stall_percent);
  }
  for (std::size_t i = 0; i < shape.links.size(); ++i) {
    std::size_t from = i / shape.regions.size();
    std::size_t to = i % shape.regions.size();
    if (from == to) continue;
    LinkShape& link = shape.links[i];
    auto name = [from, to](const char* field) {
      return fmt::format("link.{}.{}.{}", from, to, field);
    };
    visit(name("delay_us"), link.delay_us);
    visit(name("jitter_us"), link.jitter_us);
    visit(name("tail_percent"), link.tail_percent);
    visit(name("loss_percent"), link.loss_percent);
    visit(name("duplicate_percent"), link.duplicate_percent);
    visit(name("reorder_percent"), link.reorder_percent);
  }
}

}  // namespace meridian::sim

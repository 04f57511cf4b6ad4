// What a replicator says of itself: plain values, taken at one moment on its KJ thread.
//
// What is not known is empty, never zero: a flow whose source cannot be asked says so.
// Threads: value types; the histograms are shared and may be read while they grow.
// Units: in the names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/lag_counts.h"
#include "common/ids.h"
#include "replicator/core/link_lag.h"
#include "replicator/core/pump.h"
#include "rpc/link_trouble.h"

namespace meridian::replicator {

// What waits at the source for one flow, or for all flows of a link.
struct Pending {
  std::optional<std::uint64_t> records;
  std::optional<std::uint64_t> bytes;
  std::optional<std::int64_t> oldest_us;  // commit time, clock of the source
  std::optional<std::int64_t> oldest_ms;  // its age
};

// One shard of one table, to one sink.
struct FlowStatus {
  TableId table;
  std::string table_name;
  ShardId shard;
  RegionId sink;
  FlowState state = FlowState::idle;
  std::string reason;
  Pending pending;
  LogPosition acknowledged;
  std::uint64_t restarts = 0;
  std::uint64_t records_shipped = 0;
  std::uint64_t records_acknowledged = 0;
  std::uint64_t records_collapsed = 0;
  std::uint64_t bytes_collapsed = 0;
  std::size_t in_flight_batches = 0;
  std::size_t in_flight_bytes = 0;
};

// A fault that is done on purpose, until it ends by itself.
struct LinkFault {
  std::string state;  // that of the link while it holds: cut, paused, limited, lossy or delayed
  std::string text;   // what it does: "delay 80 ms"
  std::int64_t left_ms = 0;
};

// All shards of one table, to one sink.  `state` is the worst of its flows'.
struct LinkStatus {
  TableId table;
  std::string table_name;
  RegionId sink;
  FlowState state = FlowState::idle;
  std::string reason;
  Pending pending;
  std::shared_ptr<const LinkLag> lag;           // for its total(), commit at the source to visibility
  LagCounts records;                            // the same of the last window_ms
  LagCounts probes;                         // of the last window_ms
  Trend trend = Trend::unknown;                 // of the age of what waits
  std::optional<std::int64_t> applied_us;       // commit time of the newest record that is visible
  std::optional<std::int64_t> probe_us;     // when the newest probe that is there began
  std::optional<std::int64_t> clock_offset_us;  // sink's wall clock minus the source's
  std::vector<LinkFault> faults;                // done to it on purpose
  std::uint64_t records_collapsed = 0;          // of its flows
  std::uint64_t bytes_collapsed = 0;
};

// The connection to one region node; the own one has `own` set.
struct PeerStatus {
  RegionId region;
  bool own = false;
  bool connected = false;
  std::uint64_t connects = 0;
  std::optional<std::int64_t> round_trip_us;
  std::optional<std::int64_t> clock_offset_us;  // its wall clock minus this process's
  std::string reason;                           // why not connected
  rpc::LinkTrouble trouble = rpc::LinkTrouble::none;
  std::uint32_t protocol = 0;  // spoken; 0 while not connected
};

struct TlsStatus {
  std::int64_t expires_us = 0;
  std::uint64_t loads = 0;
  std::uint64_t loads_failed = 0;
};

// How the workers of the region share its shards, as this one sees it.
struct LeaseRow {
  TableId table;
  std::string table_name;
  ShardId shard;
  std::string owner;   // empty: nobody's
  std::string wanted;  // by a worker that it is to be handed to; empty: by none
  std::uint64_t token = 0;
  // Of the holder, empty when there is none.  For another's lease: since this worker first saw it.
  std::optional<std::int64_t> held_ms;
  std::optional<std::int64_t> silent_ms;  // since its last sign of life
};
struct LeaseFigures {
  std::string worker;          // empty: this replicator shares with nobody and ships everything
  std::vector<LeaseRow> rows;  // as they were at the last round
  std::uint64_t held = 0;
  std::uint64_t gained = 0;  // since the start
  std::uint64_t lost = 0;    // to somebody who took them
  std::uint64_t rounds_failed = 0;
  std::int64_t lease_ms = 0;            // a holder that is silent for so long loses its leases
  std::optional<std::int64_t> look_ms;  // since the last round; empty before the first
};

struct ReplicatorStatus {
  RegionId region;
  std::int64_t window_ms = LagWindow::kDefaultMs;  // of what is said of "the last while"
  bool ready = false;  // the own node answers
  std::string reason;  // why not
  std::vector<PeerStatus> peers;
  std::vector<LinkStatus> links;  // ascending table name, sink
  std::vector<FlowStatus> flows;  // ascending table, sink, shard
  LeaseFigures leases;
  std::uint64_t checkpoint_saves_failed = 0;
  std::optional<TlsStatus> tls;  // empty: plain text
};

}  // namespace meridian::replicator

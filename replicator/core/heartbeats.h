// Heartbeats: which barriers wait to be carried to which sink.
//
// A sink takes a barrier of a table once its flows have reached it, so on a busy table one that was just
// made is refused.  It is kept and offered again until it is taken, and only then replaced by a newer
// one: under steady load a table that always got the newest would never reach any.  Only one whose ends
// the log no longer goes through is dropped: a log that was renewed never comes past them, so after
// kRefusalsMax offers in vain the source is asked for another, which tells.
//
// Pure: knows no clock or connection; the driver says when.  Threads: confined to its driver.
// Limits: kBarrierTablesMax tables in a barrier or a call, the rest in turn.
// Source: ADR 0022.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/ids.h"
#include "rpc/watermark.h"

namespace meridian::replicator {

class Heartbeats {
 public:
  static constexpr std::uint32_t kRefusalsMax = 5;

  // The tables that are replicated now, and where to.
  void follow(std::map<TableId, std::set<RegionId>> sinks);
  // The own node runs as `start`: barriers of earlier runs may never be reached.
  void source_started(StartId start);

  // Tables that a new barrier should be over, because some sink has none waiting, or refuses it.
  std::vector<TableId> wanted();
  // The source's answer when it was asked for these tables.  It takes none of one that it leaves out.
  void on_barrier(const rpc::Barrier& barrier, const std::vector<TableId>& asked);
  // What to offer a sink now.
  std::vector<rpc::Barrier> offer(const RegionId& sink);
  // The sink's answer to an offer: per barrier, the tables that have reached it.
  void on_reached(const RegionId& sink, const std::vector<rpc::Barrier>& offered,
                  const std::vector<std::vector<TableId>>& reached);

 private:
  struct Waiting {
    conflict::Hlc time;
    std::vector<LogPosition> ends;
    std::uint32_t refused = 0;  // offers in vain since the source was last asked
  };
  // What waits for one sink, and where the last offer ended.
  struct Queue {
    std::map<TableId, Waiting> waiting;
    std::optional<TableId> offered_to;
  };

  void take(Queue& queue, const TableId& table, Waiting fresh) const;

  std::map<TableId, std::set<RegionId>> sinks_;
  std::map<RegionId, Queue> queues_;
  StartId start_;
  std::optional<TableId> wanted_to_;
};

}  // namespace meridian::replicator

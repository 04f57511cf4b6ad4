// What the engine keeps in memory of each table, so that a write reads nothing but its item.
//
// It mirrors the file as of the open transaction.  When a transaction is rolled back, all of it is
// thrown away and loaded again.
// Threads: confined to the engine.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/ids.h"
#include "region-node/store/log_ends.h"
#include "region-node/store/log_history.h"
#include "region-node/store/store.h"
#include "region-node/store/table_info.h"

namespace meridian::store {

// Records of local origin and their bytes (key and new image), counted from the start of a shard's
// log; so what lies between two positions is a difference.
struct LocalCounts {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
};

struct ShardState {
  LogHistory history;
  LocalCounts counts;                     // up to history.end
  LocalCounts trimmed_counts;             // up to history.trimmed_to
  std::optional<std::int64_t> oldest_us;  // commit time of the oldest record, once looked up
};

// How far one sink has acknowledged one shard.
struct AckState {
  LogPosition position;
  Sequence sequence;
  LocalCounts counts;  // up to `sequence`
};

struct TableState {
  std::int64_t number = 0;  // names its SQL tables; never used twice
  TablePtr info;
  std::vector<RegionId> peers;    // of info
  std::vector<RegionId> holders;  // those of them for whom the log is kept
  TableStats stats;
  bool stats_dirty = false;
  std::vector<ShardState> shards;
  std::map<std::pair<RegionId, ShardId>, LogPosition> flows;  // by source and its shard
  std::map<std::pair<RegionId, ShardId>, AckState> acks;      // by sink and our shard
  std::uint64_t parked = 0;
  std::map<std::string, Bytes> cursors;  // of work under way, by name
  // V of the other origins (this region's own is EngineState::barrier), and G.
  rpc::Watermarks watermarks;
  conflict::Hlc collected;
  bool watermarks_dirty = false;
  std::shared_ptr<LogEnds> log_ends;  // shared with readers; set when the catalog is published
  // Local-origin bytes up to the slowest holder's acknowledgement, and in all.
  std::uint64_t acknowledged_bytes = 0;
  std::uint64_t local_bytes = 0;
  // local_bytes when a peer that fills itself was first seen: it gets what came before as rows, so the log
  // is not kept for its sake from further back.
  std::map<RegionId, std::uint64_t> joined_bytes;

  [[nodiscard]] ShardState& shard(ShardId id) { return shards[id.value]; }
  [[nodiscard]] const ShardState& shard(ShardId id) const { return shards[id.value]; }
  // What `sink` has acknowledged of a shard; nothing beyond the trimmed part if it never did.
  [[nodiscard]] AckState acknowledged(const RegionId& sink, ShardId id) const;
  // Whether the flows of a source stand at or beyond these ends of its log shards.
  [[nodiscard]] bool reached(const RegionId& source, const std::vector<LogPosition>& ends,
                             StartId start) const;
  // Local-origin bytes up to what a sink has acknowledged.
  [[nodiscard]] std::uint64_t acknowledged_bytes_of(const RegionId& sink) const;
  // Sets peers, holders and acknowledged_bytes from info and acks.
  void derive(const RegionId& self);
  // Tells the readers where the logs end.  REQUIRES: the transaction is committed.
  void show_log_ends() const;
};

// In the place of a node whose life as its region has ended: whoever speaks for the region next is asked
// what it holds.
inline constexpr NodeId kEndedNode{};

struct EngineState {
  std::map<TableId, TableState> tables;
  std::map<RegionId, NodeId> identities;
  conflict::Hlc barrier;  // of the newest barrier made here; nothing is minted at or below it
  std::vector<std::pair<std::int64_t, std::uint16_t>> dropped;  // number and shards, to be purged

  [[nodiscard]] TableState* find(const TableId& id) {
    auto at = tables.find(id);
    return at == tables.end() ? nullptr : &at->second;
  }
};

}  // namespace meridian::store

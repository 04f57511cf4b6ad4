// What the store knows of its tables: immutable snapshots, swapped whole on every change.
//
// Threads: any may hold a snapshot; it never changes under its holder.
// Limits: kShardsDefault log shards unless configured; kTablesMax tables.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/ids.h"
#include "conflict/version.h"
#include "region-node/model/table.h"
#include "region-node/store/settings.h"

namespace meridian::store {

inline constexpr std::uint16_t kShardsDefault = 4;
inline constexpr std::uint16_t kShardsMax = 64;
inline constexpr std::size_t kTablesMax = 2500;  // DynamoDB's default quota per region

// One region's membership of a table.  Last writer wins, entry by entry; removals are remembered.
struct ReplicaEntry {
  bool present = false;
  conflict::Version changed;
  // Of a present one: it is being filled, so it serves no client, and what it has is on no account all.
  bool copying = false;
  // Of an absent one: others removed it while it could not be asked; if it comes back it is fenced.
  bool expelled = false;
  // When this life of the replica began.  One that leaves and comes back has forgotten everything.
  conflict::Version joined = {};

  bool operator==(const ReplicaEntry&) const = default;
};

// Why a peer's copy of a table has to be compared with ours, row by row, before our flows to it go on.
enum class RepairReason {
  log_bound = 1,  // it has not acknowledged more than the log may hold: cut loose
  trimmed = 2,    // our log no longer reaches back to where it stands
  restored = 3,   // it stands where our log has never been: this region lost what it had written
};
const char* repair_reason_name(RepairReason reason);

// A peer whose flows from here stand still until it is repaired.
struct RepairMark {
  RepairReason reason = RepairReason::trimmed;
  std::int64_t since_ms = 0;
  bool pinned = false;  // a repair is under way, and the log is kept from where it began
  bool frozen = false;  // nothing is written here until some peer is repaired
  bool operator==(const RepairMark&) const = default;
};

// A visible shard of a user's stream: a stretch of one log shard.  Rolling over closes one and opens
// the next generation, whose parent it is.
struct StreamShard {
  ShardId shard;
  std::uint32_t generation = 0;
  Sequence first;                // first sequence that belongs to it
  std::optional<Sequence> last;  // set once closed
  std::int64_t created_ms = 0;
};

struct StreamInfo {
  std::string label;  // UTC ISO time with three decimals; unique in its table
  model::StreamViewType view = model::StreamViewType::NEW_AND_OLD_IMAGES;
  std::int64_t created_ms = 0;
  std::optional<std::int64_t> disabled_ms;  // set once disabled; readable for 24 h after
  std::vector<StreamShard> shards;          // ascending (shard, generation)
};

struct TableInfo {
  TableId id;
  std::string name;
  model::KeySchema keys;
  std::uint16_t shards = kShardsDefault;  // of this region's log; other regions may have another number
  std::int64_t created_ms = 0;
  Settings settings;                          // shared with the other replicas
  bool deletion_protection = false;           // of this region alone
  std::map<RegionId, ReplicaEntry> replicas;  // this region included once the table is global
  std::vector<StreamInfo> streams;            // oldest first; at most the last is enabled
  std::map<RegionId, RepairMark> repairs;     // of this region's own knowledge, told to nobody
  // Regions whose lives as replicas have ended (they left, or lost what they had), and who may hold more
  // of what they wrote than this region does: those with whom it has not been compared since.
  std::map<RegionId, std::set<RegionId>> unsettled;

  // A region that has lost what it wrote takes no writes until it is mended.
  [[nodiscard]] bool frozen() const {
    for (const auto& [region, mark] : repairs)
      if (mark.frozen) return true;
    return false;
  }
  // Whether this region is sure to have all that it ever wrote: not while it is filled or told anew, nor
  // as long as somebody may hold more of a life of its own that has ended.
  [[nodiscard]] bool has_own_past(const RegionId& self) const {
    for (const auto& [region, mark] : repairs)
      if (mark.reason == RepairReason::restored) return false;
    return !is_copying(self) && !unsettled.contains(self);
  }
  // Whether a repair with the peer is due for the sake of somebody whose life has ended.
  [[nodiscard]] bool unsettled_with(const RegionId& peer) const {
    for (const auto& [ended, holders] : unsettled)
      if (holders.contains(peer)) return true;
    return false;
  }
  // Other regions that hold the table now.
  [[nodiscard]] std::vector<RegionId> peers(const RegionId& self) const {
    std::vector<RegionId> out;
    for (const auto& [region, entry] : replicas)
      if (entry.present && region != self) out.push_back(region);
    return out;
  }
  [[nodiscard]] bool on_demand() const {
    return settings.text(setting::kBillingMode) == "PAY_PER_REQUEST";
  }
  [[nodiscard]] bool has_replica(const RegionId& region) const {
    auto at = replicas.find(region);
    return at != replicas.end() && at->second.present;
  }
  [[nodiscard]] bool is_copying(const RegionId& region) const {
    auto at = replicas.find(region);
    return at != replicas.end() && at->second.present && at->second.copying;
  }
  // Holds the table, and all of it.
  [[nodiscard]] bool is_whole(const RegionId& region) const {
    return has_replica(region) && !is_copying(region);
  }
  // Removed by the other regions, without having been asked.
  [[nodiscard]] bool is_fenced(const RegionId& region) const {
    auto at = replicas.find(region);
    return at != replicas.end() && !at->second.present && at->second.expelled;
  }
  // Whether clients may read and write it in its own region.
  [[nodiscard]] bool serves(const RegionId& self) const {
    return !is_copying(self) && !is_fenced(self);
  }
  [[nodiscard]] const StreamInfo* enabled_stream() const {
    if (streams.empty() || streams.back().disabled_ms) return nullptr;
    return &streams.back();
  }
};
using TablePtr = std::shared_ptr<const TableInfo>;

struct Catalog {
  std::uint64_t generation = 0;  // grows with every change
  std::map<std::string, TablePtr, std::less<>> by_name;
  std::map<TableId, TablePtr> by_id;

  [[nodiscard]] TablePtr find(std::string_view name) const {
    auto at = by_name.find(name);
    return at == by_name.end() ? nullptr : at->second;
  }
  [[nodiscard]] TablePtr find(const TableId& id) const {
    auto at = by_id.find(id);
    return at == by_id.end() ? nullptr : at->second;
  }
};
using CatalogPtr = std::shared_ptr<const Catalog>;

}  // namespace meridian::store

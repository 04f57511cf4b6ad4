// Lineages: every write that has happened, with its parent, as its own region logged it; read after each
// commit, so that it is known whatever is trimmed from the logs, or lost with them, later.  P6: a write on
// an absent key knows of what had been collected in its region.
//
// Threads: one.  Borrows: Outside, History.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/sim/history.h"
#include "tests/sim/sim_replicator.h"

namespace meridian::sim {

struct Happened {
  std::uint32_t key_number = 0;
  std::optional<conflict::Version> parent;
  std::optional<Bytes> image;
  ShardId shard{0};  // of the log that it is in
  Sequence sequence;
  // Of a write on an absent key: all up to there had been seen everywhere, and forgotten.
  std::optional<conflict::Hlc> forgotten;
  bool origin_forgot = false;  // its region has forgotten what became of it
  // Of the image that its parent had then; none where that was not known.  (A region that was restored may
  // give the parent's version to another write since.)
  std::optional<std::uint64_t> replaced_hash;
  bool unaware = false;   // its region had been restored, and had not heard of it yet
  bool reminted = false;  // it had given this version to a write that it has forgotten
};

// Of what a write left; of a delete, and of nothing, conflict::kTombstoneHash.
std::uint64_t hash_of(const std::optional<Bytes>& image);

class Lineages {
 public:
  using Writes = std::map<conflict::Version, Happened>;

  Lineages(Outside& outside, const History& history) : outside_(outside), history_(history) {}

  // Reads what is new in the logs of a region that is up.
  void poll(std::size_t region);
  // The region is as it was a while ago, or empty.  REQUIRES: it is up, and nothing was written since.
  void region_forgot(std::size_t region);

  [[nodiscard]] const Writes& of(const TableId& table) { return writes_[table]; }
  // Some of a log could not be read: it was renewed after what came before had been trimmed.
  [[nodiscard]] bool gaps() const { return gaps_; }

 private:
  using Place = std::tuple<std::size_t, TableId, std::uint16_t>;  // region, table, shard
  void read(const Place& place, const LogPosition& end);
  static std::optional<std::uint64_t> replaced_hash(const Writes& writes,
                                                    const rpc::ChangeRecord& record);
  void check_absence(const Place& place, const rpc::ChangeRecord& record);

  Outside& outside_;
  const History& history_;
  std::map<Place, LogPosition> read_to_;
  std::map<std::pair<std::size_t, TableId>, conflict::Hlc> collected_;  // at the last look, by region
  std::map<TableId, Writes> writes_;
  bool gaps_ = false;
};

}  // namespace meridian::sim

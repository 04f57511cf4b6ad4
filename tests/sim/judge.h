// Judge: what must hold of one table in a world at rest, decided from the clients' history and the
// rules alone.
//
// Threads: one.  Borrows: everything it is made with.  REQUIRES: every node is up, nothing moves.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/rng.h"
#include "tests/sim/history.h"
#include "tests/sim/lineages.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_replicator.h"
#include "tests/sim/stream_watch.h"

namespace meridian::sim {

class Judge {
 public:
  Judge(std::size_t table, Outside& outside, const History& history, Lineages& lineages);

  [[nodiscard]] const TableId& table() const { return table_; }

  // P1 to P4: all regions hold the same rows, and of each key the greatest acknowledged write.
  void convergence();
  // P3, P6, P9: each region's log holds each of its acknowledged writes once, in rising order, with
  // parents and contexts that fit.
  void logs();
  // P13: what the regions' ledgers say, merged, is exactly the writes that are neither the winner of
  // their key nor anyone's parent; each entry has the images that were written, and a winner that
  // did not know the loser; and what a region lists of its own writes is right by itself.  Of a region
  // that has lost its ledger no more can be asked than what others have seen of it.
  void ledger();
  // How many there were, once ledger() was called.
  [[nodiscard]] std::size_t losers() const { return losers_; }
  // read: other ways to read a region agree with its rows.
  void reads(std::size_t region);
  // P8: each region's stream ends in its rows and misses none of its own writes.
  void stream(StreamWatch& watch);
  // P7: everything applied again changes nothing; and in any order, to an empty region, it gives the
  // same rows.  Leaves the flows at positions that mean nothing, so it comes last.
  void replay(EventQueue& queue, SimClock& clock);

  // P17, when all is at rest but for poison: only the keys of records that cannot be applied differ, and
  // whoever lacks such a record has it in quarantine.
  void quarantine();
  // Keys with a record in some quarantine, and a region that wrote one.
  [[nodiscard]] std::map<std::uint32_t, std::size_t> waiting_keys() const;

  // P16, at any time: what `source` says is pending for `sink` is at least what is.
  void backlog(std::size_t source, std::size_t sink, const SimClock* clock);
  // P11, P15, at any time: what the sink's position covers is at the sink; and what has been trimmed beyond
  // it will come by a repair, of which the source knows.
  void positions(std::size_t source, std::size_t sink);

  // P11, at any time: what a region's watermarks claim is applied there; those that have moved since they
  // were looked at, or all of every region.
  enum class Pasts { kept, all };  // whether what their regions have forgotten counts, too
  void watermarks(std::size_t region, Pasts pasts = Pasts::kept);
  void all_watermarks();
  // A region's are looked at anew: it is as it was a while ago, or empty.
  void region_forgot(std::size_t region) {
    std::erase_if(watermarks_, [region](const auto& each) { return each.first.first == region; });
    collections_.erase(region);
  }

  // P5, whenever a region has collected: nothing at or below its G is missing anywhere.
  void collections(std::size_t region);

  // Rows of one region in key order, tombstones included.
  [[nodiscard]] std::vector<store::Row> rows(std::size_t region) const;
  // Those that all regions must have: without tombstones that one of them may have collected.
  [[nodiscard]] std::vector<store::Row> lasting_rows(std::size_t region) const;

 private:
  using Writes = Lineages::Writes;
  using Versions = std::set<conflict::Version>;
  void parents_are_right(const Writes& happened);
  static std::optional<conflict::Version> parent_of(const Writes& happened,
                                                    const conflict::Version& version);
  [[nodiscard]] bool lasts(const conflict::Version& version, const Happened& write) const;
  struct Winners {
    std::map<std::uint32_t, conflict::Version> of;  // by key
    Versions either;  // deletes that one which is forgotten may have beaten: nothing is left of both
  };
  [[nodiscard]] Winners winners(const Writes& happened) const;
  [[nodiscard]] static Versions losers(const Writes& happened, const Winners& winners);
  static Versions with_lost_descendants(const Writes& happened);
  [[nodiscard]] Versions merged_ledger(const Writes& happened);
  [[nodiscard]] Versions listed_by_any() const;
  void own_lists_are_right(const Versions& losers, const Versions& doubtful);
  void lost_ledgers_are_made_up_for(const Writes& happened, const Versions& expected,
                                    const Versions& found);
  [[nodiscard]] std::vector<store::LedgerEntry> entries(std::size_t region) const;
  [[nodiscard]] bool is_forgotten_delete(const Writes& happened,
                                         const conflict::Version& version) const;
  static bool passes_for_seen(const Writes& happened, const conflict::Version& version);
  void entry_is_right(std::size_t region, const store::LedgerEntry& entry,
                      const Writes& happened);
  struct Logged {
    ShardId shard;
    rpc::ChangeRecord record;
  };
  [[nodiscard]] std::vector<store::ParkedRecord> parked(std::size_t region) const;
  // The newest version of each key that has come to a region, applied or parked.
  [[nodiscard]] std::map<Bytes, conflict::Version> arrived(std::size_t region) const;
  void stream_shards(std::size_t region);
  [[nodiscard]] std::vector<rpc::ChangeRecord> log(std::size_t region, ShardId shard) const;
  void row_is_right(std::size_t region, std::uint32_t key_number,
                    const std::optional<store::Row>& row);
  void nothing_is_right(std::size_t region, std::uint32_t key_number);
  // The version of what a region has of a key, or of what that counts as.
  [[nodiscard]] conflict::Version stands_at(std::size_t region, std::uint32_t key_number) const;
  // What an absent key counts as in a region: a tombstone of that version.
  [[nodiscard]] conflict::Version horizon(std::size_t region) const;
  void record_is_right(std::size_t region, const rpc::ChangeRecord& record);
  void replay_to(std::size_t sink, const std::vector<std::vector<Logged>>& logs);
  void replay_shuffled(const std::vector<std::vector<Logged>>& logs, EventQueue& queue,
                       SimClock& clock);
  [[nodiscard]] std::vector<RegionId> regions() const;
  void add(const char* property, std::string detail) {
    outside_.findings.add(property, std::move(detail));
  }

  // Whether a key is in this table.
  [[nodiscard]] bool owns(std::uint32_t key_number) const {
    return key_number % outside_.tables.size() == index_;
  }

  std::size_t index_;
  Outside& outside_;
  const History& history_;
  Lineages& lineages_;
  TableId table_;
  Rng rng_;
  std::map<std::size_t, conflict::Hlc> collections_;  // looked at, by region
  std::size_t losers_ = 0;
  std::map<std::pair<std::size_t, RegionId>, conflict::Hlc> watermarks_;  // looked at, by region, origin
};

}  // namespace meridian::sim

// The conflict ledger's rule: which writes have lost without anybody having seen them.
//
// A loser is an acknowledged write that is neither the final winner of its key nor anyone's parent.  No
// region can tell alone: a write that is beaten here may have been built upon elsewhere.  So each region
//   lists      a write that is beaten by one whose context does not cover it,
//   withdraws  a write of its own when a write arrives, wins or not, that has it in its chain;
// and merge() puts the regions' lists together: a region is the authority for its own writes, and what
// any write that is known has in its chain is no loser.
//
// Listing asks whether a context covers the loser (at or below), for a region that wrote on has dealt
// with its earlier writes itself.  Withdrawing takes the exact version: a beaten write lies below the
// later ones of its region without being anyone's parent.
//
// Pure.  Threads: any.
// Source: ADR 0018; tests/unit/conflict/conflict_rule_test.cc tries it on random runs.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "conflict/context.h"
#include "conflict/version.h"

namespace meridian::conflict {

// A write and what it knew.
struct Lineage {
  Version version;
  Context context;
  bool operator==(const Lineage&) const = default;
};

// Whether the write that is stored here is listed when one that knows `incoming` beats it.
inline bool lists_stored(const Version& stored, const Context& incoming) {
  return !incoming.covers(stored);
}

// Whether a write that arrives and is beaten by what is stored is listed.  One of this region's own was
// listed here when it was beaten, if it was; since then it may have been withdrawn.
inline bool lists_incoming(const RegionId& self, const Version& incoming, const Context& stored) {
  return incoming.region != self && !stored.covers(incoming);
}

// The write of this region that is no loser because a write that knows `incoming` has arrived.
inline std::optional<Version> withdrawn_by(const RegionId& self, const Context& incoming) {
  auto own = incoming.of(self);
  if (!own) return std::nullopt;
  return Version{*own, self};
}

// What one region's ledger holds of one key, with what the region stores there.
struct RegionLedger {
  RegionId region;
  // The ledger has all that was written in this region later than this; older losers may be missing
  // here, because it began later or has dropped them.
  Hlc complete_after;
  struct Entry {
    Lineage loser;
    Lineage winner;  // that beat it in this region
  };
  std::vector<Entry> entries;
  std::optional<Lineage> current;
};

// A loser of the merged view, and who says so.
struct MergedLoser {
  std::size_t ledger = 0;  // index into what merge() was given
  std::size_t entry = 0;   // index into its entries
  bool certain = true;     // listed by its origin; else the origin's ledger is not there, or no more
};

// The losers of one key, once each, ascending by version.  `ledgers`: those of the regions that
// answered; a region that is missing is no authority.
std::vector<MergedLoser> merge(const std::vector<RegionLedger>& ledgers);

}  // namespace meridian::conflict

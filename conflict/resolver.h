// The conflict rule: last writer wins, whole item, by version.  To change who wins, change decide().
//
// Applying a set of writes in any order, any number of times, gives one result: decide() keeps the
// maximum of (version, image hash), and a maximum is commutative, associative and idempotent.
// An absent key counts as a tombstone at the horizon (the highest version of a collected tombstone),
// or a late write could bring back an item whose tombstone is gone.
//
// Pure.  Threads: any.
#pragma once

#include <cstdint>
#include <optional>

#include "conflict/version.h"

namespace meridian::conflict {

// One side of the comparison.  A tombstone is a version whose image hash is kTombstoneHash.
struct Candidate {
  Version version;
  std::uint64_t image_hash = 0;
};
inline constexpr std::uint64_t kTombstoneHash = 0;

enum class Decision {
  apply,       // the incoming write wins
  stale,       // the stored write wins
  duplicate,   // the same write again
  fork_apply,  // equal version, unequal image, incoming wins: a bug or a forked region; raise an alarm
  fork_keep,   // the same, stored wins
};

// `stored`: row or tombstone at this key, empty when there is neither.
// `horizon`: highest collected tombstone version of the table; zero while nothing is collected.
Decision decide(const std::optional<Candidate>& stored, const Candidate& incoming, Hlc horizon);

inline bool wins(Decision decision) {
  return decision == Decision::apply || decision == Decision::fork_apply;
}

}  // namespace meridian::conflict

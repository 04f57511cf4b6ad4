// LeaseSights: since when each lease is held, and how long its holder has shown no sign of life, as one
// worker saw it: what it tells people.  The rules (lease.h) go without.
//
// Threads: confined to one.  Pure: rows and time are arguments, and the time is one's own monotonic time.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "checkpoint/lease.h"

namespace meridian::checkpoint {

class LeaseSights {
 public:
  struct Sight {
    // When this holding was first seen: exact for one's own, else it may be older.
    std::int64_t held_since_ms = 0;
    std::int64_t alive_ms = 0;  // when its counter was last seen to have moved
  };
  // `rows`: the whole table, as it is at `now_ms`.  Rows that are gone are forgotten.
  void see(const std::vector<Lease>& rows, std::int64_t now_ms);
  // Of a row that was seen.
  [[nodiscard]] const Sight& of(const LeaseKey& key) const { return seen_.at(key).sight; }

 private:
  struct Seen {
    Lease row;
    Sight sight;
  };
  std::map<LeaseKey, Seen> seen_;
};

}  // namespace meridian::checkpoint

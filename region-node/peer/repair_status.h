// RepairStatus: what a node knows of the sameness of one table here and at one peer, for metrics and
// for people.
// Threads: value type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/ids.h"

namespace meridian::peer {

struct RepairStatus {
  std::string table;
  TableId table_id;
  RegionId peer;
  std::string needed;         // why a repair is needed; empty if none is
  bool frozen = false;        // no writes are taken here until a peer is repaired
  std::string doing;          // "repair" or "scrub" while one runs
  std::string problem;        // why the last attempt failed; empty if it did not
  std::uint64_t repairs = 0;  // finished since start, this node having begun them
  // Of all of them.
  std::uint64_t rows_repaired = 0;
  std::uint64_t bytes_exchanged = 0;
  // Of the last one.
  std::uint64_t last_rows = 0;
  std::uint64_t last_bytes = 0;
  std::int64_t last_ms = 0;
  // Of the scrub.
  std::uint64_t scrubs = 0;
  std::optional<std::int64_t> scrubbed_wall_ms;  // when the last one ended
  std::uint64_t scrub_rows = 0;
  std::uint64_t scrub_in_flight = 0;
  std::uint64_t scrub_differing = 0;  // rows that differ and should not
};

}  // namespace meridian::peer

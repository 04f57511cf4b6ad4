// The repairs that `meridian verify --repair` asks for: every pair of regions that hold the table.
//
// Threads: one.  Errors: Unreachable; std::runtime_error when a region refuses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/meridian/deployment.h"

namespace meridian::cli {

struct PairRepair {
  std::string region;  // that compared, and its peer
  std::string peer;
  bool done = false;
  std::string problem;  // why it is not, as far as the region knows
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::int64_t took_ms = 0;
};

// Asks, and waits until all pairs are done or the time is over.
std::vector<PairRepair> repair_pairs(const std::vector<Endpoints>& regions,
                                     const std::string& table, std::int64_t wait_ms);

}  // namespace meridian::cli

// One run, from its seed or script to its verdict.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "tests/sim/findings.h"
#include "tests/sim/script.h"

namespace meridian::sim {

struct SeedReport {
  std::uint64_t seed = 0;
  Findings findings;
  std::uint64_t trace_hash = 0;
  std::size_t regions = 0;
  std::size_t writes = 0;  // asked for
  std::size_t acknowledged = 0;
  std::size_t losers = 0;  // writes that lost unseen
  std::size_t stores_lost = 0;      // data directories
  std::size_t stores_restored = 0;  // from an older copy
  std::uint64_t events = 0;
  std::int64_t virtual_ms = 0;

  [[nodiscard]] bool passed() const { return findings.empty(); }
};

// `regions` 0: as the seed has it.  `trace_out` may be null.
SeedReport run_seed(std::uint64_t seed, std::size_t regions, std::ostream* trace_out);
SeedReport run_script(const Script& script, std::ostream* trace_out);

}  // namespace meridian::sim

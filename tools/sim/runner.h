// Runs many seeds in several processes, so that a seed that aborts or never ends is a failed seed and
// not the end of the run.
//
// Threads: none; forks.  Errors: a system call that fails throws std::system_error.
// Limits: kSeedSecondsMax of processor time for one seed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace meridian::sim {

inline constexpr unsigned kSeedSecondsMax = 120;

struct SeedVerdict {
  std::uint64_t seed = 0;
  bool passed = false;
  std::uint64_t trace_hash = 0;
  std::size_t regions = 0;
  std::size_t writes = 0;
  std::size_t acknowledged = 0;
  std::size_t stores_lost = 0;
  std::size_t stores_restored = 0;
  std::vector<std::string> findings;  // "P1  key 3: ..."
};

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  std::size_t regions = 0;  // 0: as each seed has it
  std::size_t jobs = 1;
  bool twice = false;  // runs each seed again and compares the traces
  bool stop_at_failure = false;
};

// Calls `told` with each verdict as it comes, in no particular order.
void run_seeds(const Seeds& seeds, const std::function<void(const SeedVerdict&)>& told);

}  // namespace meridian::sim

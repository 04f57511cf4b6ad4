// Chance that belongs to one thing in a run and to nothing else: who draws, when, and what for.
//
// Each draw is a function of the seed and of its name alone, so that leaving one event out of a run
// leaves the luck of all others as it was.  That is what makes a failing run shrink.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "common/rng.h"

namespace meridian::sim {

// What a draw is for.
enum class Luck : std::uint64_t {
  plan,
  store,
  disk,
  commit,
  link,
  flow,
  refusal,
  watch,
  judge,
  replay,
  clock,
  control,
  lease,
  copy,
  lives,
};

inline Rng derived(std::uint64_t seed, Luck luck, std::initializer_list<std::uint64_t> name) {
  constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15ULL;
  std::uint64_t hash = (seed + 1) * kMix + static_cast<std::uint64_t>(luck);
  for (std::uint64_t part : name) {
    hash = (hash ^ part) * kMix;
    hash ^= hash >> 29;
  }
  return Rng(hash);
}

inline std::uint64_t luck_of(std::int64_t number) { return static_cast<std::uint64_t>(number); }

}  // namespace meridian::sim

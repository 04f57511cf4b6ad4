// A small seeded random generator (xoshiro256**), passed by reference to whoever needs chance, so
// that one seed decides a whole simulated run.  Not for secrets.
//
// Threads: not shared; one owner each.
// Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2018); seeding by
// splitmix64.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "common/check.h"

namespace meridian {

__extension__ typedef unsigned __int128 Uint128;

class Rng {
 public:
  explicit Rng(std::uint64_t seed) {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15ULL;
      std::uint64_t z = seed;
      z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
      z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
      word = z ^ z >> 31;
    }
  }
  // Seeded from the operating system; for `main` only.
  static Rng from_system();

  std::uint64_t next() {
    std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  // Uniform in [0, bound).  REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    MERIDIAN_CHECK(bound > 0);
    return static_cast<std::uint64_t>(static_cast<Uint128>(next()) * bound >> 64);
  }
  // Uniform in [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    MERIDIAN_CHECK(low <= high);
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  // True with the given chance in percent (0 to 100).
  bool percent(unsigned chance) { return below(100) < chance; }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace meridian

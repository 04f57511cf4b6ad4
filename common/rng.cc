#include "common/rng.h"

#include <sys/random.h>

namespace meridian {

Rng Rng::from_system() {
  std::uint64_t seed = 0;
  MERIDIAN_CHECK(getrandom(&seed, sizeof seed, 0) == sizeof seed);
  return Rng(seed);
}

}  // namespace meridian

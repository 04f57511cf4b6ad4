#include "common/clock.h"

#include <ctime>

#include "common/check.h"

namespace meridian {
namespace {

std::int64_t read_us(clockid_t id) {
  timespec now{};
  MERIDIAN_CHECK(clock_gettime(id, &now) == 0);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

std::int64_t SystemClock::wall_us() const { return read_us(CLOCK_REALTIME); }
std::int64_t SystemClock::monotonic_us() const { return read_us(CLOCK_BOOTTIME); }

}  // namespace meridian

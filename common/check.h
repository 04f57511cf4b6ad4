// MERIDIAN_CHECK: an invariant of ours, on in every build.  A false one is a bug: the process says
// where and aborts, because going on would replicate the damage.  Never reachable from user input.
#pragma once

namespace meridian {
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
}  // namespace meridian

#define MERIDIAN_CHECK(expression)                                       \
  do {                                                                   \
    if (!(expression)) [[unlikely]]                                      \
      ::meridian::check_failed(#expression, __FILE__, __LINE__);         \
  } while (false)

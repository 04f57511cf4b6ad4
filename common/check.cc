#include "common/check.h"

#include <cstdio>
#include <cstdlib>

namespace meridian {

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "invariant_broken expression=\"%s\" at=%s:%d\n", expression, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace meridian

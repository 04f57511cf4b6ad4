#include "tests/sim/trace.h"

namespace meridian::sim {

void Trace::print(const std::string& line) {
  *out_ << fmt::format("{:>12.3f} ms  {}\n", static_cast<double>(queue_.now_us()) / 1000.0, line);
}

}  // namespace meridian::sim

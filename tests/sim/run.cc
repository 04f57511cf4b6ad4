#include "tests/sim/run.h"

#include "tests/sim/world.h"

namespace meridian::sim {

SeedReport run_seed(std::uint64_t seed, std::size_t regions, std::ostream* trace_out) {
  World world(draw_shape(seed, regions), trace_out);
  world.run();
  SeedReport report;
  report.seed = seed;
  report.findings = world.findings();
  report.trace_hash = world.trace_hash();
  report.regions = world.regions();
  report.writes = world.history().writes().size();
  report.acknowledged = world.history().count(WriteState::acknowledged);
  report.events = world.events();
  report.virtual_ms = world.now_ms();
  return report;
}

}  // namespace meridian::sim

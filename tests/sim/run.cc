#include "tests/sim/run.h"

#include "tests/sim/world.h"

namespace meridian::sim {

SeedReport run_seed(std::uint64_t seed, std::size_t regions, std::ostream* trace_out) {
  return run_script(draw_script(seed, regions), trace_out);
}

SeedReport run_script(const Script& script, std::ostream* trace_out) {
  World world(script, trace_out);
  world.run();
  SeedReport report;
  report.seed = script.shape.seed;
  report.findings = world.findings();
  report.trace_hash = world.trace_hash();
  report.regions = world.regions();
  report.writes = world.history().writes().size();
  report.acknowledged = world.history().count(WriteState::acknowledged);
  report.losers = world.losers();
  report.stores_lost = world.faults().stores_lost();
  report.stores_restored = world.faults().stores_restored();
  report.events = world.events();
  report.virtual_ms = world.now_ms();
  return report;
}

}  // namespace meridian::sim

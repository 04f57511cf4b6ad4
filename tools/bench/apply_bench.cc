#include "tools/bench/apply_bench.h"

#include <algorithm>

#include "common/clock.h"

namespace meridian::bench {
namespace {

// From the start until now, when the sink has everything.
Applied applied_since(std::int64_t begun_us, const NodeCounters& before, std::uint64_t rows,
                      Pair& pair) {
  pair.wait_for(before.records + rows);
  Applied out;
  std::int64_t took_us = SystemClock().monotonic_us() - begun_us;
  out.per_second = static_cast<double>(rows) * 1e6 / static_cast<double>(took_us);
  auto commits = std::max<std::uint64_t>(1, pair.sink().commits - before.commits);
  out.group = static_cast<double>(rows) / static_cast<double>(commits);
  out.rows = rows;
  return out;
}

}  // namespace

Applied run_apply(Pair& pair, Feeder& feeder, Variety variety, std::size_t group,
                  std::int64_t run_ms) {
  auto before = pair.sink();
  auto costs = pair.costs();
  std::int64_t begun_us = SystemClock().monotonic_us();
  auto fed = feeder.feed({.variety = variety,
                          .group = group,
                          .per_second = 0,
                          .run_ms = run_ms,
                          .rows_max = 0});
  Applied out = applied_since(begun_us, before, fed.rows, pair);
  out.source_per_second = static_cast<double>(fed.rows) / fed.seconds;
  out.costs = pair.costs_since(costs);
  return out;
}

Applied run_catch_up(Pair& pair, Feeder& feeder, Variety variety, std::size_t group,
                     std::uint64_t rows) {
  pair.stop_replicator();
  auto before = pair.sink();
  auto fed = feeder.feed({.variety = variety,
                          .group = group,
                          .per_second = 0,
                          .run_ms = 0,
                          .rows_max = rows});
  std::int64_t begun_us = SystemClock().monotonic_us();
  pair.start_replicator();
  auto costs = pair.costs();
  Applied out = applied_since(begun_us, before, fed.rows, pair);
  out.source_per_second = static_cast<double>(fed.rows) / fed.seconds;
  out.costs = pair.costs_since(costs);
  return out;
}

boost::json::object as_json(const Applied& applied) {
  return {{"rps", rounded(applied.per_second, 0)},
          {"source_rps", rounded(applied.source_per_second, 0)},
          {"records_per_sink_transaction", rounded(applied.group, 1)},
          {"rows", applied.rows},
          {"cost", costs(applied.costs, applied.rows)}};
}

}  // namespace meridian::bench

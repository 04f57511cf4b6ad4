#include "tools/bench/ledger_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "tools/bench/apply_bench.h"
#include "tools/bench/feeder.h"
#include "tools/bench/pair.h"
#include "tools/bench/requests.h"

namespace meridian::bench {
namespace {

namespace json = boost::json;

struct Kept {
  const char* name;
  const char* settings;  // of the sink's node
  std::vector<double> per_second;
  std::vector<double> cpu_us;  // of the sink's node for each record
};

// One turn: updates that the sink knows of, none of which has met a write of its own.
void take_turn(const Options& options, Kept& kept) {
  WorkDir dir(options.dir);
  Pair pair(options, dir, kept.settings);
  auto table = pair.create_table(std::string(kTable));
  Feeder feeder(options, pair.source().store(), table->id);
  auto before = pair.sink();
  auto fed = feeder.feed({.variety = Variety::new_keys,
                          .group = 100,
                          .per_second = 0,
                          .run_ms = 0,
                          .rows_max = options.update_keys});
  pair.wait_for(before.records + fed.rows);
  auto applied = run_apply(pair, feeder, Variety::updates, 1, options.ledger_ms);
  auto sink = std::find_if(applied.costs.begin(), applied.costs.end(),
                           [](const Cost& cost) { return cost.process == "sink_node"; });
  if (sink == applied.costs.end()) throw std::runtime_error("the sink's cost is not known");
  kept.per_second.push_back(applied.per_second);
  kept.cpu_us.push_back(static_cast<double>(sink->cpu_us) / static_cast<double>(applied.rows));
}

json::object as_json(const Kept& kept) {
  return {{"apply_rps", rounded(median(kept.per_second), 0)},
          {"sink_cpu_us_per_record", rounded(median(kept.cpu_us), 2)},
          {"rounds", kept.cpu_us.size()}};
}

}  // namespace

void run_ledger_bench(const Options& options, Report& report) {
  Kept with{"with", "", {}, {}};
  Kept without{"without", "ledger_entries_max: 0\n", {}, {}};
  for (int round = 0; round < options.ledger_rounds; ++round) {
    progress(fmt::format("ledger: round {} of {}", round + 1, options.ledger_rounds));
    // Each of the two goes first as often as the other.
    take_turn(options, round % 2 == 0 ? with : without);
    take_turn(options, round % 2 == 0 ? without : with);
  }
  double cost = median(with.cpu_us) / median(without.cpu_us) - 1;
  for (const Kept* kept : {&with, &without})
    report.line(fmt::format("apply updates, {} a ledger", kept->name), median(kept->per_second),
                fmt::format("sink's CPU {:.2f} us a record", median(kept->cpu_us)));
  report.line("the ledger's cost on apply", 0,
              fmt::format("{:+.1f} % of the sink's CPU time, {:+.1f} % of the rate", 100 * cost,
                          100 * (median(with.per_second) / median(without.per_second) - 1)));
  report.json["ledger"] = json::object{{"with", as_json(with)},
                                       {"without", as_json(without)},
                                       {"cpu_cost_percent", rounded(100 * cost, 1)}};
}

}  // namespace meridian::bench

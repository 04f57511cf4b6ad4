#include "tools/bench/growth.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "tools/bench/apply_bench.h"
#include "tools/bench/daemons.h"
#include "tools/bench/feeder.h"
#include "tools/bench/lag_bench.h"
#include "tools/bench/pair.h"
#include "tools/bench/requests.h"

namespace meridian::bench {
namespace {

namespace json = boost::json;

constexpr int kTables = 100;

// A pair of its own with a table and a feeder.
struct Place {
  WorkDir dir;
  Pair pair;
  store::TablePtr table;
  Feeder feeder;

  explicit Place(const Options& options)
      : dir(options.dir),
        pair(options, dir),
        table(pair.create_table(std::string(kTable))),
        feeder(options, pair.source().store(), table->id) {}

  void fill(std::uint64_t rows) {
    if (rows <= feeder.size()) return;
    auto before = pair.sink();
    auto fed = feeder.feed({.variety = Variety::new_keys,
                            .group = 100,
                            .per_second = 0,
                            .run_ms = 0,
                            .rows_max = rows - feeder.size()});
    pair.wait_for(before.records + fed.rows);
  }
};

struct Rates {
  Applied new_keys;
  Applied updates;
};

// Updates are spread over all rows that there are.
Rates measure(const Options& options, Place& place) {
  place.feeder.set_update_keys(place.feeder.size());
  Rates out;
  out.updates = run_apply(place.pair, place.feeder, Variety::updates, 1, options.apply_ms);
  out.new_keys = run_apply(place.pair, place.feeder, Variety::new_keys, 1, options.apply_ms);
  return out;
}

json::object as_json(const Rates& rates) {
  return {{"new_keys", as_json(rates.new_keys)}, {"updates", as_json(rates.updates)}};
}

void add_line(Report& report, const std::string& name, const Rates& rates) {
  report.line("growth " + name, rates.new_keys.per_second,
              fmt::format("new keys; updates {:.0f}/s", rates.updates.per_second));
}

json::object grow_items(const Options& options, Report& report) {
  Place place(options);
  json::object out;
  double first_new = 0;
  double first_updates = 0;
  for (std::uint64_t scale : {1, 10, 100}) {
    std::uint64_t rows = scale * options.growth_unit_rows;
    progress(fmt::format("growth: filling to {} items", rows));
    place.fill(rows);
    Rates rates = measure(options, place);
    add_line(report, fmt::format("{} items", rows), rates);
    json::object figures = as_json(rates);
    if (scale == 1) {
      first_new = rates.new_keys.per_second;
      first_updates = rates.updates.per_second;
    }
    figures["new_keys_ratio"] = ratio(rates.new_keys.per_second, first_new);
    figures["updates_ratio"] = ratio(rates.updates.per_second, first_updates);
    out[std::to_string(rows)] = std::move(figures);
  }
  return out;
}

json::object grow_tables(const Options& options, Report& report) {
  Place place(options);
  place.fill(options.growth_unit_rows);
  double half =
      run_apply(place.pair, place.feeder, Variety::new_keys, 1, options.apply_ms).per_second / 2;
  json::object out;
  for (int tables : {1, kTables}) {
    for (int i = 1; i < tables; ++i) place.pair.create_table(fmt::format("Idle{:03}", i));
    Lag lag;
    run_lag(options, place.pair, place.feeder, place.table->id, half, lag);
    auto ms = [&](double q) { return static_cast<double>(lag.histogram.quantile_us(q)) / 1000; };
    report.line(fmt::format("growth lag with {} tables", tables), 0,
                fmt::format("p50 {:.2f} ms, p99 {:.2f}, p99.9 {:.2f} at {:.0f} records/s", ms(0.5),
                            ms(0.99), ms(0.999), lag.fed_per_second));
    out[std::to_string(tables)] = as_json(lag);
  }
  return out;
}

json::object grow_shards(const Options& options, Report& report) {
  json::object out;
  for (const std::uint16_t shards : std::array<std::uint16_t, 3>{1, 4, 16}) {
    Options own = options;
    own.shards = shards;
    Place place(own);
    place.fill(own.growth_unit_rows);
    Rates rates = measure(own, place);
    add_line(report, fmt::format("{} shards", shards), rates);
    out[std::to_string(shards)] = as_json(rates);
  }
  return out;
}

}  // namespace

void run_growth(const Options& options, Report& report) {
  json::object out;
  if (options.wants("tables")) out["lag_by_tables"] = grow_tables(options, report);
  if (options.wants("shards")) out["apply_by_shards"] = grow_shards(options, report);
  if (options.wants("items")) out["apply_by_items"] = grow_items(options, report);
  report.json["growth"] = std::move(out);
}

}  // namespace meridian::bench

#include "tools/bench/replication_bench.h"

#include <fmt/format.h>

#include <cmath>

#include "tools/bench/apply_bench.h"
#include "tools/bench/bare_sqlite.h"
#include "tools/bench/feeder.h"
#include "tools/bench/lag_bench.h"
#include "tools/bench/pair.h"
#include "tools/bench/requests.h"

namespace meridian::bench {
namespace {

namespace json = boost::json;

struct Variant {
  Variety variety;
  std::size_t group;
  [[nodiscard]] std::string name() const {
    return fmt::format("{}_{}_per_transaction", variety_name(variety), group);
  }
};
// The first of them gives the section's own figure.
constexpr Variant kVariants[] = {{Variety::new_keys, 1},
                                 {Variety::new_keys, 100},
                                 {Variety::updates, 1},
                                 {Variety::updates, 100}};

class ReplicationBench {
 public:
  ReplicationBench(const Options& options, const WorkDir& dir, Report& report)
      : options_(options),
        dir_(dir),
        report_(report),
        pair_(options, dir),
        table_(pair_.create_table(std::string(kTable))),
        feeder_(options, pair_.source().store(), table_->id) {}

  void run() {
    warm_up();
    if (options_.wants("apply")) apply();
    if (options_.wants("lag")) lag();
    if (options_.wants("catch-up")) catch_up();
    report_.json["replication"] = std::move(json_);
  }

 private:
  // Fills in the items that updates go to.
  void warm_up() {
    progress("replication: filling");
    auto before = pair_.sink();
    auto fed = feeder_.feed({.variety = Variety::new_keys,
                             .group = 100,
                             .per_second = 0,
                             .run_ms = 0,
                             .rows_max = options_.update_keys});
    pair_.wait_for(before.records + fed.rows);
  }

  void apply() {
    json::object variants;
    for (const Variant& variant : kVariants) {
      Applied applied =
          run_apply(pair_, feeder_, variant.variety, variant.group, options_.apply_ms);
      BareReport bare = beside(variant, applied, "apply", variants);
      if (variant.group == 1 && variant.variety == Variety::new_keys) {
        apply_rps_ = applied.per_second;
        json_["apply_rps"] = rounded(applied.per_second, 0);
        json_["bare_sqlite_rps"] = rounded(bare.per_second, 0);
        json_["apply_ratio"] = ratio(applied.per_second, bare.per_second);
      }
    }
    json_["apply"] = std::move(variants);
  }

  void catch_up() {
    json::object variants;
    for (const Variant& variant : kVariants) {
      Applied applied =
          run_catch_up(pair_, feeder_, variant.variety, variant.group, options_.catch_up_rows);
      BareReport bare = beside(variant, applied, "catch-up", variants);
      if (variant.group == 1 && variant.variety == Variety::new_keys) {
        json_["catch_up_rps"] = rounded(applied.per_second, 0);
        json_["catch_up_bare_sqlite_rps"] = rounded(bare.per_second, 0);
        json_["catch_up_ratio"] = ratio(applied.per_second, bare.per_second);
      }
    }
    json_["catch_up"] = std::move(variants);
  }

  BareReport beside(const Variant& variant, const Applied& applied, const std::string& section,
                    json::object& out) {
    BareReport bare = run_bare_sqlite(options_, dir_, variant.variety,
                                      static_cast<std::size_t>(std::llround(applied.group)));
    json::object figures = as_json(applied);
    figures["bare_sqlite_rps"] = rounded(bare.per_second, 0);
    figures["bare_sqlite_cpu_us_per_op"] = rounded(bare.cpu_us_per_row, 2);
    figures["ratio"] = ratio(applied.per_second, bare.per_second);
    out[variant.name()] = std::move(figures);
    std::string cpu;
    for (const auto& cost : applied.costs)
      cpu += fmt::format(" {} {:.1f}", cost.process,
                         static_cast<double>(cost.cpu_us) / static_cast<double>(applied.rows));
    report_.line(fmt::format("{} {}, {} per transaction", section,
                             variant.variety == Variety::updates ? "updates" : "new keys",
                             variant.group),
                 applied.per_second,
                 fmt::format("{:.2f} of bare SQLite's {:.0f} in groups of {:.0f}; source {:.0f}/s; "
                             "CPU us:{}",
                             applied.per_second / bare.per_second, bare.per_second, applied.group,
                             applied.source_per_second, cpu));
    return bare;
  }

  void lag() {
    if (apply_rps_ == 0) {
      progress("lag: measuring the apply rate");
      apply_rps_ = run_apply(pair_, feeder_, Variety::new_keys, 1, options_.apply_ms).per_second;
    }
    lag_at(apply_rps_ / 2, "lag_ms", "lag at half load");
    // The same load wherever it is measured: half of what is asked of a small machine.
    lag_at(kSteadyLoad, "lag_steady_ms", "lag at a steady load");
    small_groups();
  }

  // A row is seen a commit after it has arrived, so a short lag needs small groups; and what a page
  // costs is shared by fewer rows then.  What the engine alone can do with them bounds the lag.
  void small_groups() {
    json::object out;
    for (std::size_t group : {10, 40, 160}) {
      BareReport bare = run_bare_sqlite(options_, dir_, Variety::new_keys, group);
      double commit_ms = static_cast<double>(group) * 1000 / bare.per_second;
      report_.line(fmt::format("bare SQLite in groups of {}", group), bare.per_second,
                   fmt::format("a commit takes {:.2f} ms; CPU us: {:.1f}", commit_ms,
                               bare.cpu_us_per_row));
      out[std::to_string(group)] = {{"per_second", rounded(bare.per_second, 0)},
                                    {"commit_ms", rounded(commit_ms, 2)},
                                    {"cpu_us_per_op", rounded(bare.cpu_us_per_row, 2)}};
    }
    json_["bare_sqlite_by_group"] = std::move(out);
  }

  void lag_at(double per_second, const char* member, const char* name) {
    Lag lag;
    run_lag(options_, pair_, feeder_, table_->id, per_second, lag);
    json_[member] = as_json(lag);
    report_.line(name, 0,
                 fmt::format("p50 {:.2f} ms, p90 {:.2f}, p99 {:.2f}, p99.9 {:.2f}, max {:.2f}, at "
                             "{:.0f} of {:.0f} records/s",
                             ms(lag, 0.5), ms(lag, 0.9), ms(lag, 0.99), ms(lag, 0.999), ms(lag, 1),
                             lag.fed_per_second, lag.load_per_second));
  }

  static double ms(const Lag& lag, double quantile) {
    return static_cast<double>(lag.histogram.quantile_us(quantile)) / 1000;
  }

  static constexpr double kSteadyLoad = 15'000;  // records a second

  const Options& options_;
  const WorkDir& dir_;
  Report& report_;
  Pair pair_;
  store::TablePtr table_;
  Feeder feeder_;
  double apply_rps_ = 0;
  json::object json_;
};

}  // namespace

void run_replication_bench(const Options& options, const WorkDir& dir, Report& report) {
  ReplicationBench(options, dir, report).run();
}

}  // namespace meridian::bench

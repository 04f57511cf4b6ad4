// bench: how fast is Meridian on this machine, and how much of what a server that does nothing, or a
// bare SQLite loop, gives is that?
//
// Starts its own region-node and replicator processes in a temporary directory, measures, prints a
// table and removes everything.  What each figure means: docs/PERFORMANCE.md.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <thread>

#include "tools/bench/agreement_bench.h"
#include "tools/bench/bare_server.h"
#include "tools/bench/copy_bench.h"
#include "tools/bench/disk.h"
#include "tools/bench/growth.h"
#include "tools/bench/http_bench.h"
#include "tools/bench/join_bench.h"
#include "tools/bench/ledger_bench.h"
#include "tools/bench/options.h"
#include "tools/bench/repair_bench.h"
#include "tools/bench/replication_bench.h"
#include "tools/bench/report.h"

namespace meridian::bench {
namespace {

boost::json::object settings(const Options& options, bool durable) {
  return {{"version", MERIDIAN_VERSION},
          {"quick", options.quick},
          {"cores", std::thread::hardware_concurrency()},
          {"durable_file_system", durable},
          {"connections", options.connections},
          {"http_threads", options.http_threads},
          {"shards", options.shards},
          {"payload_bytes", options.payload_bytes},
          {"partitions", options.partitions},
          {"update_keys", options.update_keys},
          {"two_way", !options.one_way},
          {"http_rounds", options.http_rounds},
          {"http_round_ms", options.http_round_ms},
          {"apply_ms", options.apply_ms},
          {"catch_up_rows", options.catch_up_rows},
          {"lag_ms", options.lag_ms},
          {"seed", options.seed}};
}

// Each in a directory of its own, which goes before the next begins.
void run_sections(const Options& options, Report& report) {
  if (options.wants("http")) run_http_bench(options, WorkDir(options.dir), report);
  if (options.wants("apply") || options.wants("catch-up") || options.wants("lag"))
    run_replication_bench(options, WorkDir(options.dir), report);
  if (options.wants("agreement")) run_agreement_bench(options, report);
  if (options.wants("copy")) run_copy_bench(options, WorkDir(options.dir), report);
  if (options.names("join")) run_join_bench(options, WorkDir(options.dir), report);
  if (options.names("repair")) run_repair_bench(options, WorkDir(options.dir), report);
  if (options.names("ledger")) run_ledger_bench(options, report);
}

int run(const Options& options) {
  Report report;
  boost::json::object disk;
  {
    WorkDir dir(options.dir);
    if (!dir.durable())
      progress("warning: " + dir.path() + " lives in memory, so syncs cost nothing; see --dir");
    report.json["settings"] = settings(options, dir.durable());
    disk["before"] = measure_sync(dir);
  }
  if (options.growth) {
    run_growth(options, report);
  } else {
    run_sections(options, report);
  }
  disk["after"] = measure_sync(WorkDir(options.dir));
  auto p50 = [&](const char* when) { return disk[when].at("p50").to_number<double>(); };
  char remark[80];
  std::snprintf(remark, sizeof remark, "fdatasync p50 %.3f ms before, %.3f ms after",
                p50("before"), p50("after"));
  report.line("disk", 0, remark);
  report.json["fdatasync_ms"] = std::move(disk);
  report.print();
  if (!options.json_file.empty()) report.write(options.json_file);
  return 0;
}

void add_large_runs(CLI::App& app, Options& options) {
  app.add_option("--join-items", options.join_items, "Items that a joining region copies")
      ->check(CLI::Range(1000, 100'000'000));
  app.add_option("--join-writes", options.join_writes, "Writes a second beside it")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--repair-items", options.repair_items, "Items of the table that is repaired")
      ->check(CLI::Range(1000, 100'000'000));
}

int run_and_explain(int argc, char** argv) {
  Options options;
  CLI::App app{"Measure Meridian on this machine: HTTP, replication, lag", "bench"};
  app.footer("Exit codes: 0 done, 2 wrong usage, 3 something failed.");
  app.set_version_flag("--version", "bench " MERIDIAN_VERSION);
  app.add_option("--json", options.json_file, "Also write the figures to this file");
  app.add_flag("--quick", options.quick, "Everything, but short: a look, not a measurement");
  app.add_flag("--growth", options.growth,
               "Instead: apply and lag with more items, tables and shards (long)");
  app.add_option("--only", options.only,
                 "Sections: http, apply, catch-up, lag, agreement, copy; only when named: join, "
                 "repair, ledger; of growth: items, tables, shards")
      ->delimiter(',')
      ->check(CLI::IsMember({"http", "apply", "catch-up", "lag", "agreement", "copy", "join",
                             "repair", "ledger", "items", "tables", "shards"}));
  app.add_option("--dir", options.dir, "Where to make the temporary directory");
  app.add_flag("--one-way", options.one_way, "Without the sink's own replicator");
  app.add_option("--connections", options.connections, "Of the HTTP generator")
      ->check(CLI::Range(1, 1000));
  app.add_option("--http-threads", options.http_threads, "Of the node and the bare server")
      ->check(CLI::Range(1, 64));
  app.add_option("--shards", options.shards, "Log shards of a table")->check(CLI::Range(1, 64));
  app.add_option("--payload-bytes", options.payload_bytes, "Random bytes in each item")
      ->check(CLI::Range(1, 300'000));
  app.add_option("--partitions", options.partitions, "Partition keys that rows are spread over")
      ->check(CLI::Range(1, 9'999'999));
  app.add_option("--seed", options.seed, "Of the payloads and of the keys' order");
  add_large_runs(app, options);
  std::int64_t scale_ms = 0;
  app.add_option("--round-ms", scale_ms, "Length of every part; for tests of the bench itself")
      ->check(CLI::Range(10, 100'000));
  std::uint16_t bare_port = 0;
  app.add_option("--serve-bare", bare_port)->group("");  // how it starts its own bare server
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  // What is asked for by name is not shortened.
  Options asked = options;
  if (options.quick) options.shorten();
  if (scale_ms > 0) options.shorten_to(scale_ms);
  if (app.count("--join-items") > 0) options.join_items = asked.join_items;
  if (app.count("--join-writes") > 0) options.join_writes = asked.join_writes;
  if (app.count("--repair-items") > 0) options.repair_items = asked.repair_items;
  try {
    if (bare_port != 0) {
      serve_bare(bare_port, options.http_threads);
      return 0;
    }
    return run(options);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench: %s\n", e.what());
    return 3;
  }
}

}  // namespace
}  // namespace meridian::bench

int main(int argc, char** argv) { return meridian::bench::run_and_explain(argc, argv); }

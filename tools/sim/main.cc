// sim: runs whole regions on virtual time, seed by seed, and judges them.  docs/SIMULATION.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "tests/sim/run.h"
#include "tools/sim/runner.h"

namespace {

using meridian::sim::SeedVerdict;

struct Options {
  std::string seeds;
  std::optional<std::uint64_t> seed;
  std::size_t regions = 0;
  std::size_t jobs = 0;
  bool trace = false;
  bool twice = false;
  bool stop_at_failure = false;
};

// "1..200" or "7"; false when it is neither.
bool parse_range(const std::string& text, meridian::sim::Seeds& seeds) {
  unsigned long long first = 0;
  unsigned long long last = 0;
  int used = 0;
  int fields = std::sscanf(text.c_str(), "%llu..%llu%n", &first, &last, &used);
  if (fields == 1) {
    std::sscanf(text.c_str(), "%llu%n", &first, &used);
    last = first;
  }
  if (fields < 1 || used != static_cast<int>(text.size()) || first > last) return false;
  seeds.first = first;
  seeds.last = last;
  return true;
}

std::string replay_command(std::uint64_t seed, std::size_t regions) {
  std::string command = fmt::format("sim --seed {} --trace", seed);
  if (regions != 0) command += fmt::format(" --regions {}", regions);
  return command;
}

void print_failure(const SeedVerdict& verdict, std::size_t regions) {
  fmt::print("seed {} FAILED\n", verdict.seed);
  for (const auto& finding : verdict.findings) fmt::print("  {}\n", finding);
  fmt::print("  replay: {}\n", replay_command(verdict.seed, regions));
  std::fflush(stdout);
}

int run_one(const Options& options) {
  auto report =
      meridian::sim::run_seed(*options.seed, options.regions, options.trace ? &std::cout : nullptr);
  fmt::print(
      "seed {}: {} regions, {} writes, {} acknowledged, {} events, {:.1f} s of virtual time, "
      "trace {:016x}\n",
      report.seed, report.regions, report.writes, report.acknowledged, report.events,
      static_cast<double>(report.virtual_ms) / 1000.0, report.trace_hash);
  for (const auto& finding : report.findings.kept())
    fmt::print("  {}  {}\n", finding.property, finding.detail);
  fmt::print("{}\n", report.passed() ? "passed" : "FAILED");
  return report.passed() ? 0 : 1;
}

int run_many(const Options& options, meridian::sim::Seeds seeds) {
  seeds.regions = options.regions;
  seeds.twice = options.twice;
  seeds.stop_at_failure = options.stop_at_failure;
  seeds.jobs = options.jobs != 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency());
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::set<std::uint64_t> traces;
  meridian::sim::run_seeds(seeds, [&](const SeedVerdict& verdict) {
    verdict.passed ? ++passed : ++failed;
    if (verdict.trace_hash != 0) traces.insert(verdict.trace_hash);
    if (!verdict.passed) print_failure(verdict, options.regions);
  });
  fmt::print("{} seeds passed, {} failed, {} distinct traces\n", passed, failed, traces.size());
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulates whole regions on virtual time and checks what must hold."};
  Options options;
  auto* seeds_option = app.add_option("--seeds", options.seeds, "Seeds to run, such as 1..200");
  auto* seed_option = app.add_option("--seed", options.seed, "One seed, in this process");
  app.add_flag("--trace", options.trace, "Print what happens (with --seed)")->needs(seed_option);
  app.add_option("--regions", options.regions, "Number of regions; the seed decides if not given")
      ->check(CLI::Range(2, 5));
  app.add_option("--jobs", options.jobs,
                 "Processes for --seeds; as many as processors if not given")
      ->check(CLI::Range(1, 256));
  app.add_flag("--twice", options.twice, "Run each seed twice and compare (with --seeds)");
  app.add_flag("--stop-at-failure", options.stop_at_failure, "End at the first failed seed");
  seeds_option->excludes(seed_option);
  CLI11_PARSE(app, argc, argv);

  meridian::sim::Seeds seeds;
  if (options.seed) return run_one(options);
  if (!options.seeds.empty() && parse_range(options.seeds, seeds)) return run_many(options, seeds);
  fmt::print(stderr, "give --seeds A..B or --seed N; see --help\n");
  return 2;
}

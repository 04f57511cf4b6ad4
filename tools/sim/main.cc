// sim: runs whole regions on virtual time, seed by seed, and judges them.  docs/SIMULATION.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/sim/run.h"
#include "tools/sim/runner.h"
#include "tools/sim/try_script.h"

namespace {

using meridian::sim::SeedVerdict;

struct Options {
  std::string seeds;
  std::optional<std::uint64_t> seed;
  std::string script;
  std::string out;
  std::size_t regions = 0;
  std::size_t jobs = 0;
  bool trace = false;
  bool shrink = false;
  bool print_script = false;
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

meridian::sim::Script script_of(const Options& options) {
  if (options.seed) return meridian::sim::draw_script(*options.seed, options.regions);
  std::ifstream file(options.script);
  if (!file) throw std::runtime_error("cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return meridian::sim::parse_script(text.str());
}

int write_script(const Options& options, const meridian::sim::Script& script) {
  std::string text = to_text(script);
  if (options.out.empty()) {
    fmt::print("{}", text);
    return 0;
  }
  std::ofstream file(options.out);
  file << text;
  file.close();
  if (file.good()) return 0;
  fmt::print(stderr, "{} cannot be written\n", options.out);
  return 2;
}

int run_one(const Options& options) {
  auto script = script_of(options);
  if (options.print_script) return write_script(options, script);
  if (options.shrink) return write_script(options, meridian::sim::shrink_script(script));
  auto report = run_script(script, options.trace ? &std::cout : nullptr);
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
  std::size_t lost = 0;
  std::size_t restored = 0;
  std::set<std::uint64_t> traces;
  meridian::sim::run_seeds(seeds, [&](const SeedVerdict& verdict) {
    verdict.passed ? ++passed : ++failed;
    lost += verdict.stores_lost;
    restored += verdict.stores_restored;
    if (verdict.trace_hash != 0) traces.insert(verdict.trace_hash);
    if (!verdict.passed) print_failure(verdict, options.regions);
  });
  fmt::print("{} data directories lost, {} restored from an older copy\n", lost, restored);
  fmt::print("{} seeds passed, {} failed, {} distinct traces\n", passed, failed, traces.size());
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulates whole regions on virtual time and checks what must hold."};
  Options options;
  auto* seeds_option = app.add_option("--seeds", options.seeds, "Seeds to run, such as 1..200");
  auto* seed_option = app.add_option("--seed", options.seed, "One seed, in this process");
  auto* script_option =
      app.add_option("--script", options.script, "A run that was written down");
  script_option->excludes(seed_option);
  auto* shrink_option =
      app.add_flag("--shrink", options.shrink,
                   "Reduce a run that fails to a short script (with --seed or --script)");
  auto* print_option =
      app.add_flag("--print-script", options.print_script, "Write the run down, do not run it");
  app.add_option("--out", options.out, "Where the script goes; stdout if not given");
  app.add_flag("--trace", options.trace, "Print what happens (with --seed or --script)");
  app.add_option("--regions", options.regions, "Number of regions; the seed decides if not given")
      ->check(CLI::Range(2, 5));
  app.add_option("--jobs", options.jobs,
                 "Processes for --seeds; as many as processors if not given")
      ->check(CLI::Range(1, 256));
  app.add_flag("--twice", options.twice, "Run each seed twice and compare (with --seeds)");
  app.add_flag("--stop-at-failure", options.stop_at_failure, "End at the first failed seed");
  for (auto* one_run : {seed_option, script_option, shrink_option, print_option})
    seeds_option->excludes(one_run);
  CLI11_PARSE(app, argc, argv);

  meridian::sim::Seeds seeds;
  if (options.seed || !options.script.empty()) {
    try {
      return run_one(options);
    } catch (const std::exception& error) {
      fmt::print(stderr, "{}: {}\n", options.script, error.what());
      return 2;
    }
  }
  if (!options.seeds.empty() && parse_range(options.seeds, seeds)) return run_many(options, seeds);
  fmt::print(stderr, "give --seeds A..B, --seed N or --script FILE; see --help\n");
  return 2;
}

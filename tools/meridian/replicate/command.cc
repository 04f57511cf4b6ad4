#include "tools/meridian/replicate/command.h"

#include <CLI/CLI.hpp>

#include <fstream>
#include <map>
#include <memory>

#include "tools/meridian/percentiles.h"
#include "tools/meridian/quantity.h"
#include "tools/meridian/replicate/replicate.h"

namespace meridian::replicate {
namespace {

struct BenchCommand {
  ReplicateOptions options;
  std::string duration = "30s";
  std::string settle = "10s";
  std::string timeout = "10s";
  std::string mix = "put=100";
  std::string distribution = "uniform";
  std::string hdr;
  bool closed_loop = false;
};

constexpr std::int64_t kDurationMsMax = 24 * 3'600'000;

ReplicateOptions options_of(const BenchCommand& command) {
  static const std::map<std::string, Distribution> kDistributions{
      {"uniform", Distribution::uniform},
      {"zipf", Distribution::zipf},
      {"sequential", Distribution::sequential}};
  ReplicateOptions out = command.options;
  out.settle_ms = cli::parse_ms("--settle", command.settle);
  out.load.duration_ms = cli::parse_ms("--duration", command.duration);
  if (out.load.duration_ms < 1 || out.load.duration_ms > kDurationMsMax)
    throw cli::UsageError("--duration must be between 1ms and 24h");
  out.load.timeout_ms = cli::parse_ms("--timeout", command.timeout);
  if (out.load.timeout_ms < 1) throw cli::UsageError("--timeout must be at least 1ms");
  if (command.closed_loop) out.load.per_second = 0;
  out.load.work.mix = parse_mix("--mix", command.mix);
  out.load.work.distribution = kDistributions.at(command.distribution);
  return out;
}

// One file for each latency, for what reads them takes one series.
void write_files(const Summary& summary, const std::string& path) {
  for (const auto& [name, counts] : latencies(summary)) {
    std::string file = cli::file_for(path, name);
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << cli::percentile_text(counts);
    out.close();
    if (!out) throw cli::UsageError("cannot write " + file);
    cli::progress("wrote " + file);
  }
}

int perform(const cli::Options& options, const BenchCommand& command) {
  auto asked = options_of(command);
  auto deployment = cli::load_deployment(options.deployment);
  Replicate replicate(deployment, asked);
  replicate.run();
  Summary summary = replicate.summary();
  cli::print(render(summary, options.format));
  if (!command.hdr.empty()) write_files(summary, command.hdr);
  return exit_code(summary);
}

void add_load_options(CLI::App& app, BenchCommand& command) {
  LoadOptions& load = command.options.load;
  auto* rate = app.add_option("--rate", load.per_second,
                              "Writes per second, whatever the region does (default 100)")
                   ->check(CLI::Range(0.1, 1'000'000.0));
  app.add_flag("--closed-loop", command.closed_loop,
               "No rate: each connection sends its next write when the last is answered")
      ->excludes(rate);
  app.add_option("--connections", load.connections, "Connections to the source (default 32)")
      ->check(CLI::Range(1, 1000));
  app.add_option("--duration", command.duration, "How long to write (default 30s)");
  app.add_option("--timeout", command.timeout, "How long a write may take (default 10s)");
  app.add_option("--keys", load.work.keys, "Keys that writes are spread over (default 10000)")
      ->check(CLI::Range(std::uint64_t{1}, kKeysMax));
  app.add_option("--distribution", command.distribution,
                 "Which keys are drawn how often (default uniform)")
      ->check(CLI::IsMember({"uniform", "zipf", "sequential"}));
  app.add_option("--item-size", command.options.item_bytes, "Bytes of an item (default 1000)")
      ->check(CLI::Range(std::size_t{1}, kItemBytesMax));
  app.add_option("--mix", command.mix,
                 "Shares in percent, such as put=70,update=20,delete=10 (default put=100)");
  app.add_option("--seed", load.work.seed, "Of the choice of keys and kinds (default 1)");
}

}  // namespace

void add_bench_commands(CLI::App& app, const cli::Options& options, std::function<int()>& run) {
  auto command = std::make_shared<BenchCommand>();
  auto* bench = app.add_subcommand("bench", "Measure a running deployment");
  bench->require_subcommand(1);
  auto* replicate = bench->add_subcommand(
      "replicate", "Write to one region, and see when that is visible in the others");
  ReplicateOptions& asked = command->options;
  replicate->add_option("--from", asked.source,
                        "The region that is written to (default: the first)");
  replicate
      ->add_option("--to", asked.sinks,
                   "Regions in which samples are looked for (default: all other replicas)")
      ->delimiter(',');
  replicate->add_option("--table", asked.table,
                        "A table that is there (default meridian-bench, which is made); what is "
                        "written stays in it");
  add_load_options(*replicate, *command);
  replicate->add_option("--samples", asked.load.samples_per_second,
                        "So many of the writes per second are looked for (default 20)")
      ->check(CLI::Range(0.1, 1000.0));
  replicate->add_option("--settle", command->settle,
                        "How long the last of them may take to become visible (default 10s)");
  replicate->add_option("--hdr", command->hdr,
                        "Write HdrHistogram percentile text, one file for each latency");
  replicate->callback([command, &options, &run] {
    run = [command, &options] { return perform(options, *command); };
  });
}

}  // namespace meridian::replicate

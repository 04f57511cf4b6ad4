// meridian drill: list, plan, run, report and compare.
//
// Exit codes of `run`: 0 PASS, 1 an objective was missed, 2 wrong usage, 3 the preflight refused,
// 4 aborted and healed, 5 the tool failed.
// Threads: one.  Errors: as in commands.h.
#pragma once

#include <CLI/App.hpp>

#include <functional>
#include <string>

#include "tools/meridian/commands.h"

namespace meridian::drill {

struct DrillCommand {
  std::string scenario;
  std::string region;
  std::string out;
  std::string baseline = "5s";
  std::string fault = "15s";
  std::string rto = "30s";
  std::string rpo = "5s";
  std::int64_t rpo_writes = -1;
  double rate = 200;
  std::uint64_t seed = 1;
  std::string clock_by = "10m";
  std::string health_command;
  std::string switch_command;
  std::vector<std::string> stops;
  bool yes = false;
  bool dry_run = false;
  std::string report;
  std::string other_report;
};

// Adds `drill` with its subcommands; the one that is called sets `run`.
void add_drill_commands(CLI::App& app, cli::Options& options, DrillCommand& command,
                        std::function<int()>& run);

}  // namespace meridian::drill

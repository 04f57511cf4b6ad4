// meridian link: faults done on purpose to what one region sends to another.
//
//   meridian link cut --from us-east-1 --to eu-west-1 --for 10s
//   meridian link delay --from all --to eu-west-1 --by 80ms --jitter 10ms --for 5m
//   meridian link lose --from us-east-1 --to all --share 2% --for 5m
//   meridian link list
//
// A link's faults are those of two daemons of its source: the replicator ships over it, the node uses
// it for the control plane.  Both are asked; they end their faults by themselves.
// Threads: one.  Errors: as in commands.h.
#pragma once

#include <CLI/App.hpp>

#include <functional>
#include <string>
#include <vector>

#include "tools/meridian/commands.h"

namespace meridian::cli {

struct LinkCommand {
  std::string from;  // a region, or "all"
  std::string to;
  std::string duration;
  std::string delay;
  std::string jitter = "0";
  std::string rate;
  std::string share;
};

// Adds `link` with its subcommands; the one that is called sets `run`.
void add_link_commands(CLI::App& app, Options& options, LinkCommand& command,
                       std::function<int()>& run);

// One fault that holds now.
struct LinkFault {
  std::string from;
  std::string to;
  std::string kind;
  std::string text;
  double left_ms = 0;
  std::vector<std::string> on;  // "node", "replicator"
};
struct LinkFaults {
  std::vector<std::pair<std::string, std::string>> links;  // from, to; ascending
  std::vector<LinkFault> faults;                           // ascending by from, to
  std::vector<std::string> problems;                       // daemons that did not answer
};
LinkFaults read_faults(const Deployment& deployment);

}  // namespace meridian::cli

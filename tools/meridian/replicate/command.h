// meridian bench: measures a running deployment.
//
//   meridian bench replicate --from us-east-1 --rate 500 --duration 1m
//
// Threads: one.  Errors: as in commands.h.
#pragma once

#include <CLI/App.hpp>

#include <functional>

#include "tools/meridian/commands.h"

namespace meridian::replicate {

// Adds `bench` with its subcommand, which sets `run` when it is called.
void add_bench_commands(CLI::App& app, const cli::Options& options, std::function<int()>& run);

}  // namespace meridian::replicate

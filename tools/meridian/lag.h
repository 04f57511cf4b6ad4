// meridian lag: how far is every region behind every other, per table and link?
//
// Threads: one.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>

#include "tools/meridian/commands.h"

namespace meridian::cli {

void add_lag_command(CLI::App& app, const Options& options, std::function<int()>& run);

}  // namespace meridian::cli

// The commands about conflicts: `conflicts list|show|export|restore`, and `why`.
//
// Threads: one.
#pragma once

#include <functional>

#include "tools/meridian/commands.h"

namespace CLI {
class App;
}

namespace meridian::cli {

// Each sets `run` when its command is given.  `options` and `run` outlive the parser.
void add_conflict_commands(CLI::App& app, const Options& options, std::function<int()>& run);
void add_why_command(CLI::App& app, const Options& options, std::function<int()>& run);

}  // namespace meridian::cli

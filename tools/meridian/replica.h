// meridian replica list|add|remove: in which regions a table is, and how far a new replica is filled.
//
//   meridian replica list [TABLE]
//   meridian replica add TABLE REGION [--no-wait]
//   meridian replica remove TABLE REGION --yes
//   meridian replica remove TABLE REGION --force --yes     the region is dead and will not answer
//
// Threads: one.  Errors: as commands.h says.
#pragma once

#include <functional>

#include "tools/meridian/commands.h"

namespace CLI {
class App;
}

namespace meridian::cli {

// Adds the commands to `app`; what is chosen becomes `run`.  Borrows both.
void add_replica_commands(CLI::App& app, const Options& options, std::function<int()>& run);

}  // namespace meridian::cli

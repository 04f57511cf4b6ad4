// meridian quarantine list|show|retry|discard: the records that a region could not apply.
//
// Threads: one.  Errors: as commands.h says.
#pragma once

#include <functional>
#include <string>

#include "tools/meridian/commands.h"

namespace CLI {
class App;
}

namespace meridian::cli {

// Adds the commands to `app`; what is chosen becomes `run`.  Borrows both.
void add_quarantine_commands(CLI::App& app, const Options& options, std::function<int()>& run);

}  // namespace meridian::cli

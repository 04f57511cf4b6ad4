// meridian clock status|accept: clocks that disagree, and an operator's word on them.
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
void add_clock_commands(CLI::App& app, const Options& options, std::function<int()>& run);

}  // namespace meridian::cli

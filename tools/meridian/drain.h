// meridian drain: does one region have everything that another had acknowledged?
//
//   meridian drain --from us-east-1 --to eu-west-1 [--table Orders] [--wait 60s]
//
// A barrier is made in the source after the call; the sink is asked until it has reached it, or the
// wait is over.  Yes (0) is certain.  No (1) says what is missing: records, bytes and the age of the
// oldest, as the source knows them; so it is when the sink does not answer, for then nothing is certain.
// A source that does not answer cannot be asked at all (3).
// Threads: one.  Errors: as in commands.h.
#pragma once

#include <functional>

#include "tools/meridian/commands.h"

namespace CLI {
class App;
}

namespace meridian::cli {

// Adds the command to `app`; what is chosen becomes `run`.  Borrows both.
void add_drain_command(CLI::App& app, const Options& options, std::function<int()>& run);

}  // namespace meridian::cli

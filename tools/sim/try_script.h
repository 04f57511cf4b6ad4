// Runs one script in a process of its own, so that one that aborts or never ends is just a script that
// fails.
//
// Threads: none; forks.  Errors: a system call that fails throws std::system_error.
// Limits: seconds_max of real time.
#pragma once

#include <set>
#include <string>

#include "tests/sim/script.h"

namespace meridian::sim {

// Names of the properties that the script breaks; "abort" if the process dies, "time" if it does not
// end.
std::set<std::string> broken_by(const Script& script, unsigned seconds_max);

// Shrinks a script that breaks something, to one that breaks one of the same properties; says on stdout
// how it goes.
Script shrink_script(const Script& script);

}  // namespace meridian::sim

// The disk's own speed: what one small synced write takes, since everything durable waits for it and
// it drifts within the hour.
// Threads: main.  Errors: std::runtime_error.
#pragma once

#include <boost/json/object.hpp>

#include "tools/bench/daemons.h"

namespace meridian::bench {

// fdatasync after overwriting 8 KB, a few hundred times.
boost::json::object measure_sync(const WorkDir& dir);

}  // namespace meridian::bench

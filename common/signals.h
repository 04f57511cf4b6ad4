// Waiting for the signals that a daemon knows, without a handler: they are blocked in every thread and
// taken by main.
//
// Threads: block_stop_signals() first of all in main, before any thread exists, so that all inherit
// the mask; wait_for_stop_signal() from main.
#pragma once

#include <functional>

namespace meridian {

// Blocks SIGINT, SIGTERM and SIGHUP, ignores SIGPIPE.
void block_stop_signals();
// Returns the number of the signal that came.  Runs `reload` at every SIGHUP until then; without one,
// SIGHUP is an end as well.
int wait_for_stop_signal(const std::function<void()>& reload = {});

}  // namespace meridian

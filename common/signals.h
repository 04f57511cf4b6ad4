// Waiting for the signal that ends a daemon, without a handler: the signals are blocked in every
// thread and taken by main.
//
// Threads: block_stop_signals() first of all in main, before any thread exists, so that all inherit
// the mask; wait_for_stop_signal() from main.
#pragma once

namespace meridian {

// Blocks SIGINT and SIGTERM, ignores SIGPIPE.
void block_stop_signals();
// Returns the number of the signal that came.
int wait_for_stop_signal();

}  // namespace meridian

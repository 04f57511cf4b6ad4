// The bare server: Boost.Beast as its own examples use it, answering {} to every request.  What a
// server on this machine can give at most, to compare a region node with.
//
// Threads: runs on the caller's and `threads` - 1 more, until a stop signal.
// Errors: boost::system::system_error when the port is taken.
#pragma once

#include <cstdint>

namespace meridian::bench {

// Returns after SIGTERM or SIGINT.
void serve_bare(std::uint16_t port, unsigned threads);

}  // namespace meridian::bench

// Ports of loopback that nobody else has.
//
// A port is drawn before its daemon binds it, and is free again while that is stopped.  So it is locked
// for as long as this process lives: the byte at its number in a file that the tests share
// (tests/e2e/ports.py says the same of itself).  Ports that the kernel gives to outgoing connections are
// not drawn.
//
// Threads: one.  Errors: std::runtime_error when none is left.
// Environment: MERIDIAN_TEST_PORTS, as 20000-29999, the range to draw from (default: those, or the ten
// thousand below the first that outgoing connections get, where that is lower).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace meridian::bench {

// `count` ports, which no other call of this process has answered or will.
std::vector<std::uint16_t> free_ports(std::size_t count);
std::string loopback(std::uint16_t port);

}  // namespace meridian::bench

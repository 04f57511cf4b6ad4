// Shrinking: from a script that fails to a short one that fails in the same way.
//
// Events are dropped, in large pieces first and then one by one (delta debugging), fields of the shape
// are set back to their plain values, and what is left is tried again until nothing more can go.
// Threads: one.
// Limits: ShrinkLimits; the result is the shortest so far when they are reached.
// Source: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input" (2002).
#pragma once

#include <cstddef>
#include <functional>

#include "tests/sim/script.h"

namespace meridian::sim {

struct ShrinkLimits {
  std::size_t tries_max = 3'000;
};

struct Shrunk {
  Script script;
  std::size_t tries = 0;
};

// `fails`: runs a script and tells whether it still fails.  REQUIRES: fails(script).
Shrunk shrink(Script script, const std::function<bool(const Script&)>& fails,
              const ShrinkLimits& limits = {});

}  // namespace meridian::sim

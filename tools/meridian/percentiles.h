// The percentiles of a lag as a file for other tools.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/lag_counts.h"

namespace meridian::cli {

// HdrHistogram's percentile text, in milliseconds: what hdrhistogram.github.io plots.
std::string percentile_text(const LagCounts& lag);

// The quantiles that HdrHistogram steps through, five for every halving of what lies above, until less
// than half of one of `count` values does.
std::vector<double> percentile_steps(std::uint64_t count);

}  // namespace meridian::cli

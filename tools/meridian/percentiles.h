// The percentiles of a lag as a file for other tools, and as a picture.
//
// Threads: any.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/lag_counts.h"

namespace meridian::cli {

// HdrHistogram's percentile text, in milliseconds: what hdrhistogram.github.io plots.
std::string percentile_text(const LagCounts& lag);

// The lags by name, from the median outwards over a scale of nines, as an SVG document of its own.
std::string percentile_plot(const std::vector<std::pair<std::string, LagCounts>>& lags);

}  // namespace meridian::cli

// Plot: percentiles of lags as a picture, from the median outwards over a scale of nines.
//
// Threads: any.  Errors: UsageError for a file of another kind; std::runtime_error when no picture can be
// made.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/lag_counts.h"

namespace meridian::cli {

using NamedLags = std::vector<std::pair<std::string, LagCounts>>;

// An SVG document of its own.
std::string plot_svg(const NamedLags& lags);
// A PNG file.
std::string plot_png(const NamedLags& lags);

enum class Picture { svg, png };
// The kind that the name of a file asks for, by its extension.
Picture picture_for(const std::string& flag, const std::string& path);
std::string plot(Picture picture, const NamedLags& lags);

}  // namespace meridian::cli

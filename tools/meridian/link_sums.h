// How bad the state of a link is, to choose that of several.
//
// Threads: any.
#pragma once

#include <string>

namespace meridian::cli {

// 0 for the best; a state that is not known here is the worst.
int severity(const std::string& state);

}  // namespace meridian::cli

// What has to be true before a drill may begin, the plan that it will follow, and its table.
// Threads: one.  Errors: what the regions answer.
#pragma once

#include <string>
#include <vector>

#include "common/histogram.h"
#include "tools/meridian/deployment.h"

namespace meridian::drill {

// Why the deployment is not fit for a drill; empty when it is.
std::vector<std::string> check_deployment(const cli::Deployment& deployment);
// The drill's global table in every region, made when it is not there.
void make_table(const cli::Deployment& deployment);
// HdrHistogram's percentile text, in milliseconds.
std::string percentile_text(const Histogram& values);

}  // namespace meridian::drill

// The rows of one region's table, as its admin endpoint tells of them (region-node/admin/verify_pages.h).
//
// Threads: one at a time.  Owns: a connection.
// Errors: Unreachable; std::runtime_error when the answer cannot be understood.
#pragma once

#include <memory>
#include <string>

#include "tools/meridian/deployment.h"
#include "tools/meridian/verify_merge.h"

namespace meridian::cli {

std::unique_ptr<RowSource> rows_of_region(const Endpoints& region, const std::string& table);

}  // namespace meridian::cli

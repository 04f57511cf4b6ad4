// A number that names a membership of a table: equal where two regions know the same of it.  What a
// region tells of its watermarks counts only for those who know as much as it does (ADR 0023).
//
// Pure.  Threads: any.
#pragma once

#include <cstdint>
#include <map>

#include "region-node/store/table_info.h"

namespace meridian::store {

// Never 0.  The same on every region and release.
std::uint64_t membership_hash(const std::map<RegionId, ReplicaEntry>& replicas);

}  // namespace meridian::store

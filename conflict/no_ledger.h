// What a region that keeps no conflict ledger says that its ledger is complete after: it is complete for
// nothing (conflict::RegionLedger).
#pragma once

#include "conflict/hlc.h"

namespace meridian::conflict {

inline constexpr Hlc kNoLedger{std::uint64_t{1} << 62};

}  // namespace meridian::conflict

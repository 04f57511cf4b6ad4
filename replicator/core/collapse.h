// collapse: keeps only the newest record of each key in a range of the log, for tables whose operator
// prefers catching up sooner to a complete stream at the sink.
//
// Only within what one batch carries: the sink applies a batch and its position in one transaction, so
// that wherever its position stands, it has everything up to there or what replaced it.  Across batches a
// record could be left out whose successor never arrives.
//
// What was built on a write of the sink that no newer record of the key names is not left out: the sink
// would go on listing that write among those that lost unseen (conflict/ledger.h).
//
// Pure.  Threads: any.
#pragma once

#include <cstddef>
#include <vector>

#include "rpc/change_record.h"

namespace meridian::replicator {

// Answers how many were left out; the order of those that stay is kept.
std::size_t collapse(std::vector<rpc::ChangeRecord>& records, const RegionId& sink);

}  // namespace meridian::replicator

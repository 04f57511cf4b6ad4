// open_checkpoints(): the checkpoint database of a folder, or a new one where it is damaged.
//
// The sink owns the position (ADR 0006): without checkpoints every flow asks once more where it stands,
// and nothing else is lost.  So a damaged database does not keep the replicator from starting: it is
// moved aside under a name that ends in ".damaged-TIME", kept for whoever wants to look, and logged as
// an error.
//
// Threads: one, at start.  Errors: what SqliteCheckpointStore throws, damage apart: a folder that cannot
// be written, a newer format, another worker's lock.
#pragma once

#include <memory>
#include <string>

#include "checkpoint/store.h"
#include "common/clock.h"
#include "common/log.h"

namespace meridian::checkpoint {

std::unique_ptr<CheckpointStore> open_checkpoints(const std::string& folder, const Clock& clock,
                                                  const Logger& log);

}  // namespace meridian::checkpoint

// What the file's ledgers are when a run begins that keeps none (ledger_entries_max 0), or that keeps them
// again after one that did not.
//
// A region without a ledger looks nothing up and lists nothing.  It must not pass for one whose writes
// never lost, so its ledgers say that they are complete for nothing.
// Threads: the engine's, outside of a transaction, before the ledgers are loaded.
// Errors: sqlite::SqliteError.
#pragma once

#include "common/sqlite/sqlite.h"
#include "conflict/version.h"
#include "region-node/store/store_options.h"

namespace meridian::store {

inline bool keeps_ledger(const StoreOptions& options) { return options.ledger_entries_max > 0; }

// `ceiling`: nothing that this region wrote before lies above it.
void begin_ledgers(sqlite::Database& db, const StoreOptions& options, conflict::Hlc ceiling);

}  // namespace meridian::store

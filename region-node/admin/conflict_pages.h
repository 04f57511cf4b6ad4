// The admin pages about conflicts: a region's ledger, and all that it knows of one key.
//
//   GET /v1/tables/NAME/conflicts      JSON: losers listed here, by key and version
//       ?after_key=<hex>&after_version=<hex>   go on behind this one
//       &key=<hex> or &key_json=<JSON, %-encoded>   of this key only
//       &version=<hex>                 this loser only
//       &from_ms=N&to_ms=N             losers of this time only
//       &limit=N                       at most kLedgerPageMax, which is the default
//       &images=0                      without images
//   GET /v1/tables/NAME/history?key=<hex> or key_json=<JSON, %-encoded>
//       JSON: the row, the log's records, the ledger's entries and what is in quarantine, of one key
//
// Each entry says what the region stores at its key now, because the merged view needs it.
// Threads: those of the Reader.
// Errors: 400 and 404 with {"error": "..."}.
#pragma once

#include "common/http/server.h"
#include "region-node/admin/target.h"
#include "region-node/store/store.h"

namespace meridian::admin {

http::Response conflicts_page(store::Store& store, store::Reader& reader, const Target& target);
http::Response history_page(store::Store& store, store::Reader& reader, const Target& target);

}  // namespace meridian::admin

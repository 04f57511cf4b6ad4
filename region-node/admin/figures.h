// The figures of a region node that an operator sees, read once from the store and shared by the
// status page and the metrics.
//
// Threads: value types; read_tables() uses the caller's Reader.
// Units: in the names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "region-node/store/store.h"

namespace meridian::admin {

// One table's backlog towards one sink, summed over the shards of its log.
struct SinkBacklog {
  RegionId sink;
  std::uint64_t pending_records = 0;
  std::uint64_t pending_bytes = 0;
  std::optional<std::int64_t> oldest_us;  // commit time of the oldest unacknowledged record
};

struct TableFigures {
  store::TablePtr table;
  store::TableStats stats;
  std::vector<SinkBacklog> backlog;
  store::ParkedStats parked;
  store::LedgerSummary ledger;
  rpc::Watermarks watermarks;
};

std::vector<TableFigures> read_tables(store::Store& store, store::Reader& reader);

}  // namespace meridian::admin

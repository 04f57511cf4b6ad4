// Where flows stand between two regions, and whether they can go on from there.
//
// Threads: the reader's.  Errors: sqlite::SqliteError of the reader.
#pragma once

#include <optional>
#include <vector>

#include "region-node/store/store.h"
#include "rpc/repair.h"

namespace meridian::repair {

// False for a replica that is to be filled and does not know yet where its flows begin: there is
// nothing to compare.
bool flows_have_begun(store::Reader& reader, const store::TableInfo& table,
                      const RegionId& self);

// Where the flows of `source` stand here, for so many shards of its log.
std::vector<LogPosition> positions_at(store::Reader& reader, const TableId& table,
                                      const RegionId& source, std::size_t shards);

enum class Verdict {
  fine,
  trimmed,   // the log has been trimmed past where the sink stands
  restored,  // the sink stands where this log has never been: what it got then is not here any more
};
// Of a sink's positions in this region's log.
Verdict examine(store::Reader& reader, const store::TableInfo& table,
                const std::vector<LogPosition>& positions);

// Up to where a sink has acknowledged each shard of this region's log.
std::vector<LogPosition> acknowledged_by(store::Reader& reader, const store::TableInfo& table,
                                         const RegionId& sink);

// What a sink says of where it stands takes a while to arrive.
struct Stand {
  std::vector<LogPosition> positions;
  // By the sink, before it was asked; none if it was not, and is taken at its word.
  std::optional<std::vector<LogPosition>> acknowledged;
};
// Of a sink's positions as they were a while ago.  A shard of which it has acknowledged something since
// is fine: the sink stands in this log, and what it answered may have been trimmed in the meantime.
Verdict examine(store::Reader& reader, const store::TableInfo& table, const RegionId& sink,
                const Stand& stand);

// Whether a sink has taken the positions that were pinned for it here.
bool took_pins(store::Reader& reader, const store::TableInfo& table, const RegionId& sink,
               const std::vector<LogPosition>& positions);

// What this region knows of a table's state.  `table`: as its membership is known now; with an id alone,
// without it.
rpc::ReplicaFacts facts_at(store::Reader& reader, const store::TableInfo& table);
rpc::ReplicaFacts facts_at(store::Reader& reader, const TableId& table);
// The same for a repair, with what is parked; or saying only that something is, to be sent to whoever asks
// in the middle of one.
rpc::ReplicaFacts repair_facts_at(store::Reader& reader, const store::TableInfo& table);
rpc::ReplicaFacts counted_facts_at(store::Reader& reader, const store::TableInfo& table);

}  // namespace meridian::repair

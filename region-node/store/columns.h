// Columns of the store's tables as the values that they stand for.
//
// SQLite keeps no checksums, so a damaged file can answer anything.  What no writer of ours can have
// written ends here, with sqlite::damaged(), and never as a wrong value or an aborted process.
//
// Threads: that of the Query.  Errors: sqlite::SqliteError (is_damage()).
#pragma once

#include <cstdint>

#include "common/ids.h"
#include "common/sqlite/sqlite.h"
#include "conflict/context.h"
#include "conflict/version.h"
#include "rpc/rows.h"
#include "region-node/store/quarantine.h"

namespace meridian::store {

conflict::Version version_at(const sqlite::Query& row, int column);
conflict::Context context_at(const sqlite::Query& row, int column);
conflict::Hlc hlc_at(const sqlite::Query& row, int column);
RegionId region_at(const sqlite::Query& row, int column);
TableId table_id_at(const sqlite::Query& row, int column);
// Of the columns key, version, context, image.
rpc::Row row_at(const sqlite::Query& row);
// A number from `least` to `most`.
std::int64_t number_at(const sqlite::Query& row, int column, std::int64_t least, std::int64_t most);
// A shard of a log of so many.
ShardId shard_at(const sqlite::Query& row, int column, std::uint16_t shards);

// A row of the quarantine, selected with these columns.
inline constexpr const char* kParkedColumns =
    "id, source, shard, seq, key, version, parent, context, committed_us, image, reason";
ParkedRecord parked_at(const sqlite::Query& row, const TableId& table);

}  // namespace meridian::store

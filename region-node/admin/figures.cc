#include "region-node/admin/figures.h"

#include <algorithm>

#include "region-node/admin/admin.h"

namespace meridian::admin {
namespace {

SinkBacklog sum_shards(store::Reader& reader, const store::TableInfo& table, const RegionId& sink) {
  SinkBacklog sum{.sink = sink, .pending_records = 0, .pending_bytes = 0, .oldest_us = {}};
  for (std::uint16_t shard = 0; shard < table.shards; ++shard) {
    store::Backlog backlog = reader.backlog(table.id, ShardId(shard), sink);
    sum.pending_records += backlog.pending_records;
    sum.pending_bytes += backlog.pending_bytes;
    if (backlog.oldest_us)
      sum.oldest_us = std::min(sum.oldest_us.value_or(*backlog.oldest_us), *backlog.oldest_us);
  }
  return sum;
}

}  // namespace

std::vector<TableFigures> read_tables(store::Store& store, store::Reader& reader) {
  std::vector<TableFigures> out;
  store::CatalogPtr catalog = store.catalog();
  for (const auto& [name, table] : catalog->by_name) {
    TableFigures figures{.table = table,
                         .stats = reader.stats(table->id),
                         .backlog = {},
                         .parked = {},
                         .ledger = {},
                         .watermarks = reader.watermarks(table->id)};
    for (const RegionId& sink : table->peers(store.region()))
      figures.backlog.push_back(sum_shards(reader, *table, sink));
    figures.parked = reader.parked_stats(table->id);
    figures.ledger = reader.ledger(table->id);
    out.push_back(std::move(figures));
  }
  return out;
}

}  // namespace meridian::admin

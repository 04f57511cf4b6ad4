#include "region-node/store/watermark_store.h"

#include <algorithm>

#include "region-node/store/columns.h"
#include "region-node/store/schema.h"

namespace meridian::store {

using sqlite::Query;
using sqlite::Statement;
using sqlite::Text;

WatermarkStore::WatermarkStore(sqlite::Database& db)
    : db_(db),
      save_(db, "INSERT OR REPLACE INTO watermarks(number, origin, hlc) VALUES(?1, ?2, ?3)"),
      save_collected_(db, "INSERT OR REPLACE INTO collections(number, hlc) VALUES(?1, ?2)"),
      save_barrier_(db, std::string("INSERT OR REPLACE INTO meta(name, value) VALUES('") +
                            kBarrierName + "', ?1)") {}

void WatermarkStore::load(EngineState& state) {
  Statement barrier(db_, std::string("SELECT value FROM meta WHERE name = '") + kBarrierName + "'");
  for (Query row = barrier.run(); row.step();) state.barrier = hlc_at(row, 0);
  Statement watermarks(db_, "SELECT origin, hlc FROM watermarks WHERE number = ?1");
  Statement collected(db_, "SELECT hlc FROM collections WHERE number = ?1");
  for (auto& [id, table] : state.tables) {
    for (Query row = watermarks.run(table.number); row.step();)
      table.watermarks[region_at(row, 0)] = hlc_at(row, 1);
    for (Query row = collected.run(table.number); row.step();) table.collected = hlc_at(row, 0);
  }
}

void WatermarkStore::save(const TableState& table) {
  for (const auto& [origin, hlc] : table.watermarks)
    save_.execute(table.number, Text{origin.name()}, static_cast<std::int64_t>(hlc.value));
}

void WatermarkStore::save_collected(const TableState& table) {
  save_collected_.execute(table.number, static_cast<std::int64_t>(table.collected.value));
}

void WatermarkStore::save_barrier(conflict::Hlc barrier) {
  save_barrier_.execute(static_cast<std::int64_t>(barrier.value));
}

std::optional<conflict::Hlc> WatermarkStore::oldest_parked(const TableState& table,
                                                           const RegionId& origin) {
  std::optional<conflict::Hlc> oldest;
  Statement select(db_, "SELECT version FROM parked WHERE number = ?1");
  for (Query row = select.run(table.number); row.step();) {
    conflict::Version version = version_at(row, 0);
    if (version.region == origin && (!oldest || version.hlc < *oldest)) oldest = version.hlc;
  }
  return oldest;
}

}  // namespace meridian::store

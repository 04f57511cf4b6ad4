// The codec of barriers and watermarks.
#include "rpc/codec_internal.h"

namespace meridian::rpc {

using internal::copy_to;
using internal::count_of;
using internal::require;

namespace {

// As the store can keep it.
conflict::Hlc read_hlc(std::uint64_t value) {
  require(value <= static_cast<std::uint64_t>(INT64_MAX), "a time out of range");
  return conflict::Hlc{value};
}

}  // namespace

std::vector<TableId> read_table_ids(capnp::List<wire::TableId>::Reader in) {
  require(in.size() <= kBarrierTablesMax, "too many tables");
  std::vector<TableId> out;
  out.reserve(in.size());
  for (auto id : in) out.push_back(read_table_id(id));
  return out;
}

void write_table_ids(const std::vector<TableId>& values, capnp::List<wire::TableId>::Builder out) {
  for (std::size_t i = 0; i < values.size(); ++i) write_table_id(values[i], out[count_of(i)]);
}

Barrier read_barrier(wire::Barrier::Reader in) {
  Barrier out;
  out.start = StartId(in.getStart());
  out.time = read_hlc(in.getHlc());
  auto tables = in.getTables();
  require(tables.size() <= kBarrierTablesMax, "too many tables in a barrier");
  out.tables.reserve(tables.size());
  for (auto table : tables) {
    auto& next = out.tables.emplace_back();
    next.table = read_table_id(table.getTable());
    auto ends = table.getEnds();
    require(ends.size() <= kBarrierShardsMax, "too many shards in a barrier");
    next.ends.reserve(ends.size());
    for (auto end : ends) next.ends.push_back(read_position(end));
  }
  return out;
}

void write_barrier(const Barrier& value, wire::Barrier::Builder out) {
  out.setStart(value.start.value);
  out.setHlc(value.time.value);
  auto tables = out.initTables(count_of(value.tables.size()));
  for (std::size_t i = 0; i < value.tables.size(); ++i) {
    auto table = tables[count_of(i)];
    write_table_id(value.tables[i].table, table.initTable());
    auto ends = table.initEnds(count_of(value.tables[i].ends.size()));
    for (std::size_t s = 0; s < value.tables[i].ends.size(); ++s)
      write_position(value.tables[i].ends[s], ends[count_of(s)]);
  }
}

std::vector<Barrier> read_barriers(capnp::List<wire::Barrier>::Reader in) {
  require(in.size() <= kBarriersMax, "too many barriers");
  std::vector<Barrier> out;
  out.reserve(in.size());
  for (auto barrier : in) out.push_back(read_barrier(barrier));
  return out;
}

void write_barriers(const std::vector<Barrier>& values, wire::Region::AdvanceParams::Builder out) {
  auto barriers = out.initBarriers(count_of(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) write_barrier(values[i], barriers[count_of(i)]);
}

std::vector<std::vector<TableId>> read_reached(capnp::List<wire::TableIds>::Reader in) {
  require(in.size() <= kBarriersMax, "too many barriers");
  std::vector<std::vector<TableId>> out;
  out.reserve(in.size());
  for (auto ids : in) out.push_back(read_table_ids(ids.getIds()));
  return out;
}

void write_reached(const std::vector<std::vector<TableId>>& values,
                   wire::Region::AdvanceResults::Builder out) {
  auto reached = out.initReached(count_of(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i)
    write_table_ids(values[i], reached[count_of(i)].initIds(count_of(values[i].size())));
}

std::vector<TableWatermarks> read_watermarks(capnp::List<wire::TableWatermarks>::Reader in) {
  require(in.size() <= kBarrierTablesMax, "too many tables");
  std::vector<TableWatermarks> out;
  out.reserve(in.size());
  for (auto table : in) {
    auto& next = out.emplace_back();
    next.table = read_table_id(table.getTable());
    auto applied = table.getApplied();
    require(applied.size() <= kReplicasMax, "too many origins");
    for (auto watermark : applied)
      require(next.applied
                  .emplace(read_region(watermark.getOrigin()), read_hlc(watermark.getHlc()))
                  .second,
              "an origin is named twice");
    next.collected = read_hlc(table.getCollected());
  }
  return out;
}

void write_watermarks(const std::vector<TableWatermarks>& values,
                      wire::Region::WatermarksResults::Builder out) {
  auto tables = out.initWatermarks(count_of(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto table = tables[count_of(i)];
    write_table_id(values[i].table, table.initTable());
    auto applied = table.initApplied(count_of(values[i].applied.size()));
    unsigned next = 0;
    for (const auto& [origin, hlc] : values[i].applied) {
      auto watermark = applied[next++];
      copy_to(watermark.initOrigin(count_of(origin.name().size())), origin.name());
      watermark.setHlc(hlc.value);
    }
    table.setCollected(values[i].collected.value);
  }
}

}  // namespace meridian::rpc

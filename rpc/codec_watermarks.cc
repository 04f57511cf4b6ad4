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

namespace internal {

std::map<RegionId, conflict::Hlc> read_marks(capnp::List<wire::Watermark>::Reader in) {
  require(in.size() <= kReplicasMax, "too many origins");
  std::map<RegionId, conflict::Hlc> out;
  for (auto mark : in)
    require(out.emplace(read_region(mark.getOrigin()), read_hlc(mark.getHlc())).second,
            "an origin is named twice");
  return out;
}

void write_marks(const std::map<RegionId, conflict::Hlc>& values,
                 capnp::List<wire::Watermark>::Builder out) {
  unsigned next = 0;
  for (const auto& [origin, hlc] : values) {
    auto mark = out[next++];
    copy_to(mark.initOrigin(count_of(origin.name().size())), origin.name());
    mark.setHlc(hlc.value);
  }
}

std::set<RegionId> read_names(capnp::List<capnp::Text>::Reader in) {
  require(in.size() <= kReplicasMax, "too many regions");
  std::set<RegionId> out;
  for (auto name : in) out.insert(read_region(name));
  return out;
}

void write_names(const std::set<RegionId>& values, capnp::List<capnp::Text>::Builder out) {
  unsigned next = 0;
  for (const auto& region : values)
    copy_to(out.init(next++, count_of(region.name().size())), region.name());
}

}  // namespace internal

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
    next.applied = internal::read_marks(table.getApplied());
    next.collected = read_hlc(table.getCollected());
    next.membership = table.getMembership();
    next.unsettled = internal::read_names(table.getUnsettled());
  }
  return out;
}

void write_watermarks(const std::vector<TableWatermarks>& values,
                      wire::Region::WatermarksResults::Builder out) {
  auto tables = out.initWatermarks(count_of(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto table = tables[count_of(i)];
    write_table_id(values[i].table, table.initTable());
    internal::write_marks(values[i].applied,
                          table.initApplied(count_of(values[i].applied.size())));
    table.setCollected(values[i].collected.value);
    table.setMembership(values[i].membership);
    internal::write_names(values[i].unsettled,
                          table.initUnsettled(count_of(values[i].unsettled.size())));
  }
}

}  // namespace meridian::rpc

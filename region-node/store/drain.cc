#include "region-node/store/drain.h"

#include <algorithm>

#include "region-node/store/cursors.h"

namespace meridian::store {
namespace {

conflict::Hlc watermark_of(const rpc::Watermarks& watermarks, const RegionId& origin) {
  auto at = watermarks.find(origin);
  return at == watermarks.end() ? conflict::Hlc{} : at->second;
}

// Whether a flow that stands at `ours` has all that one at `theirs` has, as far as positions tell.
bool as_far(const LogPosition& ours, const LogPosition& theirs) {
  return ours == theirs || (ours.start == theirs.start && ours.sequence >= theirs.sequence);
}

// The source may have records of `origin` beyond its watermark, so the flows must be as far, too; or
// the sink's watermark beyond whatever the source can have had when it made the barrier.
bool covers(const DrainQuestion& question, const DrainQuestion::Table& table,
            const RegionId& origin, const TableInfo& info, const FlowPositions& flows,
            const rpc::Watermarks& watermarks) {
  conflict::Hlc ours = watermark_of(watermarks, origin);
  if (ours < watermark_of(table.watermarks, origin)) return false;
  if (ours >= question.time && !question.released.contains(origin)) return true;
  // Of an origin that has left, what repairs have brought is in the watermarks.
  if (table.mended && info.has_replica(origin)) return false;
  return std::all_of(table.flows.begin(), table.flows.end(), [&](const auto& theirs) {
    if (theirs.first.first != origin) return true;
    auto at = flows.find(theirs.first);
    return as_far(at == flows.end() ? LogPosition{} : at->second, theirs.second);
  });
}

// The source has read a log of the sink that is still there, as far as it has read it.
bool same_log(const DrainQuestion::Table& table, const RegionId& sink, Reader& reader) {
  return std::all_of(table.flows.begin(), table.flows.end(), [&](const auto& flow) {
    if (flow.first.first != sink) return true;
    auto status = reader.read_log(table.id, flow.first.second, flow.second, {1, 1}).status;
    return status == rpc::ReadStatus::ok || status == rpc::ReadStatus::trimmed;
  });
}

std::vector<RegionId> origins_of(const DrainQuestion::Table& table, const TableInfo& info) {
  std::vector<RegionId> out;
  if (table.mended)
    for (const auto& [region, entry] : info.replicas)
      if (entry.present) out.push_back(region);
  for (const auto& [origin, time] : table.watermarks) out.push_back(origin);
  for (const auto& [flow, position] : table.flows) out.push_back(flow.first);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

DrainQuestion drain_question(const RegionId& source, const std::vector<TableId>& tables,
                             const rpc::Barrier& barrier, std::set<RegionId> released,
                             Reader& reader) {
  DrainQuestion out{source, barrier.start, barrier.time, std::move(released), {}};
  for (const auto& ends : barrier.tables) {
    DrainQuestion::Table table{ends.table, ends.ends, reader.flow_positions(ends.table),
                               reader.watermarks(ends.table),
                               reader.cursor(ends.table, kRowsEpoch).has_value()};
    // Last: the end of a life that is noted after this look has not touched the positions above.
    if (auto unsettled = reader.cursor(ends.table, kUnsettled))
      table.unsettled = unsettled_in(*unsettled);
    out.tables.push_back(std::move(table));
  }
  for (const TableId& id : tables) {
    bool over = std::any_of(barrier.tables.begin(), barrier.tables.end(),
                            [&id](const auto& ends) { return ends.table == id; });
    if (!over) out.tables.push_back({id, {}, {}, {}, false});
  }
  return out;
}

DrainAnswer drain_answer(const DrainQuestion& question, const RegionId& sink,
                         const Catalog& catalog, Reader& reader) {
  DrainAnswer out;
  for (const auto& asked : question.tables) {
    auto& said = out.tables.emplace_back();
    said.id = asked.id;
    auto info = catalog.find(asked.id);
    said.member = info && info->has_replica(sink) && info->has_replica(question.source);
    if (!said.member) continue;
    said.whole = info->is_whole(sink);
    // In this order: what a flow has passed is applied, or was parked before it passed.
    auto flows = reader.flow_positions(asked.id);
    auto watermarks = reader.watermarks(asked.id);
    said.parked = reader.parked_stats(asked.id).records;
    said.reached = !asked.ends.empty();
    for (std::size_t i = 0; i < asked.ends.size(); ++i) {
      auto at = flows.find({question.source, ShardId(static_cast<std::uint16_t>(i))});
      LogPosition position = at == flows.end() ? LogPosition{} : at->second;
      said.reached = said.reached && rpc::reaches(position, asked.ends[i], question.start);
    }
    for (const auto& origin : origins_of(asked, *info))
      if (origin != sink && origin != question.source &&
          !covers(question, asked, origin, *info, flows, watermarks))
        said.behind.push_back(origin);
    if (!info->has_own_past(sink) || !same_log(asked, sink, reader)) said.behind.push_back(sink);
    // Of a life that has ended the source may have more, until the two are compared.
    for (const auto& [ended, holders] : info->unsettled)
      if (ended != sink && (ended == question.source || holders.contains(question.source)))
        said.behind.push_back(ended);
    for (const auto& [ended, holders] : asked.unsettled)
      if (ended != sink && holders.contains(sink)) said.behind.push_back(ended);
    std::sort(said.behind.begin(), said.behind.end());
    said.behind.erase(std::unique(said.behind.begin(), said.behind.end()), said.behind.end());
  }
  return out;
}

}  // namespace meridian::store

#include "region-node/repair/positions.h"

#include <algorithm>

#include "region-node/store/cursors.h"
#include "region-node/store/membership_hash.h"

namespace meridian::repair {
namespace {

LogPosition at(const std::vector<LogPosition>& positions, std::size_t shard) {
  return shard < positions.size() ? positions[shard] : LogPosition{};
}

Verdict examine(store::Reader& reader, const TableId& table, ShardId shard,
                const LogPosition& position) {
  switch (reader.read_log(table, shard, position, {1, 1}).status) {
    case rpc::ReadStatus::not_in_history: return Verdict::restored;
    case rpc::ReadStatus::trimmed: return Verdict::trimmed;
    default: return Verdict::fine;
  }
}

}  // namespace

bool flows_have_begun(store::Reader& reader, const store::TableInfo& table,
                      const RegionId& self) {
  return !table.is_copying(self) || reader.cursor(table.id, store::kCopyCursor).has_value();
}

std::vector<LogPosition> positions_at(store::Reader& reader, const TableId& table,
                                      const RegionId& source, std::size_t shards) {
  std::vector<LogPosition> out;
  for (std::size_t i = 0; i < shards; ++i)
    out.push_back(
        reader.flow_position({table, ShardId(static_cast<std::uint16_t>(i)), source}));
  return out;
}

Verdict examine(store::Reader& reader, const store::TableInfo& table,
                const std::vector<LogPosition>& positions) {
  Verdict verdict = Verdict::fine;
  for (std::uint16_t i = 0; i < table.shards; ++i)
    verdict = std::max(verdict, examine(reader, table.id, ShardId(i), at(positions, i)));
  return verdict;
}

std::vector<LogPosition> acknowledged_by(store::Reader& reader, const store::TableInfo& table,
                                         const RegionId& sink) {
  std::vector<LogPosition> out;
  for (std::uint16_t i = 0; i < table.shards; ++i)
    out.push_back(reader.backlog(table.id, ShardId(i), sink).acknowledged);
  return out;
}

Verdict examine(store::Reader& reader, const store::TableInfo& table, const RegionId& sink,
                const Stand& stand) {
  auto overtaken = [&](std::uint16_t shard) {
    return stand.acknowledged && reader.backlog(table.id, ShardId(shard), sink).acknowledged !=
                                     at(*stand.acknowledged, shard);
  };
  Verdict verdict = Verdict::fine;
  for (std::uint16_t i = 0; i < table.shards; ++i) {
    Verdict shard = examine(reader, table.id, ShardId(i), at(stand.positions, i));
    if (shard > verdict && !overtaken(i)) verdict = shard;
  }
  return verdict;
}

bool took_pins(store::Reader& reader, const store::TableInfo& table, const RegionId& sink,
               const std::vector<LogPosition>& positions) {
  if (positions.size() != table.shards) return false;
  for (std::uint16_t i = 0; i < table.shards; ++i)
    if (positions[i].sequence < reader.backlog(table.id, ShardId(i), sink).acknowledged.sequence)
      return false;
  return examine(reader, table, positions) == Verdict::fine;
}

rpc::ReplicaFacts facts_at(store::Reader& reader, const store::TableInfo& table) {
  rpc::ReplicaFacts out = facts_at(reader, table.id);
  out.membership = store::membership_hash(table.replicas);
  for (const auto& [ended, holders] : table.unsettled) out.unsettled.insert(ended);
  return out;
}

rpc::ReplicaFacts facts_at(store::Reader& reader, const TableId& table) {
  return {reader.watermarks(table), reader.collected(table)};
}

// (Parked after the watermarks were read, because what is applied in between is in the rows, which are looked
// at later.)
rpc::ReplicaFacts repair_facts_at(store::Reader& reader, const store::TableInfo& table) {
  rpc::ReplicaFacts out = facts_at(reader, table);
  constexpr std::size_t kRowsAtOnce = 8;  // each may be as large as an item can be
  std::size_t bytes = 0;
  std::int64_t last = 0;
  for (bool ended = false; !ended && !out.more_parked;) {
    auto page = reader.parked(table.id, kRowsAtOnce, last);
    ended = page.size() < kRowsAtOnce;
    for (auto& [row, flow, record, reason] : page) {
      last = row;
      out.parked.push_back({std::move(record.key), record.version, std::move(record.context),
                            std::move(record.new_image)});
      bytes += rpc::payload_bytes(out.parked.back());
    }
    bool too_large = bytes > rpc::kRowsBytesMax && out.parked.size() > 1;
    out.more_parked = out.parked.size() > rpc::kRepairRowsMax || too_large;
  }
  if (out.more_parked) out.parked.clear();
  return out;
}

rpc::ReplicaFacts counted_facts_at(store::Reader& reader, const store::TableInfo& table) {
  rpc::ReplicaFacts out = facts_at(reader, table);
  out.more_parked = reader.parked_stats(table.id).records > 0;
  return out;
}

}  // namespace meridian::repair

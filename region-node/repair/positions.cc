#include "region-node/repair/positions.h"

#include "region-node/store/cursors.h"
#include "region-node/store/membership_hash.h"

namespace meridian::repair {

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
  for (std::uint16_t i = 0; i < table.shards; ++i) {
    LogPosition position = i < positions.size() ? positions[i] : LogPosition{};
    switch (reader.read_log(table.id, ShardId(i), position, {1, 1}).status) {
      case rpc::ReadStatus::not_in_history: return Verdict::restored;
      case rpc::ReadStatus::trimmed: verdict = Verdict::trimmed; break;
      default: break;
    }
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

}  // namespace meridian::repair

#include "tests/sim/lineages.h"

#include <fmt/format.h>

#include <algorithm>

#include "conflict/absence.h"
#include "conflict/resolver.h"
#include "region-node/model/image.h"

namespace meridian::sim {

std::uint64_t hash_of(const std::optional<Bytes>& image) {
  return image ? model::image_hash(*image) : conflict::kTombstoneHash;
}

void Lineages::poll(std::size_t region) {
  SimNode& node = *outside_.nodes[region];
  for (const TableId& table : outside_.tables) {
    auto ends = node.store().log_ends(table);
    if (!ends) continue;
    conflict::Hlc collected = node.reader().collected(table);
    for (std::uint16_t shard = 0; shard < outside_.shape.regions[region].shards; ++shard) {
      auto end = ends->end(ShardId(shard));
      if (end && *end != read_to_[{region, table, shard}]) read({region, table, shard}, *end);
    }
    collected_[{region, table}] = collected;
  }
}

void Lineages::read(const Place& place, const LogPosition& end) {
  const auto& [region, table, shard] = place;
  LogPosition& after = read_to_[place];
  store::Reader& reader = outside_.nodes[region]->reader();
  while (after != end) {
    auto page = reader.read_log(table, ShardId(shard), after, {500, 1 << 20});
    if (page.status == rpc::ReadStatus::not_in_history && after.start != end.start) {
      // The log goes under another name: what it holds is the same.
      after = {end.start, std::min(after.sequence, end.sequence)};
      continue;
    }
    if (page.status != rpc::ReadStatus::ok) {
      gaps_ = true;
      if (!outside_.forgot(region))
        outside_.findings.add(
            "P3", fmt::format("log of region {} cannot be read from {}: status {}", region,
                              after.sequence.value, static_cast<int>(page.status)));
      after = end;
      return;
    }
    for (auto& record : page.records) {
      Writes& writes = writes_[table];
      bool again = writes.contains(record.version);
      auto replaced = replaced_hash(writes, record);
      Happened& write = writes[record.version];
      write = {.key_number = history_.key_number(record.key).value_or(0),
               .parent = record.parent,
               .image = record.new_image,
               .shard = ShardId(shard),
               .sequence = record.sequence,
               .forgotten = {},
               .replaced_hash = replaced,
               .unaware = outside_.is_unaware(region, table),
               .reminted = again};
      if (record.parent) continue;
      write.forgotten = record.context.of(conflict::everywhere());
      check_absence(place, record);
    }
    if (page.to == after) return;
    after = page.to;
  }
}

std::optional<std::uint64_t> Lineages::replaced_hash(const Writes& writes,
                                                     const rpc::ChangeRecord& record) {
  if (!record.parent) return conflict::kTombstoneHash;
  auto parent = writes.find(*record.parent);
  if (parent == writes.end()) return std::nullopt;
  return hash_of(parent->second.image);
}

// What its region had collected at the last look, a write on an absent key knows of.
void Lineages::check_absence(const Place& place, const rpc::ChangeRecord& record) {
  const auto& [region, table, shard] = place;
  if (record.version.region != outside_.nodes[region]->region()) return;
  auto known = record.context.of(conflict::everywhere()).value_or(conflict::Hlc{});
  conflict::Hlc collected = collected_[{region, table}];
  if (known < collected)
    outside_.findings.add(
        "P6", fmt::format("{}, on an absent key, knows of tombstones up to {:x}; its region had "
                          "collected up to {:x}",
                          conflict::to_text(record.version), known.value, collected.value));
}

void Lineages::region_forgot(std::size_t region) {
  SimNode& node = *outside_.nodes[region];
  for (auto& [place, after] : read_to_) {
    if (std::get<0>(place) != region) continue;
    auto ends = node.store().log_ends(std::get<1>(place));
    auto end = ends ? ends->end(ShardId(std::get<2>(place))) : std::nullopt;
    after = end.value_or(LogPosition{});
  }
  for (auto& [table, writes] : writes_)
    for (auto& [version, write] : writes)
      if (version.region == node.region()) write.origin_forgot = true;
}

}  // namespace meridian::sim

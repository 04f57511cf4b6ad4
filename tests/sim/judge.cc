#include "tests/sim/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "region-node/model/key.h"

namespace meridian::sim {
namespace {

constexpr std::size_t kPage = 100;

std::string describe(const std::optional<store::Row>& row) {
  if (!row) return "nothing";
  return fmt::format("{} {}", row->image ? "item" : "tombstone", conflict::to_text(row->version));
}

bool same(const store::Row& a, const store::Row& b) {
  return a.key == b.key && a.version == b.version && a.context == b.context && a.image == b.image;
}

}  // namespace

Judge::Judge(std::size_t table, Outside& outside, const History& history, Lineages& lineages)
    : index_(table),
      outside_(outside),
      history_(history),
      lineages_(lineages),
      table_(outside.tables[table]),
      rng_(derived(outside.shape.seed, Luck::judge, {table})) {}

std::vector<RegionId> Judge::regions() const {
  std::vector<RegionId> out;
  for (const auto& node : outside_.nodes) out.push_back(node->region());
  return out;
}

std::vector<store::Row> Judge::rows(std::size_t region) const {
  std::vector<store::Row> out;
  store::Reader& reader = outside_.nodes[region]->reader();
  while (true) {
    auto page = reader.scan_rows(table_, out.empty() ? BytesView{} : out.back().key, kPage);
    if (page.empty()) return out;
    out.insert(out.end(), page.begin(), page.end());
  }
}

void Judge::convergence() {
  auto first = lasting_rows(0);
  for (std::size_t region = 1; region < outside_.nodes.size(); ++region) {
    auto other = lasting_rows(region);
    if (std::equal(first.begin(), first.end(), other.begin(), other.end(), same)) continue;
    std::map<Bytes, std::pair<std::optional<store::Row>, std::optional<store::Row>>> both;
    for (auto& row : first) both[row.key].first = row;
    for (auto& row : other) both[row.key].second = row;
    for (auto& [key, pair] : both) {
      if (pair.first && pair.second && same(*pair.first, *pair.second)) continue;
      add("P1", fmt::format("key {}: region 0 has {}, region {} has {}",
                            history_.key_number(key).value_or(0), describe(pair.first), region,
                            describe(pair.second)));
    }
  }
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region) {
    std::map<Bytes, store::Row> here;
    for (auto& row : rows(region)) here.emplace(row.key, row);
    for (std::uint32_t key = 0; key < history_.keys(); ++key) {
      if (!owns(key)) continue;
      auto at = here.find(key_of(key));
      row_is_right(region, key, at == here.end() ? std::nullopt : std::optional(at->second));
    }
  }
}

// A key that is gone may have been deleted, and that have been forgotten.
void Judge::nothing_is_right(std::size_t region, std::uint32_t key_number) {
  const Write* winner = history_.winner(key_number);
  if (winner == nullptr) return;
  if (winner->kind == WriteKind::remove && winner->version <= horizon(region)) return;
  const auto& writes = history_.of_key(key_number);
  bool removed = std::any_of(writes.begin(), writes.end(), [this](WriteId id) {
    const Write& write = history_.writes()[id];
    return write.state == WriteState::unknown && write.kind == WriteKind::remove;
  });
  if (!removed || winner->version > horizon(region))
    add("P3", fmt::format("gone without a trace in region {}: {}", region, describe(*winner)));
}

void Judge::row_is_right(std::size_t region, std::uint32_t key_number,
                         const std::optional<store::Row>& row) {
  const Write* winner = history_.winner(key_number);
  if (!row) return nothing_is_right(region, key_number);
  if (winner != nullptr && row->version < winner->version) {
    bool revived = row->image && winner->kind == WriteKind::remove;
    add(revived ? "P4" : "P3",
        fmt::format("{} lost; there is {}", describe(*winner), describe(row)));
    return;
  }
  if (winner != nullptr && row->version == winner->version) {
    if (row->image != winner->mutation->wanted())
      add("P2", "another image than was written: " + describe(*winner));
    return;
  }
  // (A repair leaves a tombstone of its own where another region had forgotten one.)
  bool dropped = !row->image && outside_.repaired && outside_.shape.collects();
  if (!dropped && history_.unknown(key_number, row->version, row->image, regions()) == nullptr)
    add("P2", fmt::format("key {} holds {}, which nobody wrote", key_number, describe(row)));
}

std::vector<rpc::ChangeRecord> Judge::log(std::size_t region, ShardId shard) const {
  std::vector<rpc::ChangeRecord> out;
  LogPosition after;
  while (true) {
    auto page =
        outside_.nodes[region]->reader().read_log(table_, shard, after, {kPage, 1 << 20});
    if (page.status != rpc::ReadStatus::ok) {
      outside_.findings.add(
          "P3", fmt::format("log of region {} cannot be read from {}: status {}", region,
                            after.sequence.value, static_cast<int>(page.status)));
      return out;
    }
    for (auto& record : page.records) out.push_back(std::move(record));
    if (page.to == after) return out;
    after = page.to;
  }
}

void Judge::logs() {
  if (outside_.shape.trims()) return;
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region) {
    std::map<conflict::Version, std::size_t> found;
    for (std::uint16_t shard = 0; shard < outside_.shape.regions[region].shards; ++shard) {
      Sequence last{0};
      conflict::Version newest;
      for (const auto& record : log(region, ShardId(shard))) {
        if (record.sequence <= last) add("P9", fmt::format("log of region {}: order", region));
        if (!(newest < record.version))
          add("P6", fmt::format("log of region {}: {} follows {}", region,
                                conflict::to_text(record.version), conflict::to_text(newest)));
        last = record.sequence;
        newest = record.version;
        ++found[record.version];
        record_is_right(region, record);
      }
    }
    for (const Write& write : history_.writes()) {
      if (write.region != region || write.state != WriteState::acknowledged) continue;
      if (!owns(write.key_number) || write.origin_forgot) continue;
      if (found[write.version] != 1)
        add("P3", fmt::format("{} is in its log {} times", describe(write), found[write.version]));
    }
  }
}

void Judge::record_is_right(std::size_t region, const rpc::ChangeRecord& record) {
  auto key = history_.key_number(record.key);
  const Write* write = history_.find(record.version);
  if (write == nullptr && key)
    write = history_.unknown(*key, record.version, record.new_image, regions());
  if (!key || write == nullptr || write->region != region || write->key_number != *key) {
    add("P2", fmt::format("log of region {} holds {}, which nobody wrote", region,
                          conflict::to_text(record.version)));
    return;
  }
  if (write->mutation->wanted() != record.new_image)
    add("P2", "the log holds another image: " + describe(*write));
  if (!record.parent) return;
  if (!(*record.parent < record.version))
    add("P6", "not above the version that it replaced: " + describe(*write));
  if (!record.context.covers(*record.parent))
    add("P6", "its context does not cover its parent: " + describe(*write));
  if (record.context.covers(record.version))
    add("P6", "its context covers itself: " + describe(*write));
}

void Judge::stream(StreamWatch& watch) {
  std::size_t region = watch.region();
  watch.poll();
  watch.read_again();
  stream_shards(region);
  if (watch.gaps()) return;
  std::set<Bytes> live;
  for (const auto& row : rows(region)) {
    auto seen = watch.newest().find(row.key);
    std::optional<Bytes> image;
    if (seen != watch.newest().end()) image = seen->second.image;
    if (image != row.image)
      add("P8", fmt::format("stream of region {} does not end in {} of key {}", region,
                            describe(std::optional(row)),
                            history_.key_number(row.key).value_or(0)));
    live.insert(row.key);
  }
  for (const auto& [key, seen] : watch.newest())
    if (!live.contains(key) && (seen.image || horizon(region) < seen.version))
      add("P8", fmt::format("stream of region {}: no such row", region));
  for (const Write& write : history_.writes()) {
    if (write.region != region || write.state != WriteState::acknowledged) continue;
    if (!owns(write.key_number) || write.origin_forgot) continue;
    bool changes = write.mutation->shown() != write.mutation->wanted();
    if (watch.has(key_of(write.key_number), write.version) != changes)
      add("P8", fmt::format("stream of region {} {} {}", region, changes ? "misses" : "shows",
                            describe(write)));
  }
}

// The shards of a stream cover its log without gaps; all but the last of each are closed.
void Judge::stream_shards(std::size_t region) {
  auto table = outside_.nodes[region]->store().catalog()->find(table_);
  if (table == nullptr) return add("P1", fmt::format("region {} has lost the table", region));
  std::map<ShardId, const store::StreamShard*> last;
  for (const auto& shard : table->streams.back().shards) {
    const store::StreamShard*& before = last[shard.shard];
    Sequence expected = before == nullptr || !before->last ? shard.first : before->last->next();
    bool closed = before == nullptr || before->last.has_value();
    if (!closed || shard.first != expected)
      add("P8",
          fmt::format("stream shard {}/{} of region {} begins at {}, not {}", shard.shard.value,
                      shard.generation, region, shard.first.value, expected.value));
    before = &shard;
  }
  for (const auto& [id, shard] : last)
    if (shard->last)
      add("P8", fmt::format("stream shard {} of region {} has no successor", id.value, region));
}

// What other reads say is what the rows say.
void Judge::reads(std::size_t region) {
  store::Reader& reader = outside_.nodes[region]->reader();
  store::TableStats counted;
  std::vector<std::pair<Bytes, Bytes>> live;
  for (const auto& row : rows(region)) {
    if (reader.get(table_, row.key) != row.image)
      add("read", fmt::format("get of region {} is not its row", region));
    if (row.image) {
      ++counted.items;
      counted.item_bytes += row.image->size();
      live.emplace_back(row.key, *row.image);
    } else {
      ++counted.tombstones;
    }
  }
  std::vector<std::pair<Bytes, Bytes>> scanned;
  reader.scan(table_, {}, store::Direction::ascending, [&](BytesView key, BytesView image) {
    scanned.emplace_back(key, image);
    return true;
  });
  if (scanned != live) add("read", fmt::format("scan of region {} is not its rows", region));
  auto stats = reader.stats(table_);
  if (stats.items != counted.items || stats.tombstones != counted.tombstones ||
      stats.item_bytes != counted.item_bytes)
    add("read",
        fmt::format("region {} counts {} items, {} tombstones, {} bytes; there are {}, {}, {}",
                    region, stats.items, stats.tombstones, stats.item_bytes, counted.items,
                    counted.tombstones, counted.item_bytes));
}

void Judge::backlog(std::size_t source, std::size_t sink, const SimClock* clock) {
  SimNode& from = *outside_.nodes[source];
  SimNode& to = *outside_.nodes[sink];
  if (!from.up() || !to.up() || outside_.forgot(sink)) return;
  auto table = to.store().catalog()->find(table_);
  if (!table || !table->is_whole(to.region())) return;  // what it is to have is on its way
  // What is to be repaired is counted by the repair.
  auto info = from.store().catalog()->find(table_);
  if (!info || info->repairs.count(to.region()) != 0) return;
  std::uint16_t shards = outside_.shape.regions[source].shards;
  std::vector<std::uint64_t> pending(shards);
  std::vector<std::int64_t> oldest_us(shards, INT64_MAX);
  std::map<Bytes, conflict::Version> there = arrived(sink);
  for (const Write& write : history_.writes()) {
    if (write.region != source || write.state != WriteState::acknowledged) continue;
    if (!owns(write.key_number) || write.origin_forgot) continue;
    Bytes key = key_of(write.key_number);
    auto at = there.find(key);
    if (at != there.end() && at->second >= write.version) continue;
    std::size_t shard = model::shard_of(sim_schema(), key, shards).value;
    ++pending[shard];
    oldest_us[shard] = std::min(oldest_us[shard], write.acknowledged_wall_us);
  }
  for (std::uint16_t shard = 0; shard < shards; ++shard) {
    if (pending[shard] == 0) continue;
    auto said = from.reader().backlog(table_, ShardId(shard), to.region());
    if (said.pending_records < pending[shard])
      add("P16", fmt::format("region {} says {} pending for {}, shard {}; {} are", source,
                             said.pending_records, sink, shard, pending[shard]));
    if (clock != nullptr && (!said.oldest_us || *said.oldest_us > oldest_us[shard]))
      add("P16", fmt::format("region {}: the oldest pending for {}, shard {}, is older", source,
                             sink, shard));
  }
}

}  // namespace meridian::sim

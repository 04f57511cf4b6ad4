#include "tests/sim/stream_watch.h"

#include <fmt/format.h>

namespace meridian::sim {
namespace {

std::uint64_t hash_of(const rpc::ChangeRecord& record) {
  Bytes all;
  put_u64(all, record.sequence.value);
  all += record.key;
  conflict::encode_version(all, record.version);
  for (const auto* image : {&record.old_image, &record.new_image}) {
    all.push_back(image->has_value() ? '+' : '-');
    if (*image) all += **image;
  }
  return hash64(all);
}

}  // namespace

StreamWatch::StreamWatch(std::size_t region, std::size_t table, Outside& outside)
    : region_(region),
      outside_(outside),
      table_(outside.tables[table]),
      shards_(outside.shape.regions[region].shards) {}

store::LogLimits StreamWatch::some_limits(std::uint64_t most) const {
  Rng rng = derived(outside_.shape.seed, Luck::watch,
                    {region_, table_.low, luck_of(outside_.queue.now_us()), most});
  return {1 + rng.below(most), 1 << 20};
}

void StreamWatch::bad(const char* property, const rpc::ChangeRecord& record, const char* what) {
  outside_.findings.add(
      property, fmt::format("stream of region {}, sequence {}, {}: {}", region_,
                            record.sequence.value, conflict::to_text(record.version), what));
}

void StreamWatch::poll() {
  if (!outside_.nodes[region_]->up()) return;
  for (std::uint16_t shard = 0; shard < shards_.size(); ++shard)
    read(ShardId(shard), shards_[shard]);
}

void StreamWatch::read(ShardId shard, Shard& state) {
  store::Reader& reader = outside_.nodes[region_]->reader();
  const store::LogLimits limits = some_limits(200);
  while (true) {
    auto page = reader.read_stream(table_, shard, state.next, std::nullopt, limits);
    if (page.trimmed) {
      skip_trimmed(shard, state);
      continue;
    }
    Sequence least = state.next;
    for (const auto& record : page.records) {
      if (record.sequence < least) bad("P8", record, "out of order");
      if (record.sequence >= page.next) bad("P8", record, "beyond the end of its page");
      least = record.sequence.next();
      state.hashes.push_back(hash_of(record));
      take(record);
    }
    if (page.next == state.next) return;
    if (page.next < state.next) {
      outside_.findings.add("P8", fmt::format("stream of {} goes back", region_));
      return;
    }
    state.next = page.next;
  }
}

// Too late for the oldest records, as a consumer is that was away for longer than the retention.
void StreamWatch::skip_trimmed(ShardId shard, Shard& state) {
  Sequence oldest = outside_.nodes[region_]->reader().shard_span(table_, shard).oldest;
  if (!outside_.shape.trims() || oldest <= state.next)
    outside_.findings.add(
        "P8", fmt::format("stream of region {} is trimmed at {}", region_, state.next.value));
  state.next = std::max(oldest, state.next.next());
  gaps_ = true;
}

void StreamWatch::take(const rpc::ChangeRecord& record) {
  if (!record.in_stream) bad("P8", record, "does not belong to a stream");
  Seen& before = newest_[record.key];
  if (!records_.emplace(std::pair(record.key, record.version), record.sequence).second)
    bad("P8", record, "a change comes twice");
  if (!(before.version < record.version)) bad("P9", record, "not above the version before it");
  if (record.old_image != before.image && !gaps_)
    bad("P8", record, "its old image is not the one before it");
  if (record.old_image == record.new_image) bad("P8", record, "nothing changes");
  before = Seen{record.version, record.new_image};
}

void StreamWatch::read_again() {
  if (outside_.shape.trims()) return;
  store::Reader& reader = outside_.nodes[region_]->reader();
  for (std::uint16_t shard = 0; shard < shards_.size(); ++shard) {
    std::vector<std::uint64_t> hashes;
    Sequence next{1};
    const store::LogLimits limits = some_limits(500);
    while (true) {
      auto page = reader.read_stream(table_, ShardId(shard), next, std::nullopt, limits);
      for (const auto& record : page.records) hashes.push_back(hash_of(record));
      if (page.next <= next) break;
      next = page.next;
    }
    if (hashes != shards_[shard].hashes)
      outside_.findings.add(
          "P8", fmt::format("stream of region {}, shard {}: read again, it is "
                            "another one ({} records, first {})",
                            region_, shard, hashes.size(), shards_[shard].hashes.size()));
  }
}

}  // namespace meridian::sim

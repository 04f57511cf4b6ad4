#include "region-node/store/stream_shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "common/check.h"

namespace meridian::store {
namespace {

void close_shard(StreamShard& shard, const ShardEnds& ends) {
  shard.last = std::max(ends[shard.shard.value], Sequence(shard.first.value - 1));
}

// When a closed shard was closed: its child's birth, or the end of its stream.
std::int64_t closed_ms(const StreamInfo& stream, const StreamShard& shard) {
  for (const auto& other : stream.shards)
    if (other.shard == shard.shard && other.generation == shard.generation + 1)
      return other.created_ms;
  return stream.disabled_ms.value_or(shard.created_ms);
}

}  // namespace

std::string stream_label(std::int64_t time_ms) {
  std::time_t seconds = time_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     time_ms % 1000);
}

void enable_stream(TableInfo& info, model::StreamViewType view, const ShardEnds& ends,
                   std::int64_t now_ms) {
  MERIDIAN_CHECK(info.enabled_stream() == nullptr);
  StreamInfo stream;
  stream.view = view;
  stream.created_ms = now_ms;
  // Two streams of a table never share a label, even when the clock stood still or went back.
  if (!info.streams.empty())
    stream.created_ms = std::max(now_ms, info.streams.back().created_ms + 1);
  stream.label = stream_label(stream.created_ms);
  for (std::uint16_t i = 0; i < info.shards; ++i) {
    StreamShard shard;
    shard.shard = ShardId(i);
    shard.first = ends[i].next();
    shard.created_ms = stream.created_ms;
    stream.shards.push_back(shard);
  }
  info.streams.push_back(std::move(stream));
}

void disable_stream(TableInfo& info, const ShardEnds& ends, std::int64_t now_ms) {
  MERIDIAN_CHECK(info.enabled_stream() != nullptr);
  StreamInfo& stream = info.streams.back();
  stream.disabled_ms = now_ms;
  for (auto& shard : stream.shards)
    if (!shard.last) close_shard(shard, ends);
}

bool roll_over(TableInfo& info, const ShardEnds& ends, std::int64_t now_ms,
               std::int64_t rollover_ms) {
  if (info.enabled_stream() == nullptr) return false;
  StreamInfo& stream = info.streams.back();
  std::vector<StreamShard> children;
  for (auto& shard : stream.shards) {
    bool used = ends[shard.shard.value] >= shard.first;
    if (shard.last || !used || now_ms - shard.created_ms < rollover_ms) continue;
    close_shard(shard, ends);
    StreamShard child;
    child.shard = shard.shard;
    child.generation = shard.generation + 1;
    child.first = shard.last->next();
    child.created_ms = now_ms;
    children.push_back(child);
  }
  if (children.empty()) return false;
  stream.shards.insert(stream.shards.end(), children.begin(), children.end());
  std::sort(stream.shards.begin(), stream.shards.end(), [](const auto& a, const auto& b) {
    return std::pair(a.shard, a.generation) < std::pair(b.shard, b.generation);
  });
  return true;
}

bool forget_closed(TableInfo& info, std::int64_t now_ms, std::int64_t retention_ms) {
  auto streams = std::erase_if(info.streams, [&](const StreamInfo& stream) {
    return stream.disabled_ms && now_ms - *stream.disabled_ms >= retention_ms;
  });
  std::size_t shards = 0;
  for (auto& stream : info.streams) {
    const StreamInfo before = stream;
    shards += std::erase_if(stream.shards, [&](const StreamShard& shard) {
      return shard.last && now_ms - closed_ms(before, shard) >= retention_ms;
    });
  }
  return streams + shards > 0;
}

}  // namespace meridian::store

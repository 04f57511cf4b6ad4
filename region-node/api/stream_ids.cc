#include "region-node/api/stream_ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/bytes.h"

namespace meridian::api {
namespace {

constexpr std::size_t kSequenceDigits = 20;  // after the leading 1
constexpr std::uint64_t kShardFactor = 1000;
constexpr std::uint64_t kSequenceMax = 99'999'999'999'999'999;  // what 17 digits hold
static_assert(store::kShardsMax < kShardFactor);
// Of an iterator's payload: table, shard, generation, next sequence, issue time.
constexpr std::size_t kIteratorBytes = 16 + 2 + 4 + 8 + 8;

std::uint32_t check_value(std::string_view arn, BytesView payload) {
  Bytes all(arn);
  all += payload;
  return static_cast<std::uint32_t>(hash64(all));
}

}  // namespace

std::string sequence_number(ShardId shard, Sequence sequence) {
  return fmt::format("1{:017}{:03}", std::min(sequence.value, kSequenceMax), shard.value);
}

std::optional<Sequence> parse_sequence_number(std::string_view text, ShardId shard) {
  if (text.size() != kSequenceDigits + 1 || text.front() != '1') return std::nullopt;
  std::uint64_t number = 0;
  // 20 digits may exceed 64 bits; split at the shard.
  std::uint64_t found_shard = 0;
  auto digits = text.substr(1);
  auto head = digits.substr(0, kSequenceDigits - 3);
  auto tail = digits.substr(kSequenceDigits - 3);
  auto [head_end, head_bad] = std::from_chars(head.data(), head.data() + head.size(), number);
  auto [tail_end, tail_bad] = std::from_chars(tail.data(), tail.data() + tail.size(), found_shard);
  bool whole = head_bad == std::errc() && tail_bad == std::errc() &&
               head_end == head.data() + head.size() && tail_end == tail.data() + tail.size();
  if (!whole || found_shard != shard.value) return std::nullopt;
  return Sequence(number);
}

std::string shard_id(const store::StreamShard& shard) {
  return fmt::format("shardId-{:020}-{:04x}{:04x}", shard.created_ms, shard.shard.value,
                     shard.generation & 0xffff);
}

std::string event_id(const TableId& table, ShardId shard, Sequence sequence) {
  Bytes identity;
  put_u64(identity, table.high);
  put_u64(identity, table.low);
  put_u16(identity, shard.value);
  put_u64(identity, sequence.value);
  std::uint64_t high = hash64(identity);
  put_u64(identity, high);
  return fmt::format("{:016x}{:016x}", high, hash64(identity));
}

std::string encode_iterator(const ShardIterator& iterator) {
  Bytes payload;
  put_u64(payload, iterator.table.high);
  put_u64(payload, iterator.table.low);
  put_u16(payload, iterator.shard.value);
  put_u32(payload, iterator.generation);
  put_u64(payload, iterator.next.value);
  put_u64(payload, static_cast<std::uint64_t>(iterator.issued_ms));
  put_u32(payload, check_value(iterator.stream_arn, payload));
  return iterator.stream_arn + "|1|" + to_base64(payload);
}

std::optional<ShardIterator> decode_iterator(std::string_view text) {
  auto first = text.find('|');
  auto second = text.find('|', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos || text.substr(first, second - first) != "|1")
    return std::nullopt;
  auto payload = from_base64(text.substr(second + 1));
  if (!payload || payload->size() != kIteratorBytes + 4) return std::nullopt;
  ShardIterator out;
  out.stream_arn = text.substr(0, first);
  auto expected = check_value(out.stream_arn, BytesView(*payload).substr(0, kIteratorBytes));
  BytesView in = *payload;
  out.table.high = *take_u64(in);
  out.table.low = *take_u64(in);
  out.shard = ShardId(*take_u16(in));
  out.generation = *take_u32(in);
  out.next = Sequence(*take_u64(in));
  out.issued_ms = static_cast<std::int64_t>(*take_u64(in));
  if (*take_u32(in) != expected) return std::nullopt;
  return out;
}

}  // namespace meridian::api

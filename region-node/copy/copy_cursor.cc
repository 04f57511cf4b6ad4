#include "region-node/copy/copy_cursor.h"

namespace meridian::copy {
namespace {

constexpr std::uint64_t kForm = 1;
constexpr std::uint64_t kFormWithWatermarks = 2;
constexpr std::uint64_t kFormWithEnds = 3;

std::optional<RegionId> take_region(BytesView& in) {
  auto length = take_u64(in);
  if (!length || *length > in.size()) return std::nullopt;
  auto region = RegionId::parse(in.substr(0, *length));
  in.remove_prefix(*length);
  return region;
}

void put_region(Bytes& out, const RegionId& region) {
  put_u64(out, region.name().size());
  out += region.name();
}

std::optional<LogPosition> take_position(BytesView& in) {
  auto start = take_u64(in);
  auto sequence = take_u64(in);
  if (!start || !sequence) return std::nullopt;
  return LogPosition{StartId(*start), Sequence(*sequence)};
}

void put_position(Bytes& out, const LogPosition& position) {
  put_u64(out, position.start.value);
  put_u64(out, position.sequence.value);
}

}  // namespace

Bytes encode_stands(const std::vector<rpc::FlowStand>& stands) {
  Bytes out;
  put_u64(out, kForm);
  for (const auto& stand : stands) {
    put_region(out, stand.source);
    put_u64(out, stand.shard.value);
    put_position(out, stand.position);
  }
  return out;
}

std::optional<std::vector<rpc::FlowStand>> decode_stands(BytesView in) {
  std::vector<rpc::FlowStand> out;
  if (take_u64(in) != kForm) return std::nullopt;
  while (!in.empty()) {
    auto source = take_region(in);
    auto shard = take_u64(in);
    auto position = take_position(in);
    if (!source || !shard || *shard > UINT16_MAX || !position) return std::nullopt;
    out.push_back({*source, ShardId(static_cast<std::uint16_t>(*shard)), *position});
  }
  return out;
}

Bytes encode_cursor(const CopyCursor& cursor) {
  Bytes out;
  put_u64(out, kFormWithEnds);
  put_u64(out, cursor.scanned ? 1 : 0);
  for (auto number : {cursor.epoch, cursor.rows, cursor.bytes, cursor.rows_estimated})
    put_u64(out, number);
  put_region(out, cursor.seed);
  put_u64(out, cursor.watermarks.size());
  for (const auto& [origin, hlc] : cursor.watermarks) {
    put_region(out, origin);
    put_u64(out, hlc.value);
  }
  put_u64(out, cursor.ends.size());
  for (const auto& end : cursor.ends) put_position(out, end);
  out += cursor.after;
  return out;
}

std::optional<CopyCursor> decode_cursor(BytesView in) {
  CopyCursor out;
  auto form = take_u64(in);
  if (form != kForm && form != kFormWithWatermarks && form != kFormWithEnds) return std::nullopt;
  auto scanned = take_u64(in);
  if (!scanned || *scanned > 1) return std::nullopt;
  out.scanned = *scanned == 1;
  for (auto* number : {&out.epoch, &out.rows, &out.bytes, &out.rows_estimated}) {
    auto value = take_u64(in);
    if (!value) return std::nullopt;
    *number = *value;
  }
  auto seed = take_region(in);
  if (!seed) return std::nullopt;
  out.seed = *seed;
  auto origins = form == kForm ? std::uint64_t{0} : take_u64(in);
  if (!origins) return std::nullopt;
  for (std::uint64_t i = 0; i < *origins; ++i) {
    auto origin = take_region(in);
    auto hlc = take_u64(in);
    if (!origin || !hlc) return std::nullopt;
    out.watermarks[*origin] = conflict::Hlc{*hlc};
  }
  auto shards = form == kFormWithEnds ? take_u64(in) : std::uint64_t{0};
  if (!shards) return std::nullopt;
  for (std::uint64_t i = 0; i < *shards; ++i) {
    auto end = take_position(in);
    if (!end) return std::nullopt;
    out.ends.push_back(*end);
  }
  out.after = Bytes(in);
  return out;
}

}  // namespace meridian::copy

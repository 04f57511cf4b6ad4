#include "region-node/store/unsettled.h"

#include "common/sqlite/sqlite.h"

namespace meridian::store {
namespace {

void put_region(Bytes& out, const RegionId& region) {
  put_varint(out, region.name().size());
  out.append(region.name());
}

RegionId take_region(BytesView& in) {
  auto size = take_varint(in);
  auto name = size ? take_bytes(in, *size) : std::nullopt;
  auto region = name ? RegionId::parse(*name) : std::nullopt;
  if (!region) sqlite::damaged("what is not settled of a table");
  return *region;
}

std::uint64_t take_count(BytesView& in) {
  auto count = take_varint(in);
  if (!count || *count > in.size()) sqlite::damaged("what is not settled of a table");
  return *count;
}

}  // namespace

void settle_with(const RegionId& peer, TableInfo& info) {
  for (auto& [ended, holders] : info.unsettled) holders.erase(peer);
  std::erase_if(info.unsettled, [](const auto& each) { return each.second.empty(); });
}

void note_ended_life(const RegionId& ended, const RegionId& self, TableInfo& next) {
  settle_with(ended, next);
  next.unsettled.erase(ended);
  if (!next.has_replica(self)) return;
  for (const auto& peer : next.peers(self))
    if (peer != ended) next.unsettled[ended].insert(peer);
}

Bytes unsettled_bytes(const Unsettled& unsettled) {
  Bytes out;
  put_varint(out, unsettled.size());
  for (const auto& [ended, holders] : unsettled) {
    put_region(out, ended);
    put_varint(out, holders.size());
    for (const auto& holder : holders) put_region(out, holder);
  }
  return out;
}

Unsettled unsettled_in(BytesView bytes) {
  Unsettled out;
  for (std::uint64_t i = take_count(bytes); i > 0; --i) {
    auto& holders = out[take_region(bytes)];
    for (std::uint64_t j = take_count(bytes); j > 0; --j) holders.insert(take_region(bytes));
  }
  if (!bytes.empty()) sqlite::damaged("what is not settled of a table");
  return out;
}

}  // namespace meridian::store

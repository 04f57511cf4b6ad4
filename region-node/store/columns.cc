#include "region-node/store/columns.h"

namespace meridian::store {

conflict::Version version_at(const sqlite::Query& row, int column) {
  auto version = conflict::decode_version(row.blob(column));
  if (!version) sqlite::damaged("a version");
  return *version;
}

conflict::Context context_at(const sqlite::Query& row, int column) {
  auto context = conflict::Context::decode(row.blob(column));
  if (!context) sqlite::damaged("the context of a version");
  return std::move(*context);
}

conflict::Hlc hlc_at(const sqlite::Query& row, int column) {
  std::int64_t value = row.int64(column);
  if (value < 0) sqlite::damaged("a time");
  return conflict::Hlc{static_cast<std::uint64_t>(value)};
}

RegionId region_at(const sqlite::Query& row, int column) {
  auto region = RegionId::parse(row.text(column));
  if (!region) sqlite::damaged("the name of a region");
  return *region;
}

TableId table_id_at(const sqlite::Query& row, int column) {
  BytesView bytes = row.blob(column);
  auto high = take_u64(bytes);
  auto low = take_u64(bytes);
  if (!high || !low || !bytes.empty()) sqlite::damaged("the id of a table");
  return {*high, *low};
}

rpc::Row row_at(const sqlite::Query& row) {
  rpc::Row out;
  out.key = row.blob(0);
  auto version = conflict::decode_version(row.blob(1));
  auto context = conflict::Context::decode(row.blob(2));
  if (!version || !context) sqlite::damaged("the version of the item at key " + to_hex(out.key));
  out.version = *version;
  out.context = std::move(*context);
  if (auto image = row.maybe_blob(3)) out.image = Bytes(*image);
  return out;
}

std::int64_t number_at(const sqlite::Query& row, int column, std::int64_t least,
                       std::int64_t most) {
  std::int64_t number = row.int64(column);
  if (number < least || number > most) sqlite::damaged("a number");
  return number;
}

ShardId shard_at(const sqlite::Query& row, int column, std::uint16_t shards) {
  if (shards == 0) sqlite::damaged("a table without shards");
  return ShardId(static_cast<std::uint16_t>(number_at(row, column, 0, shards - 1)));
}

ParkedRecord parked_at(const sqlite::Query& row, const TableId& table) {
  ParkedRecord parked;
  parked.row = row.int64(0);
  parked.flow = {table, ShardId(static_cast<std::uint16_t>(row.int64(2))), region_at(row, 1)};
  parked.record.sequence = Sequence(row.uint64(3));
  parked.record.key = row.blob(4);
  parked.record.version = version_at(row, 5);
  if (!row.is_null(6)) parked.record.parent = version_at(row, 6);
  parked.record.context = context_at(row, 7);
  parked.record.committed_us = row.int64(8);
  if (auto image = row.maybe_blob(9)) parked.record.new_image = Bytes(*image);
  parked.reason = row.text(10);
  return parked;
}

}  // namespace meridian::store

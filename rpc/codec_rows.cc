// The codec of rows, for backfill and repair.
#include "rpc/codec_internal.h"
#include "rpc/repair.h"

namespace meridian::rpc {
namespace {

using internal::bytes_of;
using internal::copy_to;
using internal::count_of;
using internal::require;

Row read_row(wire::Row::Reader in) {
  Row out;
  out.key = bytes_of(in.getKey(), kKeyBytesMax, "key too long");
  require(!out.key.empty(), "empty key");
  out.version = read_version(in.getVersion());
  if (in.hasContext()) out.context = internal::read_context(in.getContext());
  if (in.hasImage()) out.image = bytes_of(in.getImage(), kImageBytesMax, "image too long");
  return out;
}

void write_row(const Row& value, wire::Row::Builder out) {
  copy_to(out.initKey(count_of(value.key.size())), value.key);
  write_version(value.version, out.initVersion());
  if (auto known = value.context.entries().size(); known > 0)
    internal::write_context(value.context, out.initContext(count_of(known)));
  if (value.image) copy_to(out.initImage(count_of(value.image->size())), *value.image);
}

}  // namespace

namespace internal {

std::vector<LogPosition> read_positions(capnp::List<wire::LogPosition>::Reader in) {
  require(in.size() <= kRepairShardsMax, "too many positions");
  std::vector<LogPosition> out;
  for (auto position : in) out.push_back(read_position(position));
  return out;
}

void write_positions(const std::vector<LogPosition>& values,
                     capnp::List<wire::LogPosition>::Builder out) {
  for (std::size_t i = 0; i < values.size(); ++i) write_position(values[i], out[count_of(i)]);
}

}  // namespace internal

RowsRead read_rows_read(wire::RowsRead::Reader in) {
  RowsRead out;
  out.table = read_table_id(in.getTable());
  out.after = bytes_of(in.getAfter(), kKeyBytesMax, "key too long");
  if (in.hasUntil()) out.until = bytes_of(in.getUntil(), kKeyBytesMax, "key too long");
  out.rows_max = in.getRowsMax();
  out.bytes_max = in.getBytesMax();
  return out;
}

void write_rows_read(const RowsRead& value, wire::RowsRead::Builder out) {
  write_table_id(value.table, out.initTable());
  copy_to(out.initAfter(count_of(value.after.size())), value.after);
  if (value.until) copy_to(out.initUntil(count_of(value.until->size())), *value.until);
  out.setRowsMax(value.rows_max);
  out.setBytesMax(value.bytes_max);
}

RowsPage read_rows_page(wire::RowsPage::Reader in) {
  RowsPage out;
  require(in.getStatus() <= wire::RowsStatus::UNAVAILABLE, "unknown status of rows");
  out.status = static_cast<RowsStatus>(in.getStatus());
  out.end = in.getEnd();
  out.epoch = in.getEpoch();
  auto rows = in.getRows();
  require(rows.size() <= kRowsMax, "too many rows");
  out.rows.reserve(rows.size());
  std::size_t bytes = 0;
  for (auto item : rows) {
    auto row = read_row(item);
    require(out.rows.empty() || out.rows.back().key < row.key, "rows out of order");
    bytes += payload_bytes(row);
    out.rows.push_back(std::move(row));
    require(bytes <= kRowsBytesMax || out.rows.size() == 1, "page of rows too large");
  }
  return out;
}

void write_rows_page(const RowsPage& value, wire::RowsPage::Builder out) {
  out.setStatus(static_cast<wire::RowsStatus>(value.status));
  out.setEnd(value.end);
  out.setEpoch(value.epoch);
  auto rows = out.initRows(count_of(value.rows.size()));
  for (std::size_t i = 0; i < value.rows.size(); ++i) write_row(value.rows[i], rows[count_of(i)]);
}

OfferQuestion read_offer_question(wire::Region::OfferCopyParams::Reader in) {
  return {read_table_id(in.getTable()), internal::read_positions(in.getFlows()),
          internal::read_positions(in.getScanned())};
}

void write_offer_question(const OfferQuestion& value, wire::Region::OfferCopyParams::Builder out) {
  write_table_id(value.table, out.initTable());
  internal::write_positions(value.flows, out.initFlows(count_of(value.flows.size())));
  internal::write_positions(value.scanned, out.initScanned(count_of(value.scanned.size())));
}

CopyOffer read_copy_offer(wire::CopyOffer::Reader in) {
  CopyOffer out;
  require(in.getStatus() <= wire::RowsStatus::UNAVAILABLE, "unknown status of rows");
  out.status = static_cast<RowsStatus>(in.getStatus());
  out.reason = internal::text_of(in.getReason(), kErrorBytesMax, "reason too long");
  out.rows = in.getRows();
  out.epoch = in.getEpoch();
  out.collected = conflict::Hlc{in.getCollected()};
  out.watermarks = internal::read_marks(in.getWatermarks());
  out.unsettled = internal::read_names(in.getUnsettled());
  out.ends = internal::read_positions(in.getEnds());
  out.rewound = in.getRewound();
  require(in.getStands().size() <= kStandsMax, "too many stands");
  for (auto stand : in.getStands())
    out.stands.push_back({read_region(stand.getSource()), ShardId(stand.getShard()),
                          read_position(stand.getPosition())});
  require(in.getParked().size() <= kRowsMax, "too many rows");
  std::size_t bytes = 0;
  for (auto row : in.getParked()) {
    out.parked.push_back(read_row(row));
    bytes += payload_bytes(out.parked.back());
    require(bytes <= kRowsBytesMax || out.parked.size() == 1, "page of rows too large");
  }
  return out;
}

void write_copy_offer(const CopyOffer& value, wire::CopyOffer::Builder out) {
  out.setStatus(static_cast<wire::RowsStatus>(value.status));
  out.setReason(value.reason);
  out.setRows(value.rows);
  out.setEpoch(value.epoch);
  out.setCollected(value.collected.value);
  internal::write_marks(value.watermarks, out.initWatermarks(count_of(value.watermarks.size())));
  internal::write_names(value.unsettled, out.initUnsettled(count_of(value.unsettled.size())));
  internal::write_positions(value.ends, out.initEnds(count_of(value.ends.size())));
  out.setRewound(value.rewound);
  auto stands = out.initStands(count_of(value.stands.size()));
  for (std::size_t i = 0; i < value.stands.size(); ++i) {
    auto stand = stands[count_of(i)];
    auto name = value.stands[i].source.name();
    copy_to(stand.initSource(count_of(name.size())), name);
    stand.setShard(value.stands[i].shard.value);
    write_position(value.stands[i].position, stand.initPosition());
  }
  auto parked = out.initParked(count_of(value.parked.size()));
  for (std::size_t i = 0; i < value.parked.size(); ++i)
    write_row(value.parked[i], parked[count_of(i)]);
}

std::size_t words_of(const std::vector<Row>& rows) {
  constexpr std::size_t kWordsPerRow = 16;
  constexpr std::size_t kWordsPerContextEntry = 8;
  std::size_t words = 0;
  for (const auto& row : rows) {
    words += kWordsPerRow + payload_bytes(row) / sizeof(capnp::word);
    words += row.context.entries().size() * kWordsPerContextEntry;
  }
  return words;
}

}  // namespace meridian::rpc

#include "rpc/codec.h"

#include "rpc/codec_internal.h"

namespace meridian::rpc {
namespace internal {

conflict::Context read_context(capnp::List<wire::ContextEntry>::Reader in) {
  require(in.size() <= conflict::Context::kRegionsMax, "too many context entries");
  std::vector<conflict::Context::Entry> entries;
  entries.reserve(in.size());
  for (auto entry : in)
    entries.push_back({read_region(entry.getRegion()), conflict::Hlc{entry.getHlc()}});
  auto context = conflict::Context::from_entries(std::move(entries));
  require(context.has_value(), "context entries out of order");
  return std::move(*context);
}

void write_context(const conflict::Context& value,
                   capnp::List<wire::ContextEntry>::Builder out) {
  const auto& known = value.entries();
  for (std::size_t i = 0; i < known.size(); ++i) {
    auto entry = out[count_of(i)];
    auto name = known[i].region.name();
    copy_to(entry.initRegion(count_of(name.size())), name);
    entry.setHlc(known[i].hlc.value);
  }
}

}  // namespace internal

namespace {

using internal::bytes_of;
using internal::copy_to;
using internal::count_of;
using internal::require;

ChangeRecord read_record(wire::Record::Reader in, const RegionId& origin) {
  ChangeRecord out;
  out.sequence = Sequence(in.getSequence());
  out.key = bytes_of(in.getKey(), kKeyBytesMax, "key too long");
  require(!out.key.empty(), "empty key");
  out.version = {conflict::Hlc{in.getHlc()}, origin};
  if (in.hasParent()) out.parent = read_version(in.getParent());
  if (in.hasContext()) out.context = internal::read_context(in.getContext());
  out.committed_us = in.getCommittedUs();
  if (in.hasImage()) out.new_image = bytes_of(in.getImage(), kImageBytesMax, "image too long");
  return out;
}

void write_record(const ChangeRecord& value, wire::Record::Builder out) {
  out.setSequence(value.sequence.value);
  copy_to(out.initKey(count_of(value.key.size())), value.key);
  out.setHlc(value.version.hlc.value);
  if (value.parent) write_version(*value.parent, out.initParent());
  if (auto known = value.context.entries().size(); known > 0)
    internal::write_context(value.context, out.initContext(count_of(known)));
  out.setCommittedUs(value.committed_us);
  if (value.new_image) copy_to(out.initImage(count_of(value.new_image->size())), *value.new_image);
}

std::vector<ChangeRecord> read_records(capnp::List<wire::Record>::Reader in,
                                       const RegionId& origin) {
  require(in.size() <= kBatchRecordsMax, "too many records");
  std::vector<ChangeRecord> out;
  out.reserve(in.size());
  std::size_t bytes = 0;
  for (auto item : in) {
    auto record = read_record(item, origin);
    require(out.empty() || out.back().sequence < record.sequence, "records out of order");
    bytes += payload_bytes(record);
    out.push_back(std::move(record));
    require(bytes <= kBatchBytesMax || out.size() == 1, "batch too large");
  }
  return out;
}

template <typename List>
void write_records(const std::vector<ChangeRecord>& values, List out) {
  for (std::size_t i = 0; i < values.size(); ++i) write_record(values[i], out[count_of(i)]);
}

}  // namespace

RegionId read_region(capnp::Text::Reader in) {
  auto region = RegionId::parse({in.cStr(), in.size()});
  require(region.has_value(), "not a region name");
  return *region;
}

conflict::Version read_version(wire::Version::Reader in) {
  return {conflict::Hlc{in.getHlc()}, read_region(in.getRegion())};
}

void write_version(const conflict::Version& value, wire::Version::Builder out) {
  out.setHlc(value.hlc.value);
  auto name = value.region.name();
  copy_to(out.initRegion(count_of(name.size())), name);
}

TableId read_table_id(wire::TableId::Reader in) { return {in.getHigh(), in.getLow()}; }

void write_table_id(const TableId& value, wire::TableId::Builder out) {
  out.setHigh(value.high);
  out.setLow(value.low);
}

LogPosition read_position(wire::LogPosition::Reader in) {
  return {StartId(in.getStart()), Sequence(in.getSequence())};
}

void write_position(const LogPosition& value, wire::LogPosition::Builder out) {
  out.setStart(value.start.value);
  out.setSequence(value.sequence.value);
}

FlowId read_flow(wire::FlowId::Reader in) {
  return {read_table_id(in.getTable()), ShardId(in.getShard()), read_region(in.getSource())};
}

void write_flow(const FlowId& value, wire::FlowId::Builder out) {
  write_table_id(value.table, out.initTable());
  out.setShard(value.shard.value);
  auto name = value.source.name();
  copy_to(out.initSource(count_of(name.size())), name);
}

ReplicationBatch read_batch(wire::Batch::Reader in) {
  ReplicationBatch out;
  out.flow = read_flow(in.getFlow());
  out.from = read_position(in.getFrom());
  out.to = read_position(in.getTo());
  require(out.from.sequence <= out.to.sequence, "range runs backwards");
  out.records = read_records(in.getRecords(), out.flow.source);
  if (!out.records.empty()) {
    require(out.from.sequence < out.records.front().sequence, "record before its range");
    require(out.records.back().sequence <= out.to.sequence, "record after its range");
  }
  return out;
}

void write_batch(const ReplicationBatch& value, wire::Batch::Builder out) {
  write_flow(value.flow, out.initFlow());
  write_position(value.from, out.initFrom());
  write_position(value.to, out.initTo());
  write_records(value.records, out.initRecords(count_of(value.records.size())));
}

std::vector<ReplicationBatch> read_batches(capnp::List<wire::Batch>::Reader in) {
  require(in.size() <= kBatchesMax, "too many batches");
  std::vector<ReplicationBatch> out;
  out.reserve(in.size());
  for (auto batch : in) out.push_back(read_batch(batch));
  return out;
}

std::size_t words_of(const std::vector<ChangeRecord>& records) {
  // Per record: its struct and pointers, a parent, and rounding of key and image to words.
  constexpr std::size_t kWordsPerRecord = 24;
  constexpr std::size_t kWordsPerContextEntry = 8;
  std::size_t words = 0;
  for (const auto& record : records) {
    words += kWordsPerRecord + payload_bytes(record) / sizeof(capnp::word);
    words += record.context.entries().size() * kWordsPerContextEntry;
  }
  return words;
}

capnp::MessageSize size_hint(std::size_t words) {
  constexpr std::size_t kWordsOfEnvelope = 64;
  return {words + kWordsOfEnvelope, 0};
}

ApplyStatus read_apply_status(wire::ApplyStatus in) {
  require(in <= wire::ApplyStatus::INVALID, "unknown apply status");
  return static_cast<ApplyStatus>(in);
}

wire::ApplyStatus write_apply_status(ApplyStatus value) {
  return static_cast<wire::ApplyStatus>(value);
}

ApplyOutcome read_outcome(wire::ApplyOutcome::Reader in) {
  ApplyOutcome out;
  out.status = read_apply_status(in.getStatus());
  out.position = read_position(in.getPosition());
  out.visible_us = in.getVisibleUs();
  out.retry_ms = in.getRetryMs();
  out.clock_ahead_ms = in.getClockAheadMs();
  return out;
}

std::vector<ApplyOutcome> read_outcomes(capnp::List<wire::ApplyOutcome>::Reader in) {
  require(in.size() <= kBatchesMax, "too many outcomes");
  std::vector<ApplyOutcome> out;
  out.reserve(in.size());
  for (auto outcome : in) out.push_back(read_outcome(outcome));
  return out;
}

void write_outcome(const ApplyOutcome& value, wire::ApplyOutcome::Builder out) {
  out.setStatus(write_apply_status(value.status));
  write_position(value.position, out.initPosition());
  out.setVisibleUs(value.visible_us);
  out.setRetryMs(value.retry_ms);
  out.setClockAheadMs(value.clock_ahead_ms);
}

LogPage read_page(wire::LogPage::Reader in, const RegionId& origin) {
  LogPage out;
  require(in.getStatus() <= wire::ReadStatus::UNAVAILABLE, "unknown read status");
  out.status = static_cast<ReadStatus>(in.getStatus());
  out.to = read_position(in.getTo());
  out.records = read_records(in.getRecords(), origin);
  require(out.records.empty() || out.records.back().sequence <= out.to.sequence,
          "record after its range");
  out.end = Sequence(in.getEnd());
  out.pending = in.getPending();
  return out;
}

std::vector<LogPage> read_pages(capnp::List<wire::LogPage>::Reader in, const RegionId& origin) {
  require(in.size() <= kLogReadsMax, "too many pages");
  std::vector<LogPage> out;
  out.reserve(in.size());
  for (auto page : in) out.push_back(read_page(page, origin));
  return out;
}

std::vector<LogRead> read_log_reads(capnp::List<wire::LogRead>::Reader in) {
  require(in.size() <= kLogReadsMax, "too many reads");
  std::vector<LogRead> out;
  out.reserve(in.size());
  for (auto read : in) {
    RegionId sink;
    if (read.getSink().size() > 0) sink = read_region(read.getSink());
    out.push_back({read_table_id(read.getTable()), ShardId(read.getShard()),
                   read_position(read.getAfter()), read.getRecordsMax(), read.getBytesMax(), sink});
  }
  return out;
}

void write_log_read(const LogRead& value, wire::LogRead::Builder out) {
  write_table_id(value.table, out.initTable());
  out.setShard(value.shard.value);
  write_position(value.after, out.initAfter());
  out.setRecordsMax(value.records_max);
  out.setBytesMax(value.bytes_max);
  auto name = value.sink.name();
  copy_to(out.initSink(count_of(name.size())), name);
}

void write_page(const LogPage& value, wire::LogPage::Builder out) {
  out.setStatus(static_cast<wire::ReadStatus>(value.status));
  write_position(value.to, out.initTo());
  write_records(value.records, out.initRecords(count_of(value.records.size())));
  out.setEnd(value.end.value);
  out.setPending(value.pending);
}

}  // namespace meridian::rpc

#include "region-node/store/reader.h"

#include <algorithm>
#include <vector>

#include "region-node/store/columns.h"
#include "region-node/store/cursors.h"
#include "region-node/store/reader_statements.h"
#include "region-node/store/schema.h"

namespace meridian::store {

using sqlite::Query;
using sqlite::Statement;
using sqlite::Text;

namespace {

sqlite::OpenOptions reader_options(const StoreOptions& options) {
  sqlite::OpenOptions open;
  open.mode = sqlite::OpenMode::read_only;
  open.vfs = options.has_wal() ? options.vfs : "memdb";
  open.busy_timeout_ms = 1000;  // only while the writer opens or closes the file
  return open;
}

}  // namespace

SqliteReader::SqliteReader(const std::string& path, const StoreOptions& options,
                           std::shared_ptr<SharedState> shared)
    : db_(path, reader_options(options)), region_(options.region), shared_(std::move(shared)) {
  configure_reader(db_, options);
  meta_ = std::make_unique<Meta>(db_);
}

SqliteReader::~SqliteReader() = default;

std::optional<SqliteReader::Found> SqliteReader::find(const TableId& table) const {
  auto published = shared_->published();
  auto at = published->numbers.find(table);
  if (at == published->numbers.end()) return std::nullopt;
  const TableInfo& info = *published->catalog.by_id.at(table);
  return Found{at->second, info.shards, info.has_own_past(region_)};
}

SqliteReader::TableStatements& SqliteReader::statements(std::int64_t number) {
  auto at = tables_.find(number);
  if (at != tables_.end()) return *at->second;
  if (tables_.size() >= kTablesCachedMax) tables_.clear();
  return *tables_.emplace(number, std::make_unique<TableStatements>(db_, number)).first->second;
}

SqliteReader::ShardStatements& SqliteReader::shard_statements(std::int64_t number, ShardId shard) {
  auto& slot = statements(number).shards[shard.value];
  if (!slot) slot = std::make_unique<ShardStatements>(db_, number, shard);
  return *slot;
}

// ------------------------------------------------------------------------------------------- items

std::optional<Bytes> SqliteReader::get(const TableId& table, BytesView key) {
  std::optional<Bytes> image;
  read(table, [&](const Found& found) {
    Query row = statements(found.number).get.run(key);
    if (row.step() && !row.is_null(0)) image = Bytes(row.blob(0));
  });
  return image;
}

void SqliteReader::scan(const TableId& table, const KeyRange& range, Direction direction,
                        const std::function<bool(BytesView key, BytesView image)>& visit) {
  read(table, [&](const Found& found) {
    Statement& select = statements(found.number).scan(direction, range.to.has_value());
    Query row = range.to ? select.run(range.from, *range.to) : select.run(range.from);
    while (row.step()) {
      BytesView key = row.blob(0);
      if (range.from_excluded && key == range.from) continue;
      if (!visit(key, row.blob(1))) break;
    }
  });
}

rpc::RowsPage SqliteReader::read_rows(const rpc::RowsRead& query) {
  rpc::RowsPage page;
  std::size_t rows_max = std::clamp<std::size_t>(query.rows_max, 1, rpc::kRowsMax);
  std::size_t bytes_max = std::clamp<std::size_t>(query.bytes_max, 1, rpc::kRowsBytesMax);
  bool known = read(query.table, [&](const Found& found) {
    {
      Query row = meta_->cursor.run(found.number, Text{kRowsEpoch});
      if (row.step()) page.epoch = rows_epoch_in(row.blob(0));
    }
    std::size_t bytes = 0;
    Query row = statements(found.number)
                    .scan_rows.run(query.after, static_cast<std::int64_t>(rows_max + 1));
    while (row.step()) {
      if (query.until && row.blob(0) >= *query.until) break;
      if (page.rows.size() == rows_max) return;
      Row next = row_at(row);
      bytes += rpc::payload_bytes(next);
      if (bytes > bytes_max && !page.rows.empty()) return;
      page.rows.push_back(std::move(next));
    }
    page.end = true;
  });
  if (!known) page.status = rpc::RowsStatus::no_such_table;
  return page;
}

std::optional<Bytes> SqliteReader::cursor(const TableId& table, const std::string& name) {
  std::optional<Bytes> value;
  read(table, [&](const Found& found) {
    Query row = meta_->cursor.run(found.number, Text{name});
    if (row.step()) value = Bytes(row.blob(0));
  });
  return value;
}

rpc::CopyOffer SqliteReader::copy_offer(const rpc::OfferQuestion& question) {
  rpc::CopyOffer offer;
  bool known =
      read(question.table, [&](const Found& found) { fill_offer(found, question, offer); });
  if (!known) offer.status = rpc::RowsStatus::no_such_table;
  return offer;
}

std::vector<Row> SqliteReader::scan_rows(const TableId& table, BytesView after,
                                         std::size_t rows_max) {
  std::vector<Row> rows;
  read(table, [&](const Found& found) {
    Query row = statements(found.number).scan_rows.run(after, static_cast<std::int64_t>(rows_max));
    while (row.step()) rows.push_back(row_at(row));
  });
  return rows;
}

std::optional<Row> SqliteReader::get_row(const TableId& table, BytesView key) {
  std::optional<Row> out;
  read(table, [&](const Found& found) {
    Query row = statements(found.number).get_row.run(key);
    if (row.step()) out = row_at(row);
  });
  return out;
}

void SqliteReader::visit_rows(const TableId& table, BytesView after, std::optional<BytesView> to,
                              const std::function<bool(const RowView&)>& visit) {
  read(table, [&](const Found& found) {
    TableStatements& table_statements = statements(found.number);
    Query row = to ? table_statements.visit_span.run(after, *to)
                   : table_statements.visit_rest.run(after);
    while (row.step())
      if (!visit({row.blob(0), row.blob(1), row.maybe_blob(2)})) break;
  });
}

// ----------------------------------------------------------------------------- small facts by table

LogPosition SqliteReader::flow_position(const rpc::FlowId& flow) {
  LogPosition position;
  read(flow.table, [&](const Found& found) {
    Query row = meta_->flow.run(found.number, Text{flow.source.name()}, flow.shard.value);
    if (row.step()) position = {StartId(row.uint64(0)), Sequence(row.uint64(1))};
  });
  return position;
}

std::map<std::pair<RegionId, ShardId>, LogPosition> SqliteReader::flow_positions(
    const TableId& table) {
  std::map<std::pair<RegionId, ShardId>, LogPosition> out;
  read(table, [&](const Found& found) {
    Query row = meta_->flows.run(found.number);
    while (row.step())
      out[{region_at(row, 0), shard_at(row, 1, kShardsMax)}] = {StartId(row.uint64(2)),
                                                               Sequence(row.uint64(3))};
  });
  return out;
}

TableStats SqliteReader::stats(const TableId& table) {
  TableStats stats;
  read(table, [&](const Found& found) {
    Query row = meta_->stats.run(found.number);
    if (row.step()) stats = {row.uint64(0), row.uint64(1), row.uint64(2)};
  });
  return stats;
}

std::vector<ParkedRecord> SqliteReader::parked(const TableId& table, std::size_t records_max,
                                               std::int64_t after_row) {
  std::vector<ParkedRecord> out;
  read(table, [&](const Found& found) {
    Query row =
        meta_->parked.run(found.number, after_row, static_cast<std::int64_t>(records_max));
    while (row.step()) out.push_back(parked_at(row, table));
  });
  return out;
}

std::vector<ParkedRecord> SqliteReader::parked_of_key(const TableId& table, BytesView key,
                                                      std::size_t records_max) {
  std::vector<ParkedRecord> out;
  read(table, [&](const Found& found) {
    Query row =
        meta_->parked_of_key.run(found.number, key, static_cast<std::int64_t>(records_max));
    while (row.step()) out.push_back(parked_at(row, table));
  });
  return out;
}

ParkedStats SqliteReader::parked_stats(const TableId& table) {
  ParkedStats out;
  read(table, [&](const Found& found) {
    Query row = meta_->parked_stats.run(found.number);
    if (!row.step()) return;
    out.records = row.uint64(0);
    if (!row.is_null(1)) out.oldest_us = row.int64(1);
  });
  return out;
}

rpc::Watermarks SqliteReader::watermarks(const TableId& table) {
  rpc::Watermarks out;
  read(table, [&](const Found& found) { out = watermarks_of(found); });
  return out;
}

rpc::Watermarks SqliteReader::watermarks_of(const Found& found) {
  rpc::Watermarks out;
  Query row = meta_->watermarks.run(found.number);
  while (row.step()) out[region_at(row, 0)] = hlc_at(row, 1);
  // Whoever lacks some of its own past has for certain what was everywhere.
  Query own = found.own_past ? meta_->barrier.run() : meta_->collected.run(found.number);
  if (own.step()) out[region_] = hlc_at(own, 0);
  return out;
}

conflict::Hlc SqliteReader::collected(const TableId& table) {
  conflict::Hlc out;
  read(table, [&](const Found& found) {
    Query row = meta_->collected.run(found.number);
    if (row.step()) out = hlc_at(row, 0);
  });
  return out;
}

std::optional<conflict::Hlc> SqliteReader::oldest_tombstone(const TableId& table) {
  std::optional<conflict::Hlc> out;
  read(table, [&](const Found& found) {
    sqlite::Statement oldest(db_, "SELECT version FROM " + tombstone_table(found.number) +
                                       " ORDER BY version LIMIT 1");
    Query row = oldest.run();
    if (row.step()) out = version_at(row, 0).hlc;
  });
  return out;
}

// -------------------------------------------------------------------------------- state of a shard

ShardState SqliteReader::load_shard(std::int64_t number, ShardId shard) {
  ShardState state;
  {
    Query row = meta_->log_shard.run(number, shard.value);
    if (row.step()) {
      state.history.trimmed_to = Sequence(row.uint64(0));
      state.trimmed_counts = {row.uint64(1), row.uint64(2)};
      state.history.origin = Sequence(row.uint64(3));
    }
  }
  Query history = meta_->history.run(number, shard.value);
  while (history.step())
    state.history.stretches.push_back({StartId(history.uint64(1)), Sequence(history.uint64(0))});
  state.history.end = state.history.trimmed_to;
  state.counts = state.trimmed_counts;
  Query last = shard_statements(number, shard).last.run();
  if (last.step()) {
    state.history.end = Sequence(last.uint64(0));
    state.counts = {last.uint64(1), last.uint64(2)};
  }
  return state;
}

LocalCounts SqliteReader::counts_at(std::int64_t number, ShardId shard, const ShardState& state,
                                    Sequence sequence) {
  if (sequence <= state.history.trimmed_to) return state.trimmed_counts;
  if (sequence >= state.history.end) return state.counts;
  Query row = shard_statements(number, shard).counts.run(sequence.value);
  if (!row.step()) sqlite::damaged("a record of a log");
  return {row.uint64(0), row.uint64(1)};
}

SqliteReader::ShardSpan SqliteReader::shard_span(const TableId& table, ShardId shard) {
  ShardSpan span{Sequence(1), Sequence(0)};
  read(table, [&](const Found& found) {
    if (shard.value >= found.shards) return;
    ShardState state = load_shard(found.number, shard);
    span = {state.history.trimmed_to.next(), state.history.end};
  });
  return span;
}

Backlog SqliteReader::backlog(const TableId& table, ShardId shard, const RegionId& sink) {
  Backlog out;
  read(table, [&](const Found& found) {
    if (shard.value >= found.shards) return;
    ShardState state = load_shard(found.number, shard);
    {
      Query row = meta_->acknowledgement.run(found.number, Text{sink.name()}, shard.value);
      if (row.step()) out.acknowledged = {StartId(row.uint64(0)), Sequence(row.uint64(1))};
    }
    Sequence after = state.history.trimmed_to;
    if (state.history.check(out.acknowledged) == rpc::ReadStatus::ok)
      after = state.history.resolve(out.acknowledged);
    LocalCounts counts = counts_at(found.number, shard, state, after);
    out.pending_records = state.counts.records - counts.records;
    out.pending_bytes = state.counts.bytes - counts.bytes;
    if (out.pending_records > 0)
      out.oldest_us = oldest_pending_us(found.number, shard, state, after, counts);
  });
  return out;
}

// Found by halving, because thousands of replicated records may lie between.
Sequence SqliteReader::first_with_more(std::int64_t number, ShardId shard, const ShardState& state,
                                       Sequence after, std::uint64_t records) {
  std::uint64_t low = after.value + 1;
  std::uint64_t high = state.history.end.value;
  while (low < high) {
    std::uint64_t middle = low + (high - low) / 2;
    if (counts_at(number, shard, state, Sequence(middle)).records > records) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return Sequence(low);
}

// The first record of local origin after a position.
std::optional<std::int64_t> SqliteReader::oldest_pending_us(std::int64_t number, ShardId shard,
                                                            const ShardState& state, Sequence after,
                                                            const LocalCounts& counts) {
  Sequence oldest = first_with_more(number, shard, state, after, counts.records);
  Query row = shard_statements(number, shard).committed.run(oldest.value);
  if (!row.step()) return std::nullopt;
  return row.int64(0);
}

// --------------------------------------------------------------------------------------------- logs

std::optional<Bytes> SqliteReader::new_image(std::int64_t number, ShardId shard, BytesView key,
                                             Sequence sequence) {
  {
    Query row = statements(number).image_written_by.run(key, sequence.value);
    if (row.step()) {
      if (row.is_null(0)) return std::nullopt;
      return Bytes(row.blob(0));
    }
  }
  Query row = shard_statements(number, shard).overwritten_image.run(sequence.value);
  if (!row.step()) sqlite::damaged("the image that a record wrote");
  if (row.is_null(0)) return std::nullopt;
  return Bytes(row.blob(0));
}

rpc::ChangeRecord SqliteReader::record_from(const Query& row) {
  rpc::ChangeRecord record;
  record.sequence = Sequence(row.uint64(0));
  record.key = row.blob(1);
  record.version = version_at(row, 2);
  if (!row.is_null(3)) record.parent = version_at(row, 3);
  record.context = context_at(row, 4);
  record.committed_us = row.int64(5);
  record.in_stream = (row.int64(7) & kInStream) != 0;
  return record;
}

rpc::LogPage SqliteReader::read_log(const TableId& table, ShardId shard, const LogPosition& after,
                                    const LogLimits& limits) {
  rpc::LogPage page;
  page.to = after;
  bool known = read(table, [&](const Found& found) {
    if (shard.value >= found.shards) {
      page.status = rpc::ReadStatus::not_in_history;
      return;
    }
    ShardState state = load_shard(found.number, shard);
    page.end = state.history.end;
    page.status = state.history.check(after);
    if (page.status != rpc::ReadStatus::ok) return;
    read_log_rows(found.number, shard, state.history.resolve(after), state, limits, page);
  });
  if (!known) page.status = rpc::ReadStatus::no_such_table;
  return page;
}

void SqliteReader::read_log_rows(std::int64_t number, ShardId shard, Sequence from,
                                 const ShardState& state, const LogLimits& limits,
                                 rpc::LogPage& page) {
  Sequence read_to = from;
  std::size_t bytes = 0;
  std::size_t rows = 0;
  Query row = shard_statements(number, shard).read_log.run(from.value);
  while (rows++ < kLogRowsMax && page.records.size() < limits.records_max && row.step()) {
    Sequence sequence(row.uint64(0));
    if ((row.int64(7) & kLocalOrigin) != 0) {
      rpc::ChangeRecord record = record_from(row);
      if (record.version.region != region_) sqlite::damaged("the region of a local record");
      if (row.int64(6) == kPut) record.new_image = new_image(number, shard, record.key, sequence);
      bytes += record.key.size() + (record.new_image ? record.new_image->size() : 0);
      if (bytes > limits.bytes_max && !page.records.empty()) break;
      page.records.push_back(std::move(record));
    }
    read_to = sequence;
  }
  if (read_to != from) page.to = state.history.position_of(read_to);
  page.pending = state.counts.records - counts_at(number, shard, state, read_to).records;
}

SqliteReader::StreamPage SqliteReader::read_stream(const TableId& table, ShardId shard,
                                                   Sequence from, std::optional<Sequence> to,
                                                   const LogLimits& limits) {
  StreamPage page;
  page.next = from;
  read(table, [&](const Found& found) {
    if (shard.value >= found.shards) return;
    ShardState state = load_shard(found.number, shard);
    Sequence first = std::max(from, Sequence(1));
    if (first <= state.history.trimmed_to) {
      page.trimmed = true;
      return;
    }
    Sequence last = std::min(to.value_or(state.history.end), state.history.end);
    page.next = first;
    if (first <= last) read_stream_rows(found.number, shard, first, last, limits, page);
  });
  return page;
}

void SqliteReader::read_stream_rows(std::int64_t number, ShardId shard, Sequence from, Sequence to,
                                    const LogLimits& limits, StreamPage& page) {
  std::size_t bytes = 0;
  std::size_t rows = 0;
  Query row = shard_statements(number, shard).read_stream.run(from.value, to.value);
  while (rows++ < kLogRowsMax && page.records.size() < limits.records_max && row.step()) {
    Sequence sequence(row.uint64(0));
    if ((row.int64(7) & kInStream) != 0) {
      rpc::ChangeRecord record = record_from(row);
      if (row.int64(6) == kPut) record.new_image = new_image(number, shard, record.key, sequence);
      if (auto old = row.maybe_blob(8)) record.old_image = Bytes(*old);
      bytes += record.key.size() + (record.new_image ? record.new_image->size() : 0) +
               (record.old_image ? record.old_image->size() : 0);
      if (bytes > limits.bytes_max && !page.records.empty()) break;
      page.records.push_back(std::move(record));
    }
    page.next = sequence.next();
  }
}

}  // namespace meridian::store

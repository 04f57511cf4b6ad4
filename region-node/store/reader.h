// SqliteReader: a Reader on a read-only connection of its own.
//
// Threads: one at a time; pool one per thread.  A table that is dropped meanwhile reads as empty.
// Owns: its connection, a share of what the engine publishes.
// Errors: sqlite::SqliteError.  One that tells of a damaged file is also reported to the engine, which
// then stops writing.
// Limits: kTablesCachedMax tables' statements are kept; a log read looks at kLogRowsMax rows at most.
// Source: store.h; layout in schema.h.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/sqlite/sqlite.h"
#include "region-node/store/log_history.h"
#include "region-node/store/shared_state.h"
#include "region-node/store/state.h"
#include "region-node/store/store.h"
#include "region-node/store/store_options.h"

namespace meridian::store {

class SqliteReader final : public Reader {
 public:
  static constexpr std::size_t kTablesCachedMax = 64;
  static constexpr std::size_t kLogRowsMax = 16384;

  SqliteReader(const std::string& path, const StoreOptions& options,
               std::shared_ptr<SharedState> shared);
  ~SqliteReader() override;

  std::optional<Bytes> get(const TableId& table, BytesView key) override;
  void scan(const TableId& table, const KeyRange& range, Direction direction,
            const std::function<bool(BytesView key, BytesView image)>& visit) override;
  std::vector<Row> scan_rows(const TableId& table, BytesView after, std::size_t rows_max) override;
  std::optional<Row> get_row(const TableId& table, BytesView key) override;
  rpc::RowsPage read_rows(const rpc::RowsRead& read) override;
  std::optional<Bytes> cursor(const TableId& table, const std::string& name) override;
  void visit_rows(const TableId& table, BytesView after, std::optional<BytesView> to,
                  const std::function<bool(const RowView&)>& visit) override;
  rpc::CopyOffer copy_offer(const rpc::OfferQuestion& question) override;
  rpc::LogPage read_log(const TableId& table, ShardId shard, const LogPosition& after,
                        const LogLimits& limits) override;
  StreamPage read_stream(const TableId& table, ShardId shard, Sequence from,
                         std::optional<Sequence> to, const LogLimits& limits) override;
  ShardSpan shard_span(const TableId& table, ShardId shard) override;
  LogPosition flow_position(const rpc::FlowId& flow) override;
  std::map<std::pair<RegionId, ShardId>, LogPosition> flow_positions(const TableId& table) override;
  Backlog backlog(const TableId& table, ShardId shard, const RegionId& sink) override;
  TableStats stats(const TableId& table) override;
  std::vector<ParkedRecord> parked(const TableId& table, std::size_t records_max,
                                   std::int64_t after_row) override;
  std::vector<ParkedRecord> parked_of_key(const TableId& table, BytesView key,
                                          std::size_t records_max) override;
  ParkedStats parked_stats(const TableId& table) override;
  LedgerSummary ledger(const TableId& table) override;
  LedgerPage conflicts(const TableId& table, const LedgerQuery& query) override;
  KeyHistory key_history(const TableId& table, BytesView key, std::size_t records_max) override;
  rpc::Watermarks watermarks(const TableId& table) override;
  conflict::Hlc collected(const TableId& table) override;
  std::optional<conflict::Hlc> oldest_tombstone(const TableId& table) override;

 private:
  struct ShardStatements;
  struct TableStatements;
  class Snapshot;

  // A table as the catalog has it now; empty when there is none.
  struct Found {
    std::int64_t number;
    std::uint16_t shards;
    bool own_past;  // see TableInfo
  };
  std::optional<Found> find(const TableId& table) const;
  // Runs `body` in one read transaction; answers false when the table was dropped meanwhile.
  template <typename Body>
  bool read(const TableId& table, Body body);
  TableStatements& statements(std::int64_t number);
  ShardStatements& shard_statements(std::int64_t number, ShardId shard);

  void read_history(std::int64_t number, ShardId shard, BytesView key, std::size_t records_max,
                    KeyHistory& history);
  ShardState load_shard(std::int64_t number, ShardId shard);
  // The first sequence after `after` whose counts have more records than `records`, which exists.
  Sequence first_with_more(std::int64_t number, ShardId shard, const ShardState& state,
                           Sequence after, std::uint64_t records);
  LogPosition last_local(std::int64_t number, ShardId shard, const ShardState& state);
  rpc::Watermarks watermarks_of(const Found& found);
  void fill_offer(const Found& found, const rpc::OfferQuestion& question, rpc::CopyOffer& offer);
  LocalCounts counts_at(std::int64_t number, ShardId shard, const ShardState& state,
                        Sequence sequence);
  std::optional<Bytes> new_image(std::int64_t number, ShardId shard, BytesView key,
                                 Sequence sequence);
  rpc::ChangeRecord record_from(const sqlite::Query& row);
  void read_log_rows(std::int64_t number, ShardId shard, Sequence from, const ShardState& state,
                     const LogLimits& limits, rpc::LogPage& page);
  void read_stream_rows(std::int64_t number, ShardId shard, Sequence from, Sequence to,
                        const LogLimits& limits, StreamPage& page);
  std::optional<std::int64_t> oldest_pending_us(std::int64_t number, ShardId shard,
                                                const ShardState& state, Sequence after,
                                                const LocalCounts& counts);

  sqlite::Database db_;
  const RegionId region_;
  std::shared_ptr<SharedState> shared_;
  std::map<std::int64_t, std::unique_ptr<TableStatements>> tables_;
  struct Meta;
  std::unique_ptr<Meta> meta_;
};

}  // namespace meridian::store

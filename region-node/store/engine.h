// Engine: the store's single-threaded core: runs groups of operations, each group one transaction.
//
// A group: look at the clock; run every operation in order against the open transaction; upkeep that
// is due; COMMIT; publish the catalog; answer everyone; tell the listener; copy the WAL if due.  The
// transaction begins with the first operation that changes something, so a group of refusals costs no
// sync.  Operations check everything before they write, so none needs a savepoint: what fails midway
// is the disk, and then the whole group is rolled back and answered `unavailable`.  The sync of the file that
// the WAL was copied into is made by a runner, while the next groups run (ADR 0011).
//
// Threads: confined to one (the writer, or the simulator's).
// Owns: the only read-write connection, the data directory's lock.  Borrows: the clock.
// Invariants: (1) nothing is answered before its commit; (2) memory mirrors the open transaction, and
// is loaded again after a rollback; (3) versions and sequences are never used twice.
// Errors: the constructor throws StoreError or SqliteError; run() never throws SqliteError: a full
// disk is left with the next commit that succeeds, any other failure stops writing for good.
// Source: ADR 0001, 0003, 0006.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/rng.h"
#include "common/sqlite/sqlite.h"
#include "conflict/clock_guard.h"
#include "conflict/hlc.h"
#include "region-node/store/catalog_store.h"
#include "region-node/store/data_dir.h"
#include "region-node/store/flow_store.h"
#include "region-node/store/held_flows.h"
#include "region-node/store/item_log.h"
#include "region-node/store/ledger_store.h"
#include "region-node/store/ops.h"
#include "region-node/store/shared_state.h"
#include "region-node/store/state.h"
#include "region-node/store/store.h"
#include "region-node/store/store_options.h"
#include "region-node/store/stream_shards.h"
#include "region-node/store/wal_copy_rule.h"
#include "region-node/store/watermark_store.h"

namespace meridian::store {

class Engine {
 public:
  // `late_syncs` makes the syncs of the database file; see common/sqlite/late_sync.h.
  Engine(StoreOptions options, Clock& clock, Rng rng,
         std::function<void(std::function<void()>)> late_syncs);

  // Runs `ops` as one group and answers them.
  void run(std::vector<Op>& ops);
  // True when run() should be called soon even with nothing to do.
  [[nodiscard]] bool has_upkeep() const { return upkeep_left_ && !failed_ && !full_; }

  [[nodiscard]] std::unique_ptr<Reader> open_reader() const;
  [[nodiscard]] const std::shared_ptr<SharedState>& shared() const { return shared_; }
  [[nodiscard]] RegionId region() const { return options_.region; }
  [[nodiscard]] NodeId node_id() const { return node_; }
  [[nodiscard]] StartId start_id() const { return start_; }
  [[nodiscard]] const StoreOptions& options() const { return options_; }

  // Catalog changes, called from ControlOps (engine_control.cc).
  ControlResult create_table(const TableSpec& spec);
  ControlResult change_table(const TableId& id, const TableChange& change);
  ControlResult drop_table(const TableId& id, bool force);
  ControlResult merge_replicas(const TableId& id, const std::map<RegionId, ReplicaEntry>& entries);
  ControlResult merge_settings(const TableId& id, const Settings& settings);
  ControlResult set_replica(const TableId& id, const RegionId& region, bool present);
  ControlResult copy_step(const TableId& id, const CopyStep& step);

  // Barriers and watermarks, called from TaskOps (engine_watermarks.cc).
  rpc::Barrier barrier(const std::vector<TableId>& tables);
  Reached advance(const RegionId& source, NodeId source_node,
                  const std::vector<rpc::Barrier>& barriers);
  bool adopt_watermarks(const rpc::TableWatermarks& watermarks);

  // Repair, called from TaskOps (engine_repair.cc).
  std::optional<std::vector<LogPosition>> change_repair(const RepairChange& change);
  rpc::RepairOutcome repair_rows(rpc::RepairWork& work);

  // Collection of tombstones, called from TaskOps (engine_collect.cc).
  CollectOutcome collect(const CollectStep& step);

 private:
  [[nodiscard]] bool from_the_future(const conflict::Version& changed) const;
  // engine.cc: opening, groups, failure
  void open_file(std::function<void(std::function<void()>)> late_syncs);
  void load();
  void settle_wal();
  void begin();
  void commit();
  void recover(const sqlite::SqliteError& error);
  void fail(const std::string& reason);
  void publish();
  void complete(std::vector<Op>& ops);
  void checkpoint_if_due();
  void checkpoint(bool late);
  void see_late_syncs();

  void execute(WriteOp& op);
  void execute(ApplyOp& op);
  void execute(ApplyRowsOp& op);
  void execute(ControlOp& op);
  void execute(AcknowledgeOp& op);
  void acknowledge(const Acknowledgement& ack);
  void postpone(const AcknowledgeOp& op);
  void execute(PinOp& op);
  void execute(AcceptClockOp& op);
  void execute(ParkedOp& op);
  void execute(ReleaseOp& op);
  void execute(TaskOp& op);

  // engine_write.cc: local writes
  WriteResult write_item(TableState& table, const ItemWrite& write);
  std::optional<WriteStatus> refuses_write(const TableState& table) const;
  void cut_loose(TableState& table);  // engine_repair.cc
  void touch(TableState& table);
  void append(TableState& table, std::optional<StoredItem> stored, const ItemChange& change);

  // engine_apply.cc: replicated batches
  rpc::ApplyOutcome apply_batch(const rpc::ReplicationBatch& batch, NodeId source_node);
  std::optional<rpc::ApplyStatus> refuses_batch(const TableState& table,
                                                const rpc::ReplicationBatch& batch,
                                                NodeId source_node) const;
  // `horizon`: an absent key counts as a tombstone of this version.
  void apply_record(TableState& table, const rpc::FlowId& flow, const rpc::ChangeRecord& record,
                    conflict::Hlc horizon);
  bool pin(const RegionId& region, NodeId node, Replaced replaced);
  ParkedOutcome decide_parked(const ParkedDecision& decision);

  // engine_clock.cc: the own clock, and versions beyond the bound
  void sample_clock();
  void refuse_old_clock() const;
  [[nodiscard]] bool held(const conflict::Version& version) const;
  void hold(const rpc::ReplicationBatch& batch, rpc::ApplyOutcome& outcome);
  // How long, in ms, rows must be held; 0: not at all.
  std::int64_t hold_rows(const rpc::RowsBatch& batch);
  [[nodiscard]] ClockReport clock_report() const;
  void forget_releases();
  void show_clock();

  // engine_rows.cc: rows of backfill and repair
  rpc::RowsOutcome apply_rows(rpc::RowsBatch& batch);
  std::optional<rpc::ApplyStatus> refuses_rows(const TableState& table,
                                               const rpc::RowsBatch& batch) const;

  // engine_ledger.cc: conflicts
  void withdraw_seen(const TableState& table, const rpc::ChangeRecord& record);
  void list_stored(const TableState& table, const StoredItem& stored,
                   const rpc::ChangeRecord& record);
  void list_incoming(const TableState& table, const StoredItem& stored,
                     const rpc::ChangeRecord& record);
  void list(const TableState& table, BytesView key, const LedgerStore::Side& loser,
            const LedgerStore::Side& winner);

  // engine_repair.cc
  void save_repairs(TableState& table, TableInfo info);
  void change_marks(TableState& table, TableInfo& next);
  std::vector<LogPosition> pin_flows(TableState& table, const RegionId& peer);
  void renew_log(TableState& table);
  void change_epoch(TableState& table);
  void forget_listed(const TableState& table);
  bool begin_flows(TableState& table, const RepairChange& change);
  bool take_parked(TableState& table, const rpc::ReplicaFacts& facts);
  void repair_row(TableState& table, rpc::RepairWork::Row& row);
  bool drop_row(TableState& table, const rpc::RepairWork::Drop& drop, conflict::Hlc at);

  // engine_collect.cc
  [[nodiscard]] conflict::Hlc collectable_to(const TableState& table,
                                             const CollectStep& step) const;
  void raise_collected(TableState& table, conflict::Hlc to);

  // engine_copy.cc
  // Of this region's replica; what the one before has lost, others may hold.
  enum class Begins { empty, with_rows };
  void begin_life(TableInfo& info, Begins begins);
  ControlResult begin_copy(TableState& table, const CopyStep& step);
  ControlResult finish_copy(TableState& table, const CopyStep& step);

  // engine_control.cc
  ControlResult save_info(TableState& table, TableInfo info);
  void forget_changed_regions(TableState& table, TableInfo& next);
  void save_unsettled(TableState& table, const TableInfo& next);
  void set_origin(TableState& table, const TableInfo& next);
  void erase(TableState& table);
  void change_stream(TableInfo& info, const TableState& table,
                     const std::optional<model::StreamViewType>& view);
  [[nodiscard]] bool drained_somewhere(const TableState& table) const;
  conflict::Version mint(conflict::Hlc floor);
  static ShardEnds ends_of(const TableState& table);

  // engine_watermarks.cc
  void raise_watermark(TableState& table, const RegionId& origin, conflict::Hlc to);
  void lower_watermark(TableState& table, const RegionId& origin, conflict::Hlc to);
  void save_watermarks();

  // engine_upkeep.cc: what is due from time to time
  void upkeep();
  void probe_disk();
  void upkeep_streams(TableState& table);
  bool trim_logs();
  std::uint64_t trim(TableState& table, ShardId shard);
  bool purge_dropped();

  StoreOptions options_;
  Clock& clock_;
  Rng rng_;
  NodeId node_;
  StartId start_;

  std::optional<DataDir> data_dir_;
  std::string path_;
  std::optional<sqlite::Database> db_;
  // Prepared statements; destroyed before the connection.
  std::optional<CatalogStore> catalog_;
  std::optional<FlowStore> flows_;
  std::optional<ItemLog> items_;
  std::optional<LedgerStore> ledger_;
  std::optional<WatermarkStore> watermarks_;
  std::optional<sqlite::Statement> begin_;
  std::optional<sqlite::Statement> commit_;

  EngineState state_;
  conflict::ClockGuard guard_;
  conflict::HybridClock hlc_;
  std::map<RegionId, conflict::Hlc> released_;  // versions to take though they lie beyond the bound
  HeldFlows held_;
  bool clock_shown_ = false;  // with something in it that an operator should know
  std::int64_t now_us_ = 0;     // wall clock of this group
  std::vector<TableId> dirty_;  // with unsaved stats
  bool watermarks_dirty_ = false;  // of any table; saved with the next commit
  bool catalog_changed_ = false;
  bool settled_ = false;    // see settle_wal()
  bool committed_ = false;  // this group wrote something
  bool failed_ = false;     // for good
  bool full_ = false;       // until a commit succeeds
  std::int64_t changes_at_begin_ = 0;
  bool upkeep_left_ = false;
  std::pair<TableId, std::uint16_t> trim_next_{};  // the shard where trim_logs() goes on
  std::int64_t upkeep_at_ms_ = 0;  // monotonic
  WalCopyRule wal_copy_;
  std::uint64_t late_syncs_seen_ = 0;
  std::uint64_t generation_ = 0;
  std::vector<Acknowledgement> postponed_;  // of groups that were rolled back
  StoreHealth health_;
  std::shared_ptr<SharedState> shared_ = std::make_shared<SharedState>();
  // Scratch of one operation, kept to spare allocations.
  Bytes version_scratch_;
  Bytes context_scratch_;
};

}  // namespace meridian::store

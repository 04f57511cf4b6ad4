// SqliteStore: the product's Store: one engine on a file, run by one writer thread.
//
// Threads: as store.h says; stop() from the owner's.  The destructor stops it.
// Owns: the writer thread, the only read-write connection, the lock on the data directory.
// Borrows: the clock.
// Errors: the constructor throws StoreError (directory in use, of another region, of a newer format)
// or sqlite::SqliteError.
// Limits: StoreOptions.
// Source: ADR 0001 (layout), ADR 0003 (single writer).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "common/clock.h"
#include "common/rng.h"
#include "region-node/store/store.h"
#include "region-node/store/store_options.h"

namespace meridian::store {

class Writer;

class SqliteStore final : public Store {
 public:
  SqliteStore(StoreOptions options, Clock& clock, Rng rng);
  ~SqliteStore() override;

  // Finishes what is queued and refuses what comes later; reads go on.  Call it while those who wait
  // for an answer still live.  Idempotent.
  void stop();

  [[nodiscard]] RegionId region() const override;
  [[nodiscard]] NodeId node_id() const override;
  [[nodiscard]] StartId start_id() const override;
  [[nodiscard]] CatalogPtr catalog() const override;
  [[nodiscard]] StoreHealth health() const override;
  [[nodiscard]] std::unique_ptr<Reader> open_reader() override;
  [[nodiscard]] LogEndsPtr log_ends(const TableId& table) const override;

  void write(ItemWrite write) override;
  void apply(rpc::ReplicationBatch batch, NodeId source_node,
             std::function<void(const rpc::ApplyOutcome&)> done) override;
  void apply_rows(rpc::RowsBatch batch,
                  std::function<void(const rpc::RowsOutcome&)> done) override;
  void create_table(TableSpec spec, ControlDone done) override;
  void change_table(TableId table, TableChange change, ControlDone done) override;
  void drop_table(TableId table, bool force, ControlDone done) override;
  void merge_replicas(TableId table, std::map<RegionId, ReplicaEntry> entries,
                      ControlDone done) override;
  void merge_settings(TableId table, Settings settings, ControlDone done) override;
  void set_replica(TableId table, RegionId region, bool present, ControlDone done) override;
  void copy_step(TableId table, CopyStep step, ControlDone done) override;
  void acknowledge(std::vector<Acknowledgement> acknowledgements) override;
  void pin_identity(RegionId region, NodeId node, PinDone done) override;
  void replace_identity(RegionId region, NodeId node, Replaced replaced, PinDone done) override;
  void decide_parked(ParkedDecision decision, ParkedDone done) override;
  void barrier(std::vector<TableId> tables, BarrierDone done) override;
  void advance(RegionId source, NodeId source_node, std::vector<rpc::Barrier> barriers,
               AdvanceDone done) override;
  void adopt_watermarks(rpc::TableWatermarks watermarks, std::function<void(bool)> done) override;
  void change_repair(RepairChange change, RepairChangeDone done) override;
  void collect(CollectStep step, CollectDone done) override;
  void repair_rows(rpc::RepairWork work,
                   std::function<void(const rpc::RepairOutcome&)> done) override;
  void accept_clock() override;
  void release_versions(RegionId source, conflict::Hlc until,
                        std::function<void(bool)> done) override;
  [[nodiscard]] ClockReport clock_report() const override;
  void on_commit(std::function<void()> listener) override;

 private:
  std::unique_ptr<Writer> writer_;
};

}  // namespace meridian::store

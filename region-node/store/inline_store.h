// InlineStore: the production engine without threads, for the simulator and for tests.
//
// Everything submitted waits until run_pending(), which runs it as one group on the calling thread and
// completes it; what a completion submits waits for the next call.  Late syncs are made at the beginning
// of such a call, some later than others.  Destroying the store is a crash:
// what waits is dropped unanswered, what was committed is there when the file is opened again.
//
//   MemoryFile disk("us-east-1");                 // outlives the stores on it
//   options.memory_name = disk.name();
//   auto store = std::make_unique<InlineStore>(options, clock, Rng(seed));
//   store->write(...); store->run_pending();
//   store.reset();                                // crash
//
// In memory it stands on SQLite's own "memdb" VFS (shared by name within the process), whose journal
// is in memory too: right for logic, silent about disks.  With `data_dir` it runs on a real file, with
// `vfs` on a file system that knows how disks fail.
//
// Threads: confined to one, readers included; a reader's visitor must not call run_pending().
// Errors: as SqliteStore.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/rng.h"
#include "region-node/store/store.h"
#include "region-node/store/store_options.h"

namespace meridian::sqlite {
class Database;
}

namespace meridian::store {

class Engine;
struct Op;

// Keeps an in-memory file alive while no store has it open.
class MemoryFile {
 public:
  explicit MemoryFile(std::string name);
  ~MemoryFile();
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::unique_ptr<sqlite::Database> keeper_;
};

class InlineStore final : public Store {
 public:
  InlineStore(StoreOptions options, Clock& clock, Rng rng);
  ~InlineStore() override;

  // Runs what waits as one group, with the maintenance that is due.  Answers how many operations it
  // completed.  Call it now and then even when nothing waits: it looks at the clock.
  std::size_t run_pending();
  [[nodiscard]] std::size_t pending() const;

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
  Rng chance_;
  std::vector<std::function<void()>> late_syncs_;
  std::unique_ptr<Engine> engine_;
  std::vector<Op> waiting_;
};

}  // namespace meridian::store

#include "region-node/store/inline_store.h"

#include <utility>

#include "common/sqlite/sqlite.h"
#include "region-node/store/engine.h"

namespace meridian::store {
namespace {

// Of the calls that find a late sync waiting.
constexpr unsigned kLateSyncPercent = 40;

}  // namespace

MemoryFile::MemoryFile(std::string name) : name_(std::move(name)) {
  sqlite::OpenOptions options;
  options.vfs = "memdb";
  keeper_ = std::make_unique<sqlite::Database>("/" + name_, options);
}
MemoryFile::~MemoryFile() = default;

InlineStore::InlineStore(StoreOptions options, Clock& clock, Rng rng)
    : chance_(rng),
      engine_(std::make_unique<Engine>(
          std::move(options), clock, rng,
          [this](std::function<void()> sync) { late_syncs_.push_back(std::move(sync)); })) {}
InlineStore::~InlineStore() = default;

std::size_t InlineStore::run_pending() {
  if (!late_syncs_.empty() && chance_.percent(kLateSyncPercent)) {
    for (auto& sync : std::exchange(late_syncs_, {})) sync();
  }
  std::vector<Op> group;
  group.swap(waiting_);
  engine_->run(group);
  return group.size();
}

std::size_t InlineStore::pending() const { return waiting_.size(); }

RegionId InlineStore::region() const { return engine_->region(); }
NodeId InlineStore::node_id() const { return engine_->node_id(); }
StartId InlineStore::start_id() const { return engine_->start_id(); }
CatalogPtr InlineStore::catalog() const { return engine_->shared()->catalog(); }
std::unique_ptr<Reader> InlineStore::open_reader() { return engine_->open_reader(); }

StoreHealth InlineStore::health() const {
  StoreHealth health = engine_->shared()->health();
  health.queue_depth = waiting_.size();
  return health;
}

LogEndsPtr InlineStore::log_ends(const TableId& table) const {
  return engine_->shared()->log_ends(table);
}

void InlineStore::on_commit(std::function<void()> listener) {
  engine_->shared()->set_listener(std::move(listener));
}

void InlineStore::write(ItemWrite write) { waiting_.push_back(Op{WriteOp{std::move(write), {}}}); }

void InlineStore::apply(rpc::ReplicationBatch batch, NodeId source_node,
                        std::function<void(const rpc::ApplyOutcome&)> done) {
  waiting_.push_back(apply_op(std::move(batch), source_node, std::move(done)));
}

void InlineStore::apply_rows(rpc::RowsBatch batch,
                             std::function<void(const rpc::RowsOutcome&)> done) {
  waiting_.push_back(apply_rows_op(std::move(batch), std::move(done)));
}

void InlineStore::create_table(TableSpec spec, ControlDone done) {
  waiting_.push_back(create_table_op(std::move(spec), std::move(done)));
}

void InlineStore::change_table(TableId table, TableChange change, ControlDone done) {
  waiting_.push_back(change_table_op(table, std::move(change), std::move(done)));
}

void InlineStore::drop_table(TableId table, bool force, ControlDone done) {
  waiting_.push_back(drop_table_op(table, force, std::move(done)));
}

void InlineStore::merge_replicas(TableId table, std::map<RegionId, ReplicaEntry> entries,
                                 ControlDone done) {
  waiting_.push_back(merge_replicas_op(table, std::move(entries), std::move(done)));
}

void InlineStore::merge_settings(TableId table, Settings settings, ControlDone done) {
  waiting_.push_back(merge_settings_op(table, std::move(settings), std::move(done)));
}

void InlineStore::set_replica(TableId table, RegionId region, bool present, ControlDone done) {
  waiting_.push_back(set_replica_op(table, region, present, std::move(done)));
}

void InlineStore::copy_step(TableId table, CopyStep step, ControlDone done) {
  waiting_.push_back(copy_step_op(table, std::move(step), std::move(done)));
}

void InlineStore::acknowledge(std::vector<Acknowledgement> acknowledgements) {
  waiting_.push_back(Op{AcknowledgeOp{std::move(acknowledgements)}});
}

void InlineStore::pin_identity(RegionId region, NodeId node, PinDone done) {
  waiting_.push_back(Op{PinOp{region, node, std::move(done), Replaced::nobody}});
}

void InlineStore::replace_identity(RegionId region, NodeId node, Replaced replaced, PinDone done) {
  waiting_.push_back(Op{PinOp{region, node, std::move(done), replaced}});
}

void InlineStore::decide_parked(ParkedDecision decision, ParkedDone done) {
  waiting_.push_back(Op{ParkedOp{std::move(decision), std::move(done), {}}});
}

void InlineStore::release_versions(RegionId source, conflict::Hlc until,
                                   std::function<void(bool)> done) {
  waiting_.push_back(Op{ReleaseOp{source, until, std::move(done)}});
}

ClockReport InlineStore::clock_report() const { return engine_->shared()->clock(); }
void InlineStore::barrier(std::vector<TableId> tables, BarrierDone done) {
  waiting_.push_back(barrier_op(std::move(tables), std::move(done)));
}

void InlineStore::advance(RegionId source, NodeId source_node, std::vector<rpc::Barrier> barriers,
                          AdvanceDone done) {
  waiting_.push_back(advance_op(source, source_node, std::move(barriers), std::move(done)));
}

void InlineStore::adopt_watermarks(rpc::TableWatermarks watermarks,
                                   std::function<void(bool)> done) {
  waiting_.push_back(adopt_watermarks_op(std::move(watermarks), std::move(done)));
}

void InlineStore::change_repair(RepairChange change, RepairChangeDone done) {
  waiting_.push_back(change_repair_op(std::move(change), std::move(done)));
}

void InlineStore::collect(CollectStep step, CollectDone done) {
  waiting_.push_back(collect_op(step, std::move(done)));
}

void InlineStore::repair_rows(rpc::RepairWork work,
                              std::function<void(const rpc::RepairOutcome&)> done) {
  waiting_.push_back(repair_rows_op(std::move(work), std::move(done)));
}

void InlineStore::accept_clock() { waiting_.push_back(Op{AcceptClockOp{}}); }

}  // namespace meridian::store

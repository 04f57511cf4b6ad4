#include "region-node/store/sqlite_store.h"

#include <utility>

#include "region-node/store/writer.h"

namespace meridian::store {

SqliteStore::SqliteStore(StoreOptions options, Clock& clock, Rng rng)
    : writer_(std::make_unique<Writer>(std::move(options), clock, rng)) {}
SqliteStore::~SqliteStore() = default;

void SqliteStore::stop() { writer_->stop(); }

RegionId SqliteStore::region() const { return writer_->engine().region(); }
NodeId SqliteStore::node_id() const { return writer_->engine().node_id(); }
StartId SqliteStore::start_id() const { return writer_->engine().start_id(); }
CatalogPtr SqliteStore::catalog() const { return writer_->engine().shared()->catalog(); }
StoreHealth SqliteStore::health() const { return writer_->health(); }
std::unique_ptr<Reader> SqliteStore::open_reader() { return writer_->engine().open_reader(); }

LogEndsPtr SqliteStore::log_ends(const TableId& table) const {
  return writer_->engine().shared()->log_ends(table);
}

void SqliteStore::on_commit(std::function<void()> listener) {
  writer_->engine().shared()->set_listener(std::move(listener));
}

void SqliteStore::write(ItemWrite write) { writer_->submit(Op{WriteOp{std::move(write), {}}}); }

void SqliteStore::apply(rpc::ReplicationBatch batch, NodeId source_node,
                        std::function<void(const rpc::ApplyOutcome&)> done) {
  writer_->submit(apply_op(std::move(batch), source_node, std::move(done)));
}

void SqliteStore::apply_rows(rpc::RowsBatch batch,
                             std::function<void(const rpc::RowsOutcome&)> done) {
  writer_->submit(apply_rows_op(std::move(batch), std::move(done)));
}

void SqliteStore::create_table(TableSpec spec, ControlDone done) {
  writer_->submit(create_table_op(std::move(spec), std::move(done)));
}

void SqliteStore::change_table(TableId table, TableChange change, ControlDone done) {
  writer_->submit(change_table_op(table, std::move(change), std::move(done)));
}

void SqliteStore::drop_table(TableId table, bool force, ControlDone done) {
  writer_->submit(drop_table_op(table, force, std::move(done)));
}

void SqliteStore::merge_replicas(TableId table, std::map<RegionId, ReplicaEntry> entries,
                                 ControlDone done) {
  writer_->submit(merge_replicas_op(table, std::move(entries), std::move(done)));
}

void SqliteStore::merge_settings(TableId table, Settings settings, ControlDone done) {
  writer_->submit(merge_settings_op(table, std::move(settings), std::move(done)));
}

void SqliteStore::set_replica(TableId table, RegionId region, bool present, ControlDone done) {
  writer_->submit(set_replica_op(table, region, present, std::move(done)));
}

void SqliteStore::copy_step(TableId table, CopyStep step, ControlDone done) {
  writer_->submit(copy_step_op(table, std::move(step), std::move(done)));
}

void SqliteStore::acknowledge(std::vector<Acknowledgement> acknowledgements) {
  writer_->submit(Op{AcknowledgeOp{std::move(acknowledgements)}});
}

void SqliteStore::pin_identity(RegionId region, NodeId node, PinDone done) {
  writer_->submit(Op{PinOp{region, node, std::move(done), Replaced::nobody}});
}

void SqliteStore::replace_identity(RegionId region, NodeId node, Replaced replaced, PinDone done) {
  writer_->submit(Op{PinOp{region, node, std::move(done), replaced}});
}

void SqliteStore::decide_parked(ParkedDecision decision, ParkedDone done) {
  writer_->submit(Op{ParkedOp{std::move(decision), std::move(done), {}}});
}

void SqliteStore::release_versions(RegionId source, conflict::Hlc until,
                                   std::function<void(bool)> done) {
  writer_->submit(Op{ReleaseOp{source, until, std::move(done)}});
}

ClockReport SqliteStore::clock_report() const { return writer_->engine().shared()->clock(); }
void SqliteStore::barrier(std::vector<TableId> tables, BarrierDone done) {
  writer_->submit(barrier_op(std::move(tables), std::move(done)));
}

void SqliteStore::advance(RegionId source, NodeId source_node, std::vector<rpc::Barrier> barriers,
                          AdvanceDone done) {
  writer_->submit(advance_op(source, source_node, std::move(barriers), std::move(done)));
}

void SqliteStore::adopt_watermarks(rpc::TableWatermarks watermarks,
                                   std::function<void(bool)> done) {
  writer_->submit(adopt_watermarks_op(std::move(watermarks), std::move(done)));
}

void SqliteStore::change_repair(RepairChange change, RepairChangeDone done) {
  writer_->submit(change_repair_op(std::move(change), std::move(done)));
}

void SqliteStore::collect(CollectStep step, CollectDone done) {
  writer_->submit(collect_op(step, std::move(done)));
}

void SqliteStore::repair_rows(rpc::RepairWork work,
                              std::function<void(const rpc::RepairOutcome&)> done) {
  writer_->submit(repair_rows_op(std::move(work), std::move(done)));
}

void SqliteStore::accept_clock() { writer_->submit(Op{AcceptClockOp{}}); }

}  // namespace meridian::store

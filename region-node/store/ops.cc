#include "region-node/store/ops.h"

#include <utility>

#include "region-node/store/engine.h"

namespace meridian::store {

Op create_table_op(TableSpec spec, ControlDone done) {
  return {ControlOp{[spec = std::move(spec)](Engine& engine) { return engine.create_table(spec); },
                    std::move(done), std::nullopt}};
}

Op change_table_op(TableId table, TableChange change, ControlDone done) {
  return {ControlOp{[table, change = std::move(change)](Engine& engine) {
                      return engine.change_table(table, change);
                    },
                    std::move(done), std::nullopt}};
}

Op drop_table_op(TableId table, bool force, ControlDone done) {
  return {ControlOp{[table, force](Engine& engine) { return engine.drop_table(table, force); },
                    std::move(done), std::nullopt}};
}

Op merge_replicas_op(TableId table, std::map<RegionId, ReplicaEntry> entries, ControlDone done) {
  return {ControlOp{[table, entries = std::move(entries)](Engine& engine) {
                      return engine.merge_replicas(table, entries);
                    },
                    std::move(done), std::nullopt}};
}

Op merge_settings_op(TableId table, Settings settings, ControlDone done) {
  return {ControlOp{[table, settings = std::move(settings)](Engine& engine) {
                      return engine.merge_settings(table, settings);
                    },
                    std::move(done), std::nullopt}};
}

Op set_replica_op(TableId table, RegionId region, bool present, ControlDone done) {
  return {ControlOp{[table, region, present](Engine& engine) {
                      return engine.set_replica(table, region, present);
                    },
                    std::move(done), std::nullopt}};
}

Op copy_step_op(TableId table, CopyStep step, ControlDone done) {
  return {ControlOp{[table, step = std::move(step)](Engine& engine) {
                      return engine.copy_step(table, step);
                    },
                    std::move(done), std::nullopt}};
}

Op apply_op(rpc::ReplicationBatch batch, NodeId source_node,
            std::function<void(const rpc::ApplyOutcome&)> done) {
  std::size_t bytes = 0;
  for (const auto& record : batch.records)
    bytes += record.key.size() + (record.new_image ? record.new_image->size() : 0);
  return {ApplyOp{std::move(batch), source_node, std::move(done), bytes, {}}};
}

Op apply_rows_op(rpc::RowsBatch batch, std::function<void(const rpc::RowsOutcome&)> done) {
  std::size_t bytes = 0;
  for (const auto& row : batch.rows) bytes += rpc::payload_bytes(row);
  return {ApplyRowsOp{std::move(batch), std::move(done), bytes, {}}};
}

Op barrier_op(std::vector<TableId> tables, BarrierDone done) {
  auto made = std::make_shared<std::optional<rpc::Barrier>>();
  return {TaskOp{[tables = std::move(tables), made](Engine& engine) {
                   *made = engine.barrier(tables);
                 },
                 [made, done = std::move(done)](bool committed) {
                   done(committed ? std::move(*made) : std::nullopt);
                 }}};
}

Op advance_op(RegionId source, NodeId source_node, std::vector<rpc::Barrier> barriers,
              AdvanceDone done) {
  auto reached = std::make_shared<Reached>();
  return {TaskOp{[source, source_node, barriers = std::move(barriers), reached](Engine& engine) {
                   *reached = engine.advance(source, source_node, barriers);
                 },
                 [reached, done = std::move(done)](bool committed) {
                   done(committed ? std::optional(std::move(*reached)) : std::nullopt);
                 }}};
}

Op adopt_watermarks_op(rpc::TableWatermarks watermarks, std::function<void(bool)> done) {
  auto known = std::make_shared<bool>(false);
  return {TaskOp{[watermarks = std::move(watermarks), known](Engine& engine) {
                   *known = engine.adopt_watermarks(watermarks);
                 },
                 [known, done = std::move(done)](bool committed) { done(committed && *known); }}};
}

Op change_repair_op(RepairChange change, RepairChangeDone done) {
  auto answer = std::make_shared<std::optional<std::vector<LogPosition>>>();
  return {TaskOp{[change = std::move(change), answer](Engine& engine) {
                   *answer = engine.change_repair(change);
                 },
                 [answer, done = std::move(done)](bool committed) {
                   done(committed ? std::move(*answer) : std::nullopt);
                 }}};
}

Op collect_op(CollectStep step, CollectDone done) {
  auto outcome = std::make_shared<CollectOutcome>();
  return {TaskOp{[step, outcome](Engine& engine) { *outcome = engine.collect(step); },
                 [outcome, done = std::move(done)](bool committed) {
                   done(committed ? std::optional(*outcome) : std::nullopt);
                 }}};
}

Op repair_rows_op(rpc::RepairWork work, std::function<void(const rpc::RepairOutcome&)> done) {
  auto outcome = std::make_shared<rpc::RepairOutcome>();
  return {TaskOp{[work = std::move(work), outcome](Engine& engine) mutable {
                   *outcome = engine.repair_rows(work);
                 },
                 [outcome, done = std::move(done)](bool committed) {
                   done(committed ? *outcome : rpc::RepairOutcome{});
                 }}};
}

namespace {

struct Refuse {
  WriteStatus status;

  void operator()(WriteOp& op) const {
    if (op.write.done) op.write.done({status, {}});
  }
  void operator()(ApplyOp& op) const {
    if (op.done) op.done({});
  }
  void operator()(ApplyRowsOp& op) const {
    if (op.done) op.done({});
  }
  void operator()(ControlOp& op) const {
    if (op.done) op.done(Err(ControlError::unavailable));
  }
  void operator()(AcknowledgeOp&) const {}
  void operator()(PinOp& op) const {
    if (op.done) op.done(std::nullopt);
  }
  void operator()(AcceptClockOp&) const {}
  void operator()(ParkedOp& op) const {
    if (op.done) op.done({});
  }
  void operator()(ReleaseOp& op) const {
    if (op.done) op.done(false);
  }
  void operator()(TaskOp& op) const {
    if (op.done) op.done(false);
  }
};

}  // namespace

void refuse(Op& op, WriteStatus status) { std::visit(Refuse{status}, op.work); }

}  // namespace meridian::store

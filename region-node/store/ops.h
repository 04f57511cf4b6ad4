// Op: one piece of work for the engine, with room for its answer until the commit.
//
// Threads: made by whoever submits, moved to the engine's thread, completed there.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "region-node/store/store.h"

namespace meridian::store {

class Engine;

struct WriteOp {
  ItemWrite write;
  WriteResult result;
};

struct ApplyOp {
  rpc::ReplicationBatch batch;
  NodeId source_node;
  std::function<void(const rpc::ApplyOutcome&)> done;
  std::size_t bytes = 0;  // of the batch's keys and images
  rpc::ApplyOutcome outcome;
};

struct ApplyRowsOp {
  rpc::RowsBatch batch;
  std::function<void(const rpc::RowsOutcome&)> done;
  std::size_t bytes = 0;  // of the rows' keys and images
  rpc::RowsOutcome outcome;
};

// A change of the catalog; `run` says what, inside the transaction.
struct ControlOp {
  std::function<ControlResult(Engine&)> run;
  ControlDone done;
  std::optional<ControlResult> result;
};

struct AcknowledgeOp {
  std::vector<Acknowledgement> acknowledgements;
};

struct PinOp {
  RegionId region;
  NodeId node;
  PinDone done;
  Replaced replaced = Replaced::nobody;
  bool pinned = false;
};

struct AcceptClockOp {};

struct ParkedOp {
  ParkedDecision decision;
  ParkedDone done;
  ParkedOutcome outcome;
};

struct ReleaseOp {
  RegionId source;
  conflict::Hlc until;
  std::function<void(bool)> done;
};

// Anything else: `run` works inside the transaction and keeps its answer; `done` hears whether that was
// committed.
struct TaskOp {
  std::function<void(Engine&)> run;
  std::function<void(bool committed)> done;
};

struct Op {
  std::variant<WriteOp, ApplyOp, ApplyRowsOp, ControlOp, AcknowledgeOp, PinOp, AcceptClockOp,
               ParkedOp, ReleaseOp, TaskOp>
      work;
};

Op apply_op(rpc::ReplicationBatch batch, NodeId source_node,
            std::function<void(const rpc::ApplyOutcome&)> done);
Op apply_rows_op(rpc::RowsBatch batch, std::function<void(const rpc::RowsOutcome&)> done);
Op create_table_op(TableSpec spec, ControlDone done);
Op change_table_op(TableId table, TableChange change, ControlDone done);
Op drop_table_op(TableId table, bool force, ControlDone done);
Op merge_replicas_op(TableId table, std::map<RegionId, ReplicaEntry> entries, ControlDone done);
Op merge_settings_op(TableId table, Settings settings, ControlDone done);
Op set_replica_op(TableId table, RegionId region, bool present, ControlDone done);
Op barrier_op(std::vector<TableId> tables, BarrierDone done);
Op advance_op(RegionId source, NodeId source_node, std::vector<rpc::Barrier> barriers,
              AdvanceDone done);
Op change_repair_op(RepairChange change, RepairChangeDone done);
Op collect_op(CollectStep step, CollectDone done);
Op repair_rows_op(rpc::RepairWork work, std::function<void(const rpc::RepairOutcome&)> done);
Op adopt_watermarks_op(rpc::TableWatermarks watermarks, std::function<void(bool)> done);

Op copy_step_op(TableId table, CopyStep step, ControlDone done);

// Answers an op that was not run: the store is shutting down, has failed, or (for writes) is full.
void refuse(Op& op, WriteStatus status = WriteStatus::unavailable);

}  // namespace meridian::store

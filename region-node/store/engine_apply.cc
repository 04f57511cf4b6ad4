#include <algorithm>

#include "conflict/resolver.h"
#include "region-node/model/image.h"
#include "region-node/model/key.h"
#include "region-node/store/cursors.h"
#include "region-node/store/engine.h"
#include "region-node/store/schema.h"

namespace meridian::store {
namespace {

using conflict::Decision;
using rpc::ApplyStatus;

// Whether a batch keeps the protocol, as far as it can be told without the table.
bool well_formed(const rpc::ReplicationBatch& batch) {
  if (batch.to.sequence < batch.from.sequence) return false;
  if (batch.records.size() > rpc::kBatchRecordsMax) return false;
  Sequence before = batch.from.sequence;
  for (const auto& record : batch.records) {
    if (record.sequence <= before || record.sequence > batch.to.sequence) return false;
    if (record.version.region != batch.flow.source || record.key.empty()) return false;
    before = record.sequence;
  }
  return true;
}

// Why a record cannot become an item of this table; empty when it can.
std::optional<std::string> unfit(const TableInfo& info, const rpc::ChangeRecord& record) {
  if (!record.new_image) {
    if (!model::decode_key(info.keys, record.key)) return "the key does not fit the table's schema";
    return std::nullopt;
  }
  if (record.new_image->size() > rpc::kImageBytesMax) return "the image is too large";
  auto item = model::decode_image(*record.new_image);
  if (!item) return "the image cannot be decoded";
  auto key = model::encode_key(info.keys, *item);
  if (!key.ok() || *key != record.key) return "the image's key attributes are not the record's key";
  return std::nullopt;
}

Decision decide_record(const std::optional<StoredItem>& stored, const rpc::ChangeRecord& record,
                       conflict::Hlc horizon) {
  conflict::Candidate incoming{record.version, conflict::kTombstoneHash};
  if (!stored) return conflict::decide(std::nullopt, incoming, horizon);
  conflict::Candidate current{stored->version, conflict::kTombstoneHash};
  if (stored->version == record.version) {  // only then do images matter
    if (record.new_image) incoming.image_hash = model::image_hash(*record.new_image);
    if (stored->image) current.image_hash = model::image_hash(*stored->image);
  }
  return conflict::decide(current, incoming, horizon);
}

}  // namespace

std::optional<ApplyStatus> Engine::refuses_batch(const TableState& table,
                                                 const rpc::ReplicationBatch& batch,
                                                 NodeId source_node) const {
  const RegionId& source = batch.flow.source;
  if (source == options_.region || batch.flow.shard.value >= kShardsMax)
    return ApplyStatus::invalid;
  if (!table.info->has_replica(source) || !table.info->has_replica(options_.region))
    return ApplyStatus::not_member;
  auto known = state_.identities.find(source);
  if (known != state_.identities.end() && known->second != source_node)
    return ApplyStatus::wrong_identity;
  if (!well_formed(batch)) return ApplyStatus::invalid;
  // Where this flow begins is not known before the copy has begun.
  if (table.info->is_copying(options_.region) && table.cursors.count(kCopyCursor) == 0)
    return ApplyStatus::unavailable;
  return std::nullopt;
}

rpc::ApplyOutcome Engine::apply_batch(const rpc::ReplicationBatch& batch, NodeId source_node) {
  rpc::ApplyOutcome outcome;
  TableState* table = state_.find(batch.flow.table);
  if (table == nullptr) {
    outcome.status = ApplyStatus::no_such_table;
    return outcome;
  }
  auto flow = std::pair(batch.flow.source, batch.flow.shard);
  auto known = table->flows.find(flow);
  if (known != table->flows.end()) outcome.position = known->second;
  if (auto refused = refuses_batch(*table, batch, source_node)) {
    outcome.status = *refused;
    return outcome;
  }
  if (batch.from != outcome.position) {
    outcome.status = ApplyStatus::wrong_position;
    return outcome;
  }
  auto beyond = [this](const rpc::ChangeRecord& record) { return held(record.version); };
  if (std::any_of(batch.records.begin(), batch.records.end(), beyond)) {
    hold(batch, outcome);
    return outcome;
  }
  if (table->parked + batch.records.size() > kParkedMax) return outcome;  // unavailable

  begin();
  held_.released(batch.flow);
  pin(batch.flow.source, source_node, Replaced::nobody);
  for (const auto& record : batch.records)
    apply_record(*table, batch.flow, record, table->collected);
  if (batch.to != outcome.position) {
    flows_->save_position(*table, batch.flow, batch.to);
    table->flows[flow] = batch.to;
  }
  outcome.position = batch.to;
  outcome.status = ApplyStatus::applied;
  return outcome;
}

void Engine::apply_record(TableState& table, const rpc::FlowId& flow,
                          const rpc::ChangeRecord& record, conflict::Hlc horizon) {
  // What was released from beyond the bound does not take this clock along.
  if (!guard_.hold_ms(record.version.hlc)) hlc_.observe(record.version.hlc);
  auto stored = items_->find(table, record.key);
  Decision decision = decide_record(stored, record, horizon);
  if (decision == Decision::duplicate) {
    ++health_.records_duplicate;
    return;
  }
  if (decision == Decision::fork_apply || decision == Decision::fork_keep) ++health_.records_forked;
  withdraw_seen(table, record);
  if (!conflict::wins(decision)) {
    if (decision == Decision::stale && stored) list_incoming(table, *stored, record);
    ++health_.records_stale;
    return;
  }
  if (auto reason = unfit(*table.info, record)) {
    stored.reset();
    flows_->park(table, flow, record, *reason);
    ++health_.records_parked;
    return;
  }
  if (stored && decision == Decision::apply) list_stored(table, *stored, record);
  std::optional<BytesView> current;
  if (stored) current = stored->image;
  std::optional<BytesView> image;
  if (record.new_image) image = *record.new_image;
  bool unchanged = image == current;
  std::optional<BytesView> parent;
  if (record.parent) {
    version_scratch_.clear();
    conflict::encode_version(version_scratch_, *record.parent);
    parent = version_scratch_;
  }
  context_scratch_ = record.context.encode();
  ItemChange change{model::shard_of(table.info->keys, record.key, table.info->shards),
                    record.key,
                    record.version,
                    parent,
                    context_scratch_,
                    image,
                    now_us_,
                    unchanged ? 0 : kInStream};
  append(table, std::move(stored), change);
  ++health_.records_applied;
}

// A record that is retried goes the way of one that has just arrived, and may be parked again.
ParkedOutcome Engine::decide_parked(const ParkedDecision& decision) {
  TableState* table = state_.find(decision.table);
  if (table == nullptr) return {ParkedStatus::no_such_table, {}};
  auto parked = flows_->find_parked(*table, decision.key, decision.version);
  if (!parked) return {ParkedStatus::no_such_record, {}};
  bool retry = decision.action == ParkedAction::retry;
  if (retry && held(parked->record.version))
    return {ParkedStatus::held, "its version lies beyond the clock bound"};
  begin();
  flows_->unpark(*table, decision.key, decision.version);
  if (!retry) return {ParkedStatus::discarded, {}};
  const StoreHealth before = health_;
  apply_record(*table, parked->flow, parked->record, table->collected);
  if (health_.records_applied > before.records_applied) {
    // It came long after what its flow brings, as rows from outside of any flow do.
    change_epoch(*table);
    return {ParkedStatus::applied, {}};
  }
  if (health_.records_parked == before.records_parked) return {ParkedStatus::beaten, {}};
  health_.records_parked = before.records_parked;  // it was counted when it arrived
  parked = flows_->find_parked(*table, decision.key, decision.version);
  return {ParkedStatus::still_parked, parked ? parked->reason : std::string()};
}

bool Engine::pin(const RegionId& region, NodeId node, Replaced replaced) {
  if (region == options_.region) return node == node_;
  if (auto known = state_.identities.find(region); known != state_.identities.end()) {
    if (known->second == node) return true;
    bool ended = known->second == kEndedNode;
    if (replaced == Replaced::nobody || (replaced == Replaced::ended && !ended)) return false;
  }
  begin();
  flows_->pin(region, node);
  state_.identities[region] = node;
  return true;
}

}  // namespace meridian::store

// The parts of the Judge that apply records again.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tests/sim/judge.h"

namespace meridian::sim {
namespace {

constexpr std::size_t kReplayBatch = 40;

// Batches of `records`, renumbered to follow `position`, because a sink takes nothing out of place.
rpc::ReplicationBatch batch_after(const rpc::FlowId& flow, LogPosition position,
                                  std::vector<rpc::ChangeRecord> records) {
  rpc::ReplicationBatch batch{flow, position, position, {}};
  if (batch.to.start.value == 0) batch.to.start = StartId(1);
  for (auto& record : records) {
    batch.to.sequence = batch.to.sequence.next();
    record.sequence = batch.to.sequence;
    record.old_image.reset();
    batch.records.push_back(std::move(record));
  }
  return batch;
}

rpc::ApplyStatus apply_now(SimNode& node, const rpc::ReplicationBatch& batch, NodeId source) {
  auto status = rpc::ApplyStatus::invalid;
  node.apply(batch, source,
             [&status](const rpc::ApplyOutcome& outcome) { status = outcome.status; });
  node.commit_now();
  return status;
}

}  // namespace

// By what was in the log, whatever has been trimmed from it since.
void Judge::positions(std::size_t source, std::size_t sink) {
  SimNode& from = *outside_.nodes[source];
  SimNode& to = *outside_.nodes[sink];
  if (!from.up() || !to.up()) return;
  auto here = from.store().catalog()->find(table_);
  auto table = to.store().catalog()->find(table_);
  if (!here || !table || !table->is_whole(to.region())) return;  // what it is to have is on its way
  std::map<Bytes, conflict::Version> there = arrived(sink);
  std::map<ShardId, Sequence> covered;
  std::map<ShardId, Sequence> oldest;
  for (std::uint16_t shard = 0; shard < outside_.shape.regions[source].shards; ++shard) {
    ShardId id(shard);
    auto position = to.reader().flow_position({table_, id, from.region()});
    auto status = from.reader().read_log(table_, id, position, {1, 1}).status;
    // (One in a log that the source has lost says nothing of this one.)
    if (status == rpc::ReadStatus::not_in_history && outside_.forgot(source)) return;
    covered[id] = position.sequence;
    oldest[id] = from.reader().shard_span(table_, id).oldest;
  }
  bool marked = here->repairs.count(to.region()) != 0;
  for (const auto& [version, write] : lineages_.of(table_)) {
    if (version.region != from.region() || write.origin_forgot) continue;
    Sequence position = covered[write.shard];
    if (write.sequence <= position) {
      auto at = there.find(key_of(write.key_number));
      bool has = at != there.end() ? at->second >= version
                                   : version.hlc <= to.reader().collected(table_);
      if (!has)
        add("P11", fmt::format("region {} stands at {} of region {}, shard {}, without {} at {}",
                               sink, position.value, source, write.shard.value,
                               conflict::to_text(version), write.sequence.value));
    } else if (write.sequence < oldest[write.shard] && !marked && !outside_.forgot(sink)) {
      add("P15", fmt::format("region {} has trimmed {} at {}, shard {}, where region {} stands at "
                             "{} and is not to be repaired",
                             source, conflict::to_text(version), write.sequence.value,
                             write.shard.value, sink, position.value));
    }
  }
}

void Judge::replay(EventQueue& queue, SimClock& clock) {
  if (outside_.shape.trims()) return;
  std::vector<std::vector<Logged>> logs(outside_.nodes.size());
  for (std::size_t region = 0; region < logs.size(); ++region)
    for (std::uint16_t shard = 0; shard < outside_.shape.regions[region].shards; ++shard)
      for (auto& record : log(region, ShardId(shard)))
        logs[region].push_back({ShardId(shard), std::move(record)});
  replay_to(rng_.below(logs.size()), logs);
  replay_shuffled(logs, queue, clock);
}

void Judge::replay_to(std::size_t sink, const std::vector<std::vector<Logged>>& logs) {
  SimNode& node = *outside_.nodes[sink];
  node.commit_now();  // what its own upkeep has asked for meanwhile, as collecting, is not of the replay
  auto before = rows(sink);
  std::vector<store::Reader::ShardSpan> spans;
  for (std::uint16_t shard = 0; shard < outside_.shape.regions[sink].shards; ++shard)
    spans.push_back(node.reader().shard_span(table_, ShardId(shard)));
  for (std::size_t source = 0; source < logs.size(); ++source) {
    if (source == sink) continue;
    for (std::size_t at = 0; at < logs[source].size(); at += kReplayBatch) {
      rpc::FlowId flow{table_, logs[source][at].shard, outside_.nodes[source]->region()};
      std::vector<rpc::ChangeRecord> records;
      for (std::size_t i = at; i < std::min(at + kReplayBatch, logs[source].size()); ++i)
        records.push_back(logs[source][i].record);
      auto status =
          apply_now(node, batch_after(flow, node.reader().flow_position(flow), std::move(records)),
                    outside_.node_ids[source]);
      if (status != rpc::ApplyStatus::applied)
        return add("P7", fmt::format("a replay is refused: status {}", static_cast<int>(status)));
    }
  }
  auto after = rows(sink);
  bool equal = before.size() == after.size();
  for (std::size_t i = 0; equal && i < before.size(); ++i)
    equal = before[i].version == after[i].version && before[i].image == after[i].image &&
            before[i].context == after[i].context;
  if (!equal) add("P7", fmt::format("applying everything again changes rows of region {}", sink));
  for (std::uint16_t shard = 0; shard < spans.size(); ++shard)
    if (node.reader().shard_span(table_, ShardId(shard)).end != spans[shard].end)
      add("P7", fmt::format("applying everything again grows the log of region {}", sink));
}

void Judge::replay_shuffled(const std::vector<std::vector<Logged>>& logs, EventQueue& queue,
                            SimClock& clock) {
  Shape shape = plain_shape(outside_.shape.seed, 1);
  SimNode fresh(0, RegionId::of("fresh"), shape, queue, clock, outside_.trace);
  fresh.start();
  store::TableSpec spec;
  spec.id = table_;
  spec.name = "Orders";
  spec.keys = sim_schema();
  spec.replicas[fresh.region()] = {true, {conflict::Hlc{1}, fresh.region()}};
  for (const auto& node : outside_.nodes)
    spec.replicas[node->region()] = {true, {conflict::Hlc{1}, node->region()}};
  fresh.create_table(std::move(spec));

  std::vector<std::pair<std::size_t, const Logged*>> all;
  for (std::size_t source = 0; source < logs.size(); ++source)
    for (const auto& logged : logs[source])
      for (int copies = rng_.percent(20) ? 2 : 1; copies > 0; --copies)
        all.emplace_back(source, &logged);
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[rng_.below(i)]);
  for (std::size_t at = 0; at < all.size(); at += kReplayBatch) {
    std::map<std::size_t, std::vector<rpc::ChangeRecord>> by_source;
    for (std::size_t i = at; i < std::min(at + kReplayBatch, all.size()); ++i)
      by_source[all[i].first].push_back(all[i].second->record);
    for (auto& [source, records] : by_source) {
      rpc::FlowId flow{table_, ShardId(0), outside_.nodes[source]->region()};
      apply_now(fresh, batch_after(flow, fresh.reader().flow_position(flow), std::move(records)),
                outside_.node_ids[source]);
    }
  }
  auto expected = lasting_rows(0);
  auto found = fresh.reader().scan_rows(table_, {}, history_.keys() + 1);
  conflict::Version gone;
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region)
    gone = std::max(gone, horizon(region));
  std::erase_if(found, [&gone](const auto& row) { return !row.image && row.version <= gone; });
  bool equal = found.size() == expected.size();
  for (std::size_t i = 0; equal && i < found.size(); ++i)
    equal = found[i].version == expected[i].version && found[i].image == expected[i].image;
  if (!equal) add("P7", "the same records in another order give other rows");
}

}  // namespace meridian::sim

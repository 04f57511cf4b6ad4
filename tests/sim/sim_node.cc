#include "tests/sim/sim_node.h"

#include <algorithm>

#include "common/check.h"
#include "region-node/copy/table_copy.h"
#include "tests/sim/derived.h"

namespace meridian::sim {
namespace {

// Reads that wait are looked at again this long after a commit, as a busy event loop would.
constexpr std::int64_t kWakeUs = 500;
// An idle writer looks at its clock this often.
constexpr std::int64_t kTickUs = 250'000;

}  // namespace

SimNode::SimNode(std::size_t index, RegionId region, const Shape& shape, EventQueue& queue,
                 SimClock& clock, Trace& trace)
    : index_(index),
      region_(region),
      shape_(shape.regions[index]),
      queue_(queue),
      clock_(clock),
      trace_(trace),
      seed_(shape.seed),
      host_(index, region, shape, clock) {}

void SimNode::start() {
  MERIDIAN_CHECK(!up());
  ++starts_;
  if (!host_.start(starts_)) {
    trace_.note("node {} cannot start, its disk fails", index_);
    host_.crash(disk().dead() ? SimDisk::Loss::unsynced : SimDisk::Loss::nothing);
    return;
  }
  host_.store().on_commit([this, start = starts_] {
    if (start != starts_ || wake_scheduled_) return;
    wake_scheduled_ = true;
    queue_.after(kWakeUs, [this, start] {
      if (start == starts_ && up()) wake_reads();
    });
  });
  trace_.note("node {} up, start {}", index_, starts_);
  tell_committed();
  tick(starts_);
}

// Runs a group; the machine may lose power in the middle of it.
void SimNode::commit() {
  host_.commit();
  if (!disk().dead()) return tell_committed();
  trace_.note("node {} loses power in a commit", index_);
  crash(Crash::power);
  if (on_death_) on_death_();
}

// (What a commit that failed shows may never reach the disk.)
void SimNode::tell_committed() {
  if (on_committed_ && host_.store().health().accepts_writes) on_committed_();
}

void SimNode::tick(std::uint32_t start) {
  queue_.after(kTickUs, [this, start] {
    if (start != starts_ || !up()) return;
    if (!commit_scheduled_) commit();
    if (up()) tick(start);
  });
}

void SimNode::crash(Crash kind) {
  MERIDIAN_CHECK(up());
  if (kind == Crash::after_commit) {
    mute_ = true;
    host_.commit();
    mute_ = false;
  }
  trace_.note("node {} crashes, kind {}", index_, static_cast<int>(kind));
  ++starts_;  // from here on, nothing of this run is heard
  reader_.reset();
  waiting_.clear();
  open_writes_ = 0;
  commit_scheduled_ = false;
  wake_scheduled_ = false;
  bool unsynced_lost = kind == Crash::power || disk().dead();
  host_.crash(unsynced_lost ? SimDisk::Loss::unsynced : SimDisk::Loss::nothing);
}

store::Reader& SimNode::reader() {
  MERIDIAN_CHECK(up());
  if (!reader_) reader_ = host_.store().open_reader();
  return *reader_;
}

std::optional<conflict::Version> SimNode::life_of(const TableId& table, const RegionId& region) {
  auto info = store().catalog()->find(table);
  if (!info || !info->replicas.contains(region)) return std::nullopt;
  return info->replicas.at(region).joined;
}

void SimNode::schedule_commit() {
  if (commit_scheduled_) return;
  commit_scheduled_ = true;
  Rng rng = derived(seed_, Luck::commit, {index_, luck_of(queue_.now_us())});
  std::int64_t after = rng.between(shape_.commit_us_min, shape_.commit_us_max);
  if (rng.percent(shape_.stall_percent)) after = rng.between(after, kStallUsMax);
  queue_.after(after, [this, start = starts_] {
    if (start != starts_ || !up()) return;
    commit_scheduled_ = false;
    commit();
    if (host_.pending()) schedule_commit();
  });
}

void SimNode::commit_now() {
  while (host_.pending()) commit();
}

void SimNode::write(TableId table, Bytes key, std::shared_ptr<store::ItemMutation> mutation,
                    std::function<void(const store::WriteResult&)> answer) {
  store::ItemWrite write{table, std::move(key), std::move(mutation), nullptr};
  ++open_writes_;
  write.done = [this, start = starts_,
                answer = std::move(answer)](const store::WriteResult& result) {
    if (start == starts_) --open_writes_;
    if (hears(start)) answer(result);
  };
  store().write(std::move(write));
  schedule_commit();
}

void SimNode::apply(const rpc::ReplicationBatch& batch, NodeId source_node,
                    std::function<void(const rpc::ApplyOutcome&)> answer) {
  store().apply(
      batch, source_node,
      [this, start = starts_, answer = std::move(answer)](const rpc::ApplyOutcome& outcome) {
        if (hears(start)) answer(outcome);
      });
  schedule_commit();
}

void SimNode::flow_position(const rpc::FlowId& flow,
                            const std::function<void(rpc::ApplyStatus, LogPosition)>& answer) {
  auto table = store().catalog()->find(flow.table);
  if (!table) return answer(rpc::ApplyStatus::no_such_table, {});
  if (!table->has_replica(flow.source)) return answer(rpc::ApplyStatus::not_member, {});
  if (table->is_copying(region_) && !reader().cursor(flow.table, copy::TableCopy::kCursor))
    return answer(rpc::ApplyStatus::unavailable, {});
  answer(rpc::ApplyStatus::applied, reader().flow_position(flow));
}

rpc::CopyOffer SimNode::offer_copy(const rpc::OfferQuestion& question, const RegionId& asker) {
  rpc::CopyOffer offer;
  auto info = store().catalog()->find(question.table);
  if (!info || !info->has_replica(asker) || !info->is_whole(region_) || info->frozen()) {
    offer.status = rpc::RowsStatus::unavailable;
    return offer;
  }
  offer = reader().copy_offer(question);
  for (const auto& [ended, holders] : info->unsettled) offer.unsettled.insert(ended);
  std::erase_if(offer.stands, [&asker](const auto& each) { return each.source == asker; });
  return offer;
}

void SimNode::read_log(const TableId& table, ShardId shard, const RegionId& sink,
                       const LogPosition& after, const store::LogLimits& limits,
                       std::int64_t wait_ms, std::function<void(rpc::LogPage)> answer) {
  std::uint64_t id = next_read_++;
  WaitingRead read{table, shard, sink, after, limits, id, std::move(answer)};
  auto page = look(read);
  if (page || wait_ms == 0) return read.answer(page ? std::move(*page) : whole_page(read));
  waiting_.push_back(std::move(read));
  queue_.after(wait_ms * 1000, [this, start = starts_, id] {
    if (start == starts_ && up()) expire_read(id);
  });
}

rpc::LogPage SimNode::whole_page(const WaitingRead& read) {
  auto info = store().catalog()->find(read.table);
  if (info && info->repairs.count(read.sink) != 0) {
    rpc::LogPage page;
    page.status = rpc::ReadStatus::trimmed;
    page.to = read.after;
    return page;
  }
  return reader().read_log(read.table, read.shard, read.after, read.limits);
}

// Whoever has read to the end of the log needs no look into the file.
bool SimNode::at_end(const WaitingRead& read) {
  auto info = store().catalog()->find(read.table);
  if (!info || info->repairs.count(read.sink) != 0) return false;
  auto ends = store().log_ends(read.table);
  auto end = ends ? ends->end(read.shard) : std::nullopt;
  return end && *end == read.after;
}

// As the peer RPC does: records of other origins are passed over, and do not end the wait.
std::optional<rpc::LogPage> SimNode::look(WaitingRead& read) {
  if (at_end(read)) return std::nullopt;
  while (true) {
    rpc::LogPage page = whole_page(read);
    if (page.status != rpc::ReadStatus::ok || !page.records.empty()) return page;
    bool moved = page.to != read.after;
    read.after = page.to;
    if (!moved || page.to.sequence >= page.end) return std::nullopt;
  }
}

void SimNode::wake_reads() {
  wake_scheduled_ = false;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    auto page = look(*at);
    if (!page) {
      ++at;
      continue;
    }
    auto answer = std::move(at->answer);
    at = waiting_.erase(at);
    answer(std::move(*page));
  }
}

void SimNode::expire_read(std::uint64_t id) {
  for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
    if (at->id != id) continue;
    WaitingRead read = std::move(*at);
    waiting_.erase(at);
    return read.answer(whole_page(read));
  }
}

void SimNode::acknowledge(store::Acknowledgement acknowledgement) {
  store().acknowledge({std::move(acknowledgement)});
  schedule_commit();
}

void SimNode::barrier(std::vector<TableId> tables,
                      std::function<void(const rpc::Barrier&)> answer) {
  using Made = std::optional<rpc::Barrier>;
  store().barrier(std::move(tables),
                  hearing<Made>([this, answer = std::move(answer)](const Made& made) {
                    if (!made) return;
                    told_barrier_ = std::max(told_barrier_, made->time);
                    answer(*made);
                  }));
  schedule_commit();
}

void SimNode::advance(RegionId source, NodeId source_node, std::vector<rpc::Barrier> barriers,
                      std::function<void(const store::Reached&)> answer) {
  using Reached = std::optional<store::Reached>;
  store().advance(source, source_node, std::move(barriers),
                  hearing<Reached>([answer = std::move(answer)](const Reached& reached) {
                    if (reached) answer(*reached);
                  }));
  schedule_commit();
}

void SimNode::create_table(store::TableSpec spec) {
  bool made = false;
  store().create_table(std::move(spec),
                       [&made](const store::ControlResult& result) { made = result.ok(); });
  commit_now();
  MERIDIAN_CHECK(made);
}

}  // namespace meridian::sim

#include "tests/sim/flow_driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "conflict/clock_guard.h"

namespace meridian::sim {
namespace {

// Longer than a commit takes, with all its stalls.
constexpr std::int64_t kCommitUsMax = 1'000'000;

// The clock guard holds what lies beyond the sink's clock and the bound.  What is answered now was
// decided when its group began, by the clock of then.
void check_bound(const rpc::ReplicationBatch& batch, SimNode& sink, Findings& findings) {
  if (sink.store().health().clock_stepped) return;  // then it goes by another time
  if (sink.clock().steady_us() < kCommitUsMax) return;
  std::int64_t latest_ms = sink.clock().wall_ms() + conflict::ClockGuard::kDriftMaxMsDefault;
  auto released = sink.store().clock_report().released;
  for (const auto& record : batch.records)
    if (record.version.hlc.physical_ms() > latest_ms &&
        released[batch.flow.source] < record.version.hlc)
      findings.add("P6", fmt::format("{} is applied {} ms beyond the bound",
                                     conflict::to_text(record.version),
                                     record.version.hlc.physical_ms() - latest_ms));
}

}  // namespace

using replicator::Failure;

FlowDriver::FlowDriver(std::size_t source, SimReplicator::FlowKey key, Outside& outside,
                       SimReplicator& owner, Rng rng)
    : source_(source),
      key_(key),
      outside_(outside),
      owner_(owner),
      rng_(rng),
      flow_{outside.tables[key.table], ShardId(key.shard), outside.nodes[source]->region()},
      pump_(flow_, outside.nodes[key.sink]->region(), outside.shape.pump, rng_) {}

void FlowDriver::start(std::optional<LogPosition> checkpoint) {
  perform(pump_.start(checkpoint, now_ms()));
}

void FlowDriver::stop() {
  // Only what is to be saved can still be done; its answers would find nobody.
  for (auto& action : pump_.stop())
    if (const auto* save = std::get_if<replicator::SaveCheckpoint>(&action)) perform(*save);
}

std::string FlowDriver::state() const {
  return fmt::format("flow {}/{}/{}->{} {} at {} {}", source_, key_.table, key_.shard, key_.sink,
                     replicator::flow_state_name(pump_.state()),
                     pump_.acknowledged().sequence.value, pump_.reason());
}

void FlowDriver::perform(replicator::Actions actions) {
  for (auto& action : actions) std::visit([this](auto& one) { perform(one); }, action);
  check_window();
}

void FlowDriver::expect(RequestId id, std::int64_t deadline_ms) {
  awaited_.insert(id);
  outside_.queue.after(deadline_ms * 1000, [weak = weak_from_this(), id] {
    auto self = weak.lock();
    if (self && self->awaited_.contains(id)) self->fail(id, Failure::timed_out);
  });
}

void FlowDriver::fail(RequestId id, Failure failure) {
  if (!answered(id)) return;
  outside_.trace.note("flow {}/{}->{} request {} fails {}", source_, key_.shard, key_.sink, id,
                      static_cast<int>(failure));
  perform(pump_.on_failure(id, failure, now_ms()));
}

// A process that is down: its machine may still say so, or may be silent.
void FlowDriver::refuse(RequestId id) {
  Rng rng = derived(outside_.shape.seed, Luck::refusal, {source_, key_.sink, luck_of(now_ms())});
  if (rng.percent(50)) return;
  outside_.queue.after(1'000, [weak = weak_from_this(), id] {
    if (auto self = weak.lock()) self->fail(id, Failure::disconnected);
  });
}

void FlowDriver::perform(const replicator::AskPosition& ask) {
  RequestId id = ask.id;
  expect(id, outside_.shape.request_deadline_ms);
  outside_.network.send(source_, key_.sink, [weak = weak_from_this(), id] {
    auto self = weak.lock();
    if (!self) return;
    if (!self->sink_node().up()) return self->refuse(id);
    self->sink_node().flow_position(
        self->flow_, [&](rpc::ApplyStatus status, LogPosition position) {
          self->outside_.network.send(self->key_.sink, self->source_, [weak, id, status, position] {
            auto asker = weak.lock();
            if (!asker) return;
            asker->awaited_.erase(id);
            asker->outside_.trace.note("flow {}/{}->{} position {} status {}", asker->source_,
                                       asker->key_.shard, asker->key_.sink, position.sequence.value,
                                       static_cast<int>(status));
            asker->perform(asker->pump_.on_position(id, status, position, asker->now_ms()));
          });
        });
  });
}

void FlowDriver::perform(const replicator::ReadLog& read) {
  outside_.network.open(source_, key_.sink, [weak = weak_from_this(), read] {
    if (auto self = weak.lock()) self->read_now(read);
  });
}

void FlowDriver::read_now(const replicator::ReadLog& read) {
  RequestId id = read.id;
  expect(id, read.wait_ms + outside_.shape.request_deadline_ms);
  outside_.network.send(source_, source_, [weak = weak_from_this(), read] {
    auto self = weak.lock();
    if (!self) return;
    if (!self->source_node().up()) return self->refuse(read.id);
    store::LogLimits limits{read.records_max, read.bytes_max};
    self->source_node().read_log(
        self->flow_.table, self->flow_.shard, self->sink_node().region(), read.after, limits,
        read.wait_ms,
        [weak, id = read.id](rpc::LogPage page) {
          auto reader = weak.lock();
          if (!reader) return;
          reader->awaited_.erase(id);
          reader->outside_.trace.note("flow {}/{}->{} read {} records to {}", reader->source_,
                                      reader->key_.shard, reader->key_.sink, page.records.size(),
                                      page.to.sequence.value);
          SimNode& node = reader->source_node();
          std::int64_t read_us = node.up() ? node.clock().wall_us() : 0;
          reader->perform(reader->pump_.on_page(id, std::move(page), reader->now_ms(), read_us));
        });
  });
}

void FlowDriver::check_batch(const rpc::ReplicationBatch& batch) {
  Sequence last = batch.from.sequence;
  for (const auto& record : batch.records) {
    if (record.version.region != flow_.source)
      outside_.findings.add(
          "P10", fmt::format("region {} ships a write of {}: {}", source_,
                             record.version.region.name(), conflict::to_text(record.version)));
    if (record.sequence <= last || record.sequence > batch.to.sequence)
      outside_.findings.add("P9", fmt::format("batch of region {} is out of order", source_));
    last = record.sequence;
  }
}

void FlowDriver::perform(replicator::ShipBatch& ship) {
  check_batch(ship.batch);
  RequestId id = ship.id;
  newest_bytes_ = 0;
  for (const auto& record : ship.batch.records)
    newest_bytes_ += record.new_image ? record.new_image->size() : 0;
  auto held = std::make_shared<rpc::ReplicationBatch>(std::move(ship.batch));
  outside_.network.open(source_, key_.sink, [weak = weak_from_this(), id, held] {
    if (auto self = weak.lock()) self->ship_now(id, std::move(*held));
  });
}

void FlowDriver::ship_now(RequestId id, rpc::ReplicationBatch ready) {
  expect(id, outside_.shape.request_deadline_ms);
  outside_.trace.note("flow {}/{}->{} ships {} records ({}, {}]", source_, key_.shard, key_.sink,
                      ready.records.size(), ready.from.sequence.value, ready.to.sequence.value);
  auto batch = std::make_shared<const rpc::ReplicationBatch>(std::move(ready));
  // What is on the wire arrives whether or not its sender still lives.
  outside_.network.send(
      source_, key_.sink,
      [weak = weak_from_this(), outside = &outside_, batch, id, source = source_, sink = key_.sink,
       own = outside_.node_ids[source_]] {
        SimNode& node = *outside->nodes[sink];
        if (outside->node_ids[source] != own) return;  // its connection has gone with the node
        if (!node.up()) {
          if (auto self = weak.lock()) self->refuse(id);
          return;
        }
        auto answer = [weak, outside, batch, id, source, sink](const rpc::ApplyOutcome& outcome) {
          if (outcome.status == rpc::ApplyStatus::applied)
            check_bound(*batch, *outside->nodes[sink], outside->findings);
          outside->trace.note("region {} answers a batch of {}: status {} position {}", sink,
                              source, static_cast<int>(outcome.status),
                              outcome.position.sequence.value);
          outside->network.send(sink, source, [weak, id, outcome] {
            auto self = weak.lock();
            if (!self) return;
            self->awaited_.erase(id);
            self->perform(self->pump_.on_outcome(id, outcome, self->now_ms()));
          });
        };
        node.apply(*batch, own, std::move(answer));
      });
}

void FlowDriver::perform(const replicator::SaveCheckpoint& save) {
  if (sink_node().up()) {
    LogPosition durable = sink_node().reader().flow_position(flow_);
    bool forgot = outside_.forgot(source_) || outside_.forgot(key_.sink);
    if (durable.sequence < save.position.sequence && !forgot)
      outside_.findings.add("P11",
                            fmt::format("{}: checkpoint {} but the sink holds {}", state(),
                                        save.position.sequence.value, durable.sequence.value));
  }
  owner_.save(key_, save.position);
  outside_.trace.note("flow {}/{}->{} saves {}", source_, key_.shard, key_.sink,
                      save.position.sequence.value);
}

void FlowDriver::perform(const replicator::SetTimer& timer) {
  std::uint64_t number = ++timer_;
  outside_.queue.at(timer.at_ms * 1000, [weak = weak_from_this(), number] {
    auto self = weak.lock();
    if (self && self->timer_ == number) self->perform(self->pump_.on_timer(self->now_ms()));
  });
}

void FlowDriver::perform(const replicator::RecordsVisible& visible) {
  outside_.trace.note("flow {}/{}->{} {} records visible", source_, key_.shard, key_.sink,
                      visible.committed_us.size());
}

void FlowDriver::perform(const replicator::ProbeVisible&) {
  outside_.trace.note("flow {}/{}->{} probe visible", source_, key_.shard, key_.sink);
}

void FlowDriver::check_window() {
  const auto& limits = outside_.shape.pump;
  // One more: an empty range that moves the position along while a read is under way.
  bool too_many = pump_.in_flight_batches() > limits.window_batches_max + 1;
  // Pump and store count a record's fixed part differently; one record may exceed a batch alone.
  constexpr std::size_t kSlackBytes = 4'096;
  std::size_t most =
      std::max(limits.window_bytes_max, limits.batch_bytes_max) + newest_bytes_ + kSlackBytes;
  bool too_large = pump_.in_flight_bytes() > most && pump_.in_flight_batches() > 1;
  if (too_many || too_large)
    outside_.findings.add("limit", fmt::format("{}: {} batches, {} bytes in flight", state(),
                                               pump_.in_flight_batches(), pump_.in_flight_bytes()));
}

}  // namespace meridian::sim

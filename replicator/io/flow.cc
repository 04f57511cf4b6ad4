#include "replicator/io/flow.h"

#include <algorithm>
#include <variant>

#include "rpc/codec.h"
#include "rpc/kj_log.h"

namespace meridian::replicator {
namespace {

namespace wire = rpc::wire;

constexpr std::int64_t kBudgetRetryMs = 5;

Failure failure_of(const kj::Exception& failure) {
  switch (failure.getType()) {
    case kj::Exception::Type::DISCONNECTED: return Failure::disconnected;
    case kj::Exception::Type::OVERLOADED: return Failure::timed_out;
    default: return Failure::refused;
  }
}

}  // namespace

Flow::Flow(FlowWorld world, rpc::FlowId id, std::string table_name, PumpLimits limits,
           std::shared_ptr<LinkLag> lag)
    : world_(std::move(world)),
      id_(id),
      table_name_(std::move(table_name)),
      lag_(std::move(lag)),
      pump_(id, world_.sink.region, limits, world_.rng),
      tasks_(*this) {}

Flow::~Flow() { world_.sink.in_flight_bytes -= accounted_bytes_; }

void Flow::start(std::optional<LogPosition> checkpoint) {
  perform(pump_.start(checkpoint, now_ms()));
}

void Flow::stop() { perform(pump_.stop()); }

void Flow::link_up() { perform(pump_.on_link_up(now_ms())); }

// ------------------------------------------------------------------------------------------ actions

void Flow::perform(Actions actions) {
  account();
  note_state();
  for (auto& action : actions) std::visit([this](auto& one) { perform(one); }, action);
}

void Flow::account() {
  world_.sink.in_flight_bytes += pump_.in_flight_bytes();
  world_.sink.in_flight_bytes -= accounted_bytes_;
  accounted_bytes_ = pump_.in_flight_bytes();
  if (figures_fresh()) backlog_.reset();
}

void Flow::note_state() {
  auto state = pump_.state();
  if (state == noted_state_) return;
  bool trouble = state == FlowState::repair_needed || state == FlowState::held;
  if (state == FlowState::repair_needed) {
    world_.log.error("flow_needs_repair", "table={} shard={} sink={} reason=\"{}\"", table_name_,
                     id_.shard.value, world_.sink.region.name(), pump_.reason());
  } else if (trouble) {
    world_.log.warn("flow_held", "table={} shard={} sink={} reason=\"{}\"", table_name_,
                    id_.shard.value, world_.sink.region.name(), pump_.reason());
  } else {
    world_.log.debug("flow_state", "table={} shard={} sink={} state={} reason=\"{}\"", table_name_,
                     id_.shard.value, world_.sink.region.name(), flow_state_name(state),
                     pump_.reason());
  }
  noted_state_ = state;
}

void Flow::perform(const AskPosition& ask) {
  using Answer = capnp::Response<wire::Region::FlowPositionResults>;
  auto answered = world_.sink.session->call([this](wire::Region::Client& client) {
    auto request = client.flowPositionRequest();
    rpc::write_flow(id_, request.initFlow());
    return kj::Promise<Answer>(request.send());
  });
  struct Position {
    rpc::ApplyStatus status;
    LogPosition position;
  };
  tasks_.add(
      answered
          .then([](Answer&& answer) {
            return Position{rpc::read_apply_status(answer.getStatus()),
                            rpc::read_position(answer.getPosition())};
          })
          .then(
              [this, id = ask.id](Position said) {
                perform(pump_.on_position(id, said.status, said.position, now_ms()));
              },
              [this, id = ask.id](kj::Exception&& failure) { failed(id, kj::mv(failure)); }));
}

void Flow::perform(const ReadLog& read) {
  if (world_.sink.faults->paused()) {
    tasks_.add(world_.sink.faults->until_not_paused().then([this, read] { perform(read); }));
    return;
  }
  if (world_.sink.in_flight_bytes < SinkLink::kBytesMax) {
    send_read(read);
    return;
  }
  tasks_.add(world_.timer.afterDelay(kBudgetRetryMs * kj::MILLISECONDS).then([this, read] {
    perform(read);
  }));
}

void Flow::send_read(const ReadLog& read) {
  auto page = world_.reads->read(id_.shard, read);
  tasks_.add(page.then(
      [this, id = read.id](ReadPage found) {
        read_once_ = read_once_ || found.page.status == rpc::ReadStatus::ok;
        perform(pump_.on_page(id, std::move(found.page), now_ms(), found.read_us));
      },
      [this, id = read.id](kj::Exception&& failure) { failed(id, kj::mv(failure)); }));
}

void Flow::perform(ShipBatch& ship) {
  auto outcome = world_.sink.sender->send(std::move(ship.batch));
  tasks_.add(outcome.then(
      [this, id = ship.id](rpc::ApplyOutcome said) {
        perform(pump_.on_outcome(id, said, now_ms()));
      },
      [this, id = ship.id](kj::Exception&& failure) { failed(id, kj::mv(failure)); }));
}

void Flow::perform(const SaveCheckpoint& save) {
  world_.acknowledged(id_, world_.sink.region, save.position);
}

void Flow::perform(const SetTimer& timer) {
  auto delay_ms = std::max<std::int64_t>(timer.at_ms - now_ms(), 0);
  tasks_.add(
      world_.timer.afterDelay(delay_ms * kj::MILLISECONDS).then([this, number = ++timer_number_] {
        if (number == timer_number_) perform(pump_.on_timer(now_ms()));
      }));
}

// Both clocks are brought to this process's: what is left is the time between the two moments.
std::int64_t Flow::between_us(std::int64_t committed_us, std::int64_t visible_us) const {
  auto sink_offset_us = world_.sink.session->figures().clock_offset_us.value_or(0);
  auto source_offset_us = world_.source.figures().clock_offset_us.value_or(0);
  auto between_us = (visible_us - sink_offset_us) - (committed_us - source_offset_us);
  return std::max<std::int64_t>(between_us, 0);
}

void Flow::perform(const RecordsVisible& visible) {
  for (auto committed_us : visible.committed_us)
    lag_->on_record(committed_us, between_us(committed_us, visible.visible_us), now_ms());
}

void Flow::perform(const ProbeVisible& probe) {
  lag_->on_probe(probe.read_us, between_us(probe.read_us, probe.visible_us), now_ms());
}

void Flow::failed(RequestId id, kj::Exception&& failure) {
  world_.log.debug("flow_request_failed", "table={} shard={} sink={} reason=\"{}\"", table_name_,
                   id_.shard.value, world_.sink.region.name(), rpc::describe(failure));
  if (!world_.source.connected()) read_once_ = false;
  perform(pump_.on_failure(id, failure_of(failure), now_ms()));
}

void Flow::taskFailed(kj::Exception&& failure) {
  world_.log.error("flow_task_failed", "table={} shard={} sink={} reason=\"{}\"", table_name_,
                   id_.shard.value, world_.sink.region.name(), rpc::describe(failure));
}

// ------------------------------------------------------------------------------------------ figures

bool Flow::figures_fresh() const {
  return read_once_ &&
         (pump_.state() == FlowState::running || pump_.state() == FlowState::waiting) &&
         world_.source.connected() && !world_.sink.faults->paused();
}

rpc::BacklogQuery Flow::backlog_query() const { return {id_.table, id_.shard, world_.sink.region}; }

void Flow::on_backlog(const rpc::BacklogAnswer& backlog) {
  if (!figures_fresh()) backlog_ = backlog;
}

Pending Flow::pending() const {
  Pending out;
  if (backlog_) {
    out.records = backlog_->pending_records;
    out.bytes = backlog_->pending_bytes;
    out.oldest_us = backlog_->oldest_us;
  } else {
    // After a failed read only what was read before is known: the oldest of it goes on ageing.
    if (read_once_) out.records = pump_.pending_records();
    if (out.records == 0u) out.bytes = 0;
    out.oldest_us = pump_.oldest_unacknowledged_us();
  }
  if (!world_.source.connected()) {
    out.records.reset();
    out.bytes.reset();
  }
  if (out.oldest_us) {
    auto offset_us = world_.source.figures().clock_offset_us.value_or(0);
    auto age_us = world_.clock.wall_us() + offset_us - *out.oldest_us;
    out.oldest_ms = std::max<std::int64_t>(age_us / 1000, 0);
  }
  return out;
}

FlowStatus Flow::status() const {
  FlowStatus out;
  out.table = id_.table;
  out.table_name = table_name_;
  out.shard = id_.shard;
  out.sink = world_.sink.region;
  out.state = pump_.state();
  out.reason = pump_.reason();
  out.pending = pending();
  out.acknowledged = pump_.acknowledged();
  out.restarts = pump_.restarts();
  out.records_shipped = pump_.records_shipped();
  out.records_acknowledged = pump_.records_acknowledged();
  out.records_collapsed = pump_.records_collapsed();
  out.bytes_collapsed = pump_.bytes_collapsed();
  out.in_flight_batches = pump_.in_flight_batches();
  out.in_flight_bytes = pump_.in_flight_bytes();
  return out;
}

}  // namespace meridian::replicator

#include "replicator/io/heartbeat.h"

#include "rpc/codec.h"
#include "rpc/kj_log.h"

namespace meridian::replicator {

namespace wire = rpc::wire;

namespace {

bool knows_barriers(const rpc::Session& session) {
  return session.connected() && session.peer() &&
         session.peer()->protocol >= rpc::kProtocolWithBarriers;
}

}  // namespace

Heartbeat::Heartbeat(rpc::Session& source, kj::Timer& timer, const Logger& log)
    : source_(source), timer_(timer), log_(log), tasks_(*this) {
  tasks_.add(take_for_ever());
}

void Heartbeat::add_sink(const RegionId& region, rpc::Session& session) {
  tasks_.add(carry_for_ever(region, session));
}

kj::Promise<void> Heartbeat::take_for_ever() {
  return timer_.afterDelay(kBeatMs * kj::MILLISECONDS)
      .then([this] { return take(); })
      .catch_([this](kj::Exception&& failure) {
        log_.debug("no_barrier", "reason=\"{}\"", rpc::describe(failure));
      })
      .then([this] { return take_for_ever(); });
}

kj::Promise<void> Heartbeat::take() {
  using Answer = capnp::Response<wire::Region::BarrierResults>;
  if (!knows_barriers(source_)) return kj::READY_NOW;
  auto tables = beats_.wanted();
  if (tables.empty()) return kj::READY_NOW;
  return source_
      .call([&tables](wire::Region::Client& client) {
        auto request = client.barrierRequest();
        rpc::write_table_ids(tables, request.initTables(static_cast<unsigned>(tables.size())));
        return kj::Promise<Answer>(request.send());
      })
      .then([this, tables](Answer&& answer) {
        beats_.on_barrier(rpc::read_barrier(answer.getBarrier()), tables);
      });
}

kj::Promise<void> Heartbeat::carry_for_ever(RegionId region, rpc::Session& session) {
  return timer_.afterDelay(kBeatMs * kj::MILLISECONDS)
      .then([this, region, &session] { return carry(region, session); })
      .catch_([this, region](kj::Exception&& failure) {
        log_.debug("barriers_not_carried", "sink={} reason=\"{}\"", region.name(),
                   rpc::describe(failure));
      })
      .then([this, region, &session] { return carry_for_ever(region, session); });
}

kj::Promise<void> Heartbeat::carry(const RegionId& region, rpc::Session& session) {
  using Answer = capnp::Response<wire::Region::AdvanceResults>;
  if (!knows_barriers(session)) return kj::READY_NOW;
  auto offered = beats_.offer(region);
  if (offered.empty()) return kj::READY_NOW;
  auto answered = session.call([&offered](wire::Region::Client& client) {
    auto request = client.advanceRequest();
    rpc::write_barriers(offered, request);
    return kj::Promise<Answer>(request.send());
  });
  return answered.then([this, region, offered = std::move(offered)](Answer&& answer) {
    beats_.on_reached(region, offered, rpc::read_reached(answer.getReached()));
  });
}

void Heartbeat::taskFailed(kj::Exception&& failure) {
  log_.error("heartbeat_failed", "reason=\"{}\"", rpc::describe(failure));
}

}  // namespace meridian::replicator

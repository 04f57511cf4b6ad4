#include "replicator/io/topology.h"

#include "rpc/codec.h"
#include "rpc/kj_log.h"

namespace meridian::replicator {

kj::Promise<void> Topology::watch() {
  return ask()
      .catch_([this](kj::Exception&& failure) {
        // The session reports its own losses; anything else deserves a word.
        if (failure.getType() != kj::Exception::Type::DISCONNECTED)
          log_.warn("topology_unknown", "reason=\"{}\"", rpc::describe(failure));
        return timer_.afterDelay(kRetryMs * kj::MILLISECONDS);
      })
      .then([this] { return watch(); });
}

kj::Promise<void> Topology::ask() {
  using Answer = capnp::Response<rpc::wire::Region::ReplicatedTablesResults>;
  return source_
      .call(
          [this](rpc::wire::Region::Client& client) {
            auto request = client.replicatedTablesRequest();
            request.setGeneration(generation_);
            request.setWaitMs(kWaitMs);
            return kj::Promise<Answer>(request.send());
          },
          kWaitMs)
      .then([this](Answer&& answer) {
        auto tables = rpc::read_tables(answer);
        if (tables.generation == generation_) return;
        generation_ = tables.generation;
        changed_(tables);
      });
}

}  // namespace meridian::replicator

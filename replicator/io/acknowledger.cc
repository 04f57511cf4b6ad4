#include "replicator/io/acknowledger.h"

#include <vector>

#include "rpc/codec.h"
#include "rpc/kj_log.h"

namespace meridian::replicator {

void Acknowledger::add(const rpc::Acknowledgement& acknowledgement) {
  Key key{acknowledgement.table, acknowledgement.shard, acknowledgement.sink};
  entries_[key] = {acknowledgement.position, false};
  schedule();
}

void Acknowledger::forget(const TableId& table, ShardId shard, const RegionId& sink) {
  entries_.erase(Key{table, shard, sink});
}

void Acknowledger::repeat_all() {
  for (auto& [key, entry] : entries_) entry.told = false;
  schedule();
}

void Acknowledger::schedule() {
  if (scheduled_) return;
  scheduled_ = true;
  tasks_.add(timer_.afterDelay(kFlushMs * kj::MILLISECONDS).then([this] {
    scheduled_ = false;
    return flush();
  }));
}

kj::Promise<void> Acknowledger::flush() {
  std::vector<rpc::Acknowledgement> batch;
  for (auto& [key, entry] : entries_) {
    if (entry.told || batch.size() >= rpc::kAcknowledgementsMax) continue;
    entry.told = true;
    batch.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), entry.position});
  }
  if (batch.empty()) return kj::READY_NOW;
  return source_
      .call([&batch](rpc::wire::Region::Client& client) {
        auto request = client.acknowledgeRequest();
        rpc::write_acknowledgements(batch, request);
        return kj::Promise<capnp::Response<rpc::wire::Region::AcknowledgeResults>>(request.send());
      })
      .then([](capnp::Response<rpc::wire::Region::AcknowledgeResults>&&) {},
            [this, batch = std::move(batch)](kj::Exception&& failure) {
              log_.debug("acknowledge_failed", "reason=\"{}\"", rpc::describe(failure));
              for (const auto& item : batch) {
                auto at = entries_.find(Key{item.table, item.shard, item.sink});
                if (at != entries_.end()) at->second.told = false;
              }
              // While disconnected the reconnect repeats everything anyway.
              if (source_.connected()) schedule();
            });
}

void Acknowledger::taskFailed(kj::Exception&& failure) {
  log_.error("acknowledger_failed", "reason=\"{}\"", rpc::describe(failure));
}

}  // namespace meridian::replicator

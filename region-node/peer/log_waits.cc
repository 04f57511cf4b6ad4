#include "region-node/peer/log_waits.h"

#include <vector>

namespace meridian::peer {

kj::Promise<void> LogWaits::wait(const TableId& table, ShardId shard, Sequence seen_end) {
  auto pair = kj::newPromiseAndFulfiller<void>();
  waiters_[{table, shard}].push_back({seen_end, kj::mv(pair.fulfiller)});
  return kj::mv(pair.promise);
}

void LogWaits::wake_grown() {
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    auto& waiters = at->second;
    std::erase_if(waiters, [](Waiter& waiter) { return !waiter.fulfiller->isWaiting(); });
    if (!waiters.empty()) {
      auto end = reader_.shard_span(at->first.first, at->first.second).end;
      std::erase_if(waiters, [end](Waiter& waiter) {
        if (waiter.seen_end == end) return false;
        waiter.fulfiller->fulfill();
        return true;
      });
    }
    at = waiters.empty() ? waiters_.erase(at) : std::next(at);
  }
}

void LogWaits::wake_all() {
  auto woken = std::exchange(waiters_, {});
  for (auto& [shard, waiters] : woken)
    for (auto& waiter : waiters) waiter.fulfiller->fulfill();
}

}  // namespace meridian::peer

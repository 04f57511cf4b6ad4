#include "region-node/peer/log_waits.h"

#include <algorithm>
#include <utility>

namespace meridian::peer {

kj::Promise<void> LogWaits::wait(std::vector<LogWatch> watches) {
  auto pair = kj::newPromiseAndFulfiller<void>();
  waiters_.push_back({std::move(watches), kj::mv(pair.fulfiller)});
  return kj::mv(pair.promise);
}

void LogWaits::wake_grown() {
  std::erase_if(waiters_, [](Waiter& waiter) {
    if (!waiter.fulfiller->isWaiting()) return true;
    bool grown = std::any_of(waiter.watches.begin(), waiter.watches.end(),
                             [](const LogWatch& watch) { return watch.grown(); });
    if (grown) waiter.fulfiller->fulfill();
    return grown;
  });
}

void LogWaits::wake_all() {
  for (auto& waiter : std::exchange(waiters_, {})) waiter.fulfiller->fulfill();
}

}  // namespace meridian::peer

// LogWaits: who waits for the next record of which log shards.
//
// A commit wakes only the waiters of a shard that has grown; looking costs a comparison for each shard
// that is waited for, and no reading.
// Threads: the KJ thread.
#pragma once

#include <kj/async.h>

#include <optional>
#include <vector>

#include "region-node/store/log_ends.h"

namespace meridian::peer {

// A shard, and where its log ended when it was looked at.
struct LogWatch {
  store::LogEndsPtr ends;
  ShardId shard;
  std::optional<LogPosition> seen;

  [[nodiscard]] bool grown() const { return ends->end(shard) != seen; }
};

class LogWaits {
 public:
  // Resolves when any of the shards ends elsewhere than it was seen to.  Dropping it is fine.
  kj::Promise<void> wait(std::vector<LogWatch> watches);
  // After a commit.
  void wake_grown();
  // After a change of the catalog, when a shard may be gone.
  void wake_all();

 private:
  struct Waiter {
    std::vector<LogWatch> watches;
    kj::Own<kj::PromiseFulfiller<void>> fulfiller;
  };
  std::vector<Waiter> waiters_;
};

}  // namespace meridian::peer

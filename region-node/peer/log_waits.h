// LogWaits: who waits for the next record of which log shard.
//
// A commit wakes only the waiters whose shard has grown since they looked; the store tells nothing
// more than that there was a commit, and asking for the end of a shard is cheaper than reading it.
// Threads: the KJ thread.  Borrows: the reader, shared with the server.
#pragma once

#include <kj/async.h>

#include <map>
#include <utility>
#include <vector>

#include "region-node/store/store.h"

namespace meridian::peer {

class LogWaits {
 public:
  explicit LogWaits(store::Reader& reader) : reader_(reader) {}

  // Resolves when the shard's newest sequence is no longer `seen_end`.  Dropping it is fine.
  kj::Promise<void> wait(const TableId& table, ShardId shard, Sequence seen_end);
  // After a commit.
  void wake_grown();
  // After a change of the catalog, when a shard may be gone.
  void wake_all();

 private:
  struct Waiter {
    Sequence seen_end;
    kj::Own<kj::PromiseFulfiller<void>> fulfiller;
  };
  store::Reader& reader_;
  std::map<std::pair<TableId, ShardId>, std::vector<Waiter>> waiters_;
};

}  // namespace meridian::peer

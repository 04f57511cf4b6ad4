// RowReader: a thread that reads many rows for those who must not stop for it.
//
// Comparing a table reads all of it; the KJ thread, which replicates, only asks and is told.
// Threads: read() and stop() on the KJ thread; the work on a thread of its own, one after the other.
// Owns: the thread, its Reader.
// Errors: what the work throws is logged, and rejects its promise.
// Limits: a question at a time for each walk and each peer that asks.
#pragma once

#include <kj/async.h>

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <thread>

#include "common/log.h"
#include "common/mailbox.h"
#include "region-node/store/store.h"
#include "rpc/completions.h"

namespace meridian::peer {

class RowReader {
 public:
  RowReader(store::Store& store, std::shared_ptr<rpc::KjMailbox> mailbox, Logger log);
  ~RowReader();
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;

  // Answers what `work(reader)` answers.
  template <typename Work, typename T = std::invoke_result_t<Work, store::Reader&>>
  kj::Promise<T> read(Work work) {
    auto result = std::make_shared<std::optional<T>>();
    auto pending = done_.open();
    post([result, work = std::move(work)](store::Reader& reader) { *result = work(reader); },
         std::move(pending.answer));
    return pending.promise.then([result](bool done) -> T {
      if (!done || !*result) kj::throwFatalException(KJ_EXCEPTION(FAILED, "rows cannot be read"));
      return std::move(**result);
    });
  }

 private:
  struct Task {
    std::function<void(store::Reader&)> work;
    std::function<void(bool)> done;
  };
  void post(std::function<void(store::Reader&)> work, std::function<void(bool)> done);
  void run();

  store::Store& store_;
  const Logger log_;
  rpc::Completions<bool> done_;
  Mailbox<Task> tasks_{std::numeric_limits<std::size_t>::max()};
  std::thread thread_;
};

}  // namespace meridian::peer

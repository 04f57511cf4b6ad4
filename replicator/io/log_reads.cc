#include "replicator/io/log_reads.h"

#include <algorithm>
#include <utility>

#include "rpc/codec.h"

namespace meridian::replicator {

namespace wire = rpc::wire;

kj::Promise<ReadPage> LogReads::read(ShardId shard, const ReadLog& read) {
  auto pair = kj::newPromiseAndFulfiller<ReadPage>();
  unsent_.push_back({{table_, shard, read.after, static_cast<std::uint32_t>(read.records_max),
                      static_cast<std::uint32_t>(read.bytes_max), sink_},
                     clock_.monotonic_ms() + read.wait_ms,
                     kj::mv(pair.fulfiller)});
  call_soon();
  return kj::mv(pair.promise);
}

void LogReads::call_soon() {
  if (std::exchange(calling_soon_, true)) return;
  // Last in this turn: what other flows ask for in it goes along.
  calls_.add(kj::evalLast([this] {
    calling_soon_ = false;
    while (!unsent_.empty()) call();
  }));
}

void LogReads::call() {
  using Answer = capnp::Response<wire::Region::ReadLogResults>;
  std::vector<Waiting> waiting;
  auto now_ms = clock_.monotonic_ms();
  std::int64_t wait_ms = 0;
  while (!unsent_.empty() && waiting.size() < rpc::kLogReadsMax) {
    auto next = kj::mv(unsent_.back());
    unsent_.pop_back();
    if (!next.page->isWaiting()) continue;  // its flow has stopped, or given up
    auto left_ms = std::max<std::int64_t>(next.until_ms - now_ms, 0);
    wait_ms = waiting.empty() ? left_ms : std::min(wait_ms, left_ms);
    waiting.push_back(kj::mv(next));
  }
  if (waiting.empty()) return;
  auto answered = source_.call(
      [&waiting, wait_ms](wire::Region::Client& client) {
        auto request = client.readLogRequest();
        auto reads = request.initReads(static_cast<unsigned>(waiting.size()));
        for (unsigned i = 0; i < reads.size(); ++i) rpc::write_log_read(waiting[i].read, reads[i]);
        request.setWaitMs(static_cast<std::uint32_t>(wait_ms));
        return kj::Promise<Answer>(request.send());
      },
      wait_ms);
  auto reads = kj::refcounted<Reads>();
  reads->waiting = kj::mv(waiting);
  calls_.add(answered
                 .then([this](Answer&& answer) {
                   return Answered{rpc::read_pages(answer.getPages(), origin_),
                                   answer.getWallUs()};
                 })
                 .then(
                     [this, reads = kj::addRef(*reads)](Answered found) mutable {
                       answer(kj::mv(reads->waiting), std::move(found));
                     },
                     [reads = kj::addRef(*reads)](kj::Exception&& failure) mutable {
                       for (auto& one : reads->waiting) one.page->reject(kj::cp(failure));
                     }));
}

void LogReads::answer(std::vector<Waiting> waiting, Answered answered) {
  auto& pages = answered.pages;
  auto now_ms = clock_.monotonic_ms();
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    auto& one = waiting[i];
    if (i >= pages.size()) {
      one.page->reject(KJ_EXCEPTION(FAILED, "fewer pages than reads"));
      continue;
    }
    auto& page = pages[i];
    bool nothing = page.status == rpc::ReadStatus::ok && page.records.empty() &&
                   page.to == one.read.after;
    if (nothing && now_ms < one.until_ms) {
      unsent_.push_back(kj::mv(one));
    } else {
      one.page->fulfill({std::move(page), answered.read_us});
    }
  }
  if (!unsent_.empty()) call_soon();
}

void LogReads::taskFailed(kj::Exception&& failure) {
  for (auto& one : std::exchange(unsent_, {})) one.page->reject(kj::cp(failure));
}

}  // namespace meridian::replicator

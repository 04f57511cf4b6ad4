// LinkFaults: the faults that this process does to its links, by peer region, at run time.
//
// A FaultLink is one of them: what this region's process sends to one peer, which is every connection
// that it dials there.  Faults end by themselves when their time is over; they are kept in memory
// only, so that a restart ends them too.  Their begin and their end are logged.
//
// Threads: the KJ thread of the timer.
// Owns: the links; references to them stay good.  Borrows: timer and rng, which outlive it.
// Limits: plan.h; kBuriedMax connections per link that were given up during a cut.
#pragma once

#include <kj/async-io.h>
#include <kj/timer.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "common/ids.h"
#include "common/log.h"
#include "common/rng.h"
#include "rpc/faults/plan.h"

namespace meridian::rpc {

class FaultLink {
 public:
  static constexpr std::size_t kBuriedMax = 64;

  FaultLink(kj::Timer& timer, Rng& rng);
  KJ_DISALLOW_COPY(FaultLink);

  [[nodiscard]] const FaultPlan& plan() const { return plan_; }
  [[nodiscard]] bool cut() const { return plan_.cut(); }
  [[nodiscard]] bool paused() const { return plan_.paused(); }
  [[nodiscard]] std::int64_t now_us() const;
  [[nodiscard]] Rng& rng() { return rng_; }

  // Done when a fault begins or ends.
  kj::Promise<void> changed();
  kj::Promise<void> until_not_cut();
  kj::Promise<void> until_not_paused();
  // Done at `at_us`, or when a fault begins or ends.
  kj::Promise<void> until(std::int64_t at_us);

  enum class Way : std::uint8_t { out, in };
  [[nodiscard]] TokenBucket& bucket(Way way) { return way == Way::out ? out_ : in_; }

  // Keeps a connection that was given up during a cut until the cut is over: a partition hides the
  // end of a connection from the other side as well.
  void bury(kj::Own<kj::AsyncIoStream> stream);

 private:
  friend class LinkFaults;
  void notify();

  kj::Timer& timer_;
  Rng& rng_;
  FaultPlan plan_;
  TokenBucket out_;
  TokenBucket in_;
  std::uint64_t begun_[kFaultKinds.size()] = {};  // faults since the start, by kind
  std::deque<kj::Own<kj::AsyncIoStream>> buried_;
  kj::Own<kj::PromiseFulfiller<void>> fulfiller_;
  kj::ForkedPromise<void> changed_;
};

class LinkFaults final : private kj::TaskSet::ErrorHandler {
 public:
  // `from`: the own region, for the log.
  LinkFaults(kj::Timer& timer, Rng& rng, RegionId from, Logger log);
  ~LinkFaults() noexcept;
  KJ_DISALLOW_COPY(LinkFaults);

  // The link to `to`, made when it is asked for first.
  FaultLink& link(const RegionId& to);
  [[nodiscard]] bool known(const RegionId& to) const { return links_.count(to) != 0; }

  // REQUIRES: known(to) and problem_of(fault) is empty.
  void put(const RegionId& to, const Fault& fault);
  // Ends all faults of the link; answers how many there were.  REQUIRES: known(to).
  std::size_t heal(const RegionId& to);

  struct Status {
    RegionId from;
    RegionId to;
    struct One {
      Fault fault;
      std::int64_t left_ms = 0;
    };
    std::vector<One> faults;              // that hold now
    std::uint64_t begun[kFaultKinds.size()] = {};  // since the start, by kind
  };
  [[nodiscard]] Status describe(const RegionId& to) const;
  [[nodiscard]] std::vector<Status> describe() const;

 private:
  void arm(const RegionId& to, FaultLink& link);
  void ended(const RegionId& to, const std::vector<Fault>& faults, std::string_view reason);
  void taskFailed(kj::Exception&& failure) override;

  kj::Timer& timer_;
  Rng& rng_;
  const RegionId from_;
  const Logger log_;
  std::map<RegionId, kj::Own<FaultLink>> links_;
  kj::TaskSet timers_;  // last: cancelled first
};

// "cut", "delay 80 ms +- 10 ms": what a fault does, in a few words.
std::string describe(const Fault& fault);

}  // namespace meridian::rpc

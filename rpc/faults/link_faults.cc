#include "rpc/faults/link_faults.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/check.h"
#include "rpc/kj_log.h"

namespace meridian::rpc {
namespace {

std::int64_t micros(kj::TimePoint at) {
  return (at - kj::origin<kj::TimePoint>()) / kj::MICROSECONDS;
}

}  // namespace

FaultLink::FaultLink(kj::Timer& timer, Rng& rng) : timer_(timer), rng_(rng), changed_(nullptr) {
  auto pair = kj::newPromiseAndFulfiller<void>();
  fulfiller_ = kj::mv(pair.fulfiller);
  changed_ = pair.promise.fork();
}

std::int64_t FaultLink::now_us() const { return micros(timer_.now()); }

kj::Promise<void> FaultLink::changed() { return changed_.addBranch(); }

kj::Promise<void> FaultLink::until_not_cut() {
  if (!cut()) return kj::READY_NOW;
  return changed().then([this] { return until_not_cut(); });
}

kj::Promise<void> FaultLink::until_not_paused() {
  if (!paused()) return kj::READY_NOW;
  return changed().then([this] { return until_not_paused(); });
}

kj::Promise<void> FaultLink::until(std::int64_t at_us) {
  return timer_.atTime(kj::origin<kj::TimePoint>() + at_us * kj::MICROSECONDS)
      .exclusiveJoin(changed());
}

void FaultLink::bury(kj::Own<kj::AsyncIoStream> stream) {
  buried_.push_back(kj::mv(stream));
  if (buried_.size() > kBuriedMax) buried_.pop_front();
}

void FaultLink::notify() {
  if (!cut()) buried_.clear();
  auto pair = kj::newPromiseAndFulfiller<void>();
  auto told = kj::mv(fulfiller_);
  fulfiller_ = kj::mv(pair.fulfiller);
  changed_ = pair.promise.fork();
  told->fulfill();
}

LinkFaults::LinkFaults(kj::Timer& timer, Rng& rng, RegionId from, Logger log)
    : timer_(timer), rng_(rng), from_(from), log_(std::move(log)), timers_(*this) {}

LinkFaults::~LinkFaults() noexcept {}

FaultLink& LinkFaults::link(const RegionId& to) {
  auto& link = links_[to];
  if (link.get() == nullptr) link = kj::heap<FaultLink>(timer_, rng_);
  return *link;
}

void LinkFaults::put(const RegionId& to, const Fault& fault) {
  MERIDIAN_CHECK(known(to));
  auto& link = *links_.at(to);
  link.plan_.put(fault, link.now_us());
  ++link.begun_[static_cast<std::size_t>(fault.kind)];
  log_.warn("link_fault_began", "from={} to={} fault=\"{}\" for_ms={}", from_.name(), to.name(),
            rpc::describe(fault), fault.for_ms);
  arm(to, link);
  link.notify();
}

std::size_t LinkFaults::heal(const RegionId& to) {
  MERIDIAN_CHECK(known(to));
  auto& link = *links_.at(to);
  auto faults = link.plan_.heal();
  if (faults.empty()) return 0;
  ended(to, faults, "healed");
  link.notify();
  return faults.size();
}

void LinkFaults::arm(const RegionId& to, FaultLink& link) {
  auto next_us = link.plan_.next_end_us();
  if (!next_us) return;
  // (A timer that is no longer the next one finds nothing to end.)
  timers_.add(timer_.atTime(kj::origin<kj::TimePoint>() + *next_us * kj::MICROSECONDS)
                  .then([this, to, &link] {
                    auto faults = link.plan_.expire(link.now_us());
                    if (faults.empty()) return;
                    ended(to, faults, "its time is over");
                    arm(to, link);
                    link.notify();
                  }));
}

void LinkFaults::ended(const RegionId& to, const std::vector<Fault>& faults,
                       std::string_view reason) {
  for (const auto& fault : faults)
    log_.warn("link_fault_ended", "from={} to={} fault=\"{}\" reason=\"{}\"", from_.name(),
              to.name(), rpc::describe(fault), reason);
}

LinkFaults::Status LinkFaults::describe(const RegionId& to) const {
  Status out;
  out.from = from_;
  out.to = to;
  auto at = links_.find(to);
  if (at == links_.end()) return out;
  auto now_us = at->second->now_us();
  for (const auto& active : at->second->plan().active())
    out.faults.push_back(
        {active.fault, std::max<std::int64_t>((active.ends_us - now_us) / 1000, 0)});
  for (std::size_t i = 0; i < kFaultKinds.size(); ++i) out.begun[i] = at->second->begun_[i];
  return out;
}

std::vector<LinkFaults::Status> LinkFaults::describe() const {
  std::vector<Status> out;
  for (const auto& [to, link] : links_) out.push_back(describe(to));
  return out;
}

void LinkFaults::taskFailed(kj::Exception&& failure) {
  log_.error("link_fault_timer_failed", "reason=\"{}\"", rpc::describe(failure));
}

std::string describe(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::delay:
      if (fault.jitter_ms == 0) return fmt::format("delay {} ms", fault.delay_ms);
      return fmt::format("delay {} ms +- {} ms", fault.delay_ms, fault.jitter_ms);
    case FaultKind::lose: return fmt::format("lose {} of 1000 segments", fault.lost_permille);
    case FaultKind::limit: return fmt::format("limit {} B/s", fault.bytes_per_second);
    default: return std::string(fault_kind_name(fault.kind));
  }
}

}  // namespace meridian::rpc

// Alarms: says in the log, once, what an operator must act upon, and once more when it is over; each has
// a metric of its own and a place in docs/RUNBOOK.md.
//
// Threads: look() from one at a time.  AlarmThread looks every kLookMs until it is destroyed.
// Borrows: the store.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <thread>

#include "common/log.h"
#include "common/mailbox.h"
#include "region-node/store/store.h"

namespace meridian::node {

class Alarms {
 public:
  explicit Alarms(Logger log) : log_(std::move(log)) {}

  void look(const store::StoreHealth& health, const store::ClockReport& clock);

 private:
  void look_at_clock(const store::ClockReport& clock);

  const Logger log_;
  std::uint64_t parked_ = 0;
  std::uint64_t forked_ = 0;
  std::optional<std::uint64_t> dropped_;
  bool refuses_ = false;
  bool stepped_ = false;
  bool behind_ = false;
  std::set<RegionId> held_;
};

class AlarmThread {
 public:
  static constexpr std::int64_t kLookMs = 1000;

  AlarmThread(store::Store& store, Logger log);
  ~AlarmThread();
  AlarmThread(const AlarmThread&) = delete;
  AlarmThread& operator=(const AlarmThread&) = delete;

 private:
  void run();

  store::Store& store_;
  Alarms alarms_;
  Mailbox<int> stop_{1};
  std::thread thread_;  // last: it uses the others
};

}  // namespace meridian::node

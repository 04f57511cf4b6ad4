// EventQueue: virtual time.  Events run one at a time, in order of (time, order of scheduling), so a
// run is a function of its seed and nothing else.
//
// Threads: one.  Units: microseconds since the start of the run.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace meridian::sim {

class EventQueue {
 public:
  using Action = std::function<void()>;

  [[nodiscard]] std::int64_t now_us() const { return now_us_; }
  [[nodiscard]] std::int64_t now_ms() const { return now_us_ / 1000; }
  [[nodiscard]] std::uint64_t events_run() const { return events_run_; }

  // An action in the past runs now, after what is already due.
  void at(std::int64_t time_us, Action action);
  void after(std::int64_t delay_us, Action action) { at(now_us_ + delay_us, std::move(action)); }

  // Runs everything due at or before `time_us`, then stands there.
  void run_until(std::int64_t time_us);

 private:
  struct Event {
    std::int64_t time_us;
    std::uint64_t order;
    Action action;
  };
  // For a heap whose front is the earliest event.
  static bool later(const Event& a, const Event& b) {
    return a.time_us != b.time_us ? a.time_us > b.time_us : a.order > b.order;
  }

  std::vector<Event> heap_;
  std::int64_t now_us_ = 0;
  std::uint64_t next_order_ = 0;
  std::uint64_t events_run_ = 0;
};

}  // namespace meridian::sim

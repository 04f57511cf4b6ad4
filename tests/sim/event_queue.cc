#include "tests/sim/event_queue.h"

#include <algorithm>

namespace meridian::sim {

void EventQueue::at(std::int64_t time_us, Action action) {
  heap_.push_back(Event{std::max(time_us, now_us_), next_order_++, std::move(action)});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

void EventQueue::run_until(std::int64_t time_us) {
  while (!heap_.empty() && heap_.front().time_us <= time_us) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Event event = std::move(heap_.back());
    heap_.pop_back();
    now_us_ = event.time_us;
    ++events_run_;
    event.action();
  }
  now_us_ = std::max(now_us_, time_us);
}

}  // namespace meridian::sim

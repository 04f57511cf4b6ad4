#include "tools/bench/feeder.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>

#include "common/clock.h"
#include "tools/bench/process.h"

namespace meridian::bench {
namespace {

constexpr std::int64_t kTickUs = 500;  // of a steady rate

}  // namespace

const char* variety_name(Variety variety) {
  return variety == Variety::new_keys ? "new_keys" : "updates";
}

// Counts the writes that are not answered yet, and waits for room.
class Feeder::Window {
 public:
  void enter() { outstanding_.fetch_add(1, std::memory_order_relaxed); }
  void leave(store::WriteStatus status) {
    if (status != store::WriteStatus::committed) refused_.store(true);
    std::size_t left = outstanding_.fetch_sub(1) - 1;
    if (left == kOutstandingMax / 2 || left == 0) outstanding_.notify_all();
  }
  // Blocks while it is full, then until it is half empty.
  void wait_for_room() {
    if (outstanding_.load(std::memory_order_relaxed) >= kOutstandingMax)
      wait_at_most(kOutstandingMax / 2);
  }
  void wait_empty() { wait_at_most(0); }
  [[nodiscard]] bool refused() const { return refused_; }

 private:
  void wait_at_most(std::size_t most) {
    for (std::size_t now = outstanding_; now > most; now = outstanding_) outstanding_.wait(now);
  }

  std::atomic<std::size_t> outstanding_{0};
  std::atomic<bool> refused_{false};
};

void Feeder::submit(Variety variety, Window& window) {
  std::uint64_t number = variety == Variety::new_keys ? size_++ : rng_.below(update_keys_);
  window.enter();
  store_.write({table_, Bytes(rows_.key(number)),
                std::make_shared<PutImage>(rows_.image(number)),
                [&window](const store::WriteResult& result) { window.leave(result.status); }});
}

FeedReport Feeder::feed(const FeedPlan& plan) {
  SystemClock clock;
  Window window;
  FeedReport report;
  std::int64_t begun_us = clock.monotonic_us();
  while (!window.refused()) {
    std::int64_t ran_us = clock.monotonic_us() - begun_us;
    if (plan.rows_max > 0 ? report.rows >= plan.rows_max : ran_us >= plan.run_ms * 1000) break;
    if (plan.per_second > 0) {
      auto due = static_cast<std::uint64_t>(static_cast<double>(ran_us) * plan.per_second / 1e6);
      if (report.rows + plan.group > due) {
        pause_us(kTickUs);
        continue;
      }
    }
    window.wait_for_room();
    for (std::size_t i = 0; i < plan.group; ++i) submit(plan.variety, window);
    report.rows += plan.group;
  }
  window.wait_empty();
  report.seconds = static_cast<double>(clock.monotonic_us() - begun_us) / 1e6;
  if (window.refused()) throw std::runtime_error("the source refused a write");
  return report;
}

}  // namespace meridian::bench

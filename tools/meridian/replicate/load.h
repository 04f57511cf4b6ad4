// Load: writes to one region over so many connections, at a steady rate or as fast as they are answered.
//
// Open loop: writes are due by a Schedule, whatever the server does; what is due waits for a free
// connection.  Closed loop: each connection sends its next write when the last is answered.
// Threads: all from one; a thread per connection inside.
// Errors: http::HttpError and ApiFailure at the start only; later ones are counted.
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "tools/meridian/client.h"
#include "tools/meridian/replicate/requests.h"
#include "tools/meridian/replicate/schedule.h"
#include "tools/meridian/replicate/tally.h"

namespace meridian::replicate {

struct LoadOptions {
  double per_second = 100;  // 0: a closed loop
  unsigned connections = 32;
  std::int64_t duration_ms = 30'000;
  std::int64_t timeout_ms = 10'000;  // of a write; and for what was due and has not been sent
  double samples_per_second = 20;
  WorkloadOptions work;
};

class Load {
 public:
  // `sampled` is told of every sampled write that was acknowledged, on any of its threads.
  Load(const cli::Endpoints& region, const LoadOptions& options, const Requests& requests,
       const Clock& clock, std::function<void(const Sample&)> sampled);
  ~Load();

  // Connects, then begins; `began_us` is the clock's, and what every time is counted from.
  void connect();
  void start(std::int64_t began_us);
  // Nothing new is sent; what was sent may still be answered.
  void end_now();
  [[nodiscard]] bool finished() const { return running_ == 0; }
  // Once it has finished, or was told to end: what was due and never sent is given up.
  void give_up_unsent();

  [[nodiscard]] WriteTally tally() const;
  [[nodiscard]] std::uint64_t samples() const { return samples_; }  // acknowledged
  [[nodiscard]] std::uint64_t unanswered() const { return under_way_; }
  // How many were due until now, or the end; of a closed loop, were sent.
  [[nodiscard]] std::uint64_t requested() const;
  // How long it has written.
  [[nodiscard]] std::int64_t length_us() const;

 private:
  void run(cli::TableApi& api);
  [[nodiscard]] bool wait_for(std::int64_t due_us) const;
  void send(cli::TableApi& api, std::uint64_t number, std::int64_t due_us);
  [[nodiscard]] bool is_sample(std::uint64_t number, std::int64_t due_us);
  [[nodiscard]] std::int64_t now_us() const { return clock_.monotonic_us() - began_us_; }

  const cli::Endpoints region_;
  const LoadOptions options_;
  const Requests& requests_;
  const Clock& clock_;
  const std::function<void(const Sample&)> sampled_;
  const Workload workload_;
  const std::optional<Schedule> schedule_;  // empty: a closed loop
  std::int64_t began_us_ = 0;
  std::atomic<std::int64_t> end_us_{0};
  std::atomic<std::int64_t> give_up_us_{0};
  std::atomic<std::int64_t> next_sample_us_{0};  // of a closed loop
  std::atomic<std::uint64_t> next_{0};
  std::atomic<std::uint64_t> samples_{0};
  std::atomic<std::uint64_t> under_way_{0};
  std::atomic<unsigned> running_{0};
  mutable std::mutex mutex_;
  WriteTally tally_;  // guarded by mutex_
  std::vector<std::unique_ptr<cli::TableApi>> connections_;
  std::vector<std::thread> threads_;
};

}  // namespace meridian::replicate

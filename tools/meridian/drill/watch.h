// Watch: what every region says of itself, asked five times a second, each on a thread of its own
// so that one that does not answer delays no other.
//
// Threads: latest() and samples() from any.
// Limits: kAskMsMax per answer; samples are kept for the whole drill.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "tools/meridian/deployment.h"

namespace meridian::drill {

inline constexpr std::int64_t kAskEveryMs = 200;
inline constexpr std::int64_t kAskMsMax = 500;

// One link of the drill's table, from what all workers of the region say of it: its worst state, its
// worst lag.  What is not known is empty, never zero.
struct LinkSample {
  std::string sink;
  std::string state;
  std::optional<std::int64_t> pending_records;
  std::optional<double> oldest_ms;
  std::optional<double> p99_ms;
  std::optional<double> clock_offset_ms;
};

struct Sample {
  std::int64_t at_us = 0;  // since the drill began
  std::string region;
  bool node_ready = false;
  bool replicator_ready = false;  // every worker
  std::string reason;             // why not
  std::string node_id;
  std::string version;
  std::int64_t parked = 0;  // records in quarantine, of all tables
  std::vector<LinkSample> links;
};

class Watch {
 public:
  Watch(const cli::Deployment& deployment, const Clock& clock, std::int64_t began_us);
  ~Watch();

  // The newest sample of each region; empty until each was asked once.
  [[nodiscard]] std::vector<Sample> latest() const;
  [[nodiscard]] std::vector<Sample> samples() const;

 private:
  void run(std::size_t index);

  const cli::Deployment& deployment_;
  const Clock& clock_;
  const std::int64_t began_us_;
  mutable std::mutex mutex_;
  std::vector<std::optional<Sample>> latest_;  // guarded by mutex_
  std::vector<Sample> samples_;                // guarded by mutex_
  std::atomic<bool> ending_{false};
  std::vector<std::thread> threads_;
};

}  // namespace meridian::drill

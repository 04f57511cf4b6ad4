// Prober: looks for sampled writes in another region until a read there shows each.
//
// Samples do not wait for each other: a look asks for all that are still missing (a hundred at most,
// in turn), so a stall is seen by every sample that it hits.
// Threads: add(), end(), waiting() and tally() from any; a thread of its own inside.
// Limits: kLookMsMax per look; a region that does not answer is asked again.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "tools/meridian/client.h"
#include "tools/meridian/replicate/requests.h"
#include "tools/meridian/replicate/tally.h"

namespace meridian::replicate {

class Prober {
 public:
  Prober(const cli::Endpoints& region, const Requests& requests, const Clock& clock,
         std::int64_t began_us);
  ~Prober();

  void add(const Sample& sample);
  [[nodiscard]] std::size_t waiting() const;
  // Those that are still missing are given up; later ones are ignored.
  void end();
  [[nodiscard]] SinkTally tally() const;

 private:
  void run();
  [[nodiscard]] std::vector<Sample> next_look();
  void look(const std::vector<Sample>& samples);
  [[nodiscard]] std::int64_t now_us() const { return clock_.monotonic_us() - began_us_; }

  const Requests& requests_;
  const Clock& clock_;
  const std::int64_t began_us_;
  cli::TableApi api_;  // the thread's own
  mutable std::mutex mutex_;
  std::deque<Sample> missing_;  // guarded by mutex_
  SinkTally tally_;             // guarded by mutex_
  bool ended_ = false;          // guarded by mutex_
  std::thread thread_;
};

}  // namespace meridian::replicate

// Load: the drill's own clients.  Writers put items at a fixed rate, each in the region that its
// group is sent to, and try a write that failed again, wherever the group is then sent: the value
// is the same, so trying again is harmless.  After every fourth write they read, there too, one of
// the last that they were told is done, as a client does that wants to see what it has written.
//
// Threads: start(), stop(), send_to() and the figures from one; a thread per writer inside.
// Limits: kAttemptMsMax per attempt.  A write whose writer is behind is due when it was due.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/histogram.h"
#include "tools/meridian/client.h"
#include "tools/meridian/deployment.h"
#include "tools/meridian/drill/ledger.h"

namespace meridian::drill {

inline constexpr std::int64_t kAttemptMsMax = 1'000;
inline constexpr const char* kTable = "meridian-drill";

struct LoadOptions {
  std::string drill;               // its id, the partition of all its items
  std::vector<std::string> homes;  // one writer begins in each; a region may be named several times
  double rate = 200;               // writes per second, of all writers together
  std::uint64_t seed = 1;
};

class Load {
 public:
  Load(const cli::Deployment& deployment, LoadOptions options, const Clock& clock,
       std::int64_t began_us);
  ~Load();

  void start();
  // Lets each writer end what it is at, or give it up after `patience_ms`.
  void stop(std::int64_t patience_ms);
  // Where the writers of `home` write from now on.
  void send_to(const std::string& home, const std::string& region);

  [[nodiscard]] std::vector<Write> writes() const;
  [[nodiscard]] std::vector<StaleRead> stale_reads() const;
  [[nodiscard]] std::uint64_t reads() const { return reads_; }  // those that were answered
  // Longest time, until now, that a writer has waited for an acknowledgement.
  [[nodiscard]] std::int64_t outage_us() const;
  [[nodiscard]] std::uint64_t attempts() const { return attempts_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }
  // Due to acknowledged, while `region` served.
  [[nodiscard]] const Histogram& latency(const std::string& region) const;

 private:
  struct Writer;
  void run(Writer& writer, std::size_t index);
  bool attempt(Writer& writer, Write& write, const std::string& region);
  void read_back(Writer& writer);
  cli::TableApi& client_of(Writer& writer, const std::string& region);
  [[nodiscard]] std::int64_t now_us() const { return clock_.monotonic_us() - began_us_; }
  [[nodiscard]] std::string target(const std::string& home) const;

  const cli::Deployment& deployment_;
  const LoadOptions options_;
  const Clock& clock_;
  const std::int64_t began_us_;
  std::map<std::string, Histogram> latency_;  // by region; constant keys
  mutable std::mutex mutex_;
  std::map<std::string, std::string> targets_;  // region by home; guarded by mutex_
  std::vector<Write> writes_;                   // guarded by mutex_
  std::vector<StaleRead> stale_reads_;          // guarded by mutex_
  std::atomic<std::uint64_t> reads_{0};
  std::atomic<std::uint64_t> attempts_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<bool> ending_{false};
  std::atomic<std::int64_t> give_up_us_{0};
  std::vector<std::unique_ptr<Writer>> writers_;
};

// What `region` holds of the drill's partition.  Errors: http::HttpError, cli::ApiFailure.
Holdings read_holdings(const cli::Endpoints& region, const std::string& drill);

}  // namespace meridian::drill

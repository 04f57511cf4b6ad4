// Replicate: puts a load on one region of a running deployment, and looks in the others for a sample of
// what it wrote.
//
// Everything is measured by one clock, that of the machine that runs it, so no region's clock matters;
// the way from here to each region is part of what is measured.
//
// Threads: run() and summary() from one.
// Errors: UsageError, http::HttpError and ApiFailure before the first write; later ones are counted.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/meridian/commands.h"
#include "tools/meridian/replicate/load.h"
#include "tools/meridian/replicate/prober.h"
#include "tools/meridian/replicate/summary.h"

namespace meridian::replicate {

// Made in every region when it is not there; tables of other names are not.
inline constexpr const char* kTable = "meridian-bench";

struct ReplicateOptions {
  std::string table = kTable;
  std::string source;               // empty: the first region
  std::vector<std::string> sinks;   // empty: all other replicas
  std::size_t item_bytes = 1'000;
  std::int64_t settle_ms = 10'000;  // for the last samples to become visible
  LoadOptions load;
};

class Replicate {
 public:
  Replicate(const cli::Deployment& deployment, const ReplicateOptions& options);
  // Ends what is under way: a write may take its timeout.
  ~Replicate();

  // Ctrl-C ends the load, and then waits for what is on its way; the second one does not.
  void run();
  [[nodiscard]] Summary summary() const;

 private:
  void find_table();
  bool write();
  bool settle();
  void tell();
  [[nodiscard]] std::size_t waiting() const;

  const cli::Deployment& deployment_;
  ReplicateOptions options_;
  const SystemClock clock_;
  const std::string run_;
  std::unique_ptr<Requests> requests_;
  std::unique_ptr<Load> load_;
  std::vector<std::unique_ptr<Prober>> probers_;
  std::int64_t told_ms_ = 0;
  bool told_on_terminal_ = false;
  bool interrupted_ = false;
};

}  // namespace meridian::replicate

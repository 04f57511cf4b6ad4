// StoreHost: the production store engine of one region, run without threads, on a file in memory
// that outlives the process that has it open.
//
// Threads: one.  Borrows: the Clock.
#pragma once

#include <memory>
#include <string>

#include "common/clock.h"
#include "common/rng.h"
#include "region-node/store/store.h"
#include "tests/sim/shape.h"

namespace meridian::store {
class InlineStore;
}

namespace meridian::sim {

class StoreHost {
 public:
  StoreHost(RegionId region, const Shape& shape, Clock& clock, Rng rng);
  ~StoreHost();
  StoreHost(const StoreHost&) = delete;
  StoreHost& operator=(const StoreHost&) = delete;

  enum class Disk { roomy, full };
  void start(Disk disk);
  // What is not committed is gone.
  void crash();
  [[nodiscard]] bool open() const { return store_ != nullptr; }
  // Keeps a copy of what is committed now; restore() puts it in place of the file, as an operator
  // does with a backup.  REQUIRES of restore: !open(), a copy.
  void back_up();
  void restore();
  // REQUIRES for the rest: open().
  [[nodiscard]] store::Store& store();
  // Runs one group of what is queued, commits it, and answers.
  void commit();
  [[nodiscard]] bool pending() const;

 private:
  struct File;

  RegionId region_;
  const Shape& shape_;
  Clock& clock_;
  Rng rng_;
  std::unique_ptr<File> file_;
  std::unique_ptr<File> saved_;
  std::unique_ptr<store::InlineStore> store_;
};

}  // namespace meridian::sim

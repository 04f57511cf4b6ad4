// StoreHost: the production store engine of one region, run without threads, on a disk that outlives
// the process that has it open.
//
// Threads: one.  Borrows: the Clock.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "region-node/store/store.h"
#include "tests/sim/shape.h"
#include "tests/sim/sim_disk.h"

namespace meridian::store {
class InlineStore;
}

namespace meridian::sim {

class StoreHost {
 public:
  // `index`: of the region in the shape.
  StoreHost(std::size_t index, RegionId region, const Shape& shape, Clock& clock);
  ~StoreHost();
  StoreHost(const StoreHost&) = delete;
  StoreHost& operator=(const StoreHost&) = delete;

  // `start`: number of this start.  False when the disk failed meanwhile: start it again.
  [[nodiscard]] bool start(std::uint32_t start);
  // What is queued is gone, and what was not synced may be.
  void crash(SimDisk::Loss loss);
  [[nodiscard]] bool open() const { return store_ != nullptr; }
  // The last start was refused for its clock, and repeated on an operator's word.
  [[nodiscard]] bool told_clock() const { return told_clock_; }
  [[nodiscard]] SimDisk& disk() { return disk_; }
  // Everything that is wrong with the file (region-node/store/invariants.h).
  [[nodiscard]] std::vector<std::string> invariants() const;
  // REQUIRES for the rest: open().
  [[nodiscard]] store::Store& store();
  // Runs one group of what is queued, commits it, and answers.
  void commit();
  [[nodiscard]] bool pending() const;

 private:
  std::size_t index_;
  RegionId region_;
  const Shape& shape_;
  Clock& clock_;
  SimDisk disk_;
  bool told_clock_ = false;
  std::unique_ptr<store::InlineStore> store_;
};

}  // namespace meridian::sim

// ControlSteps: what an operator does to tables: in each region a scratch table of its own, made,
// written, changed, protected, streamed, given replicas and dropped, with a model of what must come of
// each step.
//
// A step that is not answered, or answered `unavailable`, may have happened or not: the model then
// takes over what the catalog says, and that is all it may say.
// Threads: one.  Borrows: Outside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/sim_replicator.h"

namespace meridian::sim {

enum class ControlStep {
  create,
  write,
  write_again,
  remove,
  enable_stream,
  disable_stream,
  change_settings,
  protect,
  unprotect,
  add_replica,
  merge_replicas,
  merge_settings,
  drop,
  drop_by_force,
};
inline constexpr std::uint64_t kControlSteps = 14;

class ControlSteps {
 public:
  explicit ControlSteps(Outside& outside);

  void run(std::size_t region, ControlStep step);
  // The region has lost what was done there, or some of it.
  void forget(std::size_t region) { scratch_[region].known = false; }
  // The catalog and the item are what the model says.  REQUIRES: every node is up, nothing moves.
  void judge();

 private:
  struct Scratch {
    TableId table;
    bool awaited = false;     // a step of this run of the node is under way
    std::uint32_t start = 0;  // the run
    bool known = true;        // the rest is what is there
    bool there = false;
    bool streams = false;
    bool guarded = false;
    bool replicated = false;
    std::int64_t read_units = 0;
    std::int64_t merging = 0;  // what a step under way would set it to
    bool minted = false;       // they have a version of this region, later than any that is merged
    bool owes = false;  // has records that no replica will acknowledge
    std::optional<Bytes> image;
  };

  void control(std::size_t region, ControlStep step);
  void write(std::size_t region, ControlStep step);
  [[nodiscard]] std::optional<store::ControlError> expected(const Scratch& model,
                                                            ControlStep step) const;
  void done(Scratch& model, ControlStep step);
  void create(std::size_t region, const store::ControlDone& answer);
  // Takes the model from what is there.
  void learn(std::size_t region);
  [[nodiscard]] store::TablePtr found(std::size_t region) const;
  void bad(std::size_t region, const std::string& what);

  Outside& outside_;
  std::vector<Scratch> scratch_;
  std::uint64_t steps_ = 0;
};

}  // namespace meridian::sim

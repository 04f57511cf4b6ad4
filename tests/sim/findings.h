// Findings: broken properties, each with what shows it.  Empty means that the run passed.
//
// Properties have short names: P1 strong convergence, P2 correct winner, P3 no acknowledged write
// lost, P4 no resurrection, P6 clock law, P7 idempotence, P8 stream, P9 order per key, P10 no echo,
// P11 position never ahead of durable state, P13 exact conflict ledger, P16 honest backlog; "live" for
// progress after faults, "read" for reads in a region, "limit" for bounds of the pump, "disk" for what
// may follow a failed sync, "file" for what a store's file holds, "control" for tables.
// docs/SIMULATION.md explains them.
// Limits: kKeptMax are kept, all are counted.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace meridian::sim {

class Findings {
 public:
  static constexpr std::size_t kKeptMax = 12;

  struct Finding {
    std::string property;
    std::string detail;
  };

  void add(std::string property, std::string detail) {
    ++count_;
    if (kept_.size() < kKeptMax) kept_.push_back({std::move(property), std::move(detail)});
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const std::vector<Finding>& kept() const { return kept_; }

 private:
  std::vector<Finding> kept_;
  std::size_t count_ = 0;
};

}  // namespace meridian::sim

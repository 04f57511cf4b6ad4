// HeldFlows: which flows the clock guard holds, since when, and how far ahead they are.
//
// A flow that is held tries again several times a second, so one that was not heard of for kForgetMs has
// nobody who ships it: its source says what it waits for.
//
// Threads: the engine's.  Pure: times are arguments.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "region-node/store/clock_report.h"
#include "rpc/change_record.h"

namespace meridian::store {

class HeldFlows {
 public:
  static constexpr std::int64_t kForgetMs = 30'000;

  void held(const rpc::FlowId& flow, conflict::Hlc furthest, std::int64_t monotonic_ms);
  void released(const rpc::FlowId& flow) {
    if (!flows_.empty()) flows_.erase(flow);
  }
  void forget_silent(std::int64_t monotonic_ms);

  [[nodiscard]] bool empty() const { return flows_.empty(); }
  [[nodiscard]] std::vector<HeldSource> by_source(std::int64_t believed_ms,
                                                  std::int64_t monotonic_ms) const;

 private:
  struct Held {
    conflict::Hlc furthest;
    std::int64_t since_ms;
    std::int64_t heard_ms;
  };
  std::map<rpc::FlowId, Held> flows_;
};

}  // namespace meridian::store

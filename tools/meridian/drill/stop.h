// Stop conditions: figures that end a drill early when they are passed.  Pure.
//
//   error_ratio>0.5   failed attempts among all attempts of the last ten seconds
//   outage>60s        time since a client was last acknowledged, whoever's client it is
//   pending>100000    records that wait on one link
//   lag>60s           age of the oldest record that waits on one link
//
// Threads: one.  Errors: cli::UsageError for a condition that cannot be read.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace meridian::drill {

struct StopCondition {
  enum class Figure { error_ratio, outage, pending, lag };
  Figure figure = Figure::error_ratio;
  double above = 0;  // a ratio, milliseconds or records
  std::string text;  // as it was given
};
StopCondition parse_stop(const std::string& text);

// What the conditions look at; what is not known is zero.
struct Figures {
  std::int64_t now_us = 0;
  std::uint64_t attempts = 0;  // since the drill began
  std::uint64_t failures = 0;
  double outage_ms = 0;
  std::int64_t pending_max = 0;
  double oldest_ms_max = 0;
};

class StopWatch {
 public:
  explicit StopWatch(std::vector<StopCondition> conditions) : conditions_(std::move(conditions)) {}
  // The condition that is passed, with the figure; empty when none is.
  std::string look(const Figures& now);

 private:
  const std::vector<StopCondition> conditions_;
  std::deque<Figures> recent_;  // of the last kRatioWindowUs
};

}  // namespace meridian::drill

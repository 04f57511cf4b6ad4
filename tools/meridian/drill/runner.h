// Runner: one drill, phase by phase.  drill.h says what it measures.
//
// Threads: one, besides those of the load and the watch.
#pragma once

#include <memory>
#include <string>

#include "common/clock.h"
#include "tools/meridian/drill/drill.h"
#include "tools/meridian/drill/load.h"
#include "tools/meridian/drill/run_command.h"
#include "tools/meridian/interrupts.h"

namespace meridian::drill {

class Runner {
 public:
  Runner(const cli::Deployment& deployment, const DrillOptions& options, const Scenario& scenario);
  DrillResult run();

 private:
  // Ends the drill early.
  struct Stopped {
    std::string why;
  };

  [[nodiscard]] std::int64_t now_us() const { return clock_.monotonic_us() - began_us_; }
  void keep(const Event& event);
  void note(const std::string& phase, const std::string& text);
  void step();  // waits a moment; throws Stopped
  void spend(std::int64_t ms);
  void look_for_stops();
  [[nodiscard]] LoadOptions load_options() const;

  void go_through();
  void abandon(const std::string& why);
  void preflight();
  void baseline();
  void inject();
  void endure();
  [[nodiscard]] std::string noticed();
  [[nodiscard]] std::string asked_command();
  void check_hook();
  void leave(const std::string& why);
  void run_switch();
  void drain();
  void heal();
  void catch_up();
  void failback();
  void verify();
  void read_conflicts();
  void collect();
  std::optional<std::int64_t> pending();
  [[nodiscard]] double usual_age_ms() const;

  SystemClock clock_;
  const cli::Deployment& deployment_;
  const Scenario& scenario_;
  const std::int64_t began_us_;
  const cli::Interrupts interrupts_;  // ask for an orderly end
  DrillResult result_;
  StopWatch stops_;
  std::unique_ptr<Watch> watch_;
  std::unique_ptr<Load> load_;
  Operator op_;  // after the load: what was broken is healed before the writers are waited for
  Stage stage_;
  int misses_ = 0;
  std::int64_t looked_at_us_ = -1;
  std::int64_t asked_at_us_ = 0;
  Hook asked_;  // after op_, so that nothing is healed the later for it: it is killed
  std::int64_t counted_at_us_ = -1;
  std::int64_t down_since_us_ = 0;
};

}  // namespace meridian::drill

// The scenarios of `meridian drill`: what each does to the region under drill, and how it is
// undone.
//
// Threads: one.  Errors: OperatorError.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/meridian/drill/operator.h"

namespace meridian::drill {

struct Stage {
  Operator& op;
  std::string region;               // under drill
  std::vector<std::string> others;  // the rest
  std::int64_t fault_ms;            // how long the fault is to last
  std::int64_t clock_by_ms = 0;     // how far a clock steps
};

// Whether clients are to leave the region: they notice by themselves, are told beforehand, or stay.
enum class Evacuation { when_noticed, planned, none };

struct Scenario {
  std::string name;
  std::string summary;
  Evacuation evacuation = Evacuation::when_noticed;
  std::vector<Daemon> ends = {};  // daemons that it ends, for the preflight
  bool fills_disk = false;        // the same
  bool drains = false;         // planned: all that was acknowledged arrives before the fault
  bool judges_return = false;  // the objectives are those of the clients' return
  std::function<void(Stage&)> inject = {};
  std::function<void(Stage&, std::int64_t elapsed_ms)> tick = {};  // while the fault lasts
  std::function<void(Stage&)> heal = {};
};

const std::vector<Scenario>& scenarios();
const Scenario* find_scenario(const std::string& name);

}  // namespace meridian::drill

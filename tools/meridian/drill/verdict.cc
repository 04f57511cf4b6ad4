// PASS or FAIL, from the figures alone.
#include <fmt/format.h>

#include <algorithm>

#include "tools/meridian/drill/drill.h"

namespace meridian::drill {
namespace {

double seconds(std::int64_t us) { return static_cast<double>(us) / 1e6; }

void judge_times(const DrillOptions& options, std::optional<std::int64_t> without_us,
                 const std::optional<Loss>& known, const std::string& what,
                 std::vector<std::string>& missed) {
  if (!without_us)
    missed.push_back("no write was acknowledged after " + what);
  else if (*without_us > options.rto_ms_max * 1000)
    missed.push_back(fmt::format("RTO {:.1f} s is over {:.1f} s", seconds(*without_us),
                                 static_cast<double>(options.rto_ms_max) / 1e3));
  const Loss loss = known.value_or(Loss{});
  if (loss.age_us > options.rpo_ms_max * 1000)
    missed.push_back(fmt::format("RPO {:.1f} s is over {:.1f} s", seconds(loss.age_us),
                                 static_cast<double>(options.rpo_ms_max) / 1e3));
  if (options.rpo_writes_max &&
      static_cast<std::int64_t>(loss.writes.size()) > *options.rpo_writes_max)
    missed.push_back(fmt::format("RPO of {} writes is over {}", loss.writes.size(),
                                 *options.rpo_writes_max));
}

}  // namespace

std::optional<std::int64_t> rto_us(const DrillResult& result) {
  const Scenario* scenario = find_scenario(result.options.scenario);
  bool planned = scenario != nullptr && scenario->evacuation == Evacuation::planned;
  const auto& from_us = planned ? result.cut_us : result.fault_us;
  if (!from_us || !result.switched_us) return std::nullopt;
  return std::max<std::int64_t>(0, *result.switched_us - *from_us);
}

bool passed(const DrillResult& result, std::vector<std::string>& missed) {
  if (!result.aborted.empty()) return false;  // of most objectives nothing is known
  const Scenario* scenario = find_scenario(result.options.scenario);
  if (scenario != nullptr && scenario->judges_return) {
    std::optional<std::int64_t> without_us;
    if (result.returned_us && result.back_us) without_us = *result.back_us - *result.returned_us;
    judge_times(result.options, without_us, result.return_loss, "the return", missed);
  } else if (scenario != nullptr && scenario->evacuation != Evacuation::none) {
    if (result.cut_us)
      judge_times(result.options, rto_us(result), result.loss, "the switch", missed);
    else
      missed.emplace_back("nobody noticed the fault, so clients stayed");
  }
  if (result.late_switch)
    missed.emplace_back("the switch took longer than the fault, so the RPO says little");
  const std::size_t lost = result.everything ? result.everything->lost.size() : 0;
  if (lost > 0) missed.push_back(fmt::format("{} acknowledged writes are lost", lost));
  for (const auto& region : result.silent)
    missed.push_back(region + " did not show what it holds");
  if (!result.caught_up_us) missed.emplace_back("the regions did not catch up in time");
  if (!result.identical) missed.emplace_back("verify gave no answer");
  if (result.identical && !*result.identical) missed.emplace_back("the regions differ");
  return missed.empty();
}

}  // namespace meridian::drill

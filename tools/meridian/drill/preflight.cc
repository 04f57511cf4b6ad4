#include "tools/meridian/drill/preflight.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "common/clock.h"
#include "tools/meridian/commands.h"
#include "tools/meridian/drill/drill.h"
#include "tools/meridian/drill/load.h"
#include "tools/meridian/drill/run_command.h"
#include "tools/meridian/link.h"
#include "tools/meridian/links.h"

namespace meridian::drill {
namespace {

constexpr std::int64_t kLooksMsMax = 3'000;
constexpr std::int64_t kLookMs = 100;
constexpr double kOldestMsMax = 5'000;
constexpr double kClockOffsetMsMax = 250;

std::vector<std::string> problems_of(const std::vector<Sample>& samples) {
  std::vector<std::string> problems;
  if (samples.empty()) problems.emplace_back("the regions cannot be asked");
  for (const auto& sample : samples) {
    if (!sample.node_ready)
      problems.push_back(sample.region + "'s node is not ready: " + sample.reason);
    if (sample.parked > 0)
      problems.push_back(fmt::format("{} holds {} records in quarantine; see meridian quarantine",
                                     sample.region, sample.parked));
    if (!sample.replicator_ready)
      problems.push_back(sample.region + "'s replicator is not ready: " + sample.reason);
  }
  return problems;
}

// For a moment: one answer that comes late on a busy machine is no reason to refuse.
void check_regions(const cli::Deployment& deployment, std::vector<std::string>& problems) {
  SystemClock clock;
  Watch watch(deployment, clock, clock.monotonic_us());
  std::vector<std::string> found;
  for (std::int64_t waited = 0; waited < kLooksMsMax; waited += kLookMs) {
    cli::pause_ms(kLookMs);
    found = problems_of(watch.latest());
    if (found.empty()) return;
  }
  problems.insert(problems.end(), found.begin(), found.end());
}

void check_links(const cli::Deployment& deployment, std::vector<std::string>& problems) {
  for (const auto& link : cli::read_links(deployment).links) {
    std::string name = link.table + ", " + link.source + " to " + link.sink;
    if (link.state != "running" && link.state != "waiting" && link.state != "idle" &&
        link.state != "delayed")
      problems.push_back(name + " is " + link.state);
    if (link.oldest_pending_ms.value_or(0) > kOldestMsMax)
      problems.push_back(
          fmt::format("{}: a record waits for {:.0f} ms", name, *link.oldest_pending_ms));
    if (std::abs(link.clock_offset_ms.value_or(0)) > kClockOffsetMsMax)
      problems.push_back(
          fmt::format("{}: the clocks are {:.0f} ms apart", name, *link.clock_offset_ms));
  }
  for (const auto& fault : cli::read_faults(deployment).faults)
    if (fault.kind != "delay")  // a distance (deploy/wan) is no reason not to drill
      problems.push_back("the link " + fault.from + " to " + fault.to +
                         " is broken on purpose: " + fault.text);
}

}  // namespace

std::vector<std::string> check_deployment(const cli::Deployment& deployment) {
  std::vector<std::string> problems;
  if (deployment.regions.size() < 2) problems.emplace_back("a drill needs at least two regions");
  for (const auto& region : deployment.regions) {
    if (region.replicators.empty())
      problems.push_back(region.name + " has no replicator_admin in the deployment file");
  }
  if (!problems.empty()) return problems;
  check_regions(deployment, problems);
  if (problems.empty()) check_links(deployment, problems);
  return problems;
}

void make_table(const cli::Deployment& deployment) {
  auto said = run_meridian(deployment.path, {"table", "create", kTable, "--key", "drill:S",
                                             "--sort", "key:S", "--if-missing"});
  if (said.code != cli::kExitYes)
    throw Refused(std::string("the table ") + kTable + " cannot be made in every region");
}

std::string percentile_text(const Histogram& values) {
  std::string out = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile",
                                "TotalCount", "1/(1-Percentile)");
  if (values.count() == 0) return out;
  auto ms = [](std::int64_t us) { return static_cast<double>(us) / 1000.0; };
  double remaining = 1.0;
  // Five steps for every halving of what lies above, as HdrHistogram prints them.
  for (int step = 0;; ++step) {
    double quantile = 1.0 - remaining;
    auto bound = values.quantile_us(quantile);
    auto count = values.count_at_most(bound);
    out += fmt::format("{:>12.3f} {:>14.12f} {:>10} {:>14.2f}\n", ms(bound), quantile, count,
                       1.0 / remaining);
    if (count >= values.count() || remaining < 1e-7) break;
    remaining *= std::pow(0.5, 0.2);
  }
  out += fmt::format("{:>12.3f} {:>14.12f} {:>10}\n", ms(values.max_us()), 1.0, values.count());
  out += fmt::format("#[Mean    = {:>12.3f}]\n#[Max     = {:>12.3f}, Total count = {:>12}]\n",
                     ms(static_cast<std::int64_t>(values.sum_us() / values.count())),
                     ms(values.max_us()), values.count());
  return out;
}

std::string describe_plan(const cli::Deployment& deployment, const DrillOptions& options) {
  const Scenario* scenario = find_scenario(options.scenario);
  if (scenario == nullptr) throw cli::UsageError("there is no scenario " + options.scenario);
  auto seconds = [](std::int64_t ms) { return static_cast<double>(ms) / 1e3; };
  std::string others;
  for (const auto& region : deployment.regions)
    if (region.name != options.region) others += (others.empty() ? "" : ", ") + region.name;
  std::string out = fmt::format(
      "{}: {}\n\n"
      "  PREFLIGHT  all regions ready, links whole, clocks near; else nothing is touched\n"
      "  BASELINE   {:.0f} s of {} writes a second into the table {}, three of four in {}\n"
      "  INJECT     {}: {}, for {:.0f} s\n",
      scenario->name, scenario->summary, seconds(options.baseline_ms), options.rate, kTable,
      options.region, options.region, scenario->summary, seconds(options.fault_ms));
  switch (scenario->evacuation) {
    case Evacuation::when_noticed:
      out += "  DETECT     health check fails three times, or replication out stands still for " +
             fmt::format("{:.1f} s\n", seconds(options.stall_ms)) +
             "  EVACUATE   clients go to one of " + others + "\n";
      break;
    case Evacuation::planned:
      out += "  EVACUATE   before that: clients go to one of " + others +
             ", and all that was acknowledged is waited for\n";
      break;
    case Evacuation::none: out += "  STEADY     clients stay\n"; break;
  }
  return out +
         fmt::format(
             "  HEAL       everything is undone\n"
             "  CATCH-UP   at most {:.0f} s\n"
             "  FAILBACK   clients return for {:.0f} s\n"
             "  VERIFY     all regions equal, every acknowledged write in each\n\n"
             "Objectives: RTO {:.1f} s, RPO {:.1f} s{}, no acknowledged write lost.\n"
             "Touched: {} of {}.  Other tables see the same fault.\n",
             seconds(options.catch_up_ms_max), seconds(options.failback_ms),
             seconds(options.rto_ms_max), seconds(options.rpo_ms_max),
             options.rpo_writes_max ? fmt::format(" and {} writes", *options.rpo_writes_max) : "",
             scenario->ends.empty() ? "links" : "daemons", options.region);
}

}  // namespace meridian::drill

// The second half of a drill: from the drain and the heal to the figures.
#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include <algorithm>
#include <sstream>

#include "tools/meridian/commands.h"
#include "tools/meridian/drill/preflight.h"
#include "tools/meridian/drill/runner.h"

namespace meridian::drill {
namespace {

constexpr int kQuietLooks = 3;  // looks in a row with nothing that waits, before it has caught up
constexpr const char* kDrainWait = "2s";  // between looks at Ctrl-C and stop conditions
constexpr double kOldMsMin = 500;  // what waits less is on its way
constexpr double kOlderThanUsual = 2;

double seconds(std::int64_t us) { return static_cast<double>(us) / 1e6; }

}  // namespace

// Everything that the region acknowledged has to arrive before it is stopped, of all its tables; that
// is certain, by a barrier, or the region is not stopped.
void Runner::drain() {
  note("DRAIN", "waiting until " + result_.survivor + " has all that was acknowledged");
  std::int64_t end_us = now_us() + result_.options.catch_up_ms_max * 1000;
  for (;;) {
    auto said =
        run_meridian(deployment_.path, {"drain", "--from", stage_.region, "--to", result_.survivor,
                                        "--wait", kDrainWait, "-o", "json"});
    if (said.code == cli::kExitYes) break;
    if (said.code != cli::kExitNo) throw Stopped{"the region could not be asked to drain"};
    if (now_us() > end_us) throw Stopped{"the region could not be drained"};
    step();
  }
  step();
  note("DRAIN", result_.survivor + " has all that " + stage_.region + " had acknowledged");
}

// Records that wait on all links; empty when nothing is known that was not known before.
std::optional<std::int64_t> Runner::pending() {
  std::int64_t sum = 0;
  std::int64_t newest_us = 0;
  for (const auto& sample : watch_->latest()) {
    newest_us = std::max(newest_us, sample.at_us);
    if (sample.links.size() + 1 < deployment_.regions.size()) return std::nullopt;
    for (const auto& link : sample.links) {
      if (!link.pending_records) return std::nullopt;
      sum += *link.pending_records;
    }
  }
  if (newest_us <= counted_at_us_) return std::nullopt;
  counted_at_us_ = newest_us;
  return sum;
}

// The oldest that any link had waiting before the fault.
double Runner::usual_age_ms() const {
  double oldest_ms = 0;
  for (const auto& sample : watch_->samples()) {
    if (result_.fault_us && sample.at_us >= *result_.fault_us) continue;
    for (const auto& link : sample.links)
      oldest_ms = std::max(oldest_ms, link.oldest_ms.value_or(0));
  }
  return oldest_ms;
}

void Runner::heal() {
  note("HEAL", "undoing what was done");
  for (const auto& sample : watch_->latest())
    for (const auto& link : sample.links)
      result_.pending_at_heal += link.pending_records.value_or(0);
  result_.healed_us = now_us();
  scenario_.heal(stage_);
}

void Runner::catch_up() {
  note("CATCH-UP", "until every region has everything");
  std::int64_t end_us = now_us() + result_.options.catch_up_ms_max * 1000;
  double old_ms = std::max(kOldMsMin, kOlderThanUsual * usual_age_ms());
  for (int quiet = 0; now_us() < end_us;) {
    step();
    bool ready = true;
    bool young = true;  // under load something is always on its way
    for (const auto& sample : watch_->latest()) {
      ready &= sample.node_ready && sample.replicator_ready;
      for (const auto& link : sample.links)
        young &= link.pending_records == 0 || link.oldest_ms.value_or(old_ms) < old_ms;
    }
    auto waiting = pending();
    if (!waiting || !ready) continue;
    result_.pending_at_heal = std::max(result_.pending_at_heal, *waiting);
    double few = result_.options.rate * kAskEveryMs / 1000.0;  // a look's worth on each link
    young |= static_cast<double>(*waiting) <= few * static_cast<double>(deployment_.regions.size());
    quiet = young ? quiet + 1 : 0;
    if (quiet < kQuietLooks) continue;
    result_.caught_up_us = now_us();
    note("CATCH-UP",
         fmt::format("done {:.1f} s after the heal", seconds(now_us() - *result_.healed_us)));
    return;
  }
  note("CATCH-UP", "not done in time");
}

void Runner::failback() {
  if (!result_.survivor.empty() && result_.caught_up_us) {
    result_.returned_us = now_us();
    load_->send_to(stage_.region, stage_.region);
    note("FAILBACK", "clients return to " + stage_.region);
    auto held = read_holdings(deployment_.region(stage_.region), result_.id);
    result_.return_loss =
        loss_at(load_->writes(), result_.survivor, *result_.returned_us, held);
  }
  spend(result_.options.failback_ms);
}

void Runner::verify() {
  note("VERIFY", "do all regions hold the same, and every acknowledged write?");
  auto said = run_meridian(deployment_.path, {"verify", kTable, "-o", "json"});
  result_.verify_output = said.output;
  if (said.code == cli::kExitYes || said.code == cli::kExitNo)
    result_.identical = said.code == cli::kExitYes;
  result_.writes = load_->writes();
  std::vector<Holdings> held;
  for (const auto& region : deployment_.regions) {
    try {
      held.push_back(read_holdings(region, result_.id));
    } catch (const std::exception& failure) {
      result_.silent.push_back(region.name);
      note("VERIFY", region.name + " does not show what it holds: " + failure.what());
    }
  }
  result_.everything = outcome_of(result_.writes, held);
  if (result_.loss) result_.lost_then = outcome_of(result_.loss->writes, held);
  note("VERIFY", fmt::format("{}; {} acknowledged writes lost",
                             !result_.identical   ? "no answer"
                             : *result_.identical ? "identical"
                                                  : "the regions differ",
                             result_.everything->lost.size()));
}

// Those of this drill's own items.
void Runner::read_conflicts() {
  auto said = run_meridian(deployment_.path, {"conflicts", "export", kTable});
  if (said.code != cli::kExitYes) return;
  result_.conflicts.emplace();
  std::istringstream lines(said.output);
  for (std::string line; std::getline(lines, line);)
    if (line.find("\"" + result_.id + "\"") != std::string::npos)
      result_.conflicts->push_back(line);
}

void Runner::collect() {
  if (result_.cut_us)
    result_.switched_us = first_elsewhere_us(result_.writes, stage_.region, *result_.cut_us);
  if (result_.returned_us)
    result_.back_us = first_back_us(result_.writes, stage_.region, *result_.returned_us);
  std::int64_t healed_us = result_.healed_us.value_or(now_us());
  std::int64_t from_us =
      std::min(result_.cut_us.value_or(healed_us), result_.fault_us.value_or(healed_us));
  result_.longest_outage_us =
      longest_outage_us(result_.writes, stage_.region, from_us, healed_us);
  if (result_.returned_us)
    result_.return_outage_us = longest_outage_us(
        result_.writes, stage_.region, *result_.returned_us,
        *result_.returned_us + result_.options.failback_ms * 1000);
  result_.attempts = load_->attempts();
  result_.failures = load_->failures();
  result_.reads = load_->reads();
  result_.stale_reads = load_->stale_reads();
  for (const auto& region : deployment_.regions)
    result_.latency[region.name] = percentile_text(load_->latency(region.name));
  result_.samples = watch_->samples();
  for (const auto& sample : result_.samples)
    if (!sample.version.empty()) result_.versions[sample.region] = sample.version;
  note("RESTORED", "the deployment is as it was");
}

}  // namespace meridian::drill

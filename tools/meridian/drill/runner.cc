#include "tools/meridian/drill/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tools/meridian/commands.h"
#include "tools/meridian/drill/lock.h"
#include "tools/meridian/drill/preflight.h"
#include "tools/meridian/drill/report.h"
#include "tools/meridian/output.h"

namespace meridian::drill {
namespace {

constexpr std::int64_t kStepMs = 50;
constexpr int kMissesMax = 3;  // looks at the region in a row that fail, before clients leave it
constexpr std::int64_t kAskCommandEveryMs = 500;
constexpr std::int64_t kHookMsMax = 5'000;  // a health check that takes longer has failed
constexpr std::int64_t kPatienceMs = 5'000;
constexpr int kHomesOfRegion = 3;  // of four writers, those that begin in the region under drill

std::string own_command_line() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::string all((std::istreambuf_iterator<char>(in)), {});
  if (!all.empty()) all.pop_back();
  std::replace(all.begin(), all.end(), '\0', ' ');
  return all;
}

}  // namespace

Runner::Runner(const cli::Deployment& deployment, const DrillOptions& options,
               const Scenario& scenario)
    : deployment_(deployment),
      scenario_(scenario),
      began_us_(clock_.monotonic_us()),
      stops_(options.stops),
      op_(deployment),
      stage_{op_, options.region, {}, options.fault_ms, options.clock_by_ms} {
  result_.options = options;
  result_.command_line = own_command_line();
  result_.began_wall_us = clock_.wall_us();
  result_.id = options.id;
  for (const auto& region : deployment.regions) {
    result_.regions.push_back(region.name);
    if (region.name != options.region) stage_.others.push_back(region.name);
  }
}

DrillResult Runner::run() {
  preflight();
  std::filesystem::create_directories(result_.options.folder);
  for (const auto& event : result_.timeline) keep(event);
  op_.be_guarded();
  watch_ = std::make_unique<Watch>(deployment_, clock_, began_us_);
  load_ = std::make_unique<Load>(deployment_, load_options(), clock_, began_us_);
  try {
    go_through();
  } catch (const Stopped& stopped) {
    abandon(stopped.why);
  } catch (const std::exception& failure) {
    abandon(failure.what());
  }
  collect();
  return std::move(result_);
}

// Whatever was measured so far is in the report.
void Runner::abandon(const std::string& why) {
  result_.aborted = why;
  note("ABORT", why + ": healing first");
  op_.undo();
  result_.healed_us = now_us();
  load_->stop(kPatienceMs);
  result_.writes = load_->writes();
}

void Runner::go_through() {
  baseline();
  if (scenario_.evacuation == Evacuation::planned) leave("as planned");
  inject();
  endure();
  heal();
  catch_up();
  failback();
  load_->stop(kPatienceMs);
  verify();
  read_conflicts();
}

void Runner::note(const std::string& phase, const std::string& text) {
  Event event{now_us(), clock_.wall_us(), phase, text};
  cli::progress(
      fmt::format("{:8.1f} s  {:<9} {}", static_cast<double>(event.at_us) / 1e6, phase, text));
  if (watch_) keep(event);  // nothing is written before the preflight has passed
  result_.timeline.push_back(std::move(event));
}

// For those who look on; the report writes the file once more.
void Runner::keep(const Event& event) {
  std::ofstream(std::filesystem::path(result_.options.folder) / "timeline.jsonl", std::ios::app)
      << timeline_line(event) << "\n";
}

void Runner::step() {
  cli::pause_ms(kStepMs);
  if (interrupts_.count() > 0) throw Stopped{"interrupted"};
  std::string down;
  for (const auto& sample : watch_->latest())
    if (sample.region != stage_.region && !sample.node_ready) down = sample.region;
  down_since_us_ = down.empty() ? 0 : down_since_us_ == 0 ? now_us() : down_since_us_;
  if (down_since_us_ != 0 && now_us() - down_since_us_ > kPatienceMs * 1000)
    throw Stopped{down + " went down as well, which is not part of the drill"};
  look_for_stops();
}

void Runner::look_for_stops() {
  Figures now;
  now.now_us = now_us();
  now.attempts = load_->attempts();
  now.failures = load_->failures();
  now.outage_ms = static_cast<double>(load_->outage_us()) / 1e3;
  for (const auto& sample : watch_->latest()) {
    for (const auto& link : sample.links) {
      now.pending_max = std::max(now.pending_max, link.pending_records.value_or(0));
      now.oldest_ms_max = std::max(now.oldest_ms_max, link.oldest_ms.value_or(0));
    }
  }
  if (auto why = stops_.look(now); !why.empty()) throw Stopped{"stop condition " + why};
}

void Runner::spend(std::int64_t ms) {
  for (std::int64_t end_us = now_us() + ms * 1000; now_us() < end_us;) step();
}

LoadOptions Runner::load_options() const {
  LoadOptions out;
  out.drill = result_.id;
  out.homes.assign(kHomesOfRegion, stage_.region);
  out.homes.push_back(stage_.others.back());
  out.rate = result_.options.rate;
  out.seed = result_.options.seed;
  return out;
}

void Runner::preflight() {
  note("PREFLIGHT", "are all regions ready, links whole and clocks near each other?");
  auto problems = check_deployment(deployment_);
  try {
    for (auto daemon : scenario_.ends) op_.check(stage_.region, daemon);
    if (scenario_.fills_disk) op_.check_disk(stage_.region);
  } catch (const OperatorError& failure) {
    problems.emplace_back(failure.what());
  }
  if (!problems.empty()) throw Refused(fmt::format("{}", fmt::join(problems, "\n")));
  check_hook();
  make_table(deployment_);
}

// A check that says ill of a healthy region, or cannot be run, would pass for a quick detection.
void Runner::check_hook() {
  const auto& command = result_.options.health_command;
  if (command.empty()) return;
  asked_.start({command, stage_.region});
  for (std::int64_t end_us = now_us() + kHookMsMax * 1000; !asked_.done();) {
    cli::pause_ms(kStepMs);
    if (interrupts_.count() > 0 || now_us() > end_us) asked_.stop();
  }
  if (int code = asked_.take().code; code != 0)
    throw Refused(
        fmt::format("{} answered {} for {}, which is well", command, code, stage_.region));
}

void Runner::baseline() {
  note("BASELINE", fmt::format("{} writes a second, three of four in {}", result_.options.rate,
                               stage_.region));
  load_->start();
  spend(result_.options.baseline_ms);
}

void Runner::inject() {
  note("INJECT", scenario_.summary + " (" + stage_.region + ")");
  result_.fault_us = now_us();
  scenario_.inject(stage_);
}

// Until the fault is over; clients leave the region as soon as they notice.
void Runner::endure() {
  // From when it is whole: a disk may take a while to fill.
  std::int64_t end_us = now_us() + result_.options.fault_ms * 1000;
  while (now_us() < end_us) {
    step();
    if (scenario_.tick) scenario_.tick(stage_, (now_us() - *result_.fault_us) / 1000);
    if (scenario_.evacuation != Evacuation::when_noticed || result_.detected_us) continue;
    std::string why = result_.options.health_command.empty() ? noticed() : asked_command();
    if (why.empty()) continue;
    result_.detected_us = now_us();
    result_.detected_by = why;
    note("DETECT", why);
    leave(why);
  }
  if (result_.cut_us) return;
  // Clients are still there: what would the end of the region cost now?
  const auto at_us = now_us();
  auto held = read_holdings(deployment_.region(stage_.others.front()), result_.id);
  result_.loss = loss_at(load_->writes(), stage_.region, at_us, held);
}

// Why clients should leave the region; empty while there is no reason.
std::string Runner::noticed() {
  for (const auto& sample : watch_->latest()) {
    if (sample.region != stage_.region || sample.at_us == looked_at_us_) continue;
    looked_at_us_ = sample.at_us;
    misses_ = sample.node_ready ? 0 : misses_ + 1;
    if (misses_ >= kMissesMax) return stage_.region + " failed its health check: " + sample.reason;
    bool all_stalled = !sample.links.empty();
    for (const auto& link : sample.links)
      all_stalled &= link.oldest_ms.value_or(0) > static_cast<double>(result_.options.stall_ms);
    if (all_stalled) return "replication out of " + stage_.region + " stands still";
  }
  return {};
}

// The same from the operator's own check, which runs beside the drill.
std::string Runner::asked_command() {
  const auto& command = result_.options.health_command;
  if (!asked_.running()) {
    if (now_us() - asked_at_us_ < kAskCommandEveryMs * 1000) return {};
    asked_at_us_ = now_us();
    asked_.start({command, stage_.region});
  }
  if (now_us() - asked_at_us_ > kHookMsMax * 1000) asked_.stop();  // a miss
  if (!asked_.done()) return {};
  misses_ = asked_.take().code == 0 ? 0 : misses_ + 1;
  return misses_ < kMissesMax ? std::string() : command + " says that " + stage_.region + " is ill";
}

void Runner::leave(const std::string& why) {
  for (const auto& sample : watch_->latest())
    if (result_.survivor.empty() && sample.region != stage_.region && sample.node_ready)
      result_.survivor = sample.region;
  if (result_.survivor.empty()) throw Stopped{"no other region is ready"};
  run_switch();
  result_.cut_us = now_us();
  // What the region acknowledged has gone on to the survivor since, so nothing is known of its loss.
  result_.late_switch =
      result_.fault_us && *result_.cut_us - *result_.fault_us > result_.options.fault_ms * 1000;
  load_->send_to(stage_.region, result_.survivor);
  note("EVACUATE", "clients go to " + result_.survivor + ": " + why);
  if (scenario_.drains) drain();
  auto held = read_holdings(deployment_.region(result_.survivor), result_.id);
  result_.loss = loss_at(load_->writes(), stage_.region, *result_.cut_us, held);
  note("STEADY", fmt::format("{} writes that {} acknowledged are not in {}",
                             result_.loss->writes.size(), stage_.region, result_.survivor));
}

void Runner::run_switch() {
  const auto& command = result_.options.switch_command;
  if (command.empty()) return;
  Hook hook;
  hook.start({command, stage_.region, result_.survivor});
  while (!hook.done()) step();
  if (int code = hook.take().code; code != 0)
    throw Stopped{fmt::format("{} answered {}", command, code)};
}

DrillResult run_drill(const cli::Deployment& deployment, const DrillOptions& options) {
  const Scenario* scenario = find_scenario(options.scenario);
  if (scenario == nullptr) throw cli::UsageError("there is no scenario " + options.scenario);
  DrillLock lock(deployment.path);
  return Runner(deployment, options, *scenario).run();
}

}  // namespace meridian::drill

#include "tools/meridian/drill/drill.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <atomic>

#include "common/clock.h"
#include "tools/meridian/commands.h"
#include "tools/meridian/drill/load.h"
#include "tools/meridian/drill/preflight.h"
#include "tools/meridian/drill/run_command.h"
#include "tools/meridian/output.h"

namespace meridian::drill {
namespace {

constexpr std::int64_t kStepMs = 50;
constexpr int kMissesMax = 3;   // looks at the region in a row that fail, before clients leave it
constexpr int kQuietLooks = 3;  // looks in a row with nothing pending, before it has caught up
constexpr std::int64_t kPatienceMs = 5'000;
constexpr int kHomesOfRegion = 3;  // of four writers, those that begin in the region under drill

std::atomic<bool> interrupted{false};
void on_interrupt(int) { interrupted = true; }

// Ctrl-C asks for an orderly end while this lives.
class InterruptGuard {
 public:
  InterruptGuard() {
    interrupted = false;
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    ::sigaction(SIGINT, &action, &before_int_);
    ::sigaction(SIGTERM, &action, &before_term_);
  }
  ~InterruptGuard() {
    ::sigaction(SIGINT, &before_int_, nullptr);
    ::sigaction(SIGTERM, &before_term_, nullptr);
  }

 private:
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

class Runner {
 public:
  Runner(const cli::Deployment& deployment, const DrillOptions& options, const Scenario& scenario)
      : deployment_(deployment),
        scenario_(scenario),
        began_us_(clock_.monotonic_us()),
        op_(deployment),
        stage_{op_, options.region, {}, options.fault_ms} {
    result_.options = options;
    result_.began_wall_us = clock_.wall_us();
    result_.id = "drill-" + std::to_string(result_.began_wall_us / 1000);
    for (const auto& region : deployment.regions) {
      result_.regions.push_back(region.name);
      if (region.name != options.region) stage_.others.push_back(region.name);
    }
  }

  DrillResult run() {
    preflight();
    watch_ = std::make_unique<Watch>(deployment_, clock_, began_us_);
    load_ = std::make_unique<Load>(deployment_, load_options(), clock_, began_us_);
    baseline();
    if (scenario_.evacuation == Evacuation::planned) leave("as planned");
    inject();
    endure();
    heal();
    catch_up();
    failback();
    verify();
    collect();
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::int64_t now_us() const { return clock_.monotonic_us() - began_us_; }

  void note(const std::string& phase, const std::string& text) {
    Event event{now_us(), clock_.wall_us(), phase, text};
    cli::progress(
        fmt::format("{:8.1f} s  {:<9} {}", static_cast<double>(event.at_us) / 1e6, phase, text));
    result_.timeline.push_back(std::move(event));
  }

  // Waits a step; Ctrl-C and stop conditions end the drill here.
  void step() {
    cli::pause_ms(kStepMs);
    if (interrupted) {
      note("ABORT", "interrupted: healing first");
      throw Aborted("interrupted");
    }
    std::string down;
    for (const auto& sample : watch_->latest())
      if (sample.region != stage_.region && !sample.node_ready) down = sample.region;
    down_since_us_ = down.empty() ? 0 : down_since_us_ == 0 ? now_us() : down_since_us_;
    if (down_since_us_ != 0 && now_us() - down_since_us_ > kPatienceMs * 1000) {
      note("ABORT", down + " is down as well, which is not part of the drill: healing first");
      throw Aborted(down + " went down as well");
    }
  }

  void spend(std::int64_t ms) {
    for (std::int64_t end_us = now_us() + ms * 1000; now_us() < end_us;) step();
  }

  [[nodiscard]] LoadOptions load_options() const {
    LoadOptions out;
    out.drill = result_.id;
    out.homes.assign(kHomesOfRegion, stage_.region);
    out.homes.push_back(stage_.others.back());
    out.rate = result_.options.rate;
    out.seed = result_.options.seed;
    return out;
  }

  void preflight() {
    note("PREFLIGHT", "are all regions ready, links whole and clocks near each other?");
    auto problems = check_deployment(deployment_);
    try {
      for (auto daemon : scenario_.ends) op_.check(stage_.region, daemon);
    } catch (const OperatorError& failure) {
      problems.emplace_back(failure.what());
    }
    if (!problems.empty()) throw Refused(fmt::format("{}", fmt::join(problems, "\n")));
    make_table(deployment_);
  }

  void baseline() {
    note("BASELINE", fmt::format("{} writes a second, three of four in {}", result_.options.rate,
                                 stage_.region));
    load_->start();
    spend(result_.options.baseline_ms);
  }

  void inject() {
    note("INJECT", scenario_.summary + " (" + stage_.region + ")");
    result_.fault_us = now_us();
    scenario_.inject(stage_);
  }

  // Until the fault is over; clients leave the region as soon as they notice.
  void endure() {
    std::int64_t end_us = *result_.fault_us + result_.options.fault_ms * 1000;
    while (now_us() < end_us) {
      step();
      if (scenario_.tick) scenario_.tick(stage_, (now_us() - *result_.fault_us) / 1000);
      if (scenario_.evacuation != Evacuation::when_noticed || result_.detected_us) continue;
      if (auto why = noticed(); !why.empty()) {
        result_.detected_us = now_us();
        result_.detected_by = why;
        note("DETECT", why);
        leave(why);
      }
    }
  }

  // Why clients should leave the region; empty while there is no reason.
  std::string noticed() {
    for (const auto& sample : watch_->latest()) {
      if (sample.region != stage_.region || sample.at_us == looked_at_us_) continue;
      looked_at_us_ = sample.at_us;
      misses_ = sample.node_ready ? 0 : misses_ + 1;
      if (misses_ >= kMissesMax)
        return stage_.region + " failed its health check: " + sample.reason;
      bool all_stalled = !sample.links.empty();
      for (const auto& link : sample.links)
        all_stalled &= link.oldest_ms.value_or(0) > static_cast<double>(result_.options.stall_ms);
      if (all_stalled) return "replication out of " + stage_.region + " stands still";
    }
    return {};
  }

  void leave(const std::string& why) {
    for (const auto& sample : watch_->latest())
      if (result_.survivor.empty() && sample.region != stage_.region && sample.node_ready)
        result_.survivor = sample.region;
    if (result_.survivor.empty()) throw Aborted("no other region is ready");
    if (!result_.options.switch_command.empty()) {
      auto said = run_command({result_.options.switch_command, stage_.region, result_.survivor});
      if (said.code != 0)
        throw Aborted(fmt::format("{} answered {}", result_.options.switch_command, said.code));
    }
    result_.cut_us = now_us();
    load_->send_to(stage_.region, result_.survivor);
    note("EVACUATE", "clients go to " + result_.survivor + ": " + why);
    if (scenario_.evacuation == Evacuation::planned) drain();
    auto held = read_holdings(deployment_.region(result_.survivor), result_.id);
    result_.loss = loss_at(load_->writes(), stage_.region, *result_.cut_us, held);
    note("STEADY", fmt::format("{} writes that {} acknowledged are not in {}",
                               result_.loss.writes.size(), stage_.region, result_.survivor));
  }

  // Everything that the region acknowledged has to arrive before it is stopped.
  void drain() {
    note("DRAIN", "waiting until " + result_.survivor + " has all that was acknowledged");
    std::int64_t end_us = now_us() + result_.options.catch_up_ms_max * 1000;
    for (int quiet = 0; quiet < kQuietLooks;) {
      step();
      if (now_us() > end_us) throw Aborted("the region could not be drained");
      auto pending = pending_of(stage_.region);
      if (!pending) continue;
      quiet = *pending == 0 ? quiet + 1 : 0;
    }
  }

  // Records that wait on links out of `region`, or of all when empty; empty when nothing new is known.
  std::optional<std::int64_t> pending_of(const std::string& region) {
    std::int64_t sum = 0;
    std::int64_t newest_us = 0;
    for (const auto& sample : watch_->latest()) {
      if (!region.empty() && sample.region != region) continue;
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

  void heal() {
    note("HEAL", "undoing what was done");
    scenario_.heal(stage_);
    result_.healed_us = now_us();
  }

  void catch_up() {
    note("CATCH-UP", "until every region has everything");
    std::int64_t end_us = now_us() + result_.options.catch_up_ms_max * 1000;
    for (int quiet = 0; now_us() < end_us;) {
      step();
      bool ready = true;
      for (const auto& sample : watch_->latest())
        ready &= sample.node_ready && sample.replicator_ready;
      auto pending = pending_of("");
      if (!pending || !ready) continue;
      result_.pending_at_heal = std::max(result_.pending_at_heal, *pending);
      // Under load something is always on its way; less than a look's worth of it counts as nothing.
      double on_the_way = result_.options.rate * kAskEveryMs / 1000.0 *
                          static_cast<double>(deployment_.regions.size());
      quiet = static_cast<double>(*pending) <= on_the_way ? quiet + 1 : 0;
      if (quiet < kQuietLooks) continue;
      result_.caught_up_us = now_us();
      note("CATCH-UP", fmt::format("done {:.1f} s after the heal",
                                   static_cast<double>(now_us() - *result_.healed_us) / 1e6));
      return;
    }
    note("CATCH-UP", "not done in time");
  }

  void failback() {
    if (!result_.survivor.empty() && result_.caught_up_us) {
      note("FAILBACK", "clients return to " + stage_.region);
      load_->send_to(stage_.region, stage_.region);
    }
    spend(result_.options.failback_ms);
    load_->stop(kPatienceMs);
  }

  void verify() {
    note("VERIFY", "do all regions hold the same, and every acknowledged write?");
    auto said = run_meridian(deployment_.path, {"verify", kTable, "-o", "json"});
    result_.verify_output = said.output;
    if (said.code == cli::kExitYes || said.code == cli::kExitNo)
      result_.identical = said.code == cli::kExitYes;
    result_.writes = load_->writes();
    std::vector<Holdings> held;
    for (const auto& region : deployment_.regions)
      held.push_back(read_holdings(region, result_.id));
    result_.everything = outcome_of(result_.writes, held);
    result_.lost_then = outcome_of(result_.loss.writes, held);
    note("VERIFY", fmt::format("{}; {} acknowledged writes lost",
                               !result_.identical   ? "no answer"
                               : *result_.identical ? "identical"
                                                    : "the regions differ",
                               result_.everything.lost.size()));
  }

  void collect() {
    if (result_.fault_us && result_.cut_us)
      result_.switched_us = first_elsewhere_us(result_.writes, stage_.region, *result_.cut_us);
    std::int64_t from_us = result_.fault_us.value_or(0);
    result_.longest_outage_us = longest_outage_us(result_.writes, stage_.region, from_us,
                                                  result_.healed_us.value_or(now_us()));
    result_.attempts = load_->attempts();
    result_.failures = load_->failures();
    for (const auto& region : deployment_.regions)
      result_.latency[region.name] = percentile_text(load_->latency(region.name));
    result_.samples = watch_->samples();
    note("RESTORED", "the deployment is as it was");
  }

  SystemClock clock_;
  const cli::Deployment& deployment_;
  const Scenario& scenario_;
  const std::int64_t began_us_;
  const InterruptGuard interrupts_;
  DrillResult result_;
  std::unique_ptr<Watch> watch_;
  std::unique_ptr<Load> load_;
  Operator op_;  // after the load: what was broken is healed before the writers are waited for
  Stage stage_;
  int misses_ = 0;
  std::int64_t looked_at_us_ = -1;
  std::int64_t counted_at_us_ = -1;
  std::int64_t down_since_us_ = 0;
};

double seconds(std::int64_t us) { return static_cast<double>(us) / 1e6; }

}  // namespace

bool passed(const DrillResult& result, std::vector<std::string>& missed) {
  const auto& options = result.options;
  const Scenario* scenario = find_scenario(options.scenario);
  bool leaves = scenario != nullptr && scenario->evacuation != Evacuation::none;
  if (leaves && !result.cut_us) {
    missed.emplace_back("nobody noticed the fault, so clients stayed");
  } else if (leaves && result.fault_us) {
    std::int64_t rto_us = result.switched_us.value_or(*result.cut_us) - *result.fault_us;
    if (rto_us > options.rto_ms_max * 1000)
      missed.push_back(fmt::format("RTO {:.1f} s is over {:.1f} s", seconds(rto_us),
                                   static_cast<double>(options.rto_ms_max) / 1e3));
    if (result.loss.age_us > options.rpo_ms_max * 1000)
      missed.push_back(fmt::format("RPO {:.1f} s is over {:.1f} s", seconds(result.loss.age_us),
                                   static_cast<double>(options.rpo_ms_max) / 1e3));
    if (options.rpo_writes_max &&
        static_cast<std::int64_t>(result.loss.writes.size()) > *options.rpo_writes_max)
      missed.push_back(fmt::format("RPO of {} writes is over {}", result.loss.writes.size(),
                                   *options.rpo_writes_max));
  }
  if (!result.everything.lost.empty())
    missed.push_back(fmt::format("{} acknowledged writes are lost", result.everything.lost.size()));
  if (!result.caught_up_us) missed.emplace_back("the regions did not catch up in time");
  if (!result.identical) missed.emplace_back("verify gave no answer");
  if (result.identical && !*result.identical) missed.emplace_back("the regions differ");
  return missed.empty();
}

DrillResult run_drill(const cli::Deployment& deployment, const DrillOptions& options) {
  const Scenario* scenario = find_scenario(options.scenario);
  if (scenario == nullptr) throw cli::UsageError("there is no scenario " + options.scenario);
  return Runner(deployment, options, *scenario).run();
}

}  // namespace meridian::drill

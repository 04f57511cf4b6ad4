#include "tools/meridian/drill/scenario.h"

#include <memory>

namespace meridian::drill {
namespace {

constexpr std::int64_t kFlapMs = 2'000;
// A fault on a link outlives the drill's own plan by so much, should the drill be killed.
constexpr std::int64_t kSpareMs = 5'000;

void cut_out(Stage& stage, std::int64_t for_ms) {
  for (const auto& other : stage.others) stage.op.fault(stage.region, other, {"cut", ""}, for_ms);
}

void cut_in(Stage& stage, std::int64_t for_ms) {
  for (const auto& other : stage.others) stage.op.fault(other, stage.region, {"cut", ""}, for_ms);
}

void heal_links(Stage& stage) {
  for (const auto& other : stage.others) {
    stage.op.heal(stage.region, other);
    stage.op.heal(other, stage.region);
  }
}

void kill_both(Stage& stage) {
  stage.op.kill(stage.region, Daemon::node);
  stage.op.kill(stage.region, Daemon::replicator);
}

void start_both(Stage& stage) {
  stage.op.start(stage.region, Daemon::node);
  stage.op.start(stage.region, Daemon::replicator);
}

// The daemons of the region are killed.
Scenario loss(const std::string& name, const std::string& summary, Evacuation evacuation) {
  Scenario out{name, summary, evacuation};
  out.ends = {Daemon::node, Daemon::replicator};
  out.inject = kill_both;
  out.heal = start_both;
  return out;
}

// The region's links are broken.
Scenario links(const std::string& name, const std::string& summary,
               std::function<void(Stage&)> inject) {
  Scenario out{name, summary};
  out.inject = std::move(inject);
  out.heal = heal_links;
  return out;
}

Scenario region_loss() {
  return loss("region-loss", "the region's daemons are killed (SIGKILL)",
              Evacuation::when_noticed);
}

Scenario partition() {
  return links("partition",
               "all links to and from the region are cut; its clients still reach it",
               [](Stage& stage) {
                 cut_out(stage, stage.fault_ms + kSpareMs);
                 cut_in(stage, stage.fault_ms + kSpareMs);
               });
}

Scenario partition_one_way() {
  return links("partition-one-way", "the region reaches nobody; the others still reach it",
               [](Stage& stage) { cut_out(stage, stage.fault_ms + kSpareMs); });
}

Scenario partition_flapping() {
  // Each cut ends by itself, so that the drill only has to begin them.
  auto cuts = std::make_shared<std::int64_t>(0);
  auto cut = [cuts](Stage& stage, std::int64_t elapsed_ms) {
    if (elapsed_ms < *cuts * 2 * kFlapMs) return;
    ++*cuts;
    cut_out(stage, kFlapMs);
    cut_in(stage, kFlapMs);
  };
  auto out = links("partition-flapping",
                   "the region's links are cut and healed, two seconds each",
                   [cuts, cut](Stage& stage) {
                     *cuts = 0;
                     cut(stage, 0);
                   });
  out.tick = cut;
  return out;
}

Scenario slow_link() {
  auto out = links("slow-link",
                   "what the region sends takes 200 ms longer, give or take 100, at most 256 KiB "
                   "a second, and of a hundred segments two are lost",
                   [](Stage& stage) {
                     for (const auto& other : stage.others)
                       for (const Fault& fault : {Fault{"delay", "&delay_ms=200&jitter_ms=100"},
                                                  Fault{"lose", "&lost_permille=20"},
                                                  Fault{"limit", "&bytes_per_second=262144"}})
                         stage.op.fault(stage.region, other, fault, stage.fault_ms + kSpareMs);
                   });
  out.evacuation = Evacuation::none;
  return out;
}

Scenario replicator_crash() {
  Scenario out{"replicator-crash",
               "the region's replicators are killed; its table goes on serving"};
  out.evacuation = Evacuation::none;
  out.ends = {Daemon::replicator};
  out.inject = [](Stage& stage) { stage.op.kill(stage.region, Daemon::replicator); };
  out.heal = [](Stage& stage) { stage.op.start(stage.region, Daemon::replicator); };
  return out;
}

Scenario clock_step() {
  Scenario out{"clock-step", "the region's wall clock jumps, by ten minutes unless told otherwise"};
  out.inject = [](Stage& stage) {
    stage.op.shift_clock(stage.region, stage.clock_by_ms, stage.fault_ms + kSpareMs);
  };
  out.heal = [](Stage& stage) { stage.op.shift_clock(stage.region, 0, 1); };
  return out;
}

Scenario disk_full() {
  Scenario out{"disk-full", "the region's data directory has not a byte left"};
  out.fills_disk = true;
  out.inject = [](Stage& stage) { stage.op.fill_disk(stage.region); };
  out.heal = [](Stage& stage) { stage.op.free_disk(stage.region); };
  return out;
}

Scenario evacuation() {
  auto out = loss("evacuation",
                  "nothing breaks: clients leave the region, and then it is stopped",
                  Evacuation::planned);
  out.drains = true;
  return out;
}

Scenario failback() {
  auto out = loss("failback",
                  "the region is down while its clients write elsewhere; then it comes back, and "
                  "they return to it",
                  Evacuation::planned);
  out.judges_return = true;
  return out;
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> kAll{
      region_loss(),      partition(),  partition_one_way(), partition_flapping(), slow_link(),
      replicator_crash(), clock_step(), disk_full(),         evacuation(),         failback()};
  return kAll;
}

const Scenario* find_scenario(const std::string& name) {
  for (const auto& scenario : scenarios())
    if (scenario.name == name) return &scenario;
  return nullptr;
}

}  // namespace meridian::drill

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

Scenario region_loss() {
  return {"region-loss",
          "the region's daemons are killed (SIGKILL)",
          Evacuation::when_noticed,
          {Daemon::node, Daemon::replicator},
          [](Stage& stage) {
            stage.op.kill(stage.region, Daemon::node);
            stage.op.kill(stage.region, Daemon::replicator);
          },
          {},
          [](Stage& stage) {
            stage.op.start(stage.region, Daemon::node);
            stage.op.start(stage.region, Daemon::replicator);
          }};
}

Scenario partition() {
  return {"partition",
          "all links to and from the region are cut; its clients still reach it",
          Evacuation::when_noticed,
          {},
          [](Stage& stage) {
            cut_out(stage, stage.fault_ms + kSpareMs);
            cut_in(stage, stage.fault_ms + kSpareMs);
          },
          {},
          heal_links};
}

Scenario partition_one_way() {
  return {"partition-one-way",
          "the region reaches nobody; the others still reach it",
          Evacuation::when_noticed,
          {},
          [](Stage& stage) { cut_out(stage, stage.fault_ms + kSpareMs); },
          {},
          heal_links};
}

Scenario partition_flapping() {
  auto cut = std::make_shared<bool>(false);
  return {"partition-flapping",
          "the region's links are cut and healed every two seconds",
          Evacuation::when_noticed,
          {},
          [cut](Stage& stage) {
            *cut = true;
            cut_out(stage, stage.fault_ms + kSpareMs);
            cut_in(stage, stage.fault_ms + kSpareMs);
          },
          [cut](Stage& stage, std::int64_t elapsed_ms) {
            bool wanted = elapsed_ms / kFlapMs % 2 == 0;
            if (wanted == *cut) return;
            *cut = wanted;
            if (!wanted) {
              heal_links(stage);
              return;
            }
            cut_out(stage, stage.fault_ms + kSpareMs);
            cut_in(stage, stage.fault_ms + kSpareMs);
          },
          heal_links};
}

Scenario slow_link() {
  return {"slow-link",
          "what the region sends takes 200 ms longer, at most 256 KiB a second",
          Evacuation::none,
          {},
          [](Stage& stage) {
            std::int64_t for_ms = stage.fault_ms + kSpareMs;
            for (const auto& other : stage.others) {
              stage.op.fault(stage.region, other, {"delay", "&delay_ms=200&jitter_ms=50"}, for_ms);
              stage.op.fault(stage.region, other, {"limit", "&bytes_per_second=262144"}, for_ms);
            }
          },
          {},
          heal_links};
}

Scenario replicator_crash() {
  return {"replicator-crash",
          "the region's replicator is killed; its table goes on serving",
          Evacuation::none,
          {Daemon::replicator},
          [](Stage& stage) { stage.op.kill(stage.region, Daemon::replicator); },
          {},
          [](Stage& stage) { stage.op.start(stage.region, Daemon::replicator); }};
}

Scenario evacuation() {
  return {"evacuation",
          "nothing breaks: clients leave the region, and then it is stopped",
          Evacuation::planned,
          {Daemon::node, Daemon::replicator},
          [](Stage& stage) {
            stage.op.kill(stage.region, Daemon::node);
            stage.op.kill(stage.region, Daemon::replicator);
          },
          {},
          [](Stage& stage) {
            stage.op.start(stage.region, Daemon::node);
            stage.op.start(stage.region, Daemon::replicator);
          }};
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> kAll{region_loss(),        partition(), partition_one_way(),
                                          partition_flapping(), slow_link(), replicator_crash(),
                                          evacuation()};
  return kAll;
}

const Scenario* find_scenario(const std::string& name) {
  for (const auto& scenario : scenarios())
    if (scenario.name == name) return &scenario;
  return nullptr;
}

}  // namespace meridian::drill

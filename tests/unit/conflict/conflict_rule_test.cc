// The rule that tells a conflict from a reordering, as a property over random runs of a few
// regions: the losers that the regions list by context, merged, are exactly the writes that are
// neither the final winner nor anyone's parent; also when only the newest write of a key is shipped.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "common/rng.h"
#include "conflict/ledger.h"
#include "conflict/resolver.h"

namespace meridian::conflict {
namespace {

using Write = Lineage;

class World {
 public:
  enum class Shipping { all, newest };

  World(std::uint64_t seed, std::size_t regions, Shipping shipping)
      : rng_(seed), shipping_(shipping), regions_(regions) {
    for (std::size_t i = 0; i < regions; ++i)
      regions_[i].id = RegionId::of("r" + std::to_string(i));
  }

  void run(std::size_t writes) {
    while (writes > 0 || in_flight() > 0) {
      if (writes > 0 && (in_flight() == 0 || rng_.percent(45))) {
        write(rng_.below(regions_.size()), ++time_);
        --writes;
      } else {
        deliver();
      }
    }
  }

  // Neither the winner nor anyone's parent.
  [[nodiscard]] std::set<Version> losers_by_history() const {
    std::set<Version> out = written_;
    for (const auto& parent : parents_) out.erase(parent);
    out.erase(winner());
    return out;
  }

  // What the regions list, merged; `gone`: a region whose ledger is not there.
  [[nodiscard]] std::set<Version> losers_by_context(std::size_t gone = SIZE_MAX) const {
    std::vector<RegionLedger> ledgers;
    for (std::size_t i = 0; i < regions_.size(); ++i)
      if (i != gone) ledgers.push_back(regions_[i].ledger_of_key());
    std::set<Version> out;
    for (const auto& loser : merge(ledgers)) {
      const auto& ledger = ledgers[loser.ledger];
      const Version& version = ledger.entries[loser.entry].loser.version;
      EXPECT_TRUE(out.insert(version).second) << "listed twice";
      EXPECT_EQ(loser.certain, version.region == ledger.region);
    }
    return out;
  }

  [[nodiscard]] bool converged() const {
    for (const auto& region : regions_)
      if (region.stored->version != winner()) return false;
    return true;
  }

 private:
  struct Region {
    RegionId id;
    Hlc clock;
    std::optional<Write> stored;
    std::map<Version, RegionLedger::Entry> ledger;
    std::map<std::size_t, std::deque<Write>> inbox;  // by source

    [[nodiscard]] RegionLedger ledger_of_key() const {
      RegionLedger out{id, {}, {}, stored};
      for (const auto& [version, entry] : ledger) out.entries.push_back(entry);
      return out;
    }
  };

  [[nodiscard]] Version winner() const { return *written_.rbegin(); }

  [[nodiscard]] std::size_t in_flight() const {
    std::size_t count = 0;
    for (const auto& region : regions_)
      for (const auto& [source, queue] : region.inbox) count += queue.size();
    return count;
  }

  void write(std::size_t at, std::uint64_t now) {
    Region& region = regions_[at];
    std::uint64_t physical = now + rng_.below(20);  // clocks disagree
    region.clock = Hlc{std::max(region.clock.value + 1, physical)};
    Write write{{region.clock, region.id}, {}};
    if (region.stored) {
      write.context = region.stored->context.extended_by(region.stored->version);
      parents_.insert(region.stored->version);
    }
    written_.insert(write.version);
    region.stored = write;
    for (std::size_t to = 0; to < regions_.size(); ++to)
      if (to != at) {
        if (shipping_ == Shipping::newest) regions_[to].inbox[at].clear();
        regions_[to].inbox[at].push_back(write);
      }
  }

  void deliver() {
    std::vector<std::pair<std::size_t, std::size_t>> ready;
    for (std::size_t to = 0; to < regions_.size(); ++to)
      for (const auto& [source, queue] : regions_[to].inbox)
        if (!queue.empty()) ready.emplace_back(to, source);
    auto [to, source] = ready[rng_.below(ready.size())];
    auto& queue = regions_[to].inbox[source];
    Write incoming = queue.front();
    if (!rng_.percent(10)) queue.pop_front();  // else it comes again
    apply(regions_[to], incoming);
  }

  static void apply(Region& region, const Write& incoming) {
    region.clock = std::max(region.clock, incoming.version.hlc);
    if (auto seen = withdrawn_by(region.id, incoming.context)) region.ledger.erase(*seen);
    std::optional<Candidate> stored;
    if (region.stored) stored = Candidate{region.stored->version, 1};
    Decision decision = decide(stored, Candidate{incoming.version, 1}, Hlc{});
    if (decision == Decision::duplicate) return;
    if (!region.stored) {
      region.stored = incoming;
      return;
    }
    const Write was = *region.stored;
    if (wins(decision)) {
      if (lists_stored(was.version, incoming.context))
        region.ledger.emplace(was.version, RegionLedger::Entry{was, incoming});
      region.stored = incoming;
    } else if (lists_incoming(region.id, incoming.version, was.context)) {
      region.ledger.emplace(incoming.version, RegionLedger::Entry{incoming, was});
    }
  }

  Rng rng_;
  Shipping shipping_;
  std::vector<Region> regions_;
  std::set<Version> written_;
  std::set<Version> parents_;
  std::uint64_t time_ = 0;
};

TEST(ConflictRule, ListsExactlyTheWritesThatNobodySaw) {
  for (auto shipping : {World::Shipping::all, World::Shipping::newest}) {
    std::size_t with_losers = 0;
    for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
      World world(seed, 3 + seed % 3, shipping);
      world.run(8);
      ASSERT_TRUE(world.converged()) << "seed " << seed;
      auto truth = world.losers_by_history();
      ASSERT_EQ(world.losers_by_context(), truth) << "seed " << seed;
      with_losers += truth.empty() ? 0 : 1;
    }
    EXPECT_GT(with_losers, 5'000u) << "the runs no longer make conflicts, so this proves nothing";
  }
}

// Without the origin's ledger the others' lists are all there is: what they have is mostly right, and
// nothing is listed that a write which is known was built upon.
TEST(ConflictRule, OtherRegionsSpeakForALedgerThatIsGone) {
  std::size_t losers = 0;
  std::size_t listed = 0;
  std::size_t missed = 0;
  std::size_t wrong = 0;
  for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
    World world(seed, 3, World::Shipping::all);
    world.run(8);
    auto truth = world.losers_by_history();
    auto merged = world.losers_by_context(0);
    for (const auto& version : truth) {
      losers += version.region.name() == "r0" ? 1 : 0;
      missed += merged.contains(version) ? 0 : 1;
    }
    for (const auto& version : merged) {
      listed += version.region.name() == "r0" ? 1 : 0;
      wrong += truth.contains(version) ? 0 : 1;
    }
  }
  EXPECT_GT(losers, 3'000u);
  EXPECT_GT(listed, losers * 9 / 10);
  EXPECT_LT(missed, losers / 20);
  EXPECT_LT(wrong, losers / 20);
}

}  // namespace
}  // namespace meridian::conflict

// The rule that tells a conflict from a reordering, as a property over random runs of a few
// regions: the losers that the regions list by context, merged, are exactly the writes that are
// neither the final winner nor anyone's parent.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "common/rng.h"
#include "conflict/context.h"
#include "conflict/resolver.h"

namespace meridian::conflict {
namespace {

struct Write {
  Version version;
  Context context;  // what it knew of
};

// True when `version` itself is in the chain, as its region's latest.  To withdraw an entry takes
// this, not covers(): a region's beaten write lies below its later ones without being anyone's
// parent, and covers() would withdraw it.
bool names(const Context& context, const Version& version) {
  for (const auto& entry : context.entries())
    if (entry.region == version.region) return entry.hlc == version.hlc;
  return false;
}

class World {
 public:
  World(std::uint64_t seed, std::size_t regions) : rng_(seed), regions_(regions) {
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

  // What the regions list, merged: the origin is the authority for its own writes, and an entry
  // goes that another listed entry or the winner has in its chain.
  [[nodiscard]] std::set<Version> losers_by_context() const {
    std::map<Version, Context> listed;
    for (const auto& region : regions_)
      for (const auto& [version, context] : region.ledger)
        if (version.region == region.id) listed.emplace(version, context);
    std::set<Version> out;
    for (const auto& [version, context] : listed) {
      bool seen = names(regions_[0].stored->context, version);
      for (const auto& [other, knew] : listed) seen |= names(knew, version);
      if (!seen) out.insert(version);
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
    std::map<Version, Context> ledger;
    std::map<std::size_t, std::deque<Write>> inbox;  // by source
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
      if (to != at) regions_[to].inbox[at].push_back(write);
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
    std::erase_if(region.ledger, [&incoming, &region](const auto& entry) {
      return entry.first.region == region.id && names(incoming.context, entry.first);
    });
    std::optional<Candidate> stored;
    if (region.stored) stored = Candidate{region.stored->version, 1};
    Decision decision = decide(stored, Candidate{incoming.version, 1}, Hlc{});
    if (decision == Decision::duplicate) return;
    if (!region.stored) {
      region.stored = incoming;
      return;
    }
    const Write& loser = wins(decision) ? *region.stored : incoming;
    const Write& winning = wins(decision) ? incoming : *region.stored;
    bool seen = winning.context.covers(loser.version);
    if (!seen && winning.version.region != loser.version.region)
      region.ledger.emplace(loser.version, loser.context);
    if (wins(decision)) region.stored = incoming;
  }

  Rng rng_;
  std::vector<Region> regions_;
  std::set<Version> written_;
  std::set<Version> parents_;
  std::uint64_t time_ = 0;
};

TEST(ConflictRule, ListsExactlyTheWritesThatNobodySaw) {
  std::size_t with_losers = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    World world(seed, 3 + seed % 3);
    world.run(8);
    ASSERT_TRUE(world.converged()) << "seed " << seed;
    auto truth = world.losers_by_history();
    ASSERT_EQ(world.losers_by_context(), truth) << "seed " << seed;
    with_losers += truth.empty() ? 0 : 1;
  }
  EXPECT_GT(with_losers, 5'000u) << "the runs no longer make conflicts, so this proves nothing";
}

}  // namespace
}  // namespace meridian::conflict

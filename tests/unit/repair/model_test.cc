// A few regions of a few keys on a random walk through writes, cuts, log trimming, crashes back to an
// old copy, tombstone collection and repair, each with the rule under test: nothing that was deleted
// comes back, nothing that was written is lost.
//
// The walk knows V, G and the rule, and nothing of files, logs or messages, so that hundreds of
// thousands of runs take seconds; the simulator has the rest.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "common/rng.h"
#include "conflict/resolver.h"
#include "region-node/repair/rules.h"

namespace meridian::repair {
namespace {

using conflict::Hlc;
using conflict::Version;

constexpr std::size_t kRegions = 3;
constexpr std::uint64_t kKeys = 3;
constexpr int kSteps = 120;

struct Change {
  Bytes key;
  Version version;
  bool item = false;
};

// A region's name ends in its incarnation: one that was restored from an old copy is another origin.
RegionId origin_of(std::size_t region, unsigned incarnation) {
  return RegionId::of("r" + std::to_string(region) + "-" + std::to_string(incarnation));
}

struct Region {
  std::size_t number = 0;
  unsigned incarnation = 0;
  std::map<Bytes, rpc::RowHead> rows;
  rpc::ReplicaFacts known;
  std::set<RegionId> retired;
  std::vector<Change> log;
  std::uint64_t trimmed_to = 0;
  std::vector<Change> heard;  // for the judgement: what this copy, or who mended it, ever knew

  [[nodiscard]] RegionId origin() const { return origin_of(number, incarnation); }
};

enum class Collection { by_watermarks, when_all_hold_it };

class Walk {
 public:
  Walk(std::uint64_t seed, Collection collection) : rng_(seed), collection_(collection) {
    for (std::size_t i = 0; i < kRegions; ++i) {
      auto& region = regions_.emplace_back();
      region.number = i;
      for (std::size_t j = 0; j < kRegions; ++j) region.known.watermarks[origin_of(j, 0)] = {};
    }
    copies_ = regions_;
  }

  void run() {
    for (int i = 0; i < kSteps; ++i) step();
    cut_.clear();
    for (int round = 0; round < 8; ++round) settle();
  }

  [[nodiscard]] bool revived() const { return wrong(true); }
  [[nodiscard]] bool lost() const { return wrong(false); }

 private:
  static rpc::RowHead head_of(const Change& change) {
    return {change.key, change.version,
            change.item ? hash64(change.key) | 1 : conflict::kTombstoneHash};
  }

  void put(Region& region, const rpc::RowHead& head) {
    auto [at, fresh] = region.rows.try_emplace(head.key, head);
    if (!fresh && at->second.version < head.version) at->second = head;
  }

  void apply(Region& region, const Change& change) {
    region.heard.push_back(change);
    bool absent = region.rows.find(change.key) == region.rows.end();
    if (absent && change.version.hlc <= region.known.collected) return;
    put(region, head_of(change));
  }

  void write(Region& region) {
    ++now_;
    Change change{Bytes(1, static_cast<char>('a' + rng_.below(kKeys))),
                  {Hlc{now_}, region.origin()},
                  rng_.percent(50)};
    region.heard.push_back(change);
    region.rows[change.key] = head_of(change);
    region.log.push_back(change);
    region.known.watermarks[region.origin()] = Hlc{now_};
  }

  // False when the sink stands before what the source's log still has.
  bool ship(Region& source, Region& sink) {
    auto& mark = sink.known.watermarks[source.origin()];
    if (mark.value < source.trimmed_to) return false;
    std::vector<Change> todo;
    for (const auto& change : source.log)
      if (change.version.hlc > mark) todo.push_back(change);
    std::size_t count = todo.empty() ? 0 : rng_.below(todo.size() + 1);
    for (std::size_t i = 0; i < count; ++i) {
      apply(sink, todo[i]);
      mark = todo[i].version.hlc;
      if (rng_.percent(50)) late_.emplace_back(sink.number, todo[i]);
    }
    if (count == todo.size()) mark = std::max(mark, Hlc{now_});  // a barrier
    return true;
  }

  [[nodiscard]] std::set<RegionId> live_origins(const Region& a, const Region& b) const {
    auto origins = origins_of(a.known, b.known, {});
    for (const auto& gone : a.retired) origins.erase(gone);
    return origins;
  }

  void repair(Region& here, Region& there) {
    Facts facts_here = facts_of(here.known, live_origins(here, there));
    Facts facts_there = facts_of(there.known, live_origins(there, here));
    std::set<Bytes> keys;
    for (const auto* side : {&here, &there})
      for (const auto& [key, row] : side->rows) keys.insert(key);
    for (const auto& key : keys) {
      auto row_of = [&key](const Region& side) {
        auto at = side.rows.find(key);
        return at == side.rows.end() ? std::nullopt : std::optional(at->second);
      };
      auto mine = row_of(here);
      auto theirs = row_of(there);
      switch (fate_of(mine, facts_here, theirs, facts_there)) {
        case Fate::same: break;
        case Fate::send:
        case Fate::send_lost: there.rows[key] = *mine; break;
        case Fate::fetch:
        case Fate::fetch_lost: here.rows[key] = *theirs; break;
        case Fate::drop_here: here.rows.erase(key); break;
        case Fate::drop_there: there.rows.erase(key); break;
      }
    }
    finish(here, there);
  }

  // Both sides end with the pointwise larger V and the larger G.
  static void finish(Region& a, Region& b) {
    for (const auto& [origin, mark] : b.known.watermarks)
      a.known.watermarks[origin] = std::max(a.known.watermarks[origin], mark);
    b.known.watermarks = a.known.watermarks;
    a.known.collected = b.known.collected = std::max(a.known.collected, b.known.collected);
    a.retired.insert(b.retired.begin(), b.retired.end());
    b.retired = a.retired;
    a.heard.insert(a.heard.end(), b.heard.begin(), b.heard.end());
    b.heard = a.heard;
  }

  void collect(Region& region) {
    if (collection_ == Collection::when_all_hold_it) return collect_what_all_hold();
    region.known.watermarks[region.origin()] =
        std::max(region.known.watermarks[region.origin()], Hlc{now_});
    Hlc least{UINT64_MAX};
    for (const auto& [origin, mark] : region.known.watermarks)
      if (region.retired.count(origin) == 0) least = std::min(least, mark);
    std::erase_if(region.rows, [least](const auto& each) {
      return each.second.image_hash == conflict::kTombstoneHash && each.second.version.hlc <= least;
    });
    region.known.collected = std::max(region.known.collected, least);
  }

  void collect_what_all_hold() {
    auto first = regions_[0].rows;
    for (const auto& [key, row] : first) {
      if (row.image_hash != conflict::kTombstoneHash) continue;
      bool all = std::all_of(regions_.begin(), regions_.end(), [&](const Region& region) {
        auto at = region.rows.find(key);
        return at != region.rows.end() && at->second == row;
      });
      for (auto& region : regions_)
        if (all) region.rows.erase(key);
    }
  }

  void restore(Region& region) {
    unsigned next = region.incarnation + 1;
    RegionId old = region.origin();
    std::size_t number = region.number;
    region = copies_[number];
    std::erase_if(late_, [&](const auto& each) {
      return each.first == number || each.second.version.region == old;
    });
    region.incarnation = next;
    region.log.clear();
    region.trimmed_to = 0;
    for (auto& other : regions_) other.known.watermarks.try_emplace(region.origin(), Hlc{});
    region.known.watermarks[region.origin()] = Hlc{now_};
  }

  // An ended incarnation of which everybody has the same need not be waited for any more.
  void retire() {
    for (const auto& origin : ended_origins()) {
      bool alike = std::all_of(regions_.begin(), regions_.end(), [&](Region& region) {
        return region.known.watermarks[origin] == regions_[0].known.watermarks[origin];
      });
      for (auto& region : regions_)
        if (alike) region.retired.insert(origin);
    }
  }

  [[nodiscard]] std::set<RegionId> ended_origins() const {
    std::set<RegionId> out;
    for (const auto& region : regions_)
      for (const auto& [origin, mark] : region.known.watermarks) out.insert(origin);
    for (const auto& region : regions_) out.erase(region.origin());
    return out;
  }

  Region& any() { return regions_[rng_.below(kRegions)]; }

  void step() {
    auto chance = rng_.below(1000);
    if (chance < 300) return write(any());
    if (chance < 620) {
      std::size_t a = rng_.below(kRegions);
      std::size_t b = (a + 1 + rng_.below(kRegions - 1)) % kRegions;
      if (cut_.count({a, b}) != 0) return;
      if (!ship(regions_[a], regions_[b])) repair(regions_[a], regions_[b]);
    } else if (chance < 700) {
      std::size_t a = rng_.below(kRegions);
      std::size_t b = (a + 1 + rng_.below(kRegions - 1)) % kRegions;
      if (cut_.erase({a, b}) == 0) cut_.insert({a, b});
    } else if (chance < 800) {
      collect(any());
    } else if (chance < 860) {
      if (late_.empty()) return;
      std::size_t which = rng_.below(late_.size());
      auto [sink, change] = late_[which];
      late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(which));
      apply(regions_[sink], change);
    } else if (chance < 900) {
      auto& region = any();
      std::size_t count = rng_.below(region.log.size() + 1);
      if (count == 0) return;
      region.trimmed_to = region.log[count - 1].version.hlc.value;
      region.log.erase(region.log.begin(), region.log.begin() + static_cast<std::ptrdiff_t>(count));
    } else if (chance < 930) {
      auto& region = any();
      copies_[region.number] = region;
    } else if (chance < 945) {
      restore(any());
    } else if (chance < 955) {
      retire();
    }
  }

  // Nothing is cut any more: ships and repairs until nobody lacks anything.
  void settle() {
    for (auto& a : regions_)
      for (auto& b : regions_)
        for (int i = 0; i < 40 && a.number != b.number; ++i)
          if (!ship(a, b)) repair(a, b);
    auto ended = ended_origins();
    for (auto& a : regions_)
      for (auto& b : regions_) {
        bool unlike = std::any_of(ended.begin(), ended.end(), [&](const RegionId& origin) {
          return a.known.watermarks[origin] != b.known.watermarks[origin];
        });
        if (a.number < b.number && unlike) repair(a, b);
      }
  }

  // `items`: whether an item is there that should not; else whether one is missing or wrong.
  [[nodiscard]] bool wrong(bool items) const {
    std::map<Bytes, rpc::RowHead> newest;
    for (const auto& region : regions_)
      for (const auto& change : region.heard) {
        auto head = head_of(change);
        auto [at, fresh] = newest.try_emplace(change.key, head);
        if (!fresh && at->second.version < head.version) at->second = head;
      }
    for (const auto& region : regions_)
      for (const auto& [key, right] : newest) {
        auto at = region.rows.find(key);
        bool there = at != region.rows.end() && at->second.image_hash != conflict::kTombstoneHash;
        bool wanted = right.image_hash != conflict::kTombstoneHash;
        if (items ? there && !wanted : wanted && (!there || at->second != right)) return true;
      }
    return false;
  }

  Rng rng_;
  const Collection collection_;
  std::uint64_t now_ = 0;
  std::vector<Region> regions_;
  std::vector<Region> copies_;
  std::set<std::pair<std::size_t, std::size_t>> cut_;
  std::vector<std::pair<std::size_t, Change>> late_;
};

TEST(RepairModel, NothingIsRevivedAndNothingIsLost) {
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    Walk walk(seed, Collection::by_watermarks);
    walk.run();
    ASSERT_FALSE(walk.revived()) << "seed " << seed;
    ASSERT_FALSE(walk.lost()) << "seed " << seed;
  }
}

// The walk can tell: the rule that looks right ("all replicas hold it") brings items back.
TEST(RepairModel, CollectingWhatAllHoldRevives) {
  int revived = 0;
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    Walk walk(seed, Collection::when_all_hold_it);
    walk.run();
    revived += walk.revived() ? 1 : 0;
  }
  EXPECT_GT(revived, 0);
}

}  // namespace
}  // namespace meridian::repair

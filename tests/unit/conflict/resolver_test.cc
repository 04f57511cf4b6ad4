#include "conflict/resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <vector>

#include "common/rng.h"

namespace meridian::conflict {
namespace {

using Stored = std::optional<Candidate>;

bool same(const Stored& a, const Stored& b) {
  if (a.has_value() != b.has_value()) return false;
  return !a || (a->version == b->version && a->image_hash == b->image_hash);
}

void apply(Stored& stored, const Candidate& incoming, Hlc horizon) {
  if (wins(decide(stored, incoming, horizon))) stored = incoming;
}

Candidate write(std::uint64_t hlc, const char* region, std::uint64_t hash) {
  return {{Hlc{hlc}, RegionId::of(region)}, hash};
}

TEST(Resolver, TheLaterVersionWins) {
  Candidate early = write(1, "us-east-1", 11);
  Candidate late = write(2, "eu-west-1", 12);
  EXPECT_EQ(decide(early, late, Hlc{}), Decision::apply);
  EXPECT_EQ(decide(late, early, Hlc{}), Decision::stale);
  EXPECT_EQ(decide(std::nullopt, early, Hlc{}), Decision::apply);
}

TEST(Resolver, TheRegionBreaksATie) {
  Candidate a = write(5, "eu-west-1", 1);
  Candidate b = write(5, "us-east-1", 2);
  EXPECT_EQ(decide(a, b, Hlc{}), Decision::apply);
  EXPECT_EQ(decide(b, a, Hlc{}), Decision::stale);
}

TEST(Resolver, ATombstoneIsAWriteLikeAnyOther) {
  Candidate item = write(5, "us-east-1", 77);
  Candidate tombstone = write(6, "us-east-1", kTombstoneHash);
  EXPECT_EQ(decide(item, tombstone, Hlc{}), Decision::apply);
  EXPECT_EQ(decide(tombstone, item, Hlc{}), Decision::stale);
}

TEST(Resolver, TheSameWriteAgainIsADuplicate) {
  Candidate item = write(5, "us-east-1", 77);
  EXPECT_EQ(decide(item, item, Hlc{}), Decision::duplicate);
  EXPECT_FALSE(wins(Decision::duplicate));
}

TEST(Resolver, AForkIsNamedAndTheLargerHashWins) {
  Candidate small = write(5, "us-east-1", 1);
  Candidate large = write(5, "us-east-1", 2);
  EXPECT_EQ(decide(small, large, Hlc{}), Decision::fork_apply);
  EXPECT_EQ(decide(large, small, Hlc{}), Decision::fork_keep);
}

TEST(Resolver, AnAbsentKeyIsATombstoneAtTheHorizon) {
  EXPECT_EQ(decide(std::nullopt, write(5, "us-east-1", 1), Hlc{5}), Decision::stale);
  EXPECT_EQ(decide(std::nullopt, write(6, "us-east-1", 1), Hlc{5}), Decision::apply);
}

// Random sets of writes to one key: equal times, equal versions with other images, tombstones.
std::vector<Candidate> random_writes(Rng& rng, std::size_t count) {
  const char* const regions[] = {"ap-northeast-1", "eu-west-1", "us-east-1"};
  std::vector<Candidate> writes;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t hash = rng.percent(30) ? kTombstoneHash : 1 + rng.below(3);
    writes.push_back(write(1 + rng.below(4), regions[rng.below(3)], hash));
  }
  return writes;
}

// The right answer, told without decide(): the maximum of (version, hash) above the horizon.
Stored expected(const std::vector<Candidate>& writes, Hlc horizon) {
  Stored best;
  for (const auto& w : writes) {
    if (w.version.hlc <= horizon) continue;
    bool better =
        !best || std::tie(w.version, w.image_hash) > std::tie(best->version, best->image_hash);
    if (better) best = w;
  }
  return best;
}

TEST(ResolverProperty, EveryOrderGivesTheMaximum) {
  Rng rng(51);
  for (int round = 0; round < 300; ++round) {
    auto writes = random_writes(rng, 1 + rng.below(6));
    Hlc horizon{rng.percent(50) ? rng.below(4) : 0};
    Stored truth = expected(writes, horizon);
    std::vector<std::size_t> order(writes.size());
    std::iota(order.begin(), order.end(), 0u);
    do {
      Stored stored;
      for (std::size_t i : order) apply(stored, writes[i], horizon);
      ASSERT_TRUE(same(stored, truth)) << "round " << round;
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST(ResolverProperty, RepeatingAnythingAtAnyTimeChangesNothing) {
  Rng rng(52);
  for (int round = 0; round < 5000; ++round) {
    auto writes = random_writes(rng, 1 + rng.below(6));
    Hlc horizon{rng.percent(50) ? rng.below(4) : 0};
    Stored truth = expected(writes, horizon);
    std::vector<Candidate> sequence = writes;
    for (std::uint64_t extra = rng.below(10); extra > 0; --extra)
      sequence.push_back(writes[rng.below(writes.size())]);
    for (std::size_t i = sequence.size(); i > 1; --i)
      std::swap(sequence[i - 1], sequence[rng.below(i)]);
    Stored stored;
    for (const auto& w : sequence) apply(stored, w, horizon);
    ASSERT_TRUE(same(stored, truth)) << "round " << round;
    for (const auto& w : writes) apply(stored, w, horizon);
    ASSERT_TRUE(same(stored, truth)) << "round " << round;
  }
}

// Grouping: a replica that merged two others' results holds what one that saw all the writes holds.
TEST(ResolverProperty, MergingResultsIsMergingWrites) {
  Rng rng(53);
  for (int round = 0; round < 5000; ++round) {
    auto writes = random_writes(rng, 1 + rng.below(8));
    Stored parts[3];
    for (const auto& w : writes) apply(parts[rng.below(3)], w, Hlc{});
    Stored left;
    Stored right;
    for (std::size_t i = 0; i < 3; ++i) {
      if (parts[i]) apply(left, *parts[i], Hlc{});
      if (parts[2 - i]) apply(right, *parts[2 - i], Hlc{});
    }
    ASSERT_TRUE(same(left, expected(writes, Hlc{}))) << "round " << round;
    ASSERT_TRUE(same(left, right)) << "round " << round;
  }
}

}  // namespace
}  // namespace meridian::conflict

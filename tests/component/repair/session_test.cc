// Walks between two stores: what is found, what is told apart, what it costs.
#include <gtest/gtest.h>

#include <set>

#include "tests/component/repair/pair.h"

namespace meridian::repair {
namespace {

constexpr SessionLimits kSmall{.rows_per_segment = 64,
                               .segments_per_page = 3,
                               .rows_per_leaf = 4,
                               .rows_per_compare = 24,
                               .samples_max = 1000};

class SessionTest : public ::testing::Test {
 protected:
  void fill(std::uint64_t rows) {
    for (std::uint64_t i = 0; i < rows; ++i) {
      here_.put(i, 5, "v");
      there_.put(i, 5, "v");
    }
  }
  std::set<Bytes> sampled(const Walked& walked) {
    std::set<Bytes> out;
    for (const auto& sample : walked.samples) out.insert(sample.key);
    return out;
  }

  StillClock clock_;
  Side here_{clock_, kEast, "here"};
  Side there_{clock_, kWest, "there"};
};

TEST_F(SessionTest, EqualTablesCostADigestEach) {
  fill(1'000);
  auto walked = walk(here_, there_, claims(9), claims(9), Purpose::compare, kSmall);
  EXPECT_EQ(walked.figures.differing, 0U);
  EXPECT_EQ(walked.figures.rows_compared, 1'000U);
  EXPECT_EQ(walked.digest_here, walked.digest_there);
  EXPECT_EQ(walked.traffic.calls, 6U);  // 16 segments, three in an answer
}

TEST_F(SessionTest, EmptyTablesAreEqual) {
  auto walked = walk(here_, there_, claims(9), claims(9), Purpose::compare);
  EXPECT_EQ(walked.figures.differing, 0U);
  EXPECT_EQ(walked.traffic.calls, 1U);
}

TEST_F(SessionTest, FindsEveryRowThatDiffers) {
  fill(1'000);
  std::set<Bytes> expected;
  for (std::uint64_t i = 0; i < 1'000; i += 97) {
    (i % 2 == 0 ? here_ : there_).put(i, 6, "changed");
    expected.insert(key_of(i));
  }
  here_.put(2'000, 5, "only here");
  there_.put(2'001, 5, "only there");
  there_.put(500, 6, std::nullopt);
  for (std::uint64_t i : {2'000, 2'001, 500}) expected.insert(key_of(i));
  auto walked = walk(here_, there_, claims(9), claims(9), Purpose::compare, kSmall);
  EXPECT_EQ(walked.figures.differing, expected.size());
  EXPECT_EQ(walked.figures.in_flight, 0U);
  EXPECT_EQ(sampled(walked), expected);
  EXPECT_NE(walked.digest_here, walked.digest_there);
}

TEST_F(SessionTest, ASideThatHasNothingIsFound) {
  for (std::uint64_t i = 0; i < 500; ++i) here_.put(i, 5, "v");
  auto walked = walk(here_, there_, claims(9), claims(9), Purpose::compare, kSmall);
  EXPECT_EQ(walked.figures.differing, 500U);
  walked = walk(there_, here_, claims(9), claims(9), Purpose::compare, kSmall);
  EXPECT_EQ(walked.figures.differing, 500U);
}

TEST_F(SessionTest, WhatIsOnItsWayIsToldApart) {
  fill(300);
  here_.put(10, 20, "new");
  there_.put(20, 20, "new");
  there_.put(30, 6, "lost here");
  auto walked = walk(here_, there_, claims(9), claims(9), Purpose::compare, kSmall);
  EXPECT_EQ(walked.figures.differing, 3U);
  EXPECT_EQ(walked.figures.in_flight, 2U);
  EXPECT_EQ(sampled(walked), std::set<Bytes>{key_of(30)});
}

TEST_F(SessionTest, CollectedTombstonesAreNoDifference) {
  fill(300);
  for (std::uint64_t i = 0; i < 300; i += 3) here_.put(i + 1000, 6, std::nullopt);
  EXPECT_EQ(walk(here_, there_, claims(9), claims(9), Purpose::compare, kSmall).figures.differing,
            100U);
  auto walked = walk(here_, there_, claims(9), claims(9, 6), Purpose::compare, kSmall);
  EXPECT_EQ(walked.figures.differing, 0U);
}

TEST_F(SessionTest, FindingCostsInProportionToTheDifference) {
  fill(50'000);
  auto equal = walk(here_, there_, claims(9), claims(9), Purpose::compare);
  for (std::uint64_t i = 0; i < 50'000; i += 100) (i % 200 == 0 ? here_ : there_).put(i, 6, "w");
  auto walked = walk(here_, there_, claims(9), claims(9), Purpose::compare);
  EXPECT_EQ(walked.figures.differing, 500U);
  EXPECT_LT(equal.traffic.bytes, 2'000U);
  // 500 rows of 50,000: the bounds and hashes of leaves, and of the rows' heads both sides'.
  EXPECT_LT(walked.traffic.bytes, 50'000U * 12);
}

// --------------------------------------------------------------------------------------- repairing

class RepairTest : public SessionTest {
 protected:
  Walked repair(const Facts& here, const Facts& there, SessionLimits limits = kSmall) {
    return walk(here_, there_, here, there, Purpose::repair, limits);
  }
  void expect_equal() {
    auto ours = here_.rows();
    auto theirs = there_.rows();
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      EXPECT_EQ(ours[i].key, theirs[i].key);
      EXPECT_EQ(ours[i].version, theirs[i].version);
      EXPECT_EQ(ours[i].image, theirs[i].image);
    }
  }
};

TEST_F(RepairTest, BothSidesEndWithTheNewestOfEachRow) {
  fill(1'000);
  for (std::uint64_t i = 0; i < 1'000; i += 10) {
    here_.put(i, 6, "ours");
    there_.put(i + 5, 6, i % 20 == 0 ? std::nullopt : std::optional<std::string>("theirs"));
    there_.put(i, i % 20 == 0 ? 7 : 5, "both");
  }
  here_.put(5'000, 6, "only here");
  there_.put(5'001, 6, std::nullopt);
  auto walked = repair(claims(5), claims(5));
  EXPECT_EQ(walked.figures.sent, 50U + 1);
  EXPECT_EQ(walked.figures.fetched, 100U + 50 + 1);
  EXPECT_EQ(walked.figures.stale + walked.figures.skipped, 0U);
  expect_equal();
  EXPECT_EQ(here_.row(0)->image, image_of(0, "both"));
  EXPECT_EQ(there_.row(10)->image, image_of(10, "ours"));
  EXPECT_EQ(here_.row(5)->image, std::nullopt);
  EXPECT_EQ(repair(claims(7), claims(7)).figures.differing, 0U);
}

TEST_F(RepairTest, ALostCopyIsFilled) {
  for (std::uint64_t i = 0; i < 3'000; ++i) there_.put(i, 5, "v");
  auto walked = repair({}, claims(9));
  EXPECT_EQ(walked.figures.fetched, 3'000U);
  expect_equal();
}

TEST_F(RepairTest, WhatWasCollectedElsewhereIsDroppedAndSeenInTheStream) {
  fill(100);
  here_.put(500, 5, "deleted there long ago");
  here_.flush();
  // The other side has collected up to 20 and has seen the row; this one has not kept up.
  there_.flush();
  there_.know(claims(30, 20));
  auto walked = repair(claims(10), claims(30, 20));
  EXPECT_EQ(walked.figures.dropped_here, 1U);
  EXPECT_EQ(here_.row(500)->image, std::nullopt);
  EXPECT_EQ(there_.row(500), std::nullopt);
  bool removed = false;
  for (std::uint16_t shard = 0; shard < 2; ++shard)
    for (auto& record : here_.reader()
                            .read_stream(here_.table(), ShardId(shard), Sequence(1), {}, {})
                            .records)
      if (record.key == key_of(500) && !record.new_image) removed = record.old_image.has_value();
  EXPECT_TRUE(removed);
  EXPECT_EQ(repair(claims(30, 20), claims(30, 20)).figures.differing, 0U);
}

TEST_F(RepairTest, WhatTheOtherSideLostComesBackAlthoughItHasCollectedSince) {
  fill(100);
  here_.put(500, 5, "lost there");
  there_.flush();
  there_.know(claims(30, 20));
  auto walked = repair(claims(25), claims(30, 20));
  EXPECT_EQ(walked.figures.sent, 1U);
  EXPECT_EQ(there_.row(500)->image, image_of(500, "lost there"));
}

TEST_F(RepairTest, ADecisionThatRestsOnAnOldHorizonIsNotCarriedOut) {
  fill(100);
  here_.put(500, 5, "deleted there meanwhile");
  // Decided with what was collected up to 20; when it arrives, more has been.
  there_.flush();
  there_.know(claims(30, 28));
  auto walked = repair(claims(25), claims(30, 20));
  EXPECT_EQ(walked.figures.sent, 0U);
  EXPECT_EQ(walked.figures.skipped, 1U);
  EXPECT_EQ(there_.row(500), std::nullopt);
}

TEST_F(RepairTest, ARowThatChangedMeanwhileIsNotDropped) {
  here_.put(1, 5, "old");
  here_.flush();
  auto old = here_.row(1)->version;
  here_.put(1, 8, "new");
  here_.flush();
  std::optional<rpc::RepairOutcome> answer;
  rpc::RepairWork work{here_.table(), {}, conflict::Hlc::at_ms(kEpochMs + 20), {},
                       {{key_of(1), old}}};
  here_.store().repair_rows(work, [&](const rpc::RepairOutcome& outcome) { answer = outcome; });
  here_.store().run_pending();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->dropped, 0U);
  EXPECT_EQ(answer->skipped, 1U);
  EXPECT_EQ(here_.row(1)->image, image_of(1, "new"));
}

TEST_F(RepairTest, WhatItMovesIsNeverShipped) {
  for (std::uint64_t i = 0; i < 50; ++i) there_.put(i, 5, "v", kEast);  // its own, once
  repair({}, claims(9));
  for (std::uint16_t shard = 0; shard < 2; ++shard)
    EXPECT_TRUE(here_.reader().read_log(here_.table(), ShardId(shard), {}, {}).records.empty());
}

TEST_F(RepairTest, WhatLiesBeyondTheClockBoundIsHeld) {
  rpc::RepairWork work{here_.table(), {}, {}, {}, {}};
  rpc::Row row;
  row.key = key_of(1);
  row.version = {conflict::Hlc::at_ms(clock_.now_us / 1000 + 60'000), kFar};
  row.image = image_of(1, "from the future");
  work.rows.push_back({row, false});
  std::optional<rpc::RepairOutcome> answer;
  here_.store().repair_rows(work, [&](const rpc::RepairOutcome& outcome) { answer = outcome; });
  here_.store().run_pending();
  EXPECT_EQ(answer->status, rpc::ApplyStatus::held);
  EXPECT_GT(answer->retry_ms, 50'000);
  EXPECT_EQ(here_.row(1), std::nullopt);
}

TEST_F(SessionTest, AnswersThatCannotBeEndTheWalk) {
  fill(10);
  here_.flush();
  Session session(here_.table(), claims(9), claims(9), Purpose::compare, kSmall);
  EXPECT_TRUE(std::holds_alternative<DigestThere>(session.start()));
  rpc::DigestPage page;
  EXPECT_TRUE(std::holds_alternative<Nonsense>(session.on_digests_there(page)));
  page.parts = {{key_of(5), {}}, {key_of(5), {}}};  // gets nowhere
  EXPECT_TRUE(std::holds_alternative<Nonsense>(session.on_digests_there(page)));
  page.parts = {{key_of(5), {}}};
  page.ended = true;  // and does not
  EXPECT_TRUE(std::holds_alternative<Nonsense>(session.on_digests_there(page)));
  EXPECT_TRUE(std::holds_alternative<Nonsense>(session.on_comparison({})));
  EXPECT_TRUE(std::holds_alternative<Nonsense>(session.on_rows({})));
}

}  // namespace
}  // namespace meridian::repair

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

// Drawn seeds, and what the simulator promises about itself: the same seed is the same run.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/sim/run.h"

namespace meridian::sim {
namespace {

// In several tests, so that they can be run beside each other.
constexpr std::uint64_t kSeeds = 60;
constexpr std::uint64_t kSeedsOfATest = 10;

std::string failures_of(const SeedReport& report) {
  std::ostringstream out;
  for (const auto& finding : report.findings.kept())
    out << "\n  " << finding.property << "  " << finding.detail;
  out << "\n  replay: sim --seed " << report.seed << " --trace";
  return out.str();
}

class DrawnSeeds : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(DrawnSeeds, Pass) {
  std::set<std::uint64_t> traces;
  std::size_t losers = 0;
  for (std::uint64_t seed = GetParam(); seed < GetParam() + kSeedsOfATest; ++seed) {
    SeedReport report = run_seed(seed, 0, nullptr);
    EXPECT_TRUE(report.passed()) << "seed " << seed << failures_of(report);
    EXPECT_GT(report.acknowledged, 20U) << "seed " << seed << " does too little";
    traces.insert(report.trace_hash);
    losers += report.losers;
  }
  EXPECT_EQ(traces.size(), kSeedsOfATest);
  EXPECT_GT(losers, 10 * kSeedsOfATest) << "the runs make hardly any conflicts";
}

INSTANTIATE_TEST_SUITE_P(From, DrawnSeeds,
                         ::testing::Range<std::uint64_t>(1, kSeeds + 1, kSeedsOfATest));

TEST(Simulation, TheSameSeedIsTheSameRun) {
  for (std::uint64_t seed : {3, 14, 159}) {
    SeedReport first = run_seed(seed, 0, nullptr);
    SeedReport second = run_seed(seed, 0, nullptr);
    EXPECT_EQ(first.trace_hash, second.trace_hash);
    EXPECT_EQ(first.events, second.events);
    EXPECT_EQ(first.acknowledged, second.acknowledged);
  }
}

TEST(Simulation, TracingDoesNotChangeTheRun) {
  std::ostringstream text;
  SeedReport traced = run_seed(7, 0, &text);
  EXPECT_EQ(traced.trace_hash, run_seed(7, 0, nullptr).trace_hash);
  EXPECT_NE(text.str().find("client"), std::string::npos);
}

TEST(Simulation, FiveRegionsPass) {
  for (std::uint64_t seed = 1001; seed <= 1005; ++seed) {
    SeedReport report = run_seed(seed, 5, nullptr);
    EXPECT_TRUE(report.passed()) << "seed " << seed << failures_of(report);
  }
}

}  // namespace
}  // namespace meridian::sim

// PASS or FAIL, and why, from the figures of a drill alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/meridian/drill/drill.h"

namespace meridian::drill {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// One that went well: the fault at 5 s, noticed at 6 s, served elsewhere at 7 s.
DrillResult good(const std::string& scenario) {
  DrillResult out;
  out.options.scenario = scenario;
  out.options.rto_ms_max = 30'000;
  out.options.rpo_ms_max = 5'000;
  out.fault_us = 5'000'000;
  out.detected_us = out.cut_us = 6'000'000;
  out.switched_us = 7'000'000;
  out.healed_us = 20'000'000;
  out.caught_up_us = 21'000'000;
  out.returned_us = 22'000'000;
  out.back_us = 22'500'000;
  out.identical = true;
  out.loss.emplace();
  out.lost_then.emplace();
  out.return_loss.emplace();
  out.everything.emplace();
  return out;
}

std::vector<std::string> missed_by(const DrillResult& result) {
  std::vector<std::string> missed;
  bool pass = passed(result, missed);
  EXPECT_EQ(pass, missed.empty());
  return missed;
}

TEST(DrillVerdict, WhatWentWellPasses) {
  for (const auto& scenario : scenarios())
    EXPECT_THAT(missed_by(good(scenario.name)), ElementsAre()) << scenario.name;
}

TEST(DrillVerdict, RtoIsFromTheFaultToTheFirstWriteElsewhere) {
  auto result = good("partition");
  EXPECT_EQ(rto_us(result), 2'000'000);
  result.options.rto_ms_max = 1'999;
  EXPECT_THAT(missed_by(result), ElementsAre(HasSubstr("RTO 2.0 s")));
}

TEST(DrillVerdict, OfAPlannedDrillRtoIsFromTheWordToGo) {
  auto result = good("evacuation");
  result.cut_us = 4'000'000;
  result.switched_us = 4'100'000;
  EXPECT_EQ(rto_us(result), 100'000);
}

TEST(DrillVerdict, RpoIsJudgedInSecondsAndInWrites) {
  auto result = good("region-loss");
  result.loss->age_us = 5'000'001;
  result.loss->writes.resize(3);
  result.options.rpo_writes_max = 2;
  EXPECT_THAT(missed_by(result),
              ElementsAre(HasSubstr("RPO 5.0 s"), HasSubstr("RPO of 3 writes is over 2")));
}

TEST(DrillVerdict, WhereClientsStayTheExposureIsNotJudged) {
  auto result = good("replicator-crash");
  result.cut_us = result.detected_us = result.switched_us = std::nullopt;
  result.loss->age_us = 60'000'000;
  EXPECT_THAT(missed_by(result), ElementsAre());
}

TEST(DrillVerdict, AFaultThatNobodyNoticesIsAFailure) {
  auto result = good("partition");
  result.cut_us = result.detected_us = result.switched_us = std::nullopt;
  EXPECT_THAT(missed_by(result), ElementsAre(HasSubstr("nobody noticed")));
}

TEST(DrillVerdict, AFailoverThatServesNobodyIsAFailure) {
  auto result = good("partition");
  result.switched_us = std::nullopt;
  EXPECT_THAT(missed_by(result), ElementsAre(HasSubstr("no write was acknowledged")));
}

TEST(DrillVerdict, AFailbackIsJudgedByTheReturn) {
  auto result = good("failback");
  result.loss->age_us = 60'000'000;  // of the way out
  EXPECT_THAT(missed_by(result), ElementsAre());
  result.options.rto_ms_max = 400;
  result.return_loss->age_us = 6'000'000;
  EXPECT_THAT(missed_by(result), ElementsAre(HasSubstr("RTO 0.5 s"), HasSubstr("RPO 6.0 s")));
  result.back_us = std::nullopt;
  EXPECT_THAT(missed_by(result).front(), HasSubstr("after the return"));
}

// What the region had acknowledged was in the survivor by then, since the region was back.
TEST(DrillVerdict, ASwitchThatOutlastsTheFaultIsAFailure) {
  auto result = good("partition");
  result.late_switch = true;
  EXPECT_THAT(missed_by(result), ElementsAre(HasSubstr("took longer than the fault")));
}

TEST(DrillVerdict, ARegionThatShowsNothingInTheEndIsAFailure) {
  auto result = good("region-loss");
  result.silent = {"eu-west-1"};
  EXPECT_THAT(missed_by(result), ElementsAre(HasSubstr("eu-west-1 did not show")));
}

TEST(DrillVerdict, NothingIsSaidOfADrillThatWasAborted) {
  DrillResult result;
  result.options.scenario = "partition";
  result.aborted = "interrupted";
  std::vector<std::string> missed;
  EXPECT_FALSE(passed(result, missed));
  EXPECT_THAT(missed, ElementsAre());
}

TEST(DrillVerdict, LostWritesAndDifferencesAreFailures) {
  auto result = good("slow-link");
  result.everything->lost.resize(1);
  result.caught_up_us = std::nullopt;
  result.identical = false;
  EXPECT_THAT(missed_by(result), ElementsAre(HasSubstr("1 acknowledged"), HasSubstr("catch up"),
                                             HasSubstr("differ")));
  result.identical = std::nullopt;
  EXPECT_THAT(missed_by(result).back(), HasSubstr("no answer"));
}

TEST(DrillVerdict, WhatWasAbortedDoesNotPass) {
  auto result = good("partition");
  result.aborted = "interrupted";
  std::vector<std::string> missed;
  EXPECT_FALSE(passed(result, missed));
}

}  // namespace
}  // namespace meridian::drill

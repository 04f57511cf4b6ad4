// Alarms: each is said once when it begins and once when it is over.
#include "region-node/alarms.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace meridian::node {
namespace {

class Lines final : public LogSink {
 public:
  void write(LogLevel level, std::string_view line) override {
    lines.push_back((level == LogLevel::error ? "error " : "other ") + std::string(line));
  }
  // What was said since the last look.
  std::vector<std::string> taken() { return std::exchange(lines, {}); }
  std::vector<std::string> lines;
};

class AlarmsTest : public ::testing::Test {
 protected:
  // The only line that a look gives; empty when it gives none.
  std::string look() {
    alarms_.look(health_, clock_);
    auto lines = lines_->taken();
    EXPECT_LE(lines.size(), 1U);
    return lines.empty() ? std::string() : lines.front();
  }

  std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();
  Alarms alarms_{Logger(lines_)};
  store::StoreHealth health_;
  store::ClockReport clock_{.bound_ms = 500};
};

TEST_F(AlarmsTest, NothingToSay) { EXPECT_EQ(look(), ""); }

TEST_F(AlarmsTest, AStoreThatRefusesWrites) {
  health_.accepts_writes = false;
  health_.reason = "a sync of the database file failed";
  auto line = look();
  EXPECT_TRUE(line.starts_with("error store_refuses_writes")) << line;
  EXPECT_NE(line.find("a sync of the database file failed"), std::string::npos) << line;
  EXPECT_EQ(look(), "");
  health_.accepts_writes = true;
  EXPECT_TRUE(look().starts_with("other store_accepts_writes"));
  EXPECT_EQ(look(), "");
}

TEST_F(AlarmsTest, NewRecordsInQuarantine) {
  health_.records_parked = 2;
  auto line = look();
  EXPECT_TRUE(line.starts_with("error records_in_quarantine")) << line;
  EXPECT_NE(line.find("new=2"), std::string::npos) << line;
  EXPECT_EQ(look(), "");
  health_.records_parked = 3;
  EXPECT_NE(look().find("new=1"), std::string::npos);
}

TEST_F(AlarmsTest, LosersThatFallOutOfTheLedger) {
  health_.ledger_dropped = 7;  // before this start
  EXPECT_EQ(look(), "");
  health_.ledger_dropped = 9;
  auto line = look();
  EXPECT_TRUE(line.starts_with("other conflict_ledger_full")) << line;
  EXPECT_NE(line.find("dropped=2"), std::string::npos) << line;
  health_.ledger_dropped = 1;  // a table was dropped
  EXPECT_EQ(look(), "");
}

TEST_F(AlarmsTest, AStep) {
  clock_.stepped = true;
  clock_.step_ms = 600'000;
  EXPECT_TRUE(look().starts_with("error clock_stepped"));
  EXPECT_EQ(look(), "");
  clock_.stepped = false;
  EXPECT_TRUE(look().starts_with("other clock_trusted"));
  EXPECT_EQ(look(), "");
}

TEST_F(AlarmsTest, AClockBehindItsOwnVersions) {
  clock_.minted_ahead_ms = 500;
  EXPECT_EQ(look(), "");
  clock_.minted_ahead_ms = 501;
  EXPECT_TRUE(look().starts_with("error clock_behind_own_versions"));
  clock_.minted_ahead_ms = 0;
  EXPECT_TRUE(look().starts_with("other clock_has_caught_up"));
}

TEST_F(AlarmsTest, RegionsThatAreHeld) {
  store::HeldSource held;
  held.source = RegionId::of("eu-west-1");
  held.flows = 4;
  held.ahead_ms = 600'000;
  clock_.held.push_back(held);
  auto line = look();
  EXPECT_TRUE(line.starts_with("error region_held_by_clock_guard")) << line;
  EXPECT_NE(line.find("eu-west-1"), std::string::npos) << line;
  clock_.held[0].ahead_ms = 599'000;
  EXPECT_EQ(look(), "");
  clock_.held.clear();
  EXPECT_TRUE(look().starts_with("other region_no_longer_held"));
}

}  // namespace
}  // namespace meridian::node

// Backlog collapse: what is left out of a batch, and when.
#include "replicator/core/collapse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/replicator/pump_script.h"

namespace meridian::replicator {
namespace {

using ::testing::ElementsAre;

std::vector<rpc::ChangeRecord> records_of(const std::string& keys) {
  std::vector<rpc::ChangeRecord> out;
  for (char key : keys) {
    rpc::ChangeRecord record;
    record.sequence = Sequence(out.size() + 1);
    record.key = std::string(1, key);
    out.push_back(record);
  }
  return out;
}

// Key and sequence of each.
std::vector<std::string> left(const std::string& keys) {
  auto records = records_of(keys);
  std::size_t before = records.size();
  std::size_t left_out = collapse(records, RegionId::of("sink"));
  EXPECT_EQ(before - records.size(), left_out);
  std::vector<std::string> out;
  for (const auto& record : records)
    out.push_back(record.key + std::to_string(record.sequence.value));
  return out;
}

TEST(Collapse, TheNewestOfEachKeyStaysInItsPlace) {
  EXPECT_THAT(left(""), ElementsAre());
  EXPECT_THAT(left("abc"), ElementsAre("a1", "b2", "c3"));
  EXPECT_THAT(left("aaaa"), ElementsAre("a4"));
  EXPECT_THAT(left("abacb"), ElementsAre("a3", "c4", "b5"));
}

// Or the sink would not learn that its write was built upon.
TEST(Collapse, WhatNamesAWriteOfTheSinkStaysUnlessANewerOneNamesIt) {
  auto records = records_of("aaaaaa");
  auto knowing = [](std::uint64_t sink_ms, std::uint64_t other_ms) {
    std::vector<conflict::Context::Entry> entries;
    if (other_ms) entries.push_back({RegionId::of("other"), conflict::Hlc::at_ms(other_ms)});
    if (sink_ms) entries.push_back({RegionId::of("sink"), conflict::Hlc::at_ms(sink_ms)});
    return *conflict::Context::from_entries(entries);
  };
  records[0].context = knowing(0, 1);
  records[1].context = knowing(5, 0);  // built on the sink's write of 5
  records[2].context = knowing(5, 1);  // and on
  records[3].context = knowing(0, 2);  // this one was written by somebody who had not seen it
  records[4].context = knowing(7, 2);
  records[5].context = knowing(7, 3);
  EXPECT_EQ(collapse(records, RegionId::of("sink")), 4U);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].sequence, Sequence(3));
  EXPECT_EQ(records[1].sequence, Sequence(6));
}

TEST(Collapse, OnlyOfABacklogAndOnlyWhenAllowed) {
  for (bool allowed : {false, true}) {
    PumpLimits limits;
    limits.collapse_backlog = allowed;
    Rng rng(1);
    Pump pump(PumpScript::flow(), RegionId::of("sink"), limits, rng);
    auto page = [&](std::uint64_t pending) {
      rpc::LogPage out;
      out.records = records_of("abab");
      for (auto& record : out.records)
        record.version = {conflict::Hlc::at_ms(5), PumpScript::flow().source};
      out.to = PumpScript::at(4);
      out.pending = pending;
      return out;
    };
    // How many records the page's batch carries; and its range is whole.
    auto shipped = [&](Actions actions, std::uint64_t pending) {
      for (auto& action : actions)
        if (auto* read = std::get_if<ReadLog>(&action))
          actions = pump.on_page(read->id, page(pending), 0);
      std::size_t count = 0;
      for (auto& action : actions)
        if (auto* ship = std::get_if<ShipBatch>(&action)) {
          EXPECT_EQ(ship->batch.to, PumpScript::at(4));
          count = ship->batch.records.size();
        }
      return count;
    };
    EXPECT_EQ(shipped(pump.start(PumpScript::at(0), 0), 10), allowed ? 2U : 4U);
    EXPECT_EQ(pump.records_collapsed(), allowed ? 2U : 0U);
    Pump calm(PumpScript::flow(), RegionId::of("sink"), limits, rng);
    auto actions = calm.start(PumpScript::at(0), 0);
    auto* read = std::get_if<ReadLog>(&actions.front());
    ASSERT_NE(read, nullptr);
    actions = calm.on_page(read->id, page(0), 0);
    EXPECT_EQ(std::get<ShipBatch>(actions.front()).batch.records.size(), 4U)
        << "nothing waits behind it";
  }
}

// What is left out still waits until what replaced it is there.
TEST(Collapse, WhatIsLeftOutCountsAsPendingAndItsLagCounts) {
  PumpLimits limits;
  limits.collapse_backlog = true;
  Rng rng(1);
  Pump pump(PumpScript::flow(), RegionId::of("sink"), limits, rng);
  auto actions = pump.start(PumpScript::at(0), 0);
  rpc::LogPage page;
  page.records = records_of("aab");
  for (auto& record : page.records) {
    record.version = {conflict::Hlc::at_ms(5), PumpScript::flow().source};
    record.committed_us = 100 * static_cast<std::int64_t>(record.sequence.value);
    record.new_image = Bytes(1000, 'x');
  }
  page.to = PumpScript::at(3);
  page.pending = 1;
  actions = pump.on_page(std::get<ReadLog>(actions.front()).id, page, 0);
  EXPECT_EQ(pump.pending_records(), 4U);
  EXPECT_EQ(pump.oldest_unacknowledged_us(), 100);
  EXPECT_GE(pump.bytes_collapsed(), 1000U);
  EXPECT_LT(pump.bytes_collapsed(), 2000U);
  auto& ship = std::get<ShipBatch>(actions.front());
  rpc::ApplyOutcome outcome;
  outcome.status = rpc::ApplyStatus::applied;
  outcome.position = ship.batch.to;
  outcome.visible_us = 1000;
  actions = pump.on_outcome(ship.id, outcome, 1);
  EXPECT_EQ(pump.records_acknowledged(), 2U);
  auto* visible = std::get_if<RecordsVisible>(&actions.front());
  ASSERT_NE(visible, nullptr);
  EXPECT_THAT(visible->committed_us, ElementsAre(100, 200, 300));
}

}  // namespace
}  // namespace meridian::replicator

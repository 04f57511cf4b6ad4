// Two and three whole regions in one process, over loopback sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replicator/admin/admin.h"
#include "tests/component/rpc/regions.h"

namespace meridian::test {
namespace {

class Replication : public ::testing::Test {
 protected:
  static constexpr std::uint16_t kPortOfEast = 22010;
  static constexpr std::uint16_t kPortOfWest = 22011;
  static constexpr std::uint16_t kPortOfNorth = 22012;

  Replication()
      : ports_{{RegionId::of("east"), kPortOfEast},
               {RegionId::of("west"), kPortOfWest},
               {RegionId::of("north"), kPortOfNorth}},
        east("east", ports_),
        west("west", ports_),
        north("north", ports_) {}

  void start(TestRegion& region) {
    region.start_node();
    region.start_replicator();
  }

  // A table `T` in east with a replica in west.
  void make_global() {
    start(east);
    start(west);
    ASSERT_NE(east.create_table("T"), nullptr);
    // The nodes need a moment to find each other.
    ASSERT_TRUE(eventually([this] { return east.add_replica("T", "west").empty(); }));
  }

  Ports ports_;
  TestRegion east;
  TestRegion west;
  TestRegion north;
};

TEST_F(Replication, RecordsFlowBothWaysAndDoNotEcho) {
  make_global();
  ASSERT_EQ(east.put("T", "a", "from east"), store::WriteStatus::committed);
  ASSERT_EQ(west.put("T", "b", "from west"), store::WriteStatus::committed);
  auto both = [](TestRegion& region) {
    return region.get("T", "a") == "from east" && region.get("T", "b") == "from west";
  };
  ASSERT_TRUE(eventually([&] { return both(east) && both(west); }));

  ASSERT_EQ(west.remove("T", "a"), store::WriteStatus::committed);
  ASSERT_TRUE(eventually([&] { return !east.get("T", "a"); }));

  // Every change is in each stream exactly once: nothing came back.
  EXPECT_TRUE(
      eventually([&] { return east.stream_records("T") == 3 && west.stream_records("T") == 3; }));
  EXPECT_EQ(east.store().health().records_applied, 2u);
  EXPECT_EQ(west.store().health().records_applied, 1u);
  EXPECT_EQ(east.store().health().records_duplicate, 0u);
}

TEST_F(Replication, AThirdRegionJoinsAnEmptyTableAndAllSeeAll) {
  make_global();
  start(north);
  ASSERT_TRUE(eventually([this] { return west.add_replica("T", "north").empty(); }));
  ASSERT_EQ(east.put("T", "e", "1"), store::WriteStatus::committed);
  ASSERT_EQ(west.put("T", "w", "2"), store::WriteStatus::committed);
  ASSERT_EQ(north.put("T", "n", "3"), store::WriteStatus::committed);
  std::map<std::string, std::string> all{{"e", "1"}, {"w", "2"}, {"n", "3"}};
  EXPECT_TRUE(eventually(
      [&] { return east.items("T") == all && west.items("T") == all && north.items("T") == all; }));
}

TEST_F(Replication, WatermarksMoveOnIdleLinksAndPassWhatIsApplied) {
  make_global();
  auto table = east.store().catalog()->find("T")->id;
  auto watermark = [&table](TestRegion& region, TestRegion& origin) {
    return region.store().open_reader()->watermarks(table)[origin.id()];
  };
  auto now = [this] { return conflict::Hlc::at_ms(east.clock.wall_ms()); };
  auto first = now();
  EXPECT_TRUE(eventually([&] { return watermark(west, east) > first; }));
  EXPECT_TRUE(eventually([&] { return watermark(east, west) > first; }));
  // The record that west applied is in its own log, where east's flow has nothing to take but passes
  // it by all the same.
  ASSERT_EQ(east.put("T", "a", "1"), store::WriteStatus::committed);
  auto second = now();
  EXPECT_TRUE(eventually([&] { return watermark(west, east) > second; }));
  EXPECT_EQ(west.get("T", "a"), "1");
  EXPECT_TRUE(eventually([&] { return watermark(east, west) > second; }));
  // What cannot get through holds it back.
  east.stop_replicator();
  ASSERT_EQ(east.put("T", "b", "1"), store::WriteStatus::committed);
  auto third = now();
  EXPECT_TRUE(eventually([&] { return watermark(east, west) > third; }));
  EXPECT_LT(watermark(west, east), third);
  east.start_replicator();
  EXPECT_TRUE(eventually([&] { return watermark(west, east) > third; }));
  EXPECT_EQ(west.get("T", "b"), "1");
}

TEST_F(Replication, GoesOnAfterEitherSideWasDown) {
  make_global();
  west.stop_node();
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(east.put("T", "k" + std::to_string(i), "x"), store::WriteStatus::committed);
  west.start_node();
  EXPECT_TRUE(eventually([&] { return west.items("T").size() == 50; }));

  east.stop_node();
  ASSERT_EQ(west.put("T", "from-west", "y"), store::WriteStatus::committed);
  east.start_node();
  ASSERT_EQ(east.put("T", "after", "z"), store::WriteStatus::committed);
  EXPECT_TRUE(eventually(
      [&] { return east.items("T") == west.items("T") && east.items("T").size() == 52; }));
  EXPECT_EQ(east.store().health().records_duplicate + west.store().health().records_duplicate, 0u);
}

TEST_F(Replication, AReplicatorStartedAgainGoesOnFromItsCheckpoint) {
  make_global();
  east.put_many("T", "a", 500, "x");
  ASSERT_TRUE(eventually([&] { return west.items("T").size() == 500; }));
  east.stop_replicator();
  east.put_many("T", "b", 500, "x");
  east.start_replicator();
  EXPECT_TRUE(eventually([&] { return west.items("T").size() == 1000; }));
  EXPECT_EQ(west.store().health().records_duplicate, 0u);
  EXPECT_EQ(west.store().health().records_applied, 1000u);
}

TEST_F(Replication, AStalledLinkShowsAGrowingAgeAndWhatWaits) {
  make_global();
  ASSERT_EQ(east.put("T", "a", "x"), store::WriteStatus::committed);
  ASSERT_TRUE(eventually([&] { return west.get("T", "a").has_value(); }));
  auto link = [this] {
    auto status = east.replicator().status();
    return status.links.empty() ? replicator::LinkStatus{} : status.links.front();
  };
  ASSERT_TRUE(eventually([&] { return link().lag && link().lag->total().count() == 1; }));
  EXPECT_TRUE(eventually([&] { return link().pending.records == 0u; }));
  EXPECT_GT(link().lag->total().max_us(), 0);

  west.stop_node();
  east.put_many("T", "b", 20, "x");
  ASSERT_TRUE(
      eventually([&] { return link().pending.records == 20u && link().pending.oldest_ms; }));
  EXPECT_EQ(link().state, replicator::FlowState::backing_off);
  EXPECT_FALSE(link().reason.empty());
  EXPECT_TRUE(eventually([&] { return link().pending.bytes.value_or(0) > 0; }));
  auto age_ms = *link().pending.oldest_ms;
  ASSERT_TRUE(eventually([&] { return link().pending.oldest_ms.value_or(0) >= age_ms + 300; }));

  // The own node gone as well: how much waits is unknown, and what was known goes on ageing.
  east.stop_node();
  ASSERT_TRUE(eventually([&] { return !east.replicator().status().ready; }));
  EXPECT_EQ(link().pending.records, std::nullopt);
  EXPECT_EQ(link().pending.bytes, std::nullopt);
  age_ms = *link().pending.oldest_ms;
  ASSERT_TRUE(eventually([&] { return link().pending.oldest_ms.value_or(0) >= age_ms + 300; }));

  east.start_node();
  west.start_node();
  EXPECT_TRUE(eventually([&] { return west.items("T").size() == 21; }));
  EXPECT_TRUE(eventually([&] { return link().pending.records == 0u; }));
}

TEST_F(Replication, WithoutTheOwnNodeNobodyKnowsThatNothingWaits) {
  make_global();
  ASSERT_EQ(east.put("T", "a", "x"), store::WriteStatus::committed);
  auto pending = [this] {
    auto status = east.replicator().status();
    return status.links.empty() ? replicator::Pending{} : status.links.front().pending;
  };
  ASSERT_TRUE(eventually([&] { return pending().records == 0u && pending().bytes == 0u; }));
  east.stop_node();
  ASSERT_TRUE(eventually([&] { return !east.replicator().status().ready; }));
  EXPECT_EQ(pending().records, std::nullopt);
  EXPECT_EQ(pending().bytes, std::nullopt);
  auto status = east.replicator().status();
  MetricsPage page;
  replicator::collect(status, page);
  EXPECT_THAT(page.text(),
              testing::Not(testing::HasSubstr("meridian_replication_pending_records")));
  EXPECT_THAT(replicator::status_json(status, "1"),
              testing::HasSubstr(R"("pending_records":null,"pending_bytes":null)"));
  east.start_node();
  EXPECT_TRUE(eventually([&] { return pending().records == 0u; }));
}

TEST_F(Replication, ACheckpointIsOnlyAHint) {
  make_global();
  east.put_many("T", "a", 100, "x");
  ASSERT_TRUE(eventually([&] { return west.items("T").size() == 100; }));
  east.stop_replicator();
  east.forget_checkpoints();
  east.put_many("T", "b", 10, "x");
  east.start_replicator();
  EXPECT_TRUE(eventually([&] { return west.items("T").size() == 110; }));
  EXPECT_EQ(west.store().health().records_duplicate, 0u);
}

TEST_F(Replication, WhatWasCheckpointedUnderNoLeaseOfItsOwnIsToldToNobody) {
  make_global();
  east.stop_replicator();
  west.stop_node();
  east.put_many("T", "a", 20, "x");
  // As after a life of the replica that this worker has seen, and has seen no end of: another worker
  // had its flows, and has forgotten them.
  east.believe_complete("T", "west");
  east.share_by_leases();
  east.start_replicator();
  ASSERT_TRUE(eventually([this] { return east.replicator().status().flows.size() == 2; }));
  auto pending = [this] {
    auto table = east.store().catalog()->find("T");
    std::uint64_t records = 0;
    for (std::uint16_t shard = 0; shard < 2; ++shard)
      records += east.store().open_reader()->backlog(table->id, ShardId(shard), west.id())
                     .pending_records;
    return records;
  };
  EXPECT_FALSE(eventually([&] { return pending() < 20; }, 1000));
  west.start_node();
  EXPECT_TRUE(eventually([&] { return west.items("T").size() == 20 && pending() == 0; }));
}

TEST_F(Replication, AClockBehindHoldsTheFlowAndSaysSo) {
  make_global();
  auto flow_state = [this] {
    for (const auto& flow : east.replicator().status().flows)
      if (flow.state == replicator::FlowState::held) return flow.reason;
    return std::string();
  };
  west.stop_node();
  west.clock.shift_us = -3'000'000;
  west.start_node();
  ASSERT_EQ(east.put("T", "a", "x"), store::WriteStatus::committed);
  ASSERT_TRUE(eventually([&] { return flow_state().find("clock") != std::string::npos; }));
  EXPECT_FALSE(west.get("T", "a").has_value());
  EXPECT_TRUE(east.log->contains("flow_held"));
  // It is not cut loose: once the time has come, it goes on.
  EXPECT_TRUE(eventually([&] { return west.get("T", "a").has_value(); }));
  EXPECT_TRUE(eventually([&] { return flow_state().empty(); }));
}

TEST_F(Replication, RemovingAReplicaDropsItsCopyAndTheTableBecomesLocal) {
  make_global();
  ASSERT_EQ(west.put("T", "a", "x"), store::WriteStatus::committed);
  ASSERT_TRUE(eventually([&] { return east.get("T", "a").has_value(); }));
  ASSERT_EQ(east.remove_replica("T", "west"), "");
  EXPECT_EQ(west.store().catalog()->find("T"), nullptr);
  auto table = east.store().catalog()->find("T");
  ASSERT_NE(table, nullptr);
  EXPECT_TRUE(table->peers(east.id()).empty());
  EXPECT_EQ(east.get("T", "a"), "x");
  EXPECT_TRUE(eventually([&] { return east.replicator().status().flows.empty(); }));
}

TEST_F(Replication, AReplicaIsNotRemovedWhileItHoldsWhatNobodyElseHas) {
  make_global();
  west.stop_replicator();
  ASSERT_EQ(west.put("T", "only-here", "x"), store::WriteStatus::committed);
  auto said = east.remove_replica("T", "west");
  EXPECT_NE(said.find("ResourceInUseException"), std::string::npos) << said;
  EXPECT_NE(west.store().catalog()->find("T"), nullptr);
  EXPECT_EQ(west.get("T", "only-here"), "x");
  west.start_replicator();
  ASSERT_TRUE(eventually([&] { return east.get("T", "only-here").has_value(); }));
  EXPECT_TRUE(eventually([&] { return east.remove_replica("T", "west").empty(); }));
}

TEST_F(Replication, DroppingAReplicatedTableTellsTheOthersFirst) {
  make_global();
  ASSERT_EQ(east.put("T", "a", "x"), store::WriteStatus::committed);
  EXPECT_EQ(east.drop_table("T"), "");
  EXPECT_EQ(east.store().catalog()->find("T"), nullptr);
  auto table = west.store().catalog()->find("T");
  ASSERT_NE(table, nullptr);
  EXPECT_FALSE(table->has_replica(east.id()));
  EXPECT_EQ(west.get("T", "a"), "x");
}

TEST_F(Replication, MembershipReachesARegionThatWasDown) {
  make_global();
  start(north);
  west.stop_node();
  ASSERT_TRUE(eventually([this] { return east.add_replica("T", "north").empty(); }));
  west.start_node();
  EXPECT_TRUE(
      eventually([&] { return west.store().catalog()->find("T")->has_replica(north.id()); }));
  ASSERT_EQ(west.put("T", "w", "1"), store::WriteStatus::committed);
  EXPECT_TRUE(eventually([&] { return north.get("T", "w") == "1"; }));
}

TEST_F(Replication, SettingsChangedAtTheSameTimeConverge) {
  make_global();
  start(north);
  east.change_settings("T", {{"read_units@west", "9"}});
  ASSERT_TRUE(eventually([this] { return east.add_replica("T", "north").empty(); }));
  auto settings = [](TestRegion& region) { return region.store().catalog()->find("T")->settings; };
  auto equal = [&] {
    return settings(east) == settings(west) && settings(west) == settings(north);
  };
  ASSERT_TRUE(eventually(equal));
  EXPECT_EQ(settings(north).override_of("read_units", west.id()), "9") << "a new replica has it";
  // One region is away meanwhile, and each sets what the others set.
  north.stop_node();
  for (int i = 0; i < 5; ++i) {
    east.change_settings("T", {{"table_class", "east" + std::to_string(i)}, {"write_units", "1"}});
    west.change_settings("T", {{"table_class", "west" + std::to_string(i)}, {"of_west", "2"}});
  }
  north.start_node();
  north.change_settings("T", {{"read_units", "3"}});
  ASSERT_TRUE(eventually(equal));
  auto last = settings(north);
  EXPECT_THAT(std::string(last.text("table_class")), testing::EndsWith("4"));
  EXPECT_EQ(last.text("of_west"), "2");
  EXPECT_EQ(last.number("write_units"), 1);
  EXPECT_EQ(last.number("read_units"), 3);
  EXPECT_EQ(last.override_of("read_units", west.id()), std::nullopt) << "lost to a later change";
  // And they stay as they are: nobody answers an echo with an echo.
  auto generation = east.store().catalog()->generation;
  EXPECT_FALSE(eventually([&] { return east.store().catalog()->generation != generation; }, 3000));
}

TEST_F(Replication, DeletionProtectionIsEachRegionsOwn) {
  make_global();
  store::TableChange protect;
  protect.deletion_protection = true;
  auto id = west.store().catalog()->find("T")->id;
  west.store().change_table(id, protect, [](const store::ControlResult&) {});
  east.change_settings("T", {{"table_class", "STANDARD"}});
  ASSERT_TRUE(eventually(
      [&] { return west.store().catalog()->find("T")->settings.text("table_class") != ""; }));
  EXPECT_TRUE(west.store().catalog()->find("T")->deletion_protection);
  EXPECT_FALSE(east.store().catalog()->find("T")->deletion_protection);
  EXPECT_THAT(east.remove_replica("T", "west"), testing::HasSubstr("protected against deletion"));
}

TEST_F(Replication, AnEmptyNodeUnderAKnownNameBeginsANewLife) {
  make_global();
  ASSERT_EQ(east.put("T", "a", "x"), store::WriteStatus::committed);
  west.stop_replicator();
  west.stop_node();
  west.wipe();
  start(west);
  // It says that it does not know the table; that must not look like giving up its copy.
  EXPECT_TRUE(eventually([&] { return east.log->contains("region_began_anew"); }));
  EXPECT_TRUE(east.store().catalog()->find("T")->has_replica(west.id()));
  EXPECT_TRUE(eventually([&] {
    auto table = west.store().catalog()->find("T");
    return table && table->has_replica(west.id()) && table->has_replica(east.id());
  }));
  EXPECT_FALSE(eventually(
      [&] { return !east.store().catalog()->find("T")->has_replica(west.id()); }, 1000));
}

TEST_F(Replication, ReplicasThatCannotBeMadeAreRefusedInAwsWords) {
  start(east);
  start(west);
  ASSERT_NE(east.create_table("T"), nullptr);
  ASSERT_NE(west.create_table("T"), nullptr);
  EXPECT_TRUE(eventually([this] {
    return east.add_replica("T", "west")
               .find(
                   "Failed to create a the new replica of table with name: 'T' because one or more "
                   "replicas already existed as tables.") != std::string::npos;
  }));
  EXPECT_NE(east.add_replica("T", "east").find("Cannot add, delete, or update the local region"),
            std::string::npos);
  EXPECT_NE(east.add_replica("T", "mars").find("ValidationException"), std::string::npos);
  EXPECT_NE(
      east.remove_replica("T", "west")
          .find(
              "Update global table operation failed because one or more replicas were not part of "
              "the global table."),
      std::string::npos);
}

TEST_F(Replication, ManyRecordsCatchUpInOrder) {
  make_global();
  west.stop_node();
  east.put_many("T", "k", 5000, std::string(500, 'x'));
  east.put_many("T", "k", 5000, std::string(500, 'y'));
  west.start_node();
  ASSERT_TRUE(eventually([&] { return west.items("T") == east.items("T"); }, 30'000));
  EXPECT_EQ(west.store().health().records_stale, 0u);
  EXPECT_EQ(west.store().health().records_applied, 10000u);
}

}  // namespace
}  // namespace meridian::test

// A replica added to a table that holds items: filled over RPC by the region that joins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/component/rpc/regions.h"

namespace meridian::test {
namespace {

class CopyOverRpc : public ::testing::Test {
 protected:
  CopyOverRpc()
      : ports_{{RegionId::of("east"), std::uint16_t{22030}},
               {RegionId::of("west"), std::uint16_t{22031}},
               {RegionId::of("north"), std::uint16_t{22032}}},
        east("east", ports_),
        west("west", ports_),
        north("north", ports_) {}

  static void start(TestRegion& region) {
    region.start_node();
    region.start_replicator();
  }
  static bool whole(TestRegion& region) {
    auto table = region.store().catalog()->find("T");
    return table != nullptr && table->is_whole(region.id());
  }
  // Items and tombstones in east, and some that were never shipped to anybody.
  void make_full(std::size_t items) {
    start(east);
    ASSERT_NE(east.create_table("T"), nullptr);
    east.put_many("T", "k", items, std::string(200, 'x'));
    for (int i = 0; i < 5; ++i) east.remove("T", "k" + std::to_string(i));
  }
  static std::string add(TestRegion& from, const std::string& to) {
    std::string said;
    eventually([&] { return (said = from.add_replica("T", to)).empty(); }, 5000);
    return said;
  }

  Ports ports_;
  TestRegion east;
  TestRegion west;
  TestRegion north;
};

TEST_F(CopyOverRpc, ATableWithItemsBecomesGlobal) {
  make_full(1000);
  start(west);
  ASSERT_EQ(add(east, "west"), "");
  ASSERT_TRUE(eventually([&] { return whole(west); })) << west.copy_text("T");
  EXPECT_EQ(west.items("T"), east.items("T"));
  EXPECT_EQ(west.items("T").size(), 995U);
  auto stats = west.store().open_reader()->stats(west.store().catalog()->find("T")->id);
  EXPECT_EQ(stats.tombstones, 5U);
  // Both go on as replicas do.
  ASSERT_EQ(west.put("T", "w", "1"), store::WriteStatus::committed);
  ASSERT_EQ(east.put("T", "e", "1"), store::WriteStatus::committed);
  EXPECT_TRUE(eventually([&] { return west.items("T") == east.items("T"); }));
  // What was copied is nobody's to ship again.
  EXPECT_TRUE(eventually([&] { return east.store().health().records_applied == 1U; }));
}

TEST_F(CopyOverRpc, ItServesNobodyBeforeItIsWhole) {
  make_full(5000);
  start(west);
  // The seed cannot be reached as soon as the replica is made, so it stays as it is.
  ASSERT_EQ(add(east, "west"), "");
  east.stop_node();
  auto table = west.store().catalog()->find("T");
  ASSERT_NE(table, nullptr);
  if (!whole(west)) {
    EXPECT_EQ(west.put("T", "a", "1"), store::WriteStatus::no_such_table);
  }
  east.start_node();
  ASSERT_TRUE(eventually([&] { return whole(west); }, 20'000));
  EXPECT_EQ(west.put("T", "a", "1"), store::WriteStatus::committed);
  EXPECT_TRUE(eventually([&] { return west.items("T") == east.items("T"); }));
}

TEST_F(CopyOverRpc, AReplicaWhoseStoreCannotBeReadForAWhileIsFilledAfterIt) {
  make_full(1000);
  west.start_node();
  // Its copy cannot even begin.
  west.meddle("ALTER TABLE cursors RENAME TO lost_cursors");
  ASSERT_EQ(add(east, "west"), "");
  ASSERT_TRUE(eventually([this] { return west.log->contains("no such table: cursors"); }));
  EXPECT_FALSE(west.log->contains("copy_started"));
  east.stop_node();
  west.meddle("ALTER TABLE lost_cursors RENAME TO cursors");
  ASSERT_TRUE(eventually([this] { return west.log->contains("copy_started"); }));
  // It cannot go on, and not wait for its seed either.
  west.meddle("ALTER TABLE flows RENAME TO lost_flows");
  ASSERT_TRUE(eventually([this] { return west.log->contains("no such table: flows"); }));
  west.meddle("ALTER TABLE lost_flows RENAME TO flows");
  east.start_node();
  ASSERT_TRUE(eventually([this] { return whole(west); })) << west.copy_text("T");
  EXPECT_EQ(west.items("T"), east.items("T"));
}

TEST_F(CopyOverRpc, AThirdRegionTakesWhatTheSeedHasOfTheOthers) {
  make_full(300);
  start(west);
  ASSERT_EQ(add(east, "west"), "");
  ASSERT_TRUE(eventually([&] { return whole(west); })) << west.copy_text("T");
  west.put_many("T", "w", 300, "from west");
  ASSERT_TRUE(eventually([&] { return west.items("T") == east.items("T"); }));
  start(north);
  ASSERT_EQ(add(west, "north"), "");
  for (int i = 0; i < 20; ++i) {
    east.put("T", "during" + std::to_string(i), "e");
    west.put("T", "during" + std::to_string(i), "w");
    east.remove("T", "k" + std::to_string(10 + i));
  }
  ASSERT_TRUE(eventually([&] { return whole(north); })) << north.copy_text("T");
  EXPECT_TRUE(eventually([&] {
    return north.items("T") == east.items("T") && west.items("T") == east.items("T");
  }));
}

TEST_F(CopyOverRpc, ADeathOfEitherSideIsGoneOnFrom) {
  make_full(20'000);
  start(west);
  ASSERT_EQ(add(east, "west"), "");
  west.stop_node();
  west.start_node();
  east.stop_node();
  east.start_node();
  ASSERT_TRUE(eventually([&] { return whole(west); }, 30'000));
  EXPECT_TRUE(eventually([&] { return west.items("T") == east.items("T"); }));
}

TEST_F(CopyOverRpc, ARegionThatLeftMayComeBack) {
  make_full(100);
  start(west);
  ASSERT_EQ(add(east, "west"), "");
  ASSERT_TRUE(eventually([&] { return whole(west); })) << west.copy_text("T");
  ASSERT_TRUE(eventually([&] { return east.remove_replica("T", "west").empty(); }));
  EXPECT_EQ(west.store().catalog()->find("T"), nullptr);
  EXPECT_TRUE(east.store().catalog()->find("T")->peers(east.id()).empty());
  east.put_many("T", "later", 50, "y");
  ASSERT_EQ(add(east, "west"), "");
  ASSERT_TRUE(eventually([&] { return whole(west); })) << west.copy_text("T");
  EXPECT_TRUE(eventually([&] { return west.items("T") == east.items("T"); }));
  ASSERT_EQ(west.put("T", "w", "1"), store::WriteStatus::committed);
  EXPECT_TRUE(eventually([&] { return west.items("T") == east.items("T"); }));
}

}  // namespace
}  // namespace meridian::test

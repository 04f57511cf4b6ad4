// Two and three whole regions in one process, over loopback sockets.
#include <gtest/gtest.h>

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
  EXPECT_TRUE(eventually([&] { return east.stream_records("T") == 3 && west.stream_records("T") == 3; }));
  EXPECT_EQ(east.store().health().records_applied, 2u);
  EXPECT_EQ(west.store().health().records_applied, 1u);
  EXPECT_EQ(east.store().health().records_duplicate, 0u);
}

}  // namespace
}  // namespace meridian::test

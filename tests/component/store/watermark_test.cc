// Barriers, watermarks and the horizon of collected tombstones, as the file keeps them.
#include "common/sqlite/sqlite.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

using conflict::Hlc;

class WatermarkTest : public StoreTest {
 protected:
  rpc::Barrier barrier(const TablePtr& table) {
    std::optional<rpc::Barrier> made;
    store_->barrier({table->id}, [&made](std::optional<rpc::Barrier> answer) { made = answer; });
    store_->run_pending();
    EXPECT_TRUE(made.has_value());
    return made.value_or(rpc::Barrier{});
  }
  // Whether the table's flows from kThere have reached the barrier.
  bool advance(const TablePtr& table, Hlc time, LogPosition end, StartId start = StartId(9),
               NodeId node = kThereNode) {
    std::optional<Reached> reached;
    store_->advance(kThere, node, {{start, time, {{table->id, {end}}}}},
                    [&reached](std::optional<Reached> answer) { reached = std::move(answer); });
    store_->run_pending();
    EXPECT_TRUE(reached.has_value());
    return reached && reached->at(0) == std::vector<TableId>{table->id};
  }
  bool adopt(const TableId& table, rpc::Watermarks applied, Hlc collected) {
    bool adopted = false;
    store_->adopt_watermarks({table, std::move(applied), collected},
                             [&adopted](bool done) { adopted = done; });
    store_->run_pending();
    return adopted;
  }
  // As of the last commit.
  Hlc watermark(const TablePtr& table, const RegionId& origin) {
    auto all = store_->open_reader()->watermarks(table->id);
    auto at = all.find(origin);
    return at == all.end() ? Hlc{} : at->second;
  }
  Hlc durable(const TablePtr& table, const RegionId& origin) {
    clock_.advance_ms(options_.maintenance_ms + 1);
    store_->run_pending();
    return watermark(table, origin);
  }
  static LogPosition at(std::uint64_t sequence, std::uint64_t start = 9) {
    return {StartId(start), Sequence(sequence)};
  }
};

TEST_F(WatermarkTest, NothingIsMintedAtOrBelowABarrier) {
  auto table = create_global();
  auto before = put(table, "a", "1");
  auto made = barrier(table);
  EXPECT_LE(before.version.hlc, made.time);
  EXPECT_EQ(made.start, store_->start_id());
  ASSERT_EQ(made.tables.size(), 1U);
  EXPECT_EQ(made.tables[0].ends, std::vector<LogPosition>{log(table).to});
  EXPECT_EQ(watermark(table, kHere), made.time);

  EXPECT_GT(put(table, "a", "2").version.hlc, made.time);
  clock_.advance_ms(50);
  auto later = barrier(table);
  reopen();  // at the very same time
  EXPECT_EQ(watermark(table, kHere), later.time);
  EXPECT_GT(put(table, "b", "1").version.hlc, later.time);
}

TEST_F(WatermarkTest, AWriteInTheGroupOfABarrierIsAboveItOrBeforeItsEnds) {
  auto table = create_global();
  std::vector<WriteResult> writes;
  std::optional<rpc::Barrier> made;
  auto write = [&](const std::string& pk) {
    store_->write({table->id, key_of(pk), std::make_shared<PutImage>(image_of(pk, "1")),
                   [&writes](const WriteResult& result) { writes.push_back(result); }});
  };
  write("a");
  store_->barrier({table->id}, [&made](std::optional<rpc::Barrier> answer) { made = answer; });
  write("b");
  store_->run_pending();
  ASSERT_TRUE(made.has_value());
  ASSERT_EQ(writes.size(), 2U);
  EXPECT_LE(writes[0].version.hlc, made->time);
  EXPECT_EQ(made->tables[0].ends[0].sequence, Sequence(1));
  EXPECT_GT(writes[1].version.hlc, made->time);
}

TEST_F(WatermarkTest, ABarrierOverUnknownTablesLeavesThemOut) {
  auto table = create_global();
  std::optional<rpc::Barrier> made;
  store_->barrier({TableId{1, 2}, table->id},
                  [&made](std::optional<rpc::Barrier> answer) { made = answer; });
  store_->run_pending();
  ASSERT_TRUE(made.has_value());
  ASSERT_EQ(made->tables.size(), 1U);
  EXPECT_EQ(made->tables[0].table, table->id);
}

TEST_F(WatermarkTest, AWatermarkMovesOnceEveryEndIsReached) {
  auto table = create_global();
  Hlc time = Hlc::at_ms(now_ms() + 20);
  EXPECT_FALSE(advance(table, time, at(2)));  // nobody has said hello, or shipped anything
  apply(table, {}, at(1), {remote_put(1, "a", "1", now_ms())});
  EXPECT_FALSE(advance(table, time, at(2)));
  EXPECT_EQ(durable(table, kThere), Hlc{});
  apply(table, at(1), at(2), {remote_put(2, "b", "1", now_ms())});
  EXPECT_TRUE(advance(table, time, at(2)));
  EXPECT_EQ(durable(table, kThere), time);
  // It does not go back, and is there after a restart.
  EXPECT_TRUE(advance(table, Hlc::at_ms(now_ms() - 60'000), at(2)));
  EXPECT_EQ(durable(table, kThere), time);
  reopen();
  EXPECT_EQ(watermark(table, kThere), time);
  EXPECT_EQ(watermark(table, kElsewhere), Hlc{});
}

TEST_F(WatermarkTest, APositionOfAnotherLifeOfTheLogReachesNothing) {
  auto table = create_global();
  apply(table, {}, at(5), {remote_put(5, "a", "1", now_ms())});
  Hlc time = Hlc::at_ms(now_ms() + 20);
  // A log that was restored as of sequence 3, and is run by another start.
  EXPECT_FALSE(advance(table, time, at(3), StartId(10)));
  // The same sequence, written by another start.
  EXPECT_FALSE(advance(table, time, at(5, 10), StartId(10)));
  // Beyond the end, but in the very run that made the barrier.
  EXPECT_TRUE(advance(table, time, at(3), StartId(9)));
  EXPECT_FALSE(advance(table, time, at(5), StartId(9), NodeId(78)));
}

TEST_F(WatermarkTest, AParkedRecordHoldsTheWatermarkBack) {
  auto table = create_global();
  auto poison = remote_put(1, "a", "1", now_ms());
  poison.key = key_of("other");
  std::vector<rpc::ChangeRecord> records{poison, remote_put(2, "b", "1", now_ms())};
  EXPECT_EQ(apply(table, {}, at(2), records).status, rpc::ApplyStatus::applied);
  Hlc time = Hlc::at_ms(now_ms() + 20);
  EXPECT_TRUE(advance(table, time, at(2)));
  EXPECT_EQ(durable(table, kThere).next(), poison.version.hlc);
  // A newer version of its key retires it.
  apply(table, at(2), at(3), {remote_put(3, "other", "2", now_ms())});
  EXPECT_TRUE(advance(table, time, at(3)));
  EXPECT_EQ(durable(table, kThere), time);
}

TEST_F(WatermarkTest, WhatIsAdoptedIsNeverMintedAgainAndNeverGoesBack) {
  auto table = create_global();
  Hlc far = Hlc::at_ms(now_ms() + 300);
  EXPECT_TRUE(adopt(table->id, {{kThere, Hlc{7}}, {kHere, far}}, Hlc{5}));
  EXPECT_EQ(watermark(table, kHere), far);
  EXPECT_EQ(watermark(table, kThere), Hlc{7});
  EXPECT_EQ(store_->open_reader()->collected(table->id), Hlc{5});
  EXPECT_GT(put(table, "a", "1").version.hlc, far);
  EXPECT_TRUE(adopt(table->id, {{kThere, Hlc{6}}, {kElsewhere, Hlc{3}}}, Hlc{4}));
  reopen();
  EXPECT_EQ(watermark(table, kThere), Hlc{7});
  EXPECT_EQ(watermark(table, kElsewhere), Hlc{3});
  EXPECT_EQ(store_->open_reader()->collected(table->id), Hlc{5});
  EXPECT_FALSE(adopt(TableId{1, 2}, {}, Hlc{5}));
}

// A region whose clock was ahead has told others how far it got; a third one hears that in a repair.
TEST_F(WatermarkTest, WhatIsAdoptedOfAFastClockDoesNotTakeTheOwnAlong) {
  auto table = create_global();
  const Hlc far = Hlc::at_ms(now_ms() + 600'000);
  EXPECT_TRUE(adopt(table->id, {{kThere, far}}, Hlc{5}));
  EXPECT_EQ(watermark(table, kThere), far);
  auto write = put(table, "a", "1");
  EXPECT_EQ(write.status, WriteStatus::committed);
  EXPECT_EQ(write.version.hlc.physical_ms(), now_ms());
  reopen();
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::committed);
  // What it is told of itself it has to stay above.
  EXPECT_TRUE(adopt(table->id, {{kHere, far}}, Hlc{5}));
  EXPECT_EQ(put(table, "a", "3").status, WriteStatus::clock_refused);
}

TEST_F(WatermarkTest, ADroppedTableLeavesNothingBehind) {
  auto table = create_global();
  apply(table, {}, at(1), {remote_put(1, "a", "1", now_ms())});
  advance(table, Hlc::at_ms(now_ms()), at(1));
  adopt(table->id, {}, Hlc{5});
  expect_ok([&](ControlDone done) { store_->drop_table(table->id, true, std::move(done)); });
  for (int i = 0; i < 20; ++i) store_->run_pending();
  close();
  {
    sqlite::Database db(file(), {});
    EXPECT_EQ(db.query_int64("SELECT count(*) FROM watermarks"), 0);
    EXPECT_EQ(db.query_int64("SELECT count(*) FROM collections"), 0);
    EXPECT_EQ(db.query_int64("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'tombstones_%'"),
              0);
  }
  open();
}

}  // namespace
}  // namespace meridian::store

// Tables: made, changed, shared, dropped.
#include "common/sqlite/sqlite.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

class CatalogTest : public StoreTest {
 protected:
  ControlResult drop(const TablePtr& table, bool force = false) {
    return control([&](ControlDone done) { store_->drop_table(table->id, force, done); });
  }
  ControlResult set(const TablePtr& table, const RegionId& region, bool present) {
    return control(
        [&](ControlDone done) { store_->set_replica(table->id, region, present, done); });
  }
  ControlResult merge(const TablePtr& table, std::map<RegionId, ReplicaEntry> entries) {
    return control(
        [&](ControlDone done) { store_->merge_replicas(table->id, std::move(entries), done); });
  }
};

TEST_F(CatalogTest, ADefinitionComesBackWhole) {
  TableSpec spec;
  spec.name = "Orders";
  spec.keys = {{"customer", model::AttributeType::S},
               model::KeyAttribute{"order", model::AttributeType::N}};
  spec.shards = 7;
  spec.settings.set("billing_mode", "PROVISIONED");
  spec.settings.set("read_units", "5", {conflict::Hlc::at_ms(5), kThere});
  spec.settings.set("read_units@" + std::string(kThere.name()), "7",
                    {conflict::Hlc::at_ms(6), kThere});
  spec.settings.set("stream_view", "OLD_IMAGE");
  spec.deletion_protection = true;
  spec.stream = model::StreamViewType::OLD_IMAGE;
  spec.replicas[kHere] = ReplicaEntry{true, {conflict::Hlc::at_ms(5), kHere}};
  spec.replicas[kThere] = ReplicaEntry{false, {conflict::Hlc::at_ms(6), kThere}};
  auto made = create(spec);
  auto generation = store_->catalog()->generation;
  reopen();
  auto loaded = store_->catalog()->find("Orders");
  ASSERT_NE(loaded, nullptr);
  EXPECT_EQ(loaded->id, made->id);
  EXPECT_EQ(loaded->keys, spec.keys);
  EXPECT_EQ(loaded->shards, 7);
  EXPECT_EQ(loaded->created_ms, now_ms());
  EXPECT_EQ(loaded->settings, spec.settings);
  EXPECT_FALSE(loaded->on_demand());
  EXPECT_TRUE(loaded->deletion_protection);
  EXPECT_EQ(loaded->replicas, spec.replicas);
  EXPECT_EQ(loaded->enabled_stream()->shards.size(), 7U);
  EXPECT_GE(generation, 1U);
}

TEST_F(CatalogTest, NamesAndIdsAreUnique) {
  auto table = create_single();
  TableSpec spec;
  spec.name = "T";
  spec.keys = schema();
  auto again = [&] { return control([&](ControlDone done) { store_->create_table(spec, done); }); };
  EXPECT_EQ(again().error(), ControlError::already_exists);
  spec.name = "U";
  spec.id = table->id;
  EXPECT_EQ(again().error(), ControlError::already_exists);
  spec.id.reset();
  spec.shards = 0;
  EXPECT_EQ(again().error(), ControlError::limit_exceeded);
}

TEST_F(CatalogTest, ADroppedTableIsForgottenAndItsNameFree) {
  auto table = create_single();
  for (int i = 0; i < 30; ++i) put(table, "k" + std::to_string(i), "1");
  auto reader = store_->open_reader();
  EXPECT_TRUE(reader->get(table->id, key_of("k1")).has_value());
  ASSERT_TRUE(drop(table).ok());
  EXPECT_EQ(drop(table).error(), ControlError::no_such_table);
  EXPECT_FALSE(reader->get(table->id, key_of("k1")).has_value());
  EXPECT_EQ(reader->read_log(table->id, ShardId(0), {}, {}).status, rpc::ReadStatus::no_such_table);
  EXPECT_EQ(store_->catalog()->find("T"), nullptr);
  TableSpec spec;
  spec.name = "T";
  spec.keys = schema();
  spec.id = table->id;  // a replica made again is a new table all the same
  auto again = create(spec);
  EXPECT_FALSE(reader->get(again->id, key_of("k1")).has_value());
  for (int i = 0; i < 20; ++i) store_->run_pending();
  close();
  sqlite::Database db(file(), {});
  EXPECT_EQ(
      db.query_int64("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'item!_%' ESCAPE '!'"), 1);
  EXPECT_EQ(db.query_int64("SELECT count(*) FROM dropped"), 0);
}

TEST_F(CatalogTest, ALargeTableIsPurgedInSteps) {
  close();
  options_.trim_records_max = 10;
  open();
  auto table = create_single();
  for (int i = 0; i < 35; ++i) put(table, "k" + std::to_string(i), "1");
  ASSERT_TRUE(drop(table).ok());
  reopen();  // in the middle of it
  for (int i = 0; i < 20; ++i) store_->run_pending();
  close();
  sqlite::Database db(file(), {});
  EXPECT_EQ(db.query_int64("SELECT count(*) FROM dropped"), 0);
}

TEST_F(CatalogTest, DroppingIsRefusedWhileProtectedOrNotDrained) {
  auto table = create_global();
  put(table, "a", "1");
  EXPECT_EQ(drop(table).error(), ControlError::not_drained);
  acknowledge(table, kThere, log(table).to);
  TableChange protect;
  protect.deletion_protection = true;
  expect_ok([&](ControlDone done) { store_->change_table(table->id, protect, done); });
  EXPECT_EQ(drop(table, true).error(), ControlError::protected_table);
  protect.deletion_protection = false;
  expect_ok([&](ControlDone done) { store_->change_table(table->id, protect, done); });
  put(table, "b", "1");
  EXPECT_EQ(drop(table).error(), ControlError::not_drained);
  acknowledge(table, kThere, log(table).to);
  EXPECT_TRUE(drop(table).ok());  // one peer that has everything is enough
  auto other = create_global("U");
  put(other, "a", "1");
  EXPECT_TRUE(drop(other, true).ok());
}

TEST_F(CatalogTest, MembershipsMergeByVersion) {
  auto table = create_single();
  ASSERT_TRUE(set(table, kHere, true).ok());
  auto one = set(table, kThere, true);
  auto version = (*one)->replicas.at(kThere).changed;
  EXPECT_EQ((*set(table, kThere, true))->replicas.at(kThere).changed, version);
  conflict::Version older{conflict::Hlc{version.hlc.value - 1}, kThere};
  conflict::Version newer{conflict::Hlc{version.hlc.value + 1}, kThere};
  EXPECT_TRUE((*merge(table, {{kThere, {false, older}}}))->has_replica(kThere));
  EXPECT_FALSE((*merge(table, {{kThere, {false, newer}}}))->has_replica(kThere));
  auto back = set(table, kThere, true);
  EXPECT_GT((*back)->replicas.at(kThere).changed, newer);
}

TEST_F(CatalogTest, MembershipsOfTheFutureWait) {
  auto table = create_single();
  ASSERT_TRUE(set(table, kHere, true).ok());
  ReplicaEntry far{true, {conflict::Hlc{~std::uint64_t{0}}, kThere}};
  ReplicaEntry near{true, {conflict::Hlc::at_ms(now_ms() + 800), kThere}};
  EXPECT_EQ(merge(table, {{kThere, far}}).error(), ControlError::unavailable);
  EXPECT_EQ(merge(table, {{kThere, near}}).error(), ControlError::unavailable);
  TableSpec spec;
  spec.name = "U";
  spec.keys = schema();
  spec.replicas[kThere] = far;
  EXPECT_EQ(control([&](ControlDone done) { store_->create_table(spec, done); }).error(),
            ControlError::unavailable);
  // Nothing of it has touched this region's clock.
  auto joined = set(table, kThere, true);
  EXPECT_EQ((*joined)->replicas.at(kThere).changed.hlc.physical_ms(), now_ms());
  clock_.advance_ms(300);
  EXPECT_TRUE(merge(table, {{kThere, near}}).ok());
}

TEST_F(CatalogTest, RegionsAreAsManyAsAContextHolds) {
  auto table = create_single();
  std::map<RegionId, ReplicaEntry> entries;
  for (std::size_t i = 0; i + 1 < conflict::Context::kRegionsMax; ++i)
    entries[RegionId::of("r" + std::to_string(i))] = {true, {conflict::Hlc{1}, kHere}};
  EXPECT_TRUE(merge(table, entries).ok());
  EXPECT_EQ(set(table, kHere, true).error(), ControlError::limit_exceeded);
  EXPECT_EQ(merge(table, {{kThere, {true, {conflict::Hlc{1}, kHere}}}}).error(),
            ControlError::limit_exceeded);
}

TEST_F(CatalogTest, ARegionThatLeavesTakesItsPositionsAlong) {
  auto table = create_global();
  put(table, "a", "1");
  acknowledge(table, kThere, log(table).to);
  apply(table, {}, {StartId(9), Sequence(4)}, {});
  auto reader = store_->open_reader();
  ASSERT_EQ(reader->backlog(table->id, ShardId(0), kThere).pending_records, 0U);
  ASSERT_TRUE(set(table, kThere, false).ok());
  ASSERT_TRUE(set(table, kThere, true).ok());
  EXPECT_EQ(reader->backlog(table->id, ShardId(0), kThere).pending_records, 1U);
  EXPECT_EQ(reader->flow_position({table->id, ShardId(0), kThere}), LogPosition{});
}

}  // namespace
}  // namespace meridian::store

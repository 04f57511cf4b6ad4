// A replica that is filled: what the store takes and refuses until it is whole.
#include "region-node/store/cursors.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

using conflict::Hlc;
using rpc::ApplyStatus;

class CopyTest : public StoreTest {
 protected:
  TablePtr create_copying() {
    TableSpec spec;
    spec.name = "T";
    spec.keys = schema();
    spec.shards = 1;
    spec.stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
    spec.replicas[kThere] = {true, {Hlc::at_ms(now_ms()), kThere}};
    spec.copy_from_others = true;
    return create(std::move(spec));
  }
  ControlResult step(const TablePtr& table, CopyStep step) {
    return control([&](ControlDone done) {
      store_->copy_step(table->id, std::move(step), std::move(done));
    });
  }
  ControlResult begin(const TablePtr& table) {
    CopyStep step{CopyStep::Kind::begin, {}, {{kCopyCursor, "c"}, {kCopyBeginnings, "b"}}, {}};
    step.stands = {{kThere, ShardId(0), {StartId(9), Sequence(5)}}};
    return this->step(table, std::move(step));
  }
  ControlResult finish(const TablePtr& table, Hlc collected = {}) {
    return step(table, {CopyStep::Kind::finish, {}, {}, collected});
  }
  TablePtr now(const TablePtr& table) { return store_->catalog()->find(table->id); }
  // Whether the table's flow has reached the sixth record, as far as the store says.
  bool reached(const TablePtr& table) {
    std::optional<Reached> reached;
    store_->advance(kThere, kThereNode,
                    {{StartId(9), Hlc::at_ms(now_ms()),
                      {{table->id, {{StartId(9), Sequence(6)}}}}}},
                    [&reached](std::optional<Reached> answer) { reached = std::move(answer); });
    store_->run_pending();
    return reached && !reached->at(0).empty();
  }
  rpc::ApplyOutcome apply_sixth(const TablePtr& table) {
    return apply(table, {StartId(9), Sequence(5)}, {StartId(9), Sequence(6)},
                 {remote_put(6, "a", "1", now_ms())});
  }
};

TEST_F(CopyTest, ServesNobodyUntilItIsWhole) {
  auto table = create_copying();
  EXPECT_TRUE(table->is_copying(kHere));
  EXPECT_EQ(table->replicas.at(kHere).joined, table->replicas.at(kHere).changed);
  EXPECT_EQ(put(table, "a", "1").status, WriteStatus::no_such_table);
  ASSERT_TRUE(begin(table).ok());
  EXPECT_EQ(put(table, "a", "1").status, WriteStatus::no_such_table);
  reopen();
  EXPECT_TRUE(now(table)->is_copying(kHere));
  ASSERT_TRUE(finish(table).ok());
  EXPECT_TRUE(now(table)->is_whole(kHere));
  EXPECT_EQ(put(table, "a", "1").status, WriteStatus::committed);
  EXPECT_EQ(now(table)->replicas.at(kHere).joined, table->replicas.at(kHere).joined);
  check();
}

TEST_F(CopyTest, FlowsBeginWhereTheSeedStood) {
  auto table = create_copying();
  // Before that nobody knows where.
  EXPECT_EQ(apply_sixth(table).status, ApplyStatus::unavailable);
  ASSERT_TRUE(begin(table).ok());
  EXPECT_EQ(begin(table).error(), ControlError::already_exists);
  EXPECT_EQ(store_->open_reader()->cursor(table->id, kCopyCursor), "c");
  EXPECT_EQ(apply_sixth(table).status, ApplyStatus::applied);
  ASSERT_TRUE(finish(table).ok());
  EXPECT_EQ(store_->open_reader()->cursor(table->id, kCopyCursor), std::nullopt);
  EXPECT_EQ(store_->open_reader()->cursor(table->id, kCopyBeginnings), std::nullopt);
  EXPECT_EQ(finish(table).error(), ControlError::no_such_table);
  check();
}

TEST_F(CopyTest, NoWatermarkBeforeItIsWhole) {
  auto table = create_copying();
  ASSERT_TRUE(begin(table).ok());
  ASSERT_EQ(apply_sixth(table).status, ApplyStatus::applied);
  // The flow is there, but what came before it is in rows that are not.
  EXPECT_FALSE(reached(table));
  ASSERT_TRUE(finish(table).ok());
  EXPECT_TRUE(reached(table));
}

TEST_F(CopyTest, WhatTheSeedHadCollectedIsCollectedHere) {
  auto table = create_copying();
  ASSERT_TRUE(begin(table).ok());
  // From far ahead of this region's clock it is nonsense.
  EXPECT_EQ(finish(table, Hlc::at_ms(now_ms() + 3'600'000)).error(), ControlError::unavailable);
  ASSERT_TRUE(finish(table, Hlc::at_ms(now_ms() - 1000)).ok());
  EXPECT_EQ(store_->open_reader()->collected(table->id), Hlc::at_ms(now_ms() - 1000));
  EXPECT_GT(put(table, "a", "1").version.hlc, Hlc::at_ms(now_ms() - 1000));
}

TEST_F(CopyTest, WhatTheSeedHadIsHere) {
  auto table = create_copying();
  ASSERT_TRUE(begin(table).ok());
  CopyStep done{CopyStep::Kind::finish, {}, {}, {}};
  done.watermarks = {{kThere, Hlc::at_ms(now_ms() + 300)}};
  done.unsettled = {kElsewhere};
  ASSERT_TRUE(step(table, done).ok());
  EXPECT_EQ(store_->open_reader()->watermarks(table->id).at(kThere), Hlc::at_ms(now_ms() + 300));
  // Whoever collected tombstones before it knew of this replica went by what the seed told of itself.
  EXPECT_GT(put(table, "a", "1").version.hlc, Hlc::at_ms(now_ms() + 300));
  EXPECT_TRUE(now(table)->unsettled.contains(kElsewhere));
  EXPECT_TRUE(now(table)->unsettled_with(kThere));
}

// A data directory that was copied while the replica was filled, and put back after others had been told
// of the end: they cannot know better, and are told of another life.
TEST_F(CopyTest, NobodyElseEndsACopy) {
  auto table = create_copying();
  ASSERT_TRUE(begin(table).ok());
  auto before = now(table)->replicas.at(kHere);
  ReplicaEntry told = before;
  told.copying = false;
  told.changed = {Hlc::at_ms(now_ms() + 50), kHere};
  ASSERT_TRUE(control([&](ControlDone done) {
                store_->merge_replicas(table->id, {{kHere, told}}, std::move(done));
              }).ok());
  auto after = now(table)->replicas.at(kHere);
  EXPECT_TRUE(after.copying);
  EXPECT_GT(after.changed, told.changed);
  EXPECT_GT(after.joined, before.joined);
  EXPECT_EQ(store_->open_reader()->cursor(table->id, kCopyCursor), "c");
  ASSERT_TRUE(finish(table).ok());
  check();
}

// A data directory was lost in a life that had begun with a clock ahead, and this one began behind it:
// who knows the lost one holds it for the newer.
TEST_F(CopyTest, ALifeIsNotHeldForTheOneThatWasLost) {
  auto table = create_copying();
  auto before = now(table)->replicas.at(kHere);
  conflict::Version lost{Hlc::at_ms(now_ms() + 50), kHere};
  ASSERT_TRUE(control([&](ControlDone done) {
                store_->merge_replicas(table->id, {{kHere, {true, lost, true, false, lost}}},
                                       std::move(done));
              }).ok());
  auto after = now(table)->replicas.at(kHere);
  EXPECT_TRUE(after.copying);
  EXPECT_GT(after.joined, lost);
  EXPECT_GT(lost, before.joined);
}

TEST_F(CopyTest, AnOfferSaysWhereTheSeedStands) {
  auto table = create_global();
  put(table, "a", "1");
  put(table, "b", "2");
  remove(table, "a");
  ASSERT_EQ(apply(table, {}, {StartId(9), Sequence(4)}, {remote_put(4, "c", "3", now_ms())}).status,
            ApplyStatus::applied);
  auto offer = store_->open_reader()->copy_offer({table->id});
  EXPECT_EQ(offer.status, rpc::RowsStatus::ok);
  EXPECT_EQ(offer.rows, 3U);  // a tombstone too
  ASSERT_EQ(offer.stands.size(), 2U);
  for (const auto& stand : offer.stands) {
    bool own = stand.source == kHere;
    EXPECT_EQ(stand.position.sequence, own ? Sequence(3) : Sequence(4));
    EXPECT_EQ(stand.position.start, own ? store_->start_id() : StartId(9));
  }
  // Beyond the last of its own, to where all lie that it has applied.
  EXPECT_EQ(offer.ends, (std::vector{LogPosition{store_->start_id(), Sequence(4)}}));
  EXPECT_EQ(store_->open_reader()->copy_offer({TableId{1, 2}}).status,
            rpc::RowsStatus::no_such_table);
}

// It has been put back to an older copy, of which it cannot know: somebody holds a position that its log
// has never had.
TEST_F(CopyTest, ASeedIsToldOfWhatItHasForgotten) {
  auto table = create_global();
  put(table, "a", "1");
  auto ask = [&](std::vector<LogPosition> flows, std::vector<LogPosition> scanned) {
    return store_->open_reader()->copy_offer({table->id, std::move(flows), std::move(scanned)});
  };
  auto offer = ask({}, {});
  ASSERT_EQ(offer.ends.size(), 1U);
  put(table, "b", "2");
  EXPECT_FALSE(ask(offer.ends, offer.ends).rewound);
  auto lost = offer.ends;
  lost[0].sequence = Sequence(7);
  EXPECT_TRUE(ask(offer.ends, lost).rewound);
  EXPECT_EQ(ask(offer.ends, lost).status, rpc::RowsStatus::ok);
  EXPECT_EQ(ask(lost, {}).status, rpc::RowsStatus::unavailable);
  EXPECT_FALSE(ask(lost, {}).reason.empty());
}

// The first of them alone is as large as what may be told.
TEST_F(CopyTest, NoOfferLeavesOutSomeOfWhatIsParked) {
  auto table = create_global();
  auto large = remote_put(1, "a", "1", now_ms());
  large.new_image = Bytes(rpc::kImageBytesMax, 'x');
  auto small = remote_put(2, "b", "1", now_ms());
  small.new_image = Bytes("x");
  ASSERT_EQ(apply(table, {}, {StartId(9), Sequence(2)}, {large, small}).status,
            ApplyStatus::applied);
  ASSERT_EQ(store_->open_reader()->parked_stats(table->id).records, 2U);
  EXPECT_EQ(store_->open_reader()->copy_offer({table->id}).status, rpc::RowsStatus::unavailable);
}

// A region that was removed by force comes back: it knows it then, and keeps what it has.
TEST_F(CopyTest, AFencedReplicaKeepsItsRowsAndServesNobody) {
  auto table = create_global();
  put(table, "a", "1");
  ReplicaEntry removal{false, {Hlc::at_ms(now_ms() + 1), kThere}, false, true, {}};
  ASSERT_TRUE(control([&](ControlDone done) {
                store_->merge_replicas(table->id, {{kHere, removal}}, std::move(done));
              }).ok());
  EXPECT_TRUE(now(table)->is_fenced(kHere));
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::no_such_table);
  EXPECT_EQ(apply(table, {}, {StartId(9), Sequence(1)}, {remote_put(1, "c", "3", now_ms())}).status,
            ApplyStatus::not_member);
  EXPECT_EQ(get(table, "a"), image_of("a", "1"));
  reopen();
  EXPECT_TRUE(now(table)->is_fenced(kHere));
}

}  // namespace
}  // namespace meridian::store

// Replicated batches: the sink's side.
#include <limits>

#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

using rpc::ApplyStatus;

class ApplyTest : public StoreTest {
 protected:
  static LogPosition at(std::uint64_t sequence) { return {StartId(900), Sequence(sequence)}; }
  LogPosition position(const TablePtr& table) {
    return store_->open_reader()->flow_position({table->id, ShardId(0), kThere});
  }
};

TEST_F(ApplyTest, WinnersBecomeItemsAndStreamRecords) {
  auto table = create_global();
  auto local = put(table, "a", "old");
  clock_.advance_ms(10);
  auto first = remote_put(3, "a", "new", now_ms());
  first.parent = local.version;
  auto outcome = apply(table, {}, at(7), {first, remote_put(5, "b", "1", now_ms())});
  EXPECT_EQ(outcome.status, ApplyStatus::applied);
  EXPECT_EQ(outcome.position, at(7));
  EXPECT_EQ(outcome.visible_us, clock_.wall_us());
  EXPECT_EQ(position(table), at(7));
  EXPECT_EQ(get(table, "a"), image_of("a", "new"));

  auto records = stream(table);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[1].version, first.version);
  EXPECT_EQ(records[1].parent, local.version);
  EXPECT_EQ(records[1].old_image, image_of("a", "old"));
  EXPECT_EQ(records[1].new_image, image_of("a", "new"));
  // They are not shipped again, but the range that holds them is.
  auto page = log(table);
  ASSERT_EQ(page.records.size(), 1U);
  EXPECT_EQ(page.to.sequence, Sequence(3));
  EXPECT_EQ(page.pending, 0U);
}

TEST_F(ApplyTest, StaleAndDuplicateRecordsLeaveNothing) {
  auto table = create_global();
  auto record = remote_put(1, "a", "1", now_ms());
  apply(table, {}, at(1), {record});
  record.sequence = Sequence(2);
  apply(table, at(1), at(2), {record});
  apply(table, at(2), at(3), {remote_put(3, "a", "0", now_ms() - 5)});
  EXPECT_EQ(get(table, "a"), image_of("a", "1"));
  EXPECT_EQ(log(table).end, Sequence(1));
  auto health = store_->health();
  EXPECT_EQ(health.records_applied, 1U);
  EXPECT_EQ(health.records_duplicate, 1U);
  EXPECT_EQ(health.records_stale, 1U);
  EXPECT_EQ(position(table), at(3));
}

TEST_F(ApplyTest, TheFlowMustGoOnWhereItStands) {
  auto table = create_global();
  apply(table, {}, at(5), {});
  auto outcome = apply(table, {}, at(6), {remote_put(6, "a", "1", now_ms())});
  EXPECT_EQ(outcome.status, ApplyStatus::wrong_position);
  EXPECT_EQ(outcome.position, at(5));
  outcome = apply(table, {StartId(901), Sequence(5)}, at(6), {});
  EXPECT_EQ(outcome.status, ApplyStatus::wrong_position);
  EXPECT_FALSE(get(table, "a").has_value());
}

TEST_F(ApplyTest, PipelinedBatchesOfOneGroupFollowEachOther) {
  auto table = create_global();
  std::vector<ApplyStatus> statuses;
  for (std::uint64_t i = 0; i < 4; ++i) {
    rpc::ReplicationBatch batch{{table->id, ShardId(0), kThere},
                                i == 0 ? LogPosition{} : at(i),
                                at(i + 1),
                                {remote_put(i + 1, "k" + std::to_string(i), "1", now_ms())}};
    if (i == 2) batch.from = at(1);  // out of order: it and what follows are refused
    store_->apply(batch, kThereNode,
                  [&](const rpc::ApplyOutcome& outcome) { statuses.push_back(outcome.status); });
  }
  store_->run_pending();
  EXPECT_EQ(statuses, (std::vector{ApplyStatus::applied, ApplyStatus::applied,
                                   ApplyStatus::wrong_position, ApplyStatus::wrong_position}));
  EXPECT_EQ(position(table), at(2));
}

TEST_F(ApplyTest, AFutureVersionHoldsTheWholeBatch) {
  auto table = create_global();
  std::vector<rpc::ChangeRecord> records{remote_put(1, "a", "1", now_ms()),
                                         remote_put(2, "b", "1", now_ms() + 800)};
  auto outcome = apply(table, {}, at(2), records);
  EXPECT_EQ(outcome.status, ApplyStatus::held);
  EXPECT_EQ(outcome.retry_ms, 300);
  EXPECT_EQ(outcome.clock_ahead_ms, 800);
  EXPECT_FALSE(get(table, "a").has_value());
  clock_.advance_ms(300);
  EXPECT_EQ(apply(table, {}, at(2), records).status, ApplyStatus::applied);
  // A local write on top of it takes a larger version, though the wall clock is behind.
  auto local = put(table, "b", "2");
  EXPECT_GT(local.version, records[1].version);
}

TEST_F(ApplyTest, AForkIsCountedAndSettledByTheLargerHash) {
  auto table = create_global();
  auto one = remote_put(1, "a", "1", now_ms());
  auto two = remote_put(2, "a", "2", now_ms());
  auto larger = model::image_hash(*one.new_image) > model::image_hash(*two.new_image) ? one : two;
  apply(table, {}, at(1), {one});
  apply(table, at(1), at(2), {two});
  EXPECT_EQ(get(table, "a"), larger.new_image);
  EXPECT_EQ(store_->health().records_forked, 1U);
}

TEST_F(ApplyTest, EqualImagesAndDeletesOfNothingMakeNoStreamRecord) {
  auto table = create_global();
  put(table, "a", "1");
  clock_.advance_ms(10);
  auto same = remote_put(1, "a", "1", now_ms());
  apply(table, {}, at(2), {same, remote_remove(2, "never", now_ms())});
  EXPECT_EQ(stream(table).size(), 1U);
  EXPECT_EQ(store_->open_reader()->get_row(table->id, key_of("a"))->version, same.version);
  auto row = store_->open_reader()->get_row(table->id, key_of("never"));
  ASSERT_TRUE(row.has_value());
  EXPECT_FALSE(row->image.has_value());
}

TEST_F(ApplyTest, WhatCannotBeAppliedIsParkedUntilANewerVersion) {
  auto table = create_global();
  auto broken = remote_put(1, "a", "1", now_ms());
  broken.new_image = "not an image";
  auto mislabelled = remote_put(2, "b", "1", now_ms());
  mislabelled.new_image = image_of("c", "1");
  auto outcome = apply(table, {}, at(3), {broken, mislabelled, remote_put(3, "d", "1", now_ms())});
  EXPECT_EQ(outcome.status, ApplyStatus::applied);
  EXPECT_TRUE(get(table, "d").has_value());
  EXPECT_FALSE(get(table, "a").has_value());
  auto parked = store_->open_reader()->parked(table->id, 10, 0);
  ASSERT_EQ(parked.size(), 2U);
  EXPECT_EQ(parked[0].record.key, key_of("a"));
  EXPECT_EQ(parked[0].record.new_image, "not an image");
  EXPECT_EQ(parked[0].flow.source, kThere);
  EXPECT_FALSE(parked[0].reason.empty());
  EXPECT_EQ(store_->health().records_parked, 2U);

  reopen();
  apply(table, at(3), at(4), {remote_put(4, "a", "0", now_ms() - 1)});  // older: does not retire it
  EXPECT_EQ(store_->open_reader()->parked(table->id, 10, 0).size(), 2U);
  apply(table, at(4), at(5), {remote_put(5, "a", "2", now_ms() + 1)});
  EXPECT_EQ(store_->open_reader()->parked(table->id, 10, 0).size(), 1U);
  clock_.advance_ms(10);
  put(table, "b", "local");
  EXPECT_TRUE(store_->open_reader()->parked(table->id, 10, 0).empty());
}

TEST_F(ApplyTest, OnlyMembersOfAPinnedIdentityAreHeard) {
  auto table = create_global();
  auto single = create_single("S");
  EXPECT_EQ(apply(single, {}, at(1), {}).status, ApplyStatus::not_member);
  EXPECT_EQ(apply(table, {}, at(1), {}).status, ApplyStatus::applied);
  EXPECT_EQ(apply(table, at(1), at(2), {}, NodeId(78)).status, ApplyStatus::wrong_identity);
  reopen();
  EXPECT_EQ(apply(table, at(1), at(2), {}, NodeId(78)).status, ApplyStatus::wrong_identity);
  auto nowhere = std::make_shared<TableInfo>();
  EXPECT_EQ(apply(nowhere, {}, at(1), {}).status, ApplyStatus::no_such_table);

  std::vector<std::optional<bool>> pinned;
  auto note = [&](std::optional<bool> fine) { pinned.push_back(fine); };
  store_->pin_identity(kThere, kThereNode, note);
  store_->pin_identity(kThere, NodeId(78), note);
  store_->pin_identity(kElsewhere, NodeId(79), note);
  store_->pin_identity(kHere, store_->node_id(), note);
  store_->pin_identity(kHere, NodeId(80), note);
  store_->run_pending();
  EXPECT_EQ(pinned, (std::vector<std::optional<bool>>{true, false, true, true, false}));
}

TEST_F(ApplyTest, BatchesThatBreakTheProtocolAreInvalid) {
  auto table = create_global();
  auto foreign = remote_put(1, "a", "1", now_ms());
  foreign.version.region = kElsewhere;
  EXPECT_EQ(apply(table, {}, at(1), {foreign}).status, ApplyStatus::invalid);
  auto record = remote_put(2, "a", "1", now_ms());
  EXPECT_EQ(apply(table, {}, at(1), {record}).status, ApplyStatus::invalid);
  EXPECT_EQ(apply(table, {}, at(2), {record, record}).status, ApplyStatus::invalid);
  EXPECT_EQ(position(table), LogPosition{});
}

TEST_F(ApplyTest, ForgedFieldsHarmNothingButTheirOwnFlow) {
  auto table = create_global();
  put(table, "mine", "1");
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  // A position at the end of all numbers is kept like any other.
  LogPosition last{StartId(kMost), Sequence(kMost)};
  auto record = remote_put(kMost, "a", "1", now_ms());
  record.committed_us = std::numeric_limits<std::int64_t>::min();
  record.parent = conflict::Version{conflict::Hlc{kMost}, kHere};
  record.context =
      *conflict::Context::from_entries({{kThere, conflict::Hlc{kMost}}, {kHere, conflict::Hlc{kMost}}});
  EXPECT_EQ(apply(table, {}, last, {record}).status, ApplyStatus::applied);
  EXPECT_EQ(position(table), last);
  EXPECT_EQ(apply(table, last, {StartId(1), Sequence(1)}, {}).status, ApplyStatus::invalid);
  // Neither a version of the far future nor a shard or table that is not ours moves anything.
  auto far = remote_put(1, "b", "1", now_ms());
  far.version.hlc = conflict::Hlc{kMost};
  auto outcome = apply(table, last, last, {});
  EXPECT_EQ(outcome.status, ApplyStatus::applied);
  auto other = create_global("U");
  EXPECT_EQ(apply(other, {}, at(1), {far}).status, ApplyStatus::held);
  acknowledge(table, kThere, last);
  acknowledge(table, kHere, at(1));
  acknowledge(table, kThere, at(1), ShardId(65535));
  EXPECT_EQ(store_->open_reader()->backlog(table->id, ShardId(0), kThere).pending_records, 1U);
  auto mine = put(table, "mine", "2");
  EXPECT_EQ(mine.version.hlc.physical_ms(), now_ms());
  check();
  EXPECT_EQ(position(table), last);
  EXPECT_EQ(get(table, "a"), image_of("a", "1"));
}

TEST_F(ApplyTest, OrderDoesNotMatter) {
  auto forward = create_global("F");
  auto backward = create_global("B");
  std::vector<rpc::ChangeRecord> records;
  for (std::uint64_t i = 0; i < 60; ++i) {
    auto pk = "k" + std::to_string(i % 7);
    auto time = now_ms() - static_cast<std::int64_t>((i * 37) % 60);
    records.push_back(i % 5 == 0 ? remote_remove(i + 1, pk, time)
                                 : remote_put(i + 1, pk, std::to_string(i), time));
  }
  apply(forward, {}, at(60), records);
  std::vector<rpc::ChangeRecord> reversed(records.rbegin(), records.rend());
  for (std::uint64_t i = 0; i < 60; ++i) reversed[i].sequence = Sequence(i + 1);
  apply(backward, {}, at(60), reversed);
  auto left = store_->open_reader()->scan_rows(forward->id, "", 100);
  auto right = store_->open_reader()->scan_rows(backward->id, "", 100);
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    EXPECT_EQ(left[i].version, right[i].version);
    EXPECT_EQ(left[i].image, right[i].image);
  }
}

}  // namespace
}  // namespace meridian::store

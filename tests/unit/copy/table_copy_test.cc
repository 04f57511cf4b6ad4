// What a new replica asks, of whom, and when it calls itself whole.
#include "region-node/copy/table_copy.h"

#include <gtest/gtest.h>

namespace meridian::copy {
namespace {

const RegionId kSelf = RegionId::of("sa-east-1");
const RegionId kEast = RegionId::of("us-east-1");
const RegionId kWest = RegionId::of("us-west-2");

rpc::CopyOffer offer(std::uint64_t east, std::uint64_t west, std::uint64_t epoch = 1) {
  rpc::CopyOffer out;
  out.stands = {{kEast, ShardId(0), {StartId(1), Sequence(east)}},
                {kWest, ShardId(0), {StartId(2), Sequence(west)}}};
  out.rows = 4;
  out.epoch = epoch;
  out.watermarks = {{kEast, conflict::Hlc{east}}, {kWest, conflict::Hlc{west}}};
  out.ends = {{StartId(1), Sequence(east + 100)}};
  return out;
}

rpc::RowsPage page(std::vector<std::string> keys, bool end) {
  rpc::RowsPage out;
  for (auto& key : keys)
    out.rows.push_back({key, {conflict::Hlc::at_ms(1), kEast}, {}, std::string(1000, 'x')});
  out.end = end;
  out.epoch = 1;
  return out;
}

class TableCopyTest : public ::testing::Test {
 protected:
  TableCopyTest() { everybody(); }

  void members(std::vector<Member> members) {
    members_ = std::move(members);
    copy_.set_members(members_);
  }
  void everybody() { members({{kEast, true, true}, {kWest, true, true}}); }

  template <typename Wanted>
  Wanted expect(const Action& action) {
    const auto* wanted = std::get_if<Wanted>(&action);
    EXPECT_NE(wanted, nullptr) << "another action: " << action.index();
    return wanted != nullptr ? *wanted : Wanted{};
  }
  // The store's side of applying: the cursor moves.
  Action applied(const ApplyRows& apply) {
    EXPECT_EQ(apply.cursor->from, stored_);
    stored_ = apply.cursor->to;
    return copy_.on_applied({rpc::ApplyStatus::applied, stored_, 0, 0, 0, 0}, now_);
  }
  // Up to the first page.
  ReadRows begin() {
    expect<Register>(copy_.start({}, {}, now_));
    expect<Register>(copy_.on_registered(true, now_));
    auto ask = expect<AskOffer>(copy_.on_registered(true, now_));
    EXPECT_EQ(ask.seed, kEast);
    auto begin = expect<Begin>(copy_.on_offer(offer(10, 20), now_));
    EXPECT_EQ(begin.stands, offer(10, 20).stands);
    stored_ = begin.cursor;
    beginnings_ = begin.beginnings;
    return expect<ReadRows>(copy_.on_begun(true, now_));
  }

  CopyLimits limits_{.bytes_per_s_max = 0, .seed_ms_max = 1000};
  TableCopy copy_{kSelf, limits_};
  std::vector<Member> members_;
  std::optional<Bytes> stored_;
  std::optional<Bytes> beginnings_;
  std::int64_t now_ = 1000;
};

TEST_F(TableCopyTest, EveryPageMovesTheCursorAndTheEndWaitsForTheFlows) {
  auto read = begin();
  EXPECT_EQ(read.after, "");
  auto apply = expect<ApplyRows>(copy_.on_page(page({"a", "b"}, false), now_));
  EXPECT_EQ(apply.rows.size(), 2U);
  read = expect<ReadRows>(applied(apply));
  EXPECT_EQ(read.after, "b");
  EXPECT_EQ(copy_.progress(now_ + 1000).percent, 49U);
  EXPECT_EQ(copy_.progress(now_ + 1000).seconds_left, 1);
  apply = expect<ApplyRows>(copy_.on_page(page({"c", "d"}, true), now_));
  expect<AskOffer>(applied(apply));
  auto last = offer(15, 25);
  last.collected = conflict::Hlc{7};
  last.unsettled = {kWest};
  auto look = expect<LookAtFlows>(copy_.on_offer(last, now_));
  EXPECT_EQ(look.stands, offer(15, 25).stands);
  EXPECT_EQ(copy_.progress(now_).percent, 99U);
  expect<Wait>(copy_.on_flows(false, now_));
  // What the seed took in meanwhile is the flows' affair: the goal stays.
  look = expect<LookAtFlows>(copy_.on_timer(now_ + 300));
  EXPECT_EQ(look.stands, offer(15, 25).stands);
  auto finish = expect<Finish>(copy_.on_flows(true, now_));
  EXPECT_EQ(finish.collected, conflict::Hlc{7});
  EXPECT_EQ(finish.unsettled, last.unsettled);
  // What the seed had when the scan began is in the rows; what it had at its end may be on its way.
  EXPECT_EQ(finish.watermarks, offer(10, 20).watermarks);
  copy_.on_finished(true, now_);
  EXPECT_EQ(copy_.phase(), Phase::whole);
  EXPECT_EQ(copy_.progress(now_).percent, 100U);
}

TEST_F(TableCopyTest, NoScanBeforeEveryReplicaInReachKeepsItsLog) {
  members({{kEast, true, true}, {kWest, true, false}});
  EXPECT_EQ(expect<Register>(copy_.start({}, {}, now_)).region, kEast);
  expect<Wait>(copy_.on_registered(true, now_));
  EXPECT_NE(copy_.progress(now_).reason.find("us-west-2"), std::string::npos);
  expect<Wait>(copy_.on_timer(now_ + limits_.register_ms_max - 1));
  // One that does not come back is repaired later.
  expect<AskOffer>(copy_.on_timer(now_ + limits_.register_ms_max));
}

TEST_F(TableCopyTest, ARegionThatDoesNotKnowUsIsAskedAgain) {
  expect<Register>(copy_.start({}, {}, now_));
  expect<Wait>(copy_.on_registered(false, now_));
  EXPECT_EQ(expect<Register>(copy_.on_timer(now_ + 200)).region, kEast);
}

TEST_F(TableCopyTest, OneThatIsNotWholeIsNoSeed) {
  members({{kEast, false, true}, {kWest, true, true}});
  expect<Register>(copy_.start({}, {}, now_));
  expect<Register>(copy_.on_registered(true, now_));
  EXPECT_EQ(expect<AskOffer>(copy_.on_registered(true, now_)).seed, kWest);
}

TEST_F(TableCopyTest, ANewProcessGoesOnWhereTheRowsAre) {
  begin();
  applied(expect<ApplyRows>(copy_.on_page(page({"a", "b"}, false), now_)));
  TableCopy next(kSelf, limits_);
  next.set_members(members_);
  auto read = expect<ReadRows>(next.start(stored_, beginnings_, now_));
  EXPECT_EQ(read.after, "b");
  EXPECT_EQ(read.seed, kEast);
  EXPECT_EQ(next.progress(now_).rows, 2U);
}

TEST_F(TableCopyTest, TheStoreKnowsBetterHowFarItIs) {
  begin();
  auto apply = expect<ApplyRows>(copy_.on_page(page({"a", "b"}, false), now_));
  // Its answer is lost; what was applied stays applied.
  expect<Wait>(copy_.on_failure("no answer", now_));
  expect<ReadRows>(copy_.on_timer(now_ + 200));
  auto again = expect<ApplyRows>(copy_.on_page(page({"a", "b"}, false), now_));
  EXPECT_EQ(again.cursor->from, stored_);
  auto read = expect<ReadRows>(
      copy_.on_applied({rpc::ApplyStatus::wrong_position, apply.cursor->to, 0, 0, 0, 0}, now_));
  EXPECT_EQ(read.after, "b");
}

TEST_F(TableCopyTest, AScanOverARepairOfTheSeedIsRunAgain) {
  begin();
  expect<AskOffer>(applied(expect<ApplyRows>(copy_.on_page(page({"a"}, true), now_))));
  auto anew = expect<ApplyRows>(copy_.on_offer(offer(15, 25, 2), now_));
  EXPECT_TRUE(anew.rows.empty());
  EXPECT_EQ(expect<ReadRows>(applied(anew)).after, "");
}

// It is put back to an older copy while it is read, and may not know it: some of the rows were those of
// before, and nobody brings what is missing in the others.
TEST_F(TableCopyTest, ASeedThatWasPutBackIsReadAnewOnceItHasWhatTheFlowsTakeForGranted) {
  using Flows = std::map<ShardId, LogPosition>;
  const LogPosition stands{StartId(1), Sequence(12)};
  begin();
  members({{kEast, true, true, Flows{{ShardId(1), stands}}}, {kWest, true, true}});
  auto ask = expect<AskOffer>(applied(expect<ApplyRows>(copy_.on_page(page({"a"}, true), now_))));
  EXPECT_EQ(ask.flows, (std::vector{LogPosition{}, stands}));
  EXPECT_EQ(ask.scanned, offer(10, 20).ends);
  auto back = offer(15, 19);
  back.rewound = true;
  expect<Wait>(copy_.on_offer(back, now_));
  ask = expect<AskOffer>(copy_.on_timer(now_ + 200));
  EXPECT_EQ(ask.seed, kWest);  // perhaps it stands where it must
  EXPECT_TRUE(ask.scanned.empty());
  expect<Wait>(copy_.on_failure("broken", now_ + 200));
  EXPECT_EQ(expect<AskOffer>(copy_.on_timer(now_ + 500)).seed, kEast);
  auto anew = expect<ApplyRows>(copy_.on_offer(offer(15, 20), now_ + 500));
  EXPECT_EQ(expect<ReadRows>(applied(anew)).after, "");
  ask = expect<AskOffer>(applied(expect<ApplyRows>(copy_.on_page(page({"a"}, true), now_))));
  EXPECT_EQ(ask.scanned, offer(15, 20).ends);
}

TEST_F(TableCopyTest, AnotherSeedBeginsTheScanAnewOnceItHasWhatTheFlowsTakeForGranted) {
  begin();
  applied(expect<ApplyRows>(copy_.on_page(page({"a", "b"}, false), now_)));
  members({{kEast, true, false}, {kWest, true, true}});
  expect<Wait>(copy_.on_failure("broken", now_));
  expect<Wait>(copy_.on_timer(now_ + 500));
  auto ask = expect<AskOffer>(copy_.on_timer(now_ + 1600));
  EXPECT_EQ(ask.seed, kWest);
  // It stands at 9 where our flow began at 10: of the tenth record nobody would bring us anything.
  expect<Wait>(copy_.on_offer(offer(9, 30), now_ + 1600));
  EXPECT_NE(copy_.progress(now_).reason.find("us-east-1"), std::string::npos);
  expect<AskOffer>(copy_.on_timer(now_ + 2000));
  auto anew = expect<ApplyRows>(copy_.on_offer(offer(10, 30), now_ + 2000));
  auto read = expect<ReadRows>(applied(anew));
  EXPECT_EQ(read.seed, kWest);
  EXPECT_EQ(read.after, "");
}

// The seed before stood behind what came to the new one from elsewhere; nothing of its own follows there.
TEST_F(TableCopyTest, ANewSeedNeedNotStandAnywhereInItsOwnLog) {
  begin();
  members({{kEast, true, false}, {kWest, true, true}});
  expect<Wait>(copy_.on_failure("broken", now_));
  expect<Wait>(copy_.on_timer(now_ + 500));
  EXPECT_EQ(expect<AskOffer>(copy_.on_timer(now_ + 1600)).seed, kWest);
  expect<ApplyRows>(copy_.on_offer(offer(10, 17), now_ + 1600));
}

TEST_F(TableCopyTest, WhenOneCannotServeAnotherIsAsked) {
  copy_.start({}, {}, now_);
  copy_.on_registered(true, now_);
  EXPECT_EQ(expect<AskOffer>(copy_.on_registered(true, now_)).seed, kEast);
  rpc::CopyOffer refused;
  refused.status = rpc::RowsStatus::unavailable;
  expect<Wait>(copy_.on_offer(refused, now_));
  EXPECT_EQ(expect<AskOffer>(copy_.on_timer(now_ + 200)).seed, kWest);
  expect<Wait>(copy_.on_failure("no answer", now_ + 200));
  EXPECT_EQ(expect<AskOffer>(copy_.on_timer(now_ + 900)).seed, kEast) << "and then the first again";
  expect<Begin>(copy_.on_offer(offer(10, 20), now_ + 900));
}

TEST_F(TableCopyTest, ASeedThatHasLeftIsReplacedAtOnce) {
  begin();
  members({{kWest, true, true}});
  expect<Wait>(copy_.on_failure("gone", now_));
  EXPECT_EQ(expect<AskOffer>(copy_.on_timer(now_ + 200)).seed, kWest);
  // Its flow is none of ours any more, so nothing is to be waited for.
  expect<ApplyRows>(copy_.on_offer(offer(0, 20), now_));
}

// A region whose data was lost begins another log: nobody ever stands there where our flow began in the
// one before, and the flow itself has been begun anew.
TEST_F(TableCopyTest, NothingIsTakenForGrantedOfALogThatIsLost) {
  begin();
  using Flows = std::map<ShardId, LogPosition>;
  members({{kEast, true, false, Flows{{ShardId(0), {StartId(3), Sequence(2)}}}},
           {kWest, true, true}});
  expect<Wait>(copy_.on_failure("gone", now_));
  expect<Wait>(copy_.on_timer(now_ + 500));
  expect<AskOffer>(copy_.on_timer(now_ + 1600));
  expect<ApplyRows>(copy_.on_offer(offer(3, 30), now_ + 1600));
}

// Where the seed stood in such a log nobody gets any more.  (What else has come to the seed meanwhile is not
// waited for, or a flow that lags would never be there.)
TEST_F(TableCopyTest, TheGoalIsSetAnewWhenARegionLosesItsLog) {
  begin();
  expect<AskOffer>(applied(expect<ApplyRows>(copy_.on_page(page({"a"}, true), now_))));
  expect<LookAtFlows>(copy_.on_offer(offer(15, 25), now_));
  for (unsigned i = 1; i < limits_.catch_up_polls_max; ++i) {
    expect<Wait>(copy_.on_flows(false, now_));
    expect<LookAtFlows>(copy_.on_timer(now_));
  }
  expect<Wait>(copy_.on_flows(false, now_));
  EXPECT_EQ(expect<AskOffer>(copy_.on_timer(now_)).seed, kEast);
  auto later = offer(3, 40);
  later.unsettled = {kEast};
  auto look = expect<LookAtFlows>(copy_.on_offer(later, now_));
  EXPECT_EQ(look.stands, offer(3, 25).stands);
  EXPECT_EQ(expect<Finish>(copy_.on_flows(true, now_)).unsettled, later.unsettled);
}

TEST_F(TableCopyTest, WhatTheSeedCouldNotApplyComesWithItsOffer) {
  copy_.start({}, {}, now_);
  copy_.on_registered(true, now_);
  copy_.on_registered(true, now_);
  auto said = offer(10, 20);
  auto row = [](const char* key, std::int64_t ms) {
    return rpc::Row{key, {conflict::Hlc::at_ms(ms), kWest}, {}, "poison"};
  };
  said.parked = {row("b", 2), row("a", 1), row("b", 1)};
  auto first = expect<ApplyRows>(copy_.on_offer(said, now_));
  EXPECT_FALSE(first.cursor.has_value());
  EXPECT_EQ(first.rows, (std::vector{row("a", 1), row("b", 1)}));
  rpc::RowsOutcome fine{rpc::ApplyStatus::applied, {}, 0, 0, 0, 0};
  auto second = expect<ApplyRows>(copy_.on_applied(fine, now_));
  EXPECT_EQ(second.rows, (std::vector{row("b", 2)}));
  expect<Begin>(copy_.on_applied(fine, now_));
}

TEST_F(TableCopyTest, AHeldPageIsReadAgainLater) {
  begin();
  expect<ApplyRows>(copy_.on_page(page({"a"}, false), now_));
  rpc::RowsOutcome held{rpc::ApplyStatus::held, stored_, 300, 800, 0, 0};
  EXPECT_EQ(expect<Wait>(copy_.on_applied(held, now_)).until_ms, now_ + 300);
  EXPECT_NE(copy_.progress(now_).reason.find("800 ms ahead"), std::string::npos);
  EXPECT_EQ(expect<ReadRows>(copy_.on_timer(now_ + 300)).after, "");
}

TEST_F(TableCopyTest, TheShareOfTheLinkIsBounded) {
  TableCopy slow(kSelf, {.bytes_per_s_max = 10'000});
  slow.set_members(members_);
  slow.start({}, {}, now_);
  slow.on_registered(true, now_);
  slow.on_registered(true, now_);
  slow.on_offer(offer(1, 1), now_);
  slow.on_begun(true, now_);
  auto apply = expect<ApplyRows>(slow.on_page(page({"a", "b"}, false), now_));
  auto wait = expect<Wait>(
      slow.on_applied({rpc::ApplyStatus::applied, apply.cursor->to, 0, 0, 0, 0}, now_ + 5));
  EXPECT_EQ(wait.until_ms, now_ + 200);  // 2,002 bytes at 10,000 a second
  expect<ReadRows>(slow.on_timer(now_ + 200));
  // With three more tables to be filled, each has a quarter.
  slow.set_sharers(4);
  now_ += 200;
  apply = expect<ApplyRows>(slow.on_page(page({"c", "d"}, false), now_));
  wait = expect<Wait>(
      slow.on_applied({rpc::ApplyStatus::applied, apply.cursor->to, 0, 0, 0, 0}, now_ + 5));
  EXPECT_EQ(wait.until_ms, now_ + 800);
}

TEST(CopyCursor, ComesBackAsItWasAndNothingElseDoes) {
  CopyCursor cursor{kEast, std::string("a\0b", 3), true, 7, 8, 9, 10,
                    {{kWest, conflict::Hlc{6}}}, {{StartId(4), Sequence(5)}}};
  EXPECT_EQ(decode_cursor(encode_cursor(cursor)), cursor);
  auto stands = offer(3, 4).stands;
  EXPECT_EQ(decode_stands(encode_stands(stands)), stands);
  auto whole = encode_stands(stands);
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    auto part = decode_stands(BytesView(whole).substr(0, cut));
    EXPECT_TRUE(!part || part->size() < 2) << cut;
  }
  for (std::size_t cut = 0; cut < 40; ++cut)
    EXPECT_FALSE(decode_cursor(BytesView(encode_cursor(cursor)).substr(0, cut)).has_value());
}

}  // namespace
}  // namespace meridian::copy

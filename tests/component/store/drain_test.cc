// Does another region have what this one had acknowledged?  Both halves of a drain, against a file.
#include "region-node/store/drain.h"

#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

using conflict::Hlc;

class DrainTest : public StoreTest {
 protected:
  DrainTest() : table_(create_global()) {}

  static LogPosition at(std::uint64_t sequence, std::uint64_t start = 9) {
    return {StartId(start), Sequence(sequence)};
  }
  void arrive(std::uint64_t sequence, rpc::ChangeRecord record) {
    LogPosition from = sequence == 1 ? LogPosition{} : at(sequence - 1);
    ASSERT_EQ(apply(table_, from, at(sequence), {std::move(record)}).status,
              rpc::ApplyStatus::applied);
  }
  // What kThere asks, whose log ends there.
  DrainQuestion question(LogPosition end) {
    DrainQuestion out{kThere, StartId(9), Hlc::at_ms(now_ms()), {}, {}};
    out.tables.push_back({table_->id, {end}, {}, {}, false});
    return out;
  }
  DrainAnswer::Table answer(const DrainQuestion& asked) {
    auto reader = store_->open_reader();
    return drain_answer(asked, kHere, *store_->catalog(), *reader).tables.at(0);
  }
  void move_watermark(const RegionId& origin, Hlc to) {
    store_->adopt_watermarks({table_->id, {{origin, to}}, {}}, [](bool) {});
    store_->run_pending();
  }

  TablePtr table_;
};

TEST_F(DrainTest, YesOnceTheFlowHasReachedTheBarrier) {
  auto asked = question(at(2));
  EXPECT_FALSE(answer(asked).reached);
  arrive(1, remote_put(1, "a", "1", now_ms()));
  EXPECT_FALSE(answer(asked).drained());
  arrive(2, remote_put(2, "b", "1", now_ms()));
  EXPECT_TRUE(answer(asked).drained());
  asked.start = StartId(10);  // the same log goes on in another run, and nothing was written
  EXPECT_TRUE(answer(asked).drained());
  asked.tables[0].ends = {at(1, 10)};
  EXPECT_FALSE(answer(asked).drained()) << "a position of another life of the log";
}

TEST_F(DrainTest, AParkedRecordIsMissing) {
  auto poison = remote_put(1, "a", "1", now_ms());
  poison.key = key_of("other");
  arrive(1, poison);
  auto said = answer(question(at(1)));
  EXPECT_TRUE(said.reached);
  EXPECT_EQ(said.parked, 1U);
  EXPECT_FALSE(said.drained());
  clock_.advance_ms(1);
  arrive(2, remote_put(2, "other", "2", now_ms()));
  EXPECT_TRUE(answer(question(at(2))).drained());
}

TEST_F(DrainTest, WhatTheSourceHasOfAThirdRegionCounts) {
  auto asked = question({});
  asked.tables[0].flows[{kElsewhere, ShardId(0)}] = at(4, 3);
  EXPECT_EQ(answer(asked).behind, std::vector<RegionId>{kElsewhere});
  // The watermark says that all of it is here, whatever the positions are.
  move_watermark(kElsewhere, asked.time);
  EXPECT_TRUE(answer(asked).drained());
  // Unless the source may have more than a clock tells.
  asked.released = {kElsewhere};
  EXPECT_EQ(answer(asked).behind, std::vector<RegionId>{kElsewhere});
  asked.released.clear();
  asked.tables[0].watermarks[kElsewhere] = asked.time.next();
  EXPECT_EQ(answer(asked).behind, std::vector<RegionId>{kElsewhere}) << "the source is further";
}

// A copy or a repair has brought the source rows that its flows know nothing of.
TEST_F(DrainTest, ASourceThatWasMendedMayHaveMoreThanItsFlowsSay) {
  auto asked = question({});
  asked.tables[0].flows[{kElsewhere, ShardId(0)}] = {};
  EXPECT_TRUE(answer(asked).drained());
  asked.tables[0].mended = true;
  EXPECT_EQ(answer(asked).behind, std::vector<RegionId>{kElsewhere});
  move_watermark(kElsewhere, asked.time);
  EXPECT_TRUE(answer(asked).drained());

  store_->barrier({table_->id}, [&](std::optional<rpc::Barrier> made) {
    EXPECT_FALSE(drain_question(kHere, {}, *made, {}, *store_->open_reader()).tables.at(0).mended);
  });
  store_->run_pending();
  rpc::Row row{key_of("a"), {Hlc::at_ms(now_ms()), kElsewhere}, {}, {}};
  store_->apply_rows({table_->id, kThere, {row}, {}},
                     [](const rpc::RowsOutcome& said) { EXPECT_EQ(said.applied, 1U); });
  store_->run_pending();
  store_->barrier({table_->id}, [&](std::optional<rpc::Barrier> made) {
    EXPECT_TRUE(drain_question(kHere, {}, *made, {}, *store_->open_reader()).tables.at(0).mended);
  });
  store_->run_pending();
}

// The source knows that a region has lost some of its past, and had more of it than its flows now say.
TEST_F(DrainTest, ASourceTellsOfALifeThatTheSinkDoesNotKnowToHaveEnded) {
  auto asked = question({});
  move_watermark(kElsewhere, asked.time);  // by its word, before it knew
  EXPECT_TRUE(answer(asked).drained());
  asked.tables[0].unsettled = {{kElsewhere, {kHere}}};
  EXPECT_EQ(answer(asked).behind, std::vector<RegionId>{kElsewhere});
  asked.tables[0].unsettled = {{kElsewhere, {*RegionId::parse("sa-east-1")}}};
  EXPECT_TRUE(answer(asked).drained()) << "the two have been compared";
}

TEST_F(DrainTest, TheQuestionSaysWhoseLivesHaveEnded) {
  ReplicaEntry anew;
  anew.present = true;
  anew.joined = {Hlc::at_ms(now_ms() + 1), kElsewhere};
  anew.changed = anew.joined;
  clock_.advance_ms(2);
  expect_ok([&](ControlDone done) {
    store_->merge_replicas(table_->id, {{kElsewhere, anew}}, std::move(done));
  });
  Unsettled told;
  store_->barrier({table_->id}, [&](std::optional<rpc::Barrier> made) {
    told = drain_question(kHere, {}, *made, {}, *store_->open_reader()).tables.at(0).unsettled;
  });
  store_->run_pending();
  EXPECT_EQ(told, (Unsettled{{kElsewhere, {kThere}}}));
}

TEST_F(DrainTest, AReplicaThatIsBeingFilledHasNotAll) {
  auto replicas = table_->replicas;
  replicas[kHere].copying = true;
  Catalog catalog = *store_->catalog();
  auto filling = std::make_shared<TableInfo>(*table_);
  filling->replicas = replicas;
  catalog.by_id[table_->id] = filling;
  auto said = drain_answer(question({}), kHere, catalog, *store_->open_reader()).tables.at(0);
  EXPECT_TRUE(said.member);
  EXPECT_FALSE(said.whole);
  EXPECT_FALSE(said.drained());
}

TEST_F(DrainTest, ASinkThatHasLostItsOwnWritesSaysSo) {
  put(table_, "a", "1");
  auto asked = question({});
  asked.tables[0].flows[{kHere, ShardId(0)}] = log(table_).to;
  EXPECT_TRUE(answer(asked).drained());
  asked.tables[0].flows[{kHere, ShardId(0)}].sequence = Sequence(7);  // was there before the copy
  EXPECT_EQ(answer(asked).behind, std::vector<RegionId>{kHere});
}

TEST_F(DrainTest, ARegionWithoutAReplicaHasNothing) {
  expect_ok([&](ControlDone done) {
    store_->set_replica(table_->id, kThere, false, std::move(done));
  });
  EXPECT_FALSE(answer(question({})).member);
  auto asked = question({});
  asked.tables[0].id = TableId{1, 2};
  EXPECT_FALSE(answer(asked).drained());
}

TEST_F(DrainTest, TheQuestionSaysAllThatThisRegionHas) {
  put(table_, "a", "1");
  arrive(1, remote_put(1, "b", "1", now_ms()));
  move_watermark(kElsewhere, Hlc{7});
  std::optional<rpc::Barrier> barrier;
  store_->barrier({table_->id}, [&barrier](std::optional<rpc::Barrier> made) { barrier = made; });
  store_->run_pending();
  ASSERT_TRUE(barrier.has_value());
  auto asked = drain_question(kHere, {table_->id}, *barrier, {kThere}, *store_->open_reader());
  EXPECT_EQ(asked.source, kHere);
  EXPECT_EQ(asked.start, store_->start_id());
  EXPECT_EQ(asked.released, std::set<RegionId>{kThere});
  ASSERT_EQ(asked.tables.size(), 1U);
  EXPECT_EQ(asked.tables[0].ends, std::vector<LogPosition>{log(table_).to});
  EXPECT_EQ(asked.tables[0].flows, (FlowPositions{{{kThere, ShardId(0)}, at(1)}}));
  EXPECT_EQ(asked.tables[0].watermarks,
            (rpc::Watermarks{{kHere, barrier->time}, {kElsewhere, Hlc{7}}}));
}

// A barrier is over neither, and what is asked without ends nobody says yes to.
TEST_F(DrainTest, ATableThatTheBarrierLeavesOutIsAskedAboutAllTheSame) {
  TableId gone{1, 2};
  auto ask = [&] {
    std::optional<DrainQuestion> out;
    store_->barrier({table_->id, gone}, [&](std::optional<rpc::Barrier> made) {
      out = drain_question(kHere, {table_->id, gone}, *made, {}, *store_->open_reader());
    });
    store_->run_pending();
    return out.value_or(DrainQuestion{});
  };
  auto left_out = [](const DrainQuestion& asked) {
    std::vector<TableId> out;
    for (const auto& table : asked.tables)
      if (table.left_out()) out.push_back(table.id);
    return out;
  };
  EXPECT_EQ(left_out(ask()), std::vector<TableId>{gone});
  store_->change_repair({.kind = RepairChange::Kind::renew, .table = table_->id}, [](auto) {});
  store_->run_pending();
  auto asked = ask();
  EXPECT_EQ(left_out(asked), (std::vector<TableId>{table_->id, gone}));
  asked.source = kThere;
  EXPECT_TRUE(answer(asked).member);
  EXPECT_FALSE(answer(asked).reached);
  EXPECT_FALSE(answer(asked).drained());
  // Not before all have told it what they hold of its past.
  store_->change_repair({.kind = RepairChange::Kind::thaw, .table = table_->id}, [](auto) {});
  store_->run_pending();
  EXPECT_EQ(left_out(ask()), (std::vector<TableId>{table_->id, gone}));
  for (const auto& peer : table_->peers(kHere))
    store_->change_repair(
        {.kind = RepairChange::Kind::clear, .table = table_->id, .peer = peer}, [](auto) {});
  store_->run_pending();
  EXPECT_EQ(left_out(ask()), std::vector<TableId>{gone});
}

}  // namespace
}  // namespace meridian::store

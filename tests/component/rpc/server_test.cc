// The peer server against clients of every kind: who may say what, long polls.  (Hostile ones:
// hostile_test.cc.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/codec.h"
#include "tests/component/rpc/peer_fixture.h"

namespace meridian::test {
namespace {

using ::testing::HasSubstr;

TEST_F(PeerServerTest, EverythingIsRefusedBeforeHello) {
  Client client(io_);
  EXPECT_THAT(refusal(client.region.pingRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.replicatedTablesRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.readLogRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.acknowledgeRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.backlogRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.flowPositionRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.applyRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.barrierRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.advanceRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.watermarksRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.createReplicaRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.mergeTableRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.dropReplicaRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.readRowsRequest()), HasSubstr("hello comes first"));
}

TEST_F(PeerServerTest, HellosThatDoNotFitAreRefused) {
  Client client(io_);
  EXPECT_THAT(hello(client, "here", 0, rpc::Role::replicator, rpc::kProtocolVersion + 1),
              HasSubstr("protocols 2 to 3 are spoken here, not 4 to 4"));
  EXPECT_THAT(hello(client, "there", 0, rpc::Role::replicator), HasSubstr("this is region here"));
  EXPECT_THAT(hello(client, "here", 9, rpc::Role::peer_replicator), HasSubstr("own name"));
  EXPECT_THAT(hello(client, "there", 0, rpc::Role::peer_node), HasSubstr("node id"));
  EXPECT_THAT(hello(client, "No Region", 1, rpc::Role::peer_node), HasSubstr("region name"));
  EXPECT_EQ(hello(client, "there", 9, rpc::Role::peer_node), "");
  EXPECT_THAT(hello(client, "there", 9, rpc::Role::peer_node), HasSubstr("before"));
}

TEST_F(PeerServerTest, APeerOfThePreviousReleaseIsSpokenToInItsProtocol) {
  // It says one number, and knows nothing of a range.
  auto say = [this](std::uint32_t protocol, std::uint32_t most, std::uint64_t node) {
    Client client(io_);
    auto request = client.region.helloRequest();
    request.setProtocol(protocol);
    request.setProtocolMax(most);
    request.setRegion("there");
    request.setNode(node);
    request.setRole(rpc::write_role(rpc::Role::peer_replicator));
    return request.send().wait(io_.waitScope).getProtocol();
  };
  EXPECT_EQ(say(rpc::kProtocolVersion - 1, 0, 9), rpc::kProtocolVersion - 1);
  EXPECT_EQ(say(rpc::kProtocolMin, rpc::kProtocolVersion, 9), rpc::kProtocolVersion);
  EXPECT_EQ(say(rpc::kProtocolVersion, rpc::kProtocolVersion + 1, 9), rpc::kProtocolVersion);
}

TEST_F(PeerServerTest, ARefusalIsLoggedOnceNotAtEachAttempt) {
  auto lines = [this] { return here_.log->count(LogLevel::warn); };
  auto before = lines();
  for (int i = 0; i < 5; ++i) {
    Client client(io_);
    EXPECT_NE(hello(client, "there", 9, rpc::Role::peer_replicator, 99), "");
  }
  EXPECT_EQ(lines(), before + 1);
  Client welcome(io_);
  EXPECT_EQ(hello(welcome, "there", 9, rpc::Role::peer_replicator), "");
  Client again(io_);
  EXPECT_NE(hello(again, "there", 9, rpc::Role::peer_replicator, 99), "");
  EXPECT_EQ(lines(), before + 2) << "a new state is news";
}

TEST_F(PeerServerTest, ARegionNameIsPinnedToOneNode) {
  Client first(io_);
  EXPECT_EQ(hello(first, "there", 77, rpc::Role::peer_replicator), "");
  Client again(io_);
  EXPECT_EQ(hello(again, "there", 77, rpc::Role::peer_node), "");
  Client other(io_);
  EXPECT_THAT(hello(other, "there", 78, rpc::Role::peer_replicator),
              HasSubstr("pinned to another node"));
  EXPECT_THAT(refusal(other.region.pingRequest()), HasSubstr("hello comes first"));
  EXPECT_TRUE(here_.log->contains("identity_conflict"));
}

TEST_F(PeerServerTest, EachRoleMayDoItsOwnThingsOnly) {
  auto own = as(rpc::Role::replicator);
  auto replicator = as(rpc::Role::peer_replicator);
  auto node = as(rpc::Role::peer_node);
  for (auto* client : {own.get(), replicator.get(), node.get()})
    EXPECT_EQ(refusal(client->region.pingRequest()), "");
  const auto denied = HasSubstr("not allowed for this role");
  EXPECT_THAT(refusal(own->region.applyRequest()), denied);
  EXPECT_THAT(refusal(own->region.flowPositionRequest()), denied);
  EXPECT_THAT(refusal(own->region.mergeTableRequest()), denied);
  EXPECT_THAT(refusal(own->region.readRowsRequest()), denied);
  EXPECT_THAT(refusal(replicator->region.readRowsRequest()), denied);
  for (auto* client : {replicator.get(), node.get()}) {
    EXPECT_THAT(refusal(client->region.readLogRequest()), denied);
    EXPECT_THAT(refusal(client->region.acknowledgeRequest()), denied);
    EXPECT_THAT(refusal(client->region.replicatedTablesRequest()), denied);
    EXPECT_THAT(refusal(client->region.backlogRequest()), denied);
    EXPECT_THAT(refusal(client->region.barrierRequest()), denied);
  }
  EXPECT_THAT(refusal(own->region.advanceRequest()), denied);
  EXPECT_THAT(refusal(node->region.advanceRequest()), denied);
  EXPECT_THAT(refusal(replicator->region.createReplicaRequest()), denied);
  EXPECT_THAT(refusal(replicator->region.dropReplicaRequest()), denied);
  EXPECT_THAT(refusal(node->region.applyRequest()), denied);
}

TEST_F(PeerServerTest, RowsAreReadByMembersOnlyAndInPages) {
  here_.put_many("T", "k", 5, "x");
  auto client = as(rpc::Role::peer_node);
  auto read = [&](const TableId& table, const Bytes& after) {
    auto request = client->region.readRowsRequest();
    rpc::write_rows_read({table, after, std::nullopt, 3, 100'000}, request.initRead());
    return rpc::read_rows_page(request.send().wait(io_.waitScope).getPage());
  };
  EXPECT_EQ(read(TableId{1, 2}, {}).status, rpc::RowsStatus::no_such_table);
  EXPECT_EQ(read(table_->id, {}).status, rpc::RowsStatus::not_member);
  for (const char* region : {"here", "there"})
    here_.store().set_replica(table_->id, RegionId::of(region), true,
                              [](store::ControlResult) {});
  EXPECT_TRUE(eventually(
      [this] { return here_.store().catalog()->find("T")->has_replica(RegionId::of("there")); }));
  auto page = read(table_->id, {});
  EXPECT_EQ(page.status, rpc::RowsStatus::ok);
  EXPECT_EQ(page.rows.size(), 3U);
  EXPECT_FALSE(page.end);
  page = read(table_->id, page.rows.back().key);
  EXPECT_EQ(page.rows.size(), 2U);
  EXPECT_TRUE(page.end);
}

TEST_F(PeerServerTest, AReplicatorSpeaksForItsOwnRegionOnly) {
  auto client = as(rpc::Role::peer_replicator);
  auto request = client->region.applyRequest();
  rpc::write_flow({table_->id, ShardId(0), RegionId::of("elsewhere")},
                  request.initBatches(1)[0].initFlow());
  EXPECT_THAT(refusal(kj::mv(request)), HasSubstr("a flow of another region"));
  auto question = client->region.flowPositionRequest();
  rpc::write_flow({table_->id, ShardId(0), RegionId::of("elsewhere")}, question.initFlow());
  EXPECT_THAT(refusal(kj::mv(question)), HasSubstr("a flow of another region"));
}

TEST_F(PeerServerTest, FlowsOfTablesThatAreNotSharedAreAnswered) {
  auto client = as(rpc::Role::peer_replicator);
  auto ask = [&](TableId table) {
    auto question = client->region.flowPositionRequest();
    rpc::write_flow({table, ShardId(0), RegionId::of("there")}, question.initFlow());
    return rpc::read_apply_status(question.send().wait(io_.waitScope).getStatus());
  };
  EXPECT_EQ(ask(TableId{1, 1}), rpc::ApplyStatus::no_such_table);
  EXPECT_EQ(ask(table_->id), rpc::ApplyStatus::not_member);
}

TEST_F(PeerServerTest, ReadsAreBoundedAndGoOnWhereTheyEnded) {
  here_.put_many("T", "k", 20, "x");
  auto client = as(rpc::Role::replicator);
  std::size_t records = 0;
  for (std::uint16_t shard = 0; shard < 2; ++shard) {
    LogPosition after;
    for (;;) {
      auto page = read(*client, shard, after, 0);
      ASSERT_EQ(page.status, rpc::ReadStatus::ok);
      if (page.records.empty()) break;
      EXPECT_LE(page.records.size(), 3u);
      records += page.records.size();
      after = page.to;
    }
  }
  EXPECT_EQ(records, 20u);
}

TEST_F(PeerServerTest, ALongPollIsWokenByAWriteOrEndsInTime) {
  auto client = as(rpc::Role::replicator);
  SystemClock clock;
  auto began_ms = clock.monotonic_ms();
  EXPECT_TRUE(read(*client, 0, {}, 100).records.empty());
  EXPECT_GE(clock.monotonic_ms() - began_ms, 95);

  auto first = read_request(client->region, 0, {}, 10'000).send();
  auto second = read_request(client->region, 1, {}, 10'000).send();
  EXPECT_FALSE(first.poll(io_.waitScope));
  began_ms = clock.monotonic_ms();
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(here_.put("T", "k" + std::to_string(i), "x"), store::WriteStatus::committed);
  auto first_pages = rpc::read_pages(first.wait(io_.waitScope).getPages(), here_.id());
  EXPECT_GE(first_pages.at(0).records.size(), 1u);
  auto second_pages = rpc::read_pages(second.wait(io_.waitScope).getPages(), here_.id());
  EXPECT_GE(second_pages.at(0).records.size(), 1u);
  EXPECT_LT(clock.monotonic_ms() - began_ms, 5000);
}

TEST_F(PeerServerTest, OnePollWaitsForSeveralShards) {
  auto client = as(rpc::Role::replicator);
  auto request = client->region.readLogRequest();
  auto reads = request.initReads(2);
  for (std::uint16_t shard = 0; shard < 2; ++shard)
    rpc::write_log_read({table_->id, ShardId(shard), {}, 100, 100'000}, reads[shard]);
  request.setWaitMs(10'000);
  auto waiting = request.send();
  EXPECT_FALSE(waiting.poll(io_.waitScope));
  ASSERT_EQ(here_.put("T", "k", "x"), store::WriteStatus::committed);
  auto pages = rpc::read_pages(waiting.wait(io_.waitScope).getPages(), here_.id());
  ASSERT_EQ(pages.size(), 2u);
  // The other shard's page says that nothing was found.
  std::size_t hit = pages[0].records.empty() ? 1 : 0;
  EXPECT_EQ(pages[hit].records.size(), 1u);
  EXPECT_EQ(pages[1 - hit].to, LogPosition{});
  EXPECT_EQ(pages[1 - hit].status, rpc::ReadStatus::ok);
}

TEST_F(PeerServerTest, AnUnknownShardIsNotTakenForAnEmptyOne) {
  auto client = as(rpc::Role::replicator);
  EXPECT_EQ(read(*client, 99, {}, 0).status, rpc::ReadStatus::not_in_history);
}

TEST_F(PeerServerTest, TheListOfReplicatedTablesIsPushedByLongPoll) {
  auto client = as(rpc::Role::replicator);
  auto first = client->region.replicatedTablesRequest().send().wait(io_.waitScope);
  EXPECT_EQ(first.getTables().size(), 0u);
  auto request = client->region.replicatedTablesRequest();
  request.setGeneration(first.getGeneration());
  request.setWaitMs(10'000);
  auto waiting = request.send();
  EXPECT_FALSE(waiting.poll(io_.waitScope));
  for (const char* region : {"here", "there"})
    here_.store().set_replica(table_->id, RegionId::of(region), true, [](store::ControlResult) {});
  auto tables = rpc::read_tables(waiting.wait(io_.waitScope));
  EXPECT_GT(tables.generation, first.getGeneration());
  EXPECT_TRUE(eventually([&] {
    auto now =
        rpc::read_tables(client->region.replicatedTablesRequest().send().wait(io_.waitScope));
    return now.tables.size() == 1 && now.tables[0].sinks == std::vector{RegionId::of("there")};
  }));
}

TEST_F(PeerServerTest, APortThatIsTakenIsNamed) {
  TestRegion second("second", {{RegionId::of("second"), kPort}});
  try {
    second.start_node();
    FAIL() << "two servers on one port";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("127.0.0.1:22020"));
  }
}

}  // namespace
}  // namespace meridian::test

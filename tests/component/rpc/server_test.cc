// The peer server against clients of every kind: who may say what, long polls, hostile bytes.
#include <capnp/message.h>
#include <capnp/rpc-twoparty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <kj/async-io.h>
#include <kj/debug.h>

#include <array>

#include "rpc/codec.h"
#include "rpc/kj_log.h"
#include "tests/component/rpc/regions.h"

namespace meridian::test {
namespace {

using ::testing::HasSubstr;
namespace wire = rpc::wire;

constexpr std::uint16_t kPort = 22020;

// A connection made by hand, in a KJ loop of the test's own thread.
struct Client {
  explicit Client(kj::AsyncIoContext& io)
      : stream(io.provider->getNetwork()
                   .parseAddress("127.0.0.1", kPort)
                   .wait(io.waitScope)
                   ->connect()
                   .wait(io.waitScope)),
        network(*stream, capnp::rpc::twoparty::Side::CLIENT),
        system(capnp::makeRpcClient(network)),
        region(nullptr) {
    capnp::word scratch[4] = {};
    capnp::MallocMessageBuilder message(scratch);
    auto vat = message.getRoot<capnp::rpc::twoparty::VatId>();
    vat.setSide(capnp::rpc::twoparty::Side::SERVER);
    region = system.bootstrap(vat).castAs<wire::Region>();
  }

  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyVatNetwork network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> system;
  wire::Region::Client region;
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    here_.start_node();
    table_ = here_.create_table("T");
  }
  ~ServerTest() noexcept override {}

  // The reason why a call was refused; empty when it was answered.
  template <typename Request>
  std::string refusal(Request&& request) {
    std::string out;
    request.send()
        .then([](auto&&) {}, [&out](kj::Exception&& failure) { out = rpc::describe(failure); })
        .wait(io_.waitScope);
    return out;
  }

  std::string hello(Client& client, const std::string& region, std::uint64_t node, rpc::Role role,
                    std::uint32_t protocol = rpc::kProtocolVersion) {
    auto request = client.region.helloRequest();
    request.setProtocol(protocol);
    request.setRegion(region);
    request.setNode(node);
    request.setRole(rpc::write_role(role));
    return refusal(kj::mv(request));
  }

  kj::Own<Client> as(rpc::Role role) {
    auto client = kj::heap<Client>(io_);
    bool own = role == rpc::Role::replicator;
    EXPECT_EQ(hello(*client, own ? "here" : "there", own ? 0 : 77, role), "");
    return client;
  }

  capnp::Request<wire::Region::ReadLogParams, wire::Region::ReadLogResults> read_request(
      Client& client, std::uint16_t shard, LogPosition after, std::uint32_t wait_ms) {
    auto request = client.region.readLogRequest();
    rpc::write_table_id(table_->id, request.initTable());
    request.setShard(shard);
    rpc::write_position(after, request.initAfter());
    request.setRecordsMax(3);
    request.setBytesMax(100'000);
    request.setWaitMs(wait_ms);
    return request;
  }

  rpc::LogPage read(Client& client, std::uint16_t shard, LogPosition after, std::uint32_t wait_ms) {
    auto answer = read_request(client, shard, after, wait_ms).send().wait(io_.waitScope);
    return rpc::read_page(answer.getPage(), here_.id());
  }

  kj::AsyncIoContext io_ = kj::setupAsyncIo();
  TestRegion here_{"here", {{RegionId::of("here"), kPort}}};
  store::TablePtr table_;
};

TEST_F(ServerTest, EverythingIsRefusedBeforeHello) {
  Client client(io_);
  EXPECT_THAT(refusal(client.region.pingRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.replicatedTablesRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.readLogRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.acknowledgeRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.backlogRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.flowPositionRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.applyRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.createReplicaRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.mergeTableRequest()), HasSubstr("hello comes first"));
  EXPECT_THAT(refusal(client.region.dropReplicaRequest()), HasSubstr("hello comes first"));
}

TEST_F(ServerTest, HellosThatDoNotFitAreRefused) {
  Client client(io_);
  EXPECT_THAT(hello(client, "here", 0, rpc::Role::replicator, 2),
              HasSubstr("protocol 1 is spoken here"));
  EXPECT_THAT(hello(client, "there", 0, rpc::Role::replicator), HasSubstr("this is region here"));
  EXPECT_THAT(hello(client, "here", 9, rpc::Role::peer_replicator), HasSubstr("own name"));
  EXPECT_THAT(hello(client, "there", 0, rpc::Role::peer_node), HasSubstr("node id"));
  EXPECT_THAT(hello(client, "No Region", 1, rpc::Role::peer_node), HasSubstr("region name"));
  EXPECT_EQ(hello(client, "there", 9, rpc::Role::peer_node), "");
  EXPECT_THAT(hello(client, "there", 9, rpc::Role::peer_node), HasSubstr("before"));
}

TEST_F(ServerTest, ARegionNameIsPinnedToOneNode) {
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

TEST_F(ServerTest, EachRoleMayDoItsOwnThingsOnly) {
  auto own = as(rpc::Role::replicator);
  auto replicator = as(rpc::Role::peer_replicator);
  auto node = as(rpc::Role::peer_node);
  for (auto* client : {own.get(), replicator.get(), node.get()})
    EXPECT_EQ(refusal(client->region.pingRequest()), "");
  const auto denied = HasSubstr("not allowed for this role");
  EXPECT_THAT(refusal(own->region.applyRequest()), denied);
  EXPECT_THAT(refusal(own->region.flowPositionRequest()), denied);
  EXPECT_THAT(refusal(own->region.mergeTableRequest()), denied);
  for (auto* client : {replicator.get(), node.get()}) {
    EXPECT_THAT(refusal(client->region.readLogRequest()), denied);
    EXPECT_THAT(refusal(client->region.acknowledgeRequest()), denied);
    EXPECT_THAT(refusal(client->region.replicatedTablesRequest()), denied);
    EXPECT_THAT(refusal(client->region.backlogRequest()), denied);
  }
  EXPECT_THAT(refusal(replicator->region.createReplicaRequest()), denied);
  EXPECT_THAT(refusal(replicator->region.dropReplicaRequest()), denied);
  EXPECT_THAT(refusal(node->region.applyRequest()), denied);
}

TEST_F(ServerTest, AReplicatorSpeaksForItsOwnRegionOnly) {
  auto client = as(rpc::Role::peer_replicator);
  auto request = client->region.applyRequest();
  rpc::write_flow({table_->id, ShardId(0), RegionId::of("elsewhere")},
                  request.initBatch().initFlow());
  EXPECT_THAT(refusal(kj::mv(request)), HasSubstr("a flow of another region"));
  auto question = client->region.flowPositionRequest();
  rpc::write_flow({table_->id, ShardId(0), RegionId::of("elsewhere")}, question.initFlow());
  EXPECT_THAT(refusal(kj::mv(question)), HasSubstr("a flow of another region"));
}

TEST_F(ServerTest, FlowsOfTablesThatAreNotSharedAreAnswered) {
  auto client = as(rpc::Role::peer_replicator);
  auto ask = [&](TableId table) {
    auto question = client->region.flowPositionRequest();
    rpc::write_flow({table, ShardId(0), RegionId::of("there")}, question.initFlow());
    return rpc::read_apply_status(question.send().wait(io_.waitScope).getStatus());
  };
  EXPECT_EQ(ask(TableId{1, 1}), rpc::ApplyStatus::no_such_table);
  EXPECT_EQ(ask(table_->id), rpc::ApplyStatus::not_member);
}

TEST_F(ServerTest, ReadsAreBoundedAndGoOnWhereTheyEnded) {
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

TEST_F(ServerTest, ALongPollIsWokenByAWriteOrEndsInTime) {
  auto client = as(rpc::Role::replicator);
  SystemClock clock;
  auto began_ms = clock.monotonic_ms();
  EXPECT_TRUE(read(*client, 0, {}, 100).records.empty());
  EXPECT_GE(clock.monotonic_ms() - began_ms, 95);

  auto first = read_request(*client, 0, {}, 10'000).send();
  auto second = read_request(*client, 1, {}, 10'000).send();
  EXPECT_FALSE(first.poll(io_.waitScope));
  began_ms = clock.monotonic_ms();
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(here_.put("T", "k" + std::to_string(i), "x"), store::WriteStatus::committed);
  EXPECT_GE(rpc::read_page(first.wait(io_.waitScope).getPage(), here_.id()).records.size(), 1u);
  EXPECT_GE(rpc::read_page(second.wait(io_.waitScope).getPage(), here_.id()).records.size(), 1u);
  EXPECT_LT(clock.monotonic_ms() - began_ms, 5000);
}

TEST_F(ServerTest, TheListOfReplicatedTablesIsPushedByLongPoll) {
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

TEST_F(ServerTest, HostileBytesHurtOnlyTheirOwnConnection) {
  auto good = as(rpc::Role::replicator);
  Rng rng(5);
  for (int round = 0; round < 50; ++round) {
    auto stream = io_.provider->getNetwork()
                      .parseAddress("127.0.0.1", kPort)
                      .wait(io_.waitScope)
                      ->connect()
                      .wait(io_.waitScope);
    std::array<kj::byte, 512> bytes;
    for (auto& byte : bytes) byte = static_cast<kj::byte>(rng.below(round % 2 == 0 ? 256 : 3));
    // A peer that hangs up in between is what we want.
    stream->write(bytes.data(), bytes.size())
        .then([] {}, [](kj::Exception&&) {})
        .wait(io_.waitScope);
  }
  EXPECT_EQ(refusal(good->region.pingRequest()), "");
  here_.put_many("T", "k", 5, "x");
  EXPECT_EQ(read(*good, 0, {}, 1000).status, rpc::ReadStatus::ok);
}

TEST_F(ServerTest, APortThatIsTakenIsNamed) {
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

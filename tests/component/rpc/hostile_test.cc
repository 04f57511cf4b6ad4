// Peers that mean harm, or are broken: bytes that are no messages, messages that are no calls, calls
// with forged fields, and more connections than there is room for.  The node stays up, the others are
// served, and nothing is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "common/rng.h"
#include "region-node/model/image.h"
#include "region-node/model/key.h"
#include "region-node/peer/server.h"
#include "rpc/codec.h"
#include "tests/component/rpc/peer_fixture.h"

namespace meridian::test {
namespace {

using ::testing::HasSubstr;

class PeerHostileTest : public PeerServerTest {
 protected:
  PeerHostileTest() {
    here_.put_many("T", "kept", 5, "x");
    for (const char* region : {"here", "there"})
      here_.store().set_replica(table_->id, RegionId::of(region), true,
                                [](store::ControlResult) {});
    EXPECT_TRUE(
        eventually([this] { return here_.store().catalog()->find("T")->has_replica(there()); }));
  }

  static RegionId there() { return RegionId::of("there"); }

  // A batch of one record that a peer might well send.
  rpc::ReplicationBatch batch(const std::string& key, std::uint64_t sequence) {
    rpc::ReplicationBatch out;
    out.flow = {table_->id, ShardId(0), there()};
    out.from = position_;
    out.to = {StartId(9), Sequence(sequence)};
    rpc::ChangeRecord record;
    record.sequence = Sequence(sequence);
    model::Item item{{"pk", model::StringValue{key}}, {"v", model::StringValue{"theirs"}}};
    record.key = *model::encode_key(table_->keys, item);
    record.new_image = model::encode_image(item);
    record.version = {conflict::Hlc::at_ms(here_.clock.wall_ms()), there()};
    record.committed_us = here_.clock.wall_us();
    out.records.push_back(std::move(record));
    return out;
  }

  rpc::ApplyStatus apply(Client& client, const rpc::ReplicationBatch& batch) {
    auto request = client.region.applyRequest();
    rpc::write_batch(batch, request.initBatches(1)[0]);
    auto outcome = rpc::read_outcome(request.send().wait(io_.waitScope).getOutcomes()[0]);
    if (outcome.status == rpc::ApplyStatus::applied) position_ = outcome.position;
    return outcome.status;
  }

  // What the region's replicator sends that says hello, reads both shards, and asks for the backlog,
  // as it goes over the wire.
  kj::Array<kj::byte> conversation() {
    auto pipe = kj::newTwoWayPipe();
    capnp::TwoPartyVatNetwork network(*pipe.ends[0], capnp::rpc::twoparty::Side::CLIENT);
    auto system = capnp::makeRpcClient(network);
    auto region = region_of(system);
    auto hello = region.helloRequest();
    hello.setProtocol(rpc::kProtocolVersion);
    hello.setRegion("here");
    hello.setRole(rpc::write_role(rpc::Role::replicator));
    auto welcomed = hello.send();
    auto one = read_request(region, 0, {}, 0).send();
    auto two = read_request(region, 1, {}, 0).send();
    auto backlog = region.backlogRequest();
    rpc::write_queries({{table_->id, ShardId(0), there()}}, backlog);
    auto asked = backlog.send();
    auto bytes = kj::heapArray<kj::byte>(64 * 1024);
    std::size_t size = 0;
    for (;;) {
      auto more = pipe.ends[1]->tryRead(bytes.begin() + size, 1, bytes.size() - size);
      if (!more.poll(io_.waitScope)) break;
      size += more.wait(io_.waitScope);
    }
    return kj::heapArray<kj::byte>(bytes.slice(0, size));
  }

  // What the node answers to these bytes until it falls silent for a while.
  std::string answer_to(kj::ArrayPtr<const kj::byte> bytes) {
    auto stream = connect(io_);
    stream->write(bytes.begin(), bytes.size()).wait(io_.waitScope);
    std::string out;
    for (;;) {
      std::array<char, 4096> part;
      auto deadline = io_.provider->getTimer().afterDelay(500 * kj::MILLISECONDS);
      auto size = stream->tryRead(part.data(), 1, part.size())
                      .exclusiveJoin(deadline.then([] { return std::size_t{0}; }))
                      .wait(io_.waitScope);
      if (size == 0) return out;
      out.append(part.data(), size);
    }
  }

  // Sends the bytes on a connection of their own and hangs up.
  void send(kj::ArrayPtr<const kj::byte> bytes) {
    auto stream = connect(io_);
    // A node that hangs up in between is what we want.
    stream->write(bytes.begin(), bytes.size())
        .then([] {}, [](kj::Exception&&) {})
        .wait(io_.waitScope);
  }

  // True when the other side ends the connection.
  bool ends(kj::AsyncIoStream& stream) {
    std::array<kj::byte, 4096> rest;
    auto read = [&] {
      return stream.tryRead(rest.data(), 1, rest.size())
          .then([](std::size_t size) { return size; }, [](kj::Exception&&) { return 0; });
    };
    auto deadline = io_.provider->getTimer().afterDelay(10 * kj::SECONDS).then([] { return -1; });
    auto ended = kj::evalNow([&] { return until_end(read); });
    return ended.then([] { return 0; }).exclusiveJoin(kj::mv(deadline)).wait(io_.waitScope) == 0;
  }

  template <typename Read>
  static kj::Promise<void> until_end(Read read) {
    return read().then([read](auto size) -> kj::Promise<void> {
      if (size == 0) return kj::READY_NOW;
      return until_end(read);
    });
  }

  void expect_all_well(Client& good) {
    EXPECT_EQ(refusal(good.region.pingRequest()), "");
    for (int i = 0; i < 5; ++i) EXPECT_EQ(here_.get("T", "kept" + std::to_string(i)), "x");
    EXPECT_EQ(here_.put("T", "another", "y"), store::WriteStatus::committed);
  }

  LogPosition position_;
};

TEST_F(PeerHostileTest, RandomBytes) {
  auto good = as(rpc::Role::replicator);
  Rng rng(5);
  for (int round = 0; round < 100; ++round) {
    std::array<kj::byte, 512> bytes;
    for (auto& byte : bytes) byte = static_cast<kj::byte>(rng.below(round % 2 == 0 ? 256 : 3));
    send(kj::arrayPtr(bytes.data(), bytes.size()));
  }
  expect_all_well(*good);
}

TEST_F(PeerHostileTest, AbsurdSegmentTables) {
  auto good = as(rpc::Role::replicator);
  auto words = [](std::initializer_list<std::uint32_t> values) {
    std::vector<kj::byte> out;
    for (auto value : values)
      for (int i = 0; i < 4; ++i) out.push_back(static_cast<kj::byte>(value >> (8 * i)));
    return out;
  };
  for (const auto& head :
       {words({0xffffffff, 1}), words({511, 0xffffffff}), words({0, 0xffffffff}),
        words({1, 0x7fffffff, 0x7fffffff, 0}), words({600, 1}), words({0, 2'000'000})}) {
    auto stream = connect(io_);
    stream->write(head.data(), head.size()).wait(io_.waitScope);
    EXPECT_TRUE(ends(*stream));
  }
  // Segments that are announced within the limit and never come.
  std::vector<kj::Own<kj::AsyncIoStream>> waiting;
  auto head = words({0, 1'000'000});
  for (int i = 0; i < 50; ++i) {
    waiting.push_back(connect(io_));
    waiting.back()->write(head.data(), head.size()).wait(io_.waitScope);
  }
  expect_all_well(*good);
}

TEST_F(PeerHostileTest, TornAndDamagedConversations) {
  auto good = as(rpc::Role::replicator);
  auto whole = conversation();
  ASSERT_GT(whole.size(), 500u);
  for (std::size_t size = 0; size < whole.size(); size += 24) send(whole.slice(0, size));
  Rng rng(6);
  for (int round = 0; round < 300; ++round) {
    auto damaged = kj::heapArray<kj::byte>(whole.asPtr());
    for (std::uint64_t i = 0, changes = 1 + rng.below(4); i < changes; ++i)
      damaged[rng.below(damaged.size())] = static_cast<kj::byte>(rng.below(256));
    send(damaged);
  }
  expect_all_well(*good);
  // The whole one is understood: what was damaged before was worth damaging.
  EXPECT_THAT(answer_to(whole), HasSubstr("kept3"));
}

TEST_F(PeerHostileTest, ForgedBatches) {
  auto peer = as(rpc::Role::peer_replicator);
  auto refused = [&](const rpc::ReplicationBatch& forged) {
    auto request = peer->region.applyRequest();
    rpc::write_batch(forged, request.initBatches(1)[0]);
    return refusal(kj::mv(request));
  };
  auto forged = batch("a", 1);
  forged.flow.source = RegionId::of("elsewhere");
  EXPECT_THAT(refused(forged), HasSubstr("a flow of another region"));
  forged = batch("a", 1);
  forged.from.sequence = Sequence(5);
  EXPECT_THAT(refused(forged), HasSubstr("backwards"));
  forged = batch("a", 1);
  forged.records.assign(rpc::kBatchRecordsMax + 1, forged.records[0]);
  EXPECT_THAT(refused(forged), HasSubstr("too many records"));
  forged = batch("a", 1);
  forged.records[0].key = Bytes(rpc::kKeyBytesMax + 1, 'x');
  EXPECT_THAT(refused(forged), HasSubstr("key too long"));

  auto crowd = peer->region.applyRequest();
  crowd.initBatches(rpc::kBatchesMax + 1);
  EXPECT_THAT(refusal(kj::mv(crowd)), HasSubstr("too many batches"));
  auto readers = as(rpc::Role::replicator);
  auto reads = readers->region.readLogRequest();
  reads.initReads(rpc::kLogReadsMax + 1);
  EXPECT_THAT(refusal(kj::mv(reads)), HasSubstr("too many reads"));

  forged = batch("a", 1);
  forged.flow.table = {1, 1};
  EXPECT_EQ(apply(*peer, forged), rpc::ApplyStatus::no_such_table);
  forged = batch("a", 1);
  forged.flow.shard = ShardId(65535);
  EXPECT_EQ(apply(*peer, forged), rpc::ApplyStatus::invalid);
  forged = batch("a", 1);
  forged.from = {StartId(1), Sequence(1)};
  forged.to.sequence = forged.records[0].sequence = Sequence(2);
  EXPECT_EQ(apply(*peer, forged), rpc::ApplyStatus::wrong_position);
  forged = batch("a", 1);
  forged.records[0].version.hlc = conflict::Hlc{~std::uint64_t{0}};
  EXPECT_EQ(apply(*peer, forged), rpc::ApplyStatus::held);

  // These keep the protocol, so their flow goes on; what they say is put aside.
  forged = batch("a", 1);
  forged.records[0].new_image = "no image";
  EXPECT_EQ(apply(*peer, forged), rpc::ApplyStatus::applied);
  forged = batch("b", 2);
  forged.records[0].key = batch("c", 2).records[0].key;
  EXPECT_EQ(apply(*peer, forged), rpc::ApplyStatus::applied);
  forged = batch("d", 3);
  forged.records[0].key = "no key";
  forged.records[0].new_image.reset();
  EXPECT_EQ(apply(*peer, forged), rpc::ApplyStatus::applied);
  EXPECT_EQ(here_.store().open_reader()->parked(table_->id, 10, 0).size(), 3u);
  EXPECT_EQ(apply(*peer, batch("e", ~std::uint64_t{0})), rpc::ApplyStatus::applied);
  EXPECT_EQ(here_.get("T", "e"), "theirs");
  EXPECT_EQ(here_.items("T").size(), 6u);
  expect_all_well(*as(rpc::Role::replicator));
}

TEST_F(PeerHostileTest, AMessageOverTheLimitEndsItsConnection) {
  auto good = as(rpc::Role::replicator);
  auto peer = as(rpc::Role::peer_replicator);
  auto request = peer->region.applyRequest();
  auto records = request.initBatches(1)[0].initRecords(16);
  for (auto record : records) record.initImage(1024 * 1024);
  EXPECT_NE(refusal(kj::mv(request)), "");
  expect_all_well(*good);
}

TEST_F(PeerHostileTest, ForgedMembershipsOfTheFutureAreRefused) {
  auto node = as(rpc::Role::peer_node);
  auto request = node->region.mergeTableRequest();
  rpc::TableDefinition definition;
  definition.id = table_->id;
  definition.name = "T";
  definition.partition = {"pk", "S"};
  definition.replicas[RegionId::of("here")] = {false,
                                               {conflict::Hlc{~std::uint64_t{0}}, there()}};
  rpc::write_definition(definition, request.initTable());
  EXPECT_THAT(refusal(kj::mv(request)), HasSubstr("could not be stored"));
  EXPECT_TRUE(here_.store().catalog()->find("T")->has_replica(RegionId::of("here")));
}

// Over pipes and with small limits: a server of the test's own.
TEST_F(PeerHostileTest, ConnectionsThatSayNothingMakeRoom) {
  peer::ServerLimits limits;
  limits.connections_max = 8;
  limits.hello_ms_max = 50;
  peer::ServerCounters counters;
  auto mailbox = std::make_shared<rpc::KjMailbox>(100);
  peer::Server server(here_.store(), here_.clock, io_.provider->getTimer(), mailbox, counters,
                      Logger(here_.log), limits);
  auto add = [&server] {
    auto pipe = kj::newTwoWayPipe();
    server.add(kj::mv(pipe.ends[0]));
    return kj::mv(pipe.ends[1]);
  };
  // One that talks.
  auto stream = add();
  capnp::TwoPartyVatNetwork network(*stream, capnp::rpc::twoparty::Side::CLIENT);
  auto system = capnp::makeRpcClient(network);
  auto region = region_of(system);
  auto hello = region.helloRequest();
  hello.setProtocol(rpc::kProtocolVersion);
  hello.setRegion("here");
  hello.setRole(rpc::write_role(rpc::Role::replicator));
  EXPECT_EQ(refusal(kj::mv(hello)), "");

  std::vector<kj::Own<kj::AsyncIoStream>> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(add());
  EXPECT_EQ(counters.connections, 8u);
  for (auto& each : silent) EXPECT_TRUE(ends(*each));
  EXPECT_EQ(counters.connections, 1u);
  EXPECT_EQ(counters.strangers_dropped, 7u);
  EXPECT_EQ(here_.log->count(LogLevel::warn), 1u);
  EXPECT_EQ(refusal(region.pingRequest()), "");
}

}  // namespace
}  // namespace meridian::test

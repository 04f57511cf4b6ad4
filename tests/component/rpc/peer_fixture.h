// PeerServerTest: a region node on a port, and clients made by hand in a KJ loop of the test's own thread.
// Threads: one, beside the node's.
#pragma once

#include <capnp/message.h>
#include <capnp/rpc-twoparty.h>
#include <gtest/gtest.h>
#include <kj/async-io.h>

#include <string>

#include "rpc/codec.h"
#include "rpc/kj_log.h"
#include "tests/component/rpc/regions.h"

namespace meridian::test {

namespace wire = rpc::wire;

inline constexpr std::uint16_t kPort = 22020;

inline kj::Own<kj::AsyncIoStream> connect(kj::AsyncIoContext& io) {
  return io.provider->getNetwork()
      .parseAddress("127.0.0.1", kPort)
      .wait(io.waitScope)
      ->connect()
      .wait(io.waitScope);
}

// The other side's Region.
inline wire::Region::Client region_of(capnp::RpcSystem<capnp::rpc::twoparty::VatId>& system) {
  capnp::word scratch[4] = {};
  capnp::MallocMessageBuilder message(scratch);
  auto vat = message.getRoot<capnp::rpc::twoparty::VatId>();
  vat.setSide(capnp::rpc::twoparty::Side::SERVER);
  return system.bootstrap(vat).castAs<wire::Region>();
}

// A connection that has not said hello.
struct Client {
  explicit Client(kj::AsyncIoContext& io)
      : stream(connect(io)),
        network(*stream, capnp::rpc::twoparty::Side::CLIENT),
        system(capnp::makeRpcClient(network)),
        region(region_of(system)) {}

  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyVatNetwork network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> system;
  wire::Region::Client region;
};

class PeerServerTest : public ::testing::Test {
 protected:
  PeerServerTest() {
    here_.start_node();
    table_ = here_.create_table("T");
  }
  ~PeerServerTest() noexcept override {}

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
      wire::Region::Client& region, std::uint16_t shard, LogPosition after,
      std::uint32_t wait_ms) {
    auto request = region.readLogRequest();
    rpc::write_log_read({table_->id, ShardId(shard), after, 3, 100'000}, request.initReads(1)[0]);
    request.setWaitMs(wait_ms);
    return request;
  }

  rpc::LogPage read(Client& client, std::uint16_t shard, LogPosition after, std::uint32_t wait_ms) {
    auto answer = read_request(client.region, shard, after, wait_ms).send().wait(io_.waitScope);
    return rpc::read_pages(answer.getPages(), here_.id()).at(0);
  }

  kj::AsyncIoContext io_ = kj::setupAsyncIo();
  TestRegion here_{"here", {{RegionId::of("here"), kPort}}};
  store::TablePtr table_;
};

}  // namespace meridian::test

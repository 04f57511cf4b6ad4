// Connection: the wire's Region interface for one peer.  Checks who speaks and what they may ask,
// decodes, hands on to the Server, encodes.
//
// Roles: the region's own replicator reads the log and reports acknowledgements; another region's
// replicator applies flows of its own region; another region's node speaks for the control plane.
// Threads: the KJ thread.  Borrows: the server, which outlives every connection.
#pragma once

#include <optional>

#include "region-node/peer/server.h"

namespace meridian::peer {

class Connection final : public rpc::wire::Region::Server {
 public:
  // `link`: the server's number of the connection.
  Connection(peer::Server& server, std::uint64_t link) : server_(server), link_(link) {}

  kj::Promise<void> hello(HelloContext context) override;
  kj::Promise<void> ping(PingContext context) override;
  kj::Promise<void> replicatedTables(ReplicatedTablesContext context) override;
  kj::Promise<void> readLog(ReadLogContext context) override;
  kj::Promise<void> acknowledge(AcknowledgeContext context) override;
  kj::Promise<void> backlog(BacklogContext context) override;
  kj::Promise<void> flowPosition(FlowPositionContext context) override;
  kj::Promise<void> apply(ApplyContext context) override;
  kj::Promise<void> barrier(BarrierContext context) override;
  kj::Promise<void> advance(AdvanceContext context) override;
  kj::Promise<void> watermarks(WatermarksContext context) override;
  kj::Promise<void> createReplica(CreateReplicaContext context) override;
  kj::Promise<void> mergeTable(MergeTableContext context) override;
  kj::Promise<void> readRows(ReadRowsContext context) override;
  kj::Promise<void> offerCopy(OfferCopyContext context) override;
  kj::Promise<void> reportCopy(ReportCopyContext context) override;
  kj::Promise<void> dropReplica(DropReplicaContext context) override;
  kj::Promise<void> repair(RepairContext context) override;

 private:
  void require_role(rpc::Role role) const;
  // Whether the caller may have rows of the table from here, and if not, why.
  [[nodiscard]] rpc::RowsStatus may_have_rows(const store::TablePtr& table) const;
  [[nodiscard]] kj::TimePoint deadline_after(std::uint32_t wait_ms) const;
  void welcome(const rpc::Hello& hello, HelloContext& context);
  [[noreturn]] void refuse_for_now();
  [[noreturn]] void refuse_identity(const rpc::Hello& hello);

  peer::Server& server_;
  const std::uint64_t link_;
  std::optional<rpc::Hello> peer_;
};

}  // namespace meridian::peer

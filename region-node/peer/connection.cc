#include "region-node/peer/connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "region-node/copy/table_copy.h"
#include "region-node/peer/convert.h"
#include "region-node/peer/refusals.h"
#include "region-node/store/membership_hash.h"
#include "rpc/codec.h"
#include "rpc/codec_repair.h"

namespace meridian::peer {
namespace {

using rpc::CodecError;

template <typename Results>
void set_refusal(Results results, const rpc::Refusal& refusal) {
  results.setErrorType(refusal.type);
  results.setErrorMessage(refusal.message);
}

}  // namespace

void Connection::require_role(rpc::Role role) const {
  if (!peer_) throw CodecError("hello comes first");
  if (peer_->role != role) throw CodecError("not allowed for this role");
}

kj::TimePoint Connection::deadline_after(std::uint32_t wait_ms) const {
  auto wait = std::min<std::int64_t>(wait_ms, server_.limits_.wait_ms_max);
  return server_.timer_.now() + wait * kj::MILLISECONDS;
}

// ------------------------------------------------------------------------------------- who is there

kj::Promise<void> Connection::hello(HelloContext context) {
  auto params = context.getParams();
  auto highest = std::max(params.getProtocol(), params.getProtocolMax());
  rpc::Hello hello{highest, rpc::read_region(params.getRegion()), NodeId(params.getNode()),
                   rpc::read_role(params.getRole()), params.getProtocol()};
  auto refuse = [this, &hello](const std::string& reason) {
    ++server_.counters_.hellos_refused;
    server_.log_refusal(hello, reason);
    throw CodecError(reason);
  };
  if (peer_) refuse("hello was said before");
  auto protocol = rpc::agreed_protocol(hello, server_.limits_.protocol_max);
  if (!protocol)
    refuse(fmt::format("protocols {} to {} are spoken here, not {} to {}", rpc::kProtocolMin,
                       server_.limits_.protocol_max, hello.protocol_min, hello.protocol));
  hello.protocol = *protocol;
  if (!server_.may_speak_for(link_, hello.region))
    refuse(fmt::format("the certificate does not name region {}", hello.region.name()));
  bool own = hello.region == server_.store_.region();
  if (hello.role == rpc::Role::replicator) {
    if (!own) refuse(fmt::format("this is region {}", server_.store_.region().name()));
    welcome(hello, context);
    return kj::READY_NOW;
  }
  if (own) refuse("a peer has this region's own name");
  if (hello.node.value == 0) refuse("a peer must say its node id");
  auto pending = server_.pins_.open();
  server_.store_.pin_identity(hello.region, hello.node, std::move(pending.answer));
  return pending.promise.then([this, hello, context](std::optional<bool> pinned) mutable {
    if (!pinned) refuse_for_now();
    if (!*pinned) refuse_identity(hello);
    welcome(hello, context);
  });
}

// A store that cannot write cannot pin either; that is not the peer's fault.
void Connection::refuse_for_now() {
  ++server_.counters_.hellos_refused;
  auto reason = server_.store_.health().reason;
  throw CodecError(fmt::format("the region cannot write at present{}{}", reason.empty() ? "" : ": ",
                               reason));
}

void Connection::refuse_identity(const rpc::Hello& hello) {
  ++server_.counters_.hellos_refused;
  // Somebody must look: a copied or newly made data directory speaks under a known name.  It tries
  // again every few seconds, but says nothing new.
  constexpr std::size_t kImpostorsMax = 1000;
  auto& known = server_.impostors_;
  if (known.size() < kImpostorsMax && known.emplace(hello.region, hello.node).second)
    server_.log_.error("identity_conflict", "region={} node={:016x}", hello.region.name(),
                       hello.node.value);
  throw CodecError(fmt::format("region {} is pinned to another node", hello.region.name()));
}

void Connection::welcome(const rpc::Hello& hello, HelloContext& context) {
  peer_ = hello;
  server_.welcomed(link_, hello);
  auto results = context.getResults();
  results.setProtocol(hello.protocol);
  results.setRegion(std::string(server_.store_.region().name()));
  results.setNode(server_.store_.node_id().value);
  results.setStart(server_.store_.start_id().value);
}

kj::Promise<void> Connection::ping(PingContext context) {
  if (!peer_) throw CodecError("hello comes first");
  context.getResults().setWallUs(server_.clock_.wall_us());
  return kj::READY_NOW;
}

// --------------------------------------------------------------------------- the region's replicator

kj::Promise<void> Connection::replicatedTables(ReplicatedTablesContext context) {
  require_role(rpc::Role::replicator);
  auto params = context.getParams();
  auto generation = params.getGeneration();
  auto deadline = deadline_after(params.getWaitMs());
  context.releaseParams();
  context.allowCancellation();
  return server_.tables(generation, deadline).then([context](rpc::ReplicatedTables tables) mutable {
    rpc::write_tables(tables, context.getResults());
  });
}

kj::Promise<void> Connection::readLog(ReadLogContext context) {
  require_role(rpc::Role::replicator);
  auto params = context.getParams();
  auto reads = rpc::read_log_reads(params.getReads());
  auto deadline = deadline_after(params.getWaitMs());
  context.releaseParams();
  context.allowCancellation();
  return server_.read_logs(std::move(reads), deadline)
      .then([this, context](std::vector<rpc::LogPage> pages) mutable {
        std::size_t words = 0;
        for (const auto& page : pages) {
          server_.counters_.pages_served += page.records.empty() ? 0 : 1;
          server_.counters_.records_served += page.records.size();
          words += rpc::words_of(page.records) + rpc::kWordsPerPage;
        }
        auto results = context.initResults(rpc::size_hint(words));
        auto out = results.initPages(static_cast<unsigned>(pages.size()));
        for (unsigned i = 0; i < out.size(); ++i) rpc::write_page(pages[i], out[i]);
        results.setWallUs(server_.clock_.wall_us());
      });
}

kj::Promise<void> Connection::acknowledge(AcknowledgeContext context) {
  require_role(rpc::Role::replicator);
  std::vector<store::Acknowledgement> acknowledgements;
  for (auto& item : rpc::read_acknowledgements(context.getParams().getAcknowledgements()))
    acknowledgements.push_back({item.table, item.shard, item.sink, item.position});
  server_.store_.acknowledge(std::move(acknowledgements));
  return kj::READY_NOW;
}

kj::Promise<void> Connection::backlog(BacklogContext context) {
  require_role(rpc::Role::replicator);
  std::vector<rpc::BacklogAnswer> answers;
  auto catalog = server_.store_.catalog();
  for (const auto& query : rpc::read_queries(context.getParams().getQueries())) {
    auto& answer = answers.emplace_back();
    if (!catalog->find(query.table)) continue;
    auto backlog = server_.reader_->backlog(query.table, query.shard, query.sink);
    answer = {backlog.pending_records, backlog.pending_bytes, backlog.oldest_us,
              backlog.acknowledged};
  }
  rpc::write_backlogs(answers, context.getResults());
  return kj::READY_NOW;
}

kj::Promise<void> Connection::barrier(BarrierContext context) {
  require_role(rpc::Role::replicator);
  auto tables = rpc::read_table_ids(context.getParams().getTables());
  context.releaseParams();
  auto pending = server_.barriers_.open();
  server_.store_.barrier(std::move(tables), std::move(pending.answer));
  return pending.promise.then([context](std::optional<rpc::Barrier> made) mutable {
    if (!made) throw CodecError("no barrier can be made at present");
    rpc::write_barrier(*made, context.getResults().initBarrier());
  });
}

// ------------------------------------------------------------------------ other regions' replicators

kj::Promise<void> Connection::flowPosition(FlowPositionContext context) {
  require_role(rpc::Role::peer_replicator);
  auto flow = rpc::read_flow(context.getParams().getFlow());
  if (flow.source != peer_->region) throw CodecError("a flow of another region");
  auto status = rpc::ApplyStatus::applied;
  auto table = server_.store_.catalog()->find(flow.table);
  if (!table) {
    status = rpc::ApplyStatus::no_such_table;
  } else if (!table->has_replica(flow.source) || !table->has_replica(server_.store_.region())) {
    status = rpc::ApplyStatus::not_member;
  } else if (table->is_copying(server_.store_.region()) &&
             !server_.reader_->cursor(flow.table, copy::TableCopy::kCursor)) {
    status = rpc::ApplyStatus::unavailable;  // where it begins is not known yet
  }
  auto results = context.getResults();
  results.setStatus(rpc::write_apply_status(status));
  LogPosition position;
  if (status == rpc::ApplyStatus::applied) position = server_.reader_->flow_position(flow);
  rpc::write_position(position, results.initPosition());
  return kj::READY_NOW;
}

kj::Promise<void> Connection::apply(ApplyContext context) {
  require_role(rpc::Role::peer_replicator);
  auto batches = rpc::read_batches(context.getParams().getBatches());
  for (const auto& batch : batches)
    if (batch.flow.source != peer_->region) throw CodecError("a flow of another region");
  context.releaseParams();
  auto outcomes = kj::heapArrayBuilder<kj::Promise<rpc::ApplyOutcome>>(batches.size());
  for (auto& batch : batches) outcomes.add(server_.apply(std::move(batch), peer_->node));
  return kj::joinPromises(outcomes.finish())
      .then([context](kj::Array<rpc::ApplyOutcome> known) mutable {
        auto out = context.getResults().initOutcomes(static_cast<unsigned>(known.size()));
        for (unsigned i = 0; i < out.size(); ++i) rpc::write_outcome(known[i], out[i]);
      });
}

kj::Promise<void> Connection::advance(AdvanceContext context) {
  require_role(rpc::Role::peer_replicator);
  auto barriers = rpc::read_barriers(context.getParams().getBarriers());
  context.releaseParams();
  auto pending = server_.advances_.open();
  server_.store_.advance(peer_->region, peer_->node, std::move(barriers),
                         std::move(pending.answer));
  return pending.promise.then([context](std::optional<store::Reached> reached) mutable {
    if (!reached) throw CodecError("the region refuses writes at present");
    rpc::write_reached(*reached, context.getResults());
  });
}

// ------------------------------------------------------------------------------- other regions' nodes

kj::Promise<void> Connection::watermarks(WatermarksContext context) {
  if (!peer_) throw CodecError("hello comes first");
  std::vector<rpc::TableWatermarks> out;
  for (const auto& id : rpc::read_table_ids(context.getParams().getTables())) {
    rpc::TableWatermarks told{id, server_.reader_->watermarks(id), server_.reader_->collected(id)};
    // After the watermarks: what is told must not go beyond what this membership has a say in.
    auto table = server_.store_.catalog()->find(id);
    if (!table) continue;
    told.membership = store::membership_hash(table->replicas);
    for (const auto& [ended, holders] : table->unsettled) told.unsettled.insert(ended);
    out.push_back(std::move(told));
  }
  rpc::write_watermarks(out, context.getResults());
  return kj::READY_NOW;
}

kj::Promise<void> Connection::createReplica(CreateReplicaContext context) {
  require_role(rpc::Role::peer_node);
  auto definition = rpc::read_definition(context.getParams().getTable());
  bool copy = context.getParams().getCopy();
  context.releaseParams();
  auto spec = spec_of(definition);
  if (!spec) {
    set_refusal(context.getResults(),
                validation_refusal("Unknown stream view type of a newer release."));
    return kj::READY_NOW;
  }
  // A retry of a call whose answer was lost.
  if (server_.store_.catalog()->find(definition.id)) return kj::READY_NOW;
  spec->copy_from_others = copy;
  auto pending = server_.controls_.open();
  server_.store_.create_table(std::move(*spec), controlled(std::move(pending.answer)));
  return pending.promise.then([this, context, name = definition.name](Controlled result) mutable {
    if (result.ok) {
      server_.log_.info("replica_created", "table={} asked_by={}", name, peer_->region.name());
      return;
    }
    set_refusal(context.getResults(), create_refusal(result.error, name));
  });
}

kj::Promise<void> Connection::mergeTable(MergeTableContext context) {
  require_role(rpc::Role::peer_node);
  auto definition = rpc::read_definition(context.getParams().getTable());
  context.releaseParams();
  if (!server_.store_.catalog()->find(definition.id)) return kj::READY_NOW;  // known = false
  auto pending = server_.controls_.open();
  // In this order the writer does them, so the second answer is that of both.
  server_.store_.merge_settings(definition.id, settings_of(definition), ignored());
  server_.store_.merge_replicas(definition.id, entries_of(definition),
                                controlled(std::move(pending.answer)));
  return pending.promise.then([context](Controlled result) mutable {
    if (!result.ok) {
      if (result.error == store::ControlError::no_such_table) return;
      throw CodecError("the membership could not be stored");
    }
    auto results = context.getResults();
    results.setKnown(true);
    rpc::write_definition(definition_of(*result.table), results.initTable());
  });
}

rpc::RowsStatus Connection::may_have_rows(const store::TablePtr& table) const {
  auto self = server_.store_.region();
  if (!table) return rpc::RowsStatus::no_such_table;
  if (!table->has_replica(peer_->region) || !table->has_replica(self))
    return rpc::RowsStatus::not_member;
  bool paused = server_.paused_ && server_.paused_(peer_->region);
  bool can = table->is_whole(self) && !table->frozen() && !paused;
  return can ? rpc::RowsStatus::ok : rpc::RowsStatus::unavailable;
}

kj::Promise<void> Connection::readRows(ReadRowsContext context) {
  require_role(rpc::Role::peer_node);
  auto read = rpc::read_rows_read(context.getParams().getRead());
  context.releaseParams();
  context.allowCancellation();
  rpc::RowsPage page;
  page.status = may_have_rows(server_.store_.catalog()->find(read.table));
  if (page.status == rpc::RowsStatus::ok) page = server_.reader_->read_rows(read);
  server_.counters_.rows_served += page.rows.size();
  auto words = rpc::words_of(page.rows) + rpc::kWordsPerPage;
  rpc::write_rows_page(page, context.initResults(rpc::size_hint(words)).initPage());
  return kj::READY_NOW;
}

kj::Promise<void> Connection::offerCopy(OfferCopyContext context) {
  require_role(rpc::Role::peer_node);
  auto question = rpc::read_offer_question(context.getParams());
  context.releaseParams();
  rpc::CopyOffer offer;
  offer.status = may_have_rows(server_.store_.catalog()->find(question.table));
  if (offer.status == rpc::RowsStatus::ok) {
    offer = server_.reader_->copy_offer(question);
    if (auto table = server_.store_.catalog()->find(question.table))
      for (const auto& [ended, holders] : table->unsettled) offer.unsettled.insert(ended);
  }
  // What an earlier life of the caller had sent is none of its flows now.
  std::erase_if(offer.stands, [this](const auto& each) { return each.source == peer_->region; });
  rpc::write_copy_offer(offer, context.getResults().initOffer());
  return kj::READY_NOW;
}

kj::Promise<void> Connection::reportCopy(ReportCopyContext context) {
  require_role(rpc::Role::peer_node);
  auto params = context.getParams();
  auto id = rpc::read_table_id(params.getTable());
  auto text = params.getText();
  if (params.getPercent() > 100 || text.size() > rpc::kErrorBytesMax)
    throw CodecError("malformed report of a copy");
  auto table = server_.store_.catalog()->find(id);
  if (table && table->is_copying(peer_->region) && server_.report_)
    server_.report_(id, peer_->region, params.getPercent(), {text.cStr(), text.size()});
  return kj::READY_NOW;
}

kj::Promise<void> Connection::dropReplica(DropReplicaContext context) {
  require_role(rpc::Role::peer_node);
  auto id = rpc::read_table_id(context.getParams().getId());
  context.releaseParams();
  return server_.drop_(id).then(
      [context](rpc::Refusal refusal) mutable { set_refusal(context.getResults(), refusal); });
}

kj::Promise<void> Connection::repair(RepairContext context) {
  require_role(rpc::Role::peer_node);
  auto request = rpc::read_repair_request(context.getParams().getRequest());
  context.releaseParams();
  return server_.repair_(peer_->region, std::move(request))
      .then([context](rpc::RepairAnswer answer) mutable {
        auto results = context.initResults(rpc::size_hint(answer));
        rpc::write_repair_answer(answer, results.initAnswer());
      });
}

}  // namespace meridian::peer

// The side of a repair that is asked.
#include <kj/debug.h>

#include <optional>
#include <utility>

#include "region-node/peer/repairer.h"
#include "region-node/repair/positions.h"

namespace meridian::peer {

using store::RepairChange;

kj::Promise<rpc::RepairAnswer> Repairer::answer(RegionId peer, rpc::RepairRequest request) {
  return std::visit([this, &peer](auto& one) { return serve(peer, std::move(one)); }, request);
}

store::TablePtr Repairer::shared_with(const TableId& id, const RegionId& peer) const {
  auto table = world_.store.catalog()->find(id);
  bool shared = table && table->has_replica(peer) && table->has_replica(self_);
  return shared ? table : nullptr;
}

kj::Promise<rpc::StateAnswer> Repairer::state_for(RegionId peer, TableId id, std::uint16_t shards,
                                                  Parked parked) {
  auto table = shared_with(id, peer);
  rpc::StateAnswer none;
  none.status = rpc::ReadStatus::no_such_table;
  if (!table) return none;
  return rows_.read([table, peer, shards, parked, self = self_](store::Reader& reader) {
    rpc::StateAnswer out;
    if (!repair::flows_have_begun(reader, *table, self)) {
      out.status = rpc::ReadStatus::unavailable;
      return out;
    }
    out.positions = repair::positions_at(reader, table->id, peer,
                                         std::min<std::size_t>(shards, rpc::kRepairShardsMax));
    out.facts = parked == Parked::told ? repair::repair_facts_at(reader, *table)
                                       : repair::counted_facts_at(reader, *table);
    out.shards = table->shards;
    return out;
  });
}

kj::Promise<rpc::RepairAnswer> Repairer::serve(RegionId peer, rpc::StateRequest request) {
  return state_for(peer, request.table, request.shards, Parked::counted)
      .then([](rpc::StateAnswer state) { return rpc::RepairAnswer(std::move(state)); });
}

kj::Promise<rpc::RepairAnswer> Repairer::serve(RegionId peer, rpc::BeginRequest request) {
  auto table = shared_with(request.table, peer);
  rpc::BeginAnswer refusal;
  refusal.status = rpc::ReadStatus::no_such_table;
  if (!table) return rpc::RepairAnswer(refusal);
  refusal.status = rpc::ReadStatus::ok;
  refusal.busy = true;
  // Of two that begin at once, the one whose name comes first goes on.
  if (running_ == Pair{table->id, peer} && self_ < peer) return rpc::RepairAnswer(refusal);
  if (world_.faults.link(peer).paused()) return rpc::RepairAnswer(refusal);
  state_of(*table, peer).served_until_ms = now_ms() + limits_.lease_ms;
  // Our flows to the peer may be in need of it as well.
  return judge(table, peer, {std::move(request.positions), {}})
      .then([this, id = table->id, peer]() -> kj::Promise<Changed> {
        auto current = world_.store.catalog()->find(id);
        bool marked = current && current->repairs.count(peer) != 0;
        if (!marked) return Changed(std::vector<LogPosition>{});
        return change({.kind = RepairChange::Kind::pin, .table = id, .peer = peer});
      })
      .then([this, id = table->id, peer, shards = request.shards](Changed pins) {
        return state_for(peer, id, shards, Parked::told).then([this, id, peer,
                                                               pins = std::move(pins)](
                                                                  rpc::StateAnswer state) {
          rpc::BeginAnswer out;
          out.status = pins ? state.status : rpc::ReadStatus::unavailable;
          if (auto now = shared_with(id, peer); now && out.status == rpc::ReadStatus::ok)
            state_of(*now, peer).served_life = now->replicas.at(self_).joined;
          out.positions = std::move(state.positions);
          out.facts = std::move(state.facts);
          if (pins) out.pins = *pins;
          return rpc::RepairAnswer(std::move(out));
        });
      });
}

kj::Promise<rpc::RepairAnswer> Repairer::serve(RegionId peer, rpc::DigestRequest request) {
  rpc::DigestPage none;
  none.status = rpc::ReadStatus::no_such_table;
  auto table = shared_with(request.table, peer);
  if (!table) return rpc::RepairAnswer(std::move(none));
  auto& state = state_of(*table, peer);
  if (state.served_until_ms > now_ms()) state.served_until_ms = now_ms() + limits_.lease_ms;
  return rows_.read([request = std::move(request)](store::Reader& reader) {
    return rpc::RepairAnswer(repair::digest_span(reader, request));
  });
}

kj::Promise<rpc::RepairAnswer> Repairer::serve(RegionId peer, rpc::CompareRequest request) {
  rpc::Comparison none;
  none.status = rpc::ReadStatus::no_such_table;
  if (!shared_with(request.table, peer)) return rpc::RepairAnswer(std::move(none));
  return rows_.read([request = std::move(request)](store::Reader& reader) {
    return rpc::RepairAnswer(repair::compare(reader, request));
  });
}

kj::Promise<rpc::RepairAnswer> Repairer::serve(RegionId peer, rpc::FetchRequest request) {
  rpc::FetchedRows none;
  none.status = rpc::ReadStatus::no_such_table;
  if (!shared_with(request.table, peer)) return rpc::RepairAnswer(std::move(none));
  return rows_.read([request = std::move(request)](store::Reader& reader) {
    return rpc::RepairAnswer(repair::fetch(reader, request));
  });
}

kj::Promise<rpc::RepairAnswer> Repairer::serve(RegionId peer, rpc::RepairWork request) {
  rpc::RepairOutcome none;
  none.status = rpc::ApplyStatus::not_member;
  if (!shared_with(request.table, peer)) return rpc::RepairAnswer(none);
  auto pending = outcomes_.open();
  world_.store.repair_rows(std::move(request), [answer = std::move(pending.answer)](
                                                   const rpc::RepairOutcome& outcome) {
    answer(outcome);
  });
  return pending.promise.then(
      [](rpc::RepairOutcome outcome) { return rpc::RepairAnswer(outcome); });
}

kj::Promise<rpc::RepairAnswer> Repairer::serve(RegionId peer, rpc::FinishRequest request) {
  auto table = shared_with(request.table, peer);
  if (!table) {
    rpc::FinishAnswer none;
    none.status = rpc::ReadStatus::no_such_table;
    return rpc::RepairAnswer(none);
  }
  auto& state = state_of(*table, peer);
  state.served_until_ms = 0;
  state.check_at_ms = 0;
  // What was compared may have been lost with the directory, or put back, since: another run is needed.
  auto begun = std::exchange(state.served_life, std::nullopt);
  bool the_same = begun == table->replicas.at(self_).joined;
  if (!the_same) return rpc::RepairAnswer(rpc::FinishAnswer{});
  scrub_again(state);
  return change({.kind = RepairChange::Kind::begin_flows,
                 .table = request.table,
                 .peer = peer,
                 .positions = std::move(request.positions),
                 .facts = std::move(request.facts),
                 .settles = request.settles})
      .then([](Changed changed) {
        rpc::FinishAnswer out;
        out.done = changed.has_value();
        return rpc::RepairAnswer(out);
      });
}

}  // namespace meridian::peer

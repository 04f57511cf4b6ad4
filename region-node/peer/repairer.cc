#include "region-node/peer/repairer.h"

#include <kj/debug.h>

#include <algorithm>

#include "region-node/store/membership_hash.h"
#include "rpc/codec_repair.h"
#include "rpc/kj_log.h"

namespace meridian::peer {

using repair::Purpose;
using store::RepairChange;

Repairer::Repairer(World world, RepairLimits limits)
    : world_(std::move(world)),
      limits_(limits),
      self_(world_.store.region()),
      changes_(world_.mailbox),
      outcomes_(world_.mailbox),
      rows_(world_.store, world_.mailbox, world_.log),
      tasks_(*this) {}

void Repairer::start() { tasks_.add(rounds()); }

void Repairer::taskFailed(kj::Exception&& failure) {
  world_.log.error("repair_task_failed", "reason=\"{}\"", rpc::describe(failure));
}

Repairer::State& Repairer::state_of(const store::TableInfo& table, const RegionId& peer) {
  auto [at, fresh] = states_.try_emplace({table.id, peer});
  if (fresh) {
    at->second.status.table = table.name;
    at->second.status.table_id = table.id;
    at->second.status.peer = peer;
    // The first scrub soon after the start, but not before the flows have had their say.
    at->second.scrub_at_ms = now_ms() + limits_.scrub_pause_ms / 4;
  }
  return at->second;
}

kj::Promise<Repairer::Changed> Repairer::change(RepairChange change) {
  auto pending = changes_.open();
  world_.store.change_repair(std::move(change), std::move(pending.answer));
  return kj::mv(pending.promise);
}

rpc::Session* Repairer::open_to(const RegionId& peer) {
  auto* session = world_.membership.reachable(peer);
  bool knows = session != nullptr && session->connected() &&
               session->peer()->protocol >= rpc::kProtocolWithRepair;
  return knows && !world_.faults.link(peer).paused() ? session : nullptr;
}

void Repairer::ask_repair(const TableId& id, const RegionId& peer) {
  auto table = shared_with(id, peer);
  if (table) state_of(*table, peer).asked = true;
}

void Repairer::ask_all(const RegionId& region) {
  for (const auto& [id, table] : world_.store.catalog()->by_id) {
    if (!table->has_replica(region) || !table->has_replica(self_)) continue;
    for (const auto& peer : table->peers(self_)) state_of(*table, peer).asked = true;
  }
}

std::vector<RepairStatus> Repairer::status() const {
  std::vector<RepairStatus> out;
  auto catalog = world_.store.catalog();
  for (const auto& [pair, state] : states_) {
    auto table = catalog->find(pair.first);
    if (!table || !table->has_replica(pair.second)) continue;
    RepairStatus status = state.status;
    auto mark = table->repairs.find(pair.second);
    if (mark != table->repairs.end())
      status.needed = store::repair_reason_name(mark->second.reason);
    status.frozen = table->frozen();
    if (status.needed.empty() && state.asked) status.needed = "asked";
    if (status.needed.empty() && table->unsettled_with(pair.second)) status.needed = "unsettled";
    out.push_back(std::move(status));
  }
  return out;
}

bool Repairer::mending(const TableId& table) const {
  auto from = states_.lower_bound({table, RegionId{}});
  return std::any_of(from, states_.end(), [&](const auto& each) {
    return each.first.first == table &&
           (each.second.status.doing == "repair" || each.second.served_until_ms > now_ms());
  });
}

// ------------------------------------------------------------------------------------------- rounds

kj::Promise<void> Repairer::rounds() {
  return world_.timer.afterDelay(kRoundMs * kj::MILLISECONDS)
      .then([this] { return round(); })
      .catch_([this](kj::Exception&& failure) {
        world_.log.warn("repair_round_failed", "reason=\"{}\"", rpc::describe(failure));
      })
      .then([this] { return rounds(); });
}

kj::Promise<void> Repairer::round() {
  auto catalog = world_.store.catalog();
  std::erase_if(states_, [&](const auto& each) { return !catalog->find(each.first.first); });
  note_silence();
  kj::Promise<void> chain = kj::READY_NOW;
  for (const auto& [id, table] : catalog->by_id) {
    // (One that is being filled has written nothing.)
    if (!table->has_replica(self_) || table->is_copying(self_)) continue;
    say_lost(*table);
    for (const auto& peer : table->peers(self_)) {
      auto& state = state_of(*table, peer);
      say_cut_loose(*table, peer, state);
      auto* session = open_to(peer);
      if (session == nullptr) continue;
      look_for_survivors(*table, peer, state);
      bool fresh = state.connects != session->figures().connects;
      bool wanted = is_wanted(*table, peer, state) || table->unsettled_with(peer);
      if (!fresh && !wanted && now_ms() < state.check_at_ms && !scrub_due(*table, state, peer))
        continue;
      chain = chain.then([this, table = table, peer = peer] { return look_at(table, peer); });
    }
    if (table->frozen())
      chain = chain.then([this, table = table] { return thaw_if_due(table); });
  }
  return chain;
}

// A table may be frozen by what a peer told of its membership, too.
void Repairer::say_lost(const store::TableInfo& table) {
  if (!table.frozen()) {
    lost_.erase(table.id);
  } else if (lost_.insert(table.id).second) {
    world_.log.error("log_lost",
                     "table={} what=\"peers know of a later past of this region; it will be "
                     "repaired before it writes again\"",
                     table.name);
  }
}

void Repairer::say_cut_loose(const store::TableInfo& table, const RegionId& peer, State& state) {
  auto mark = table.repairs.find(peer);
  bool cut = mark != table.repairs.end() && mark->second.reason == store::RepairReason::log_bound;
  if (cut && !state.cut_loose)
    world_.log.warn("cut_loose",
                    "table={} peer={} what=\"the log reached its bound and is no longer kept for "
                    "the peer; it will be repaired when it can be reached\"",
                    table.name, peer.name());
  state.cut_loose = cut;
}

kj::Promise<void> Repairer::look_at(store::TablePtr table, RegionId peer) {
  auto& state = state_of(*table, peer);
  if (now_ms() < state.served_until_ms) return kj::READY_NOW;
  auto* session = open_to(peer);
  if (session == nullptr) return kj::READY_NOW;
  bool fresh = state.connects != session->figures().connects;
  bool wanted = is_wanted(*table, peer, state) || table->unsettled_with(peer);
  kj::Promise<void> checked = kj::READY_NOW;
  if (fresh || wanted || now_ms() >= state.check_at_ms) checked = check(table, peer);
  return checked
      .then([this, id = table->id, peer]() -> kj::Promise<void> {
        auto now = world_.store.catalog()->find(id);
        if (!now || !now->has_replica(peer)) return kj::READY_NOW;
        auto& known = state_of(*now, peer);
        if (is_wanted(*now, peer, known)) return run(now, peer, Purpose::repair);
        if (scrub_due(*now, known, peer) && !running_) begin_scrub(now, peer);
        return kj::READY_NOW;
      })
      .catch_([this, table, peer](kj::Exception&& failure) {
        // A scrub of the two may be under way beside this, and must not outlive its run.
        if (running_ == Pair{table->id, peer}) end_scrub();
        failed(*table, peer, failure);
      });
}

void Repairer::failed(const store::TableInfo& table, const RegionId& peer,
                      const kj::Exception& failure) {
  auto& known = state_of(table, peer);
  known.status.doing.clear();
  auto reason = rpc::describe(failure);
  if (known.status.problem != reason)
    world_.log.warn("repair_not_possible", "table={} peer={} reason=\"{}\"", table.name,
                    peer.name(), reason);
  known.status.problem = reason;
  if (running_ == Pair{table.id, peer}) {
    running_.reset();
    run_.reset();
  }
}

kj::Promise<void> Repairer::check(store::TablePtr table, RegionId peer) {
  return rows_
      .read([table, peer](store::Reader& reader) {
        return repair::acknowledged_by(reader, *table, peer);
      })
      .then([this, table, peer](std::vector<LogPosition> acknowledged) {
        return check_from(table, peer, std::move(acknowledged));
      });
}

kj::Promise<void> Repairer::check_from(store::TablePtr table, RegionId peer,
                                       std::vector<LogPosition> acknowledged) {
  auto* session = open_to(peer);
  if (session == nullptr) return kj::READY_NOW;
  auto connects = session->figures().connects;
  using Response = capnp::Response<rpc::wire::Region::RepairResults>;
  return session
      ->call([&table](rpc::wire::Region::Client& client) {
        auto call = client.repairRequest();
        rpc::write_repair_request(rpc::StateRequest{table->id, table->shards},
                                  call.initRequest());
        return kj::Promise<Response>(call.send());
      })
      .then([this, table, peer, connects, acknowledged = std::move(acknowledged)](
                Response&& response) mutable -> kj::Promise<void> {
        auto answer = rpc::read_repair_answer(response.getAnswer());
        auto* state = std::get_if<rpc::StateAnswer>(&answer);
        if (state == nullptr) return kj::READY_NOW;
        if (state->status == rpc::ReadStatus::unavailable) return excuse(table->id, peer);
        if (state->status != rpc::ReadStatus::ok) return kj::READY_NOW;
        auto& known = state_of(*table, peer);
        known.connects = connects;
        known.check_at_ms = now_ms() + limits_.recheck_ms;
        auto current = world_.store.catalog()->find(table->id);
        known.same_members =
            current && store::membership_hash(current->replicas) == state->facts.membership;
        return judge(table, peer, {std::move(state->positions), std::move(acknowledged)});
      });
}

kj::Promise<void> Repairer::judge(store::TablePtr table, RegionId peer, repair::Stand stand) {
  auto current = world_.store.catalog()->find(table->id);
  if (!current) return kj::READY_NOW;
  auto mark = current->repairs.find(peer);
  bool marked = mark != current->repairs.end();
  bool pinned = marked && mark->second.pinned;
  struct Seen {
    repair::Verdict verdict;
    bool took_pins;
  };
  return rows_
      .read([current, peer, pinned, stand = std::move(stand)](store::Reader& reader) {
        Seen seen{repair::examine(reader, *current, peer, stand), false};
        seen.took_pins = pinned && repair::took_pins(reader, *current, peer, stand.positions);
        return seen;
      })
      .then([this, current, peer, marked](Seen seen) -> kj::Promise<void> {
        RepairChange next{.table = current->id, .peer = peer};
        if (seen.took_pins) {
          // The end of a repair of which we did not hear, or the other side's.
          next.kind = RepairChange::Kind::clear;
        } else if (marked || seen.verdict == repair::Verdict::fine) {
          return kj::READY_NOW;
        } else if (seen.verdict == repair::Verdict::restored) {
          world_.log.error("log_lost",
                           "table={} peer={} what=\"the peer has more of this region's log than "
                           "this region; it will be repaired before it writes again\"",
                           current->name, peer.name());
          lost_.insert(current->id);
          next.kind = RepairChange::Kind::renew;
        } else {
          world_.log.warn("repair_needed", "table={} peer={} reason=trimmed", current->name,
                          peer.name());
          next.kind = RepairChange::Kind::mark;
          next.reason = store::RepairReason::trimmed;
        }
        return change(std::move(next)).ignoreResult();
      });
}

// A replica that waits to be filled holds nothing that this region has forgotten.  It may wait for this
// region, which writes nothing and is no seed before all whom it can reach have told it.
kj::Promise<void> Repairer::excuse(const TableId& id, const RegionId& peer) {
  auto table = world_.store.catalog()->find(id);
  if (!table) return kj::READY_NOW;
  auto mark = table->repairs.find(peer);
  if (mark == table->repairs.end() || !mark->second.frozen) return kj::READY_NOW;
  return change({.kind = RepairChange::Kind::thaw, .table = id, .peer = peer}).ignoreResult();
}

// A region that lost what it wrote begins to write again when it has been told by all whom it can
// reach, and by one at least.
kj::Promise<void> Repairer::thaw_if_due(store::TablePtr table) {
  auto current = world_.store.catalog()->find(table->id);
  if (!current || !current->frozen()) return kj::READY_NOW;
  bool told = false;
  for (const auto& peer : current->peers(self_)) {
    auto mark = current->repairs.find(peer);
    if (mark == current->repairs.end()) {
      told = true;
    } else if (!mark->second.frozen) {
      continue;
    } else if (open_to(peer) != nullptr) {
      return kj::READY_NOW;
    } else if (world_.clock.wall_ms() - mark->second.since_ms < limits_.thaw_ms) {
      return kj::READY_NOW;
    }
  }
  if (!told) return kj::READY_NOW;
  world_.log.warn("writes_resumed", "table={} what=\"not all peers could be asked\"",
                  current->name);
  return change({.kind = RepairChange::Kind::thaw, .table = current->id}).ignoreResult();
}

// --------------------------------------------------------------------------------------------- runs

// What was asked for waits for a peer that is being filled: its rows are still to come.
bool Repairer::is_wanted(const store::TableInfo& table, const RegionId& peer, const State& state) {
  if (table.repairs.count(peer) != 0) return true;
  bool settles = table.unsettled_with(peer) && state.same_members;
  return (state.asked || settles) && table.is_whole(peer);
}

// Of each pair of regions, the one whose name comes first compares.
bool Repairer::scrub_due(const store::TableInfo& table, const State& state,
                         const RegionId& peer) const {
  return self_ < peer && table.is_whole(peer) && now_ms() >= state.scrub_at_ms;
}

kj::Promise<void> Repairer::run(store::TablePtr table, RegionId peer, Purpose purpose) {
  auto* session = open_to(peer);
  if (session == nullptr) return kj::READY_NOW;
  end_scrub();
  if (running_) return kj::READY_NOW;
  world_.log.info("repair_begins", "table={} peer={}", table->name, peer.name());
  return begin_run(table, peer, purpose, *session);
}

// Beside the rounds, which may find something better to do.
void Repairer::begin_scrub(store::TablePtr table, RegionId peer) {
  auto* session = open_to(peer);
  if (session == nullptr) return;
  scrub_ = begin_run(table, peer, Purpose::compare, *session)
               .catch_([this, table, peer](kj::Exception&& failure) {
                 state_of(*table, peer).scrub_at_ms = now_ms() + limits_.scrub_pause_ms / 4;
                 failed(*table, peer, failure);
               })
               .eagerlyEvaluate(nullptr);
}

void Repairer::end_scrub() {
  if (!running_ || scrub_ == nullptr) return;
  scrub_ = nullptr;
  run_.reset();
  auto state = states_.find(*running_);
  if (state != states_.end() && state->second.status.doing == "scrub")
    state->second.status.doing.clear();
  running_.reset();
}

kj::Promise<void> Repairer::begin_run(store::TablePtr table, RegionId peer, Purpose purpose,
                                      rpc::Session& session) {
  running_ = Pair{table->id, peer};
  bool repairs = purpose == Purpose::repair;
  auto& state = state_of(*table, peer);
  state.status.doing = repairs ? "repair" : "scrub";
  // One that is to settle what somebody left behind finds little, and nobody waits for it.
  bool urgent = repairs && (table->repairs.count(peer) != 0 || state.asked);
  run_ = std::make_unique<RepairRun>(
      RepairRun::World{world_.store, session, world_.timer, rows_, world_.mailbox, world_.log},
      table, peer, purpose, urgent ? 0 : limits_.scrub_rows_per_second);
  return run_->start().then([this, table, peer, purpose, began = now_ms()](RunFigures figures) {
    running_.reset();
    run_.reset();
    state_of(*table, peer).status.doing.clear();
    if (figures.busy) return;
    finished(*table, peer, purpose, figures, began);
  });
}

void Repairer::finished(const store::TableInfo& table, const RegionId& peer, Purpose purpose,
                        const RunFigures& figures, std::int64_t began_ms) {
  auto& state = state_of(table, peer);
  state.status.problem.clear();
  if (purpose == Purpose::compare) return scrubbed(table, peer, figures);
  const auto& rows = figures.rows;
  auto moved = rows.fetched + rows.sent + rows.dropped_here + rows.dropped_there;
  state.asked = false;
  state.check_at_ms = 0;
  scrub_again(state);
  ++state.status.repairs;
  state.status.rows_repaired += moved;
  state.status.bytes_exchanged += figures.bytes;
  state.status.last_rows = moved;
  state.status.last_bytes = figures.bytes;
  state.status.last_ms = now_ms() - began_ms;
  world_.log.info("repaired",
                  "table={} peer={} rows_compared={} fetched={} sent={} dropped_here={} "
                  "dropped_there={} bytes={} calls={} took_ms={}",
                  table.name, peer.name(), rows.rows_compared, rows.fetched, rows.sent,
                  rows.dropped_here, rows.dropped_there, figures.bytes, figures.calls,
                  state.status.last_ms);
}

void Repairer::scrub_again(State& state) const {
  if (state.status.scrub_differing > 0) state.scrub_at_ms = now_ms();
}

void Repairer::scrubbed(const store::TableInfo& table, const RegionId& peer,
                        const RunFigures& figures) {
  auto& state = state_of(table, peer);
  state.scrub_at_ms = now_ms() + limits_.scrub_pause_ms;
  ++state.status.scrubs;
  state.status.scrubbed_wall_ms = world_.clock.wall_ms();
  state.status.scrub_rows = figures.rows.rows_compared;
  state.status.scrub_in_flight = figures.rows.in_flight;
  state.status.scrub_differing = figures.rows.differing - figures.rows.in_flight;
  for (const auto& origin : figures.rows.in_flight_origins) {
    if (!is_lost(table, origin)) continue;
    world_.log.warn("survivors_differ",
                    "table={} peer={} origin={} what=\"it cannot be reached, and only one of the "
                    "two has all of it; they will be repaired\"",
                    table.name, peer.name(), origin.name());
    state.asked = true;
  }
  if (state.status.scrub_differing == 0) return;
  std::string keys;
  for (const auto& sample : figures.samples)
    if (keys.size() < 500) keys += (keys.empty() ? "" : " ") + to_hex(sample.key);
  world_.log.error("regions_differ", "table={} peer={} rows={} keys=\"{}\"", table.name,
                   peer.name(), state.status.scrub_differing, keys);
}

// ---------------------------------------------------------------------------------------- survivors

void Repairer::note_silence() {
  std::set<RegionId> members;
  for (const auto& [id, table] : world_.store.catalog()->by_id)
    for (const auto& peer : table->peers(self_)) members.insert(peer);
  std::erase_if(silent_since_ms_, [&](const auto& each) {
    bool back = world_.membership.reachable(each.first) != nullptr;
    if (back)
      for (auto& [pair, state] : states_) state.mourned.erase(each.first);
    return back || !members.contains(each.first);
  });
  for (const auto& region : members)
    if (world_.membership.reachable(region) == nullptr)
      silent_since_ms_.try_emplace(region, now_ms());
}

void Repairer::look_for_survivors(const store::TableInfo& table, const RegionId& peer,
                                  State& state) {
  for (const auto& [region, since_ms] : silent_since_ms_) {
    bool third = region != peer && table.has_replica(region);
    if (!third || now_ms() - since_ms < limits_.survivors_after_ms) continue;
    if (state.mourned.insert(region).second) state.scrub_at_ms = now_ms();
  }
}

bool Repairer::is_lost(const store::TableInfo& table, const RegionId& origin) {
  if (origin == self_) return false;
  return !table.has_replica(origin) || world_.membership.reachable(origin) == nullptr;
}

}  // namespace meridian::peer

#include "tests/sim/sim_repairer.h"

#include <fmt/format.h>

#include <algorithm>

#include "region-node/store/membership_hash.h"

namespace meridian::sim {
namespace {

constexpr std::int64_t kRepairRoundUs = 400'000;
constexpr std::int64_t kThawMs = 600;

// Small, so that even few rows make segments, leaves and several exchanges.
constexpr repair::SessionLimits kLimits{.rows_per_segment = 16,
                                        .segments_per_page = 2,
                                        .rows_per_leaf = 4,
                                        .rows_per_compare = 12,
                                        .samples_max = 10};

}  // namespace

// ------------------------------------------------------------------------------------------ one run

struct SimRepairer::Run : std::enable_shared_from_this<Run> {
  Run(SimRepairer& repairer, std::size_t number, std::size_t other)
      : owner(repairer), table(number), peer(other), start(repairer.node().starts()) {}

  SimRepairer& owner;
  const std::size_t table;
  const std::size_t peer;
  const std::uint32_t start;  // of the node: the run ends with it
  bool ended = false;
  std::uint64_t step = 0;  // that is awaited
  rpc::ReplicaFacts facts_here;
  rpc::ReplicaFacts facts_there;
  // What a region says of whose past.
  struct Pasts {
    std::set<RegionId> silent;                   // nothing: see pasts_at()
    std::map<RegionId, conflict::Version> lives;  // of replicas, as it knows them
  };
  std::map<std::size_t, Pasts> pasts;  // by region, when the repair began
  std::vector<LogPosition> pins_here;
  std::vector<LogPosition> pins_there;
  std::optional<repair::Session> walk;

  [[nodiscard]] const TableId& id() const { return owner.outside_.tables[table]; }
  [[nodiscard]] RegionId peer_name() const { return owner.outside_.nodes[peer]->region(); }

  void end() {
    ended = true;
    if (owner.run_.get() == this) owner.run_.reset();
  }

  // Each step is heard of once, or the run is given up.
  template <typename Then>
  auto awaits(Then then) {
    std::uint64_t number = ++step;
    owner.outside_.queue.after(owner.outside_.shape.request_deadline_ms * 1000,
                               [weak = weak_from_this(), number] {
                                 auto self = weak.lock();
                                 if (self && !self->ended && self->step == number) self->end();
                               });
    return [weak = weak_from_this(), number, then = std::move(then)](auto answer) {
      auto self = weak.lock();
      bool late = !self || self->ended || self->step != number ||
                  self->owner.node().starts() != self->start || !self->owner.node().up();
      if (late) return;
      ++self->step;
      then(*self, std::move(answer));
    };
  }

  template <typename T, typename Then>
  void ask(rpc::RepairRequest request, Then then) {
    owner.ask(peer, std::move(request),
              awaits([then = std::move(then)](Run& run, rpc::RepairAnswer answer) {
                auto* right = std::get_if<T>(&answer);
                if (right == nullptr) return run.end();
                then(run, std::move(*right));
              }));
  }
  template <typename Then>
  void change(store::RepairChange change, Then then) {
    change.table = id();
    change.peer = peer_name();
    owner.change(std::move(change),
                 awaits([then = std::move(then)](
                            Run& run, std::optional<std::vector<LogPosition>> positions) {
                   if (!positions) return run.end();
                   then(run, std::move(*positions));
                 }));
  }

  void begin() {
    auto info = owner.table(table);
    if (!info) return end();
    ask<rpc::StateAnswer>(rpc::StateRequest{id(), info->shards},
                          [shards = info->shards](Run& run, rpc::StateAnswer state) {
                            if (state.status != rpc::ReadStatus::ok) return run.end();
                            auto positions = repair::positions_at(
                                run.owner.node().reader(), run.id(), run.peer_name(), state.shards);
                            run.ask<rpc::BeginAnswer>(
                                rpc::BeginRequest{run.id(), shards, std::move(positions)},
                                [](Run& self, rpc::BeginAnswer answer) {
                                  self.begun(std::move(answer));
                                });
                          });
  }

  void begun(rpc::BeginAnswer answer) {
    if (answer.status != rpc::ReadStatus::ok || answer.busy) return end();
    facts_there = std::move(answer.facts);
    pasts[peer] = pasts_at(peer);
    pasts[peer].silent.insert(facts_there.unsettled.begin(), facts_there.unsettled.end());
    pins_there = std::move(answer.pins);
    auto info = owner.table(table);
    if (!info) return end();
    if (info->repairs.count(peer_name()) == 0) return begin_walk();
    change({.kind = store::RepairChange::Kind::pin}, [](Run& run, std::vector<LogPosition> ends) {
      run.pins_here = std::move(ends);
      run.begin_walk();
    });
  }

  void begin_walk() {
    auto info = owner.table(table);
    if (!info) return end();
    facts_here = repair::repair_facts_at(owner.node().reader(), *info);
    pasts[owner.region_] = pasts_at(owner.region_);
    std::set<RegionId> members;
    for (const auto& [region, entry] : info->replicas)
      if (entry.present) members.insert(region);
    auto origins = repair::open_origins(facts_here, facts_there, members);
    walk.emplace(id(), repair::facts_of(facts_here, origins),
                 repair::facts_of(facts_there, origins), repair::Purpose::repair, kLimits);
    go(walk->start());
  }

  void go(repair::Step next) {
    std::visit([this](auto& one) { perform(one); }, next);
  }

  void perform(repair::DigestThere& wanted) {
    ask<rpc::DigestPage>(wanted.request, [](Run& run, rpc::DigestPage page) {
      run.go(run.walk->on_digests_there(std::move(page)));
    });
  }
  void perform(repair::DigestHere& wanted) {
    go(walk->on_digests_here(repair::digest_parts(owner.node().reader(), wanted.table, wanted.after,
                                                  wanted.bounds, wanted.horizon)));
  }
  void perform(repair::HeadsHere& wanted) {
    go(walk->on_heads_here(repair::heads_of(owner.node().reader(), wanted.table, wanted.spans,
                                            wanted.horizon, wanted.rows_max)));
  }
  void perform(repair::CompareThere& wanted) {
    ask<rpc::Comparison>(std::move(wanted.request), [](Run& run, rpc::Comparison comparison) {
      run.go(run.walk->on_comparison(std::move(comparison)));
    });
  }
  void perform(repair::FetchHere& wanted) {
    go(walk->on_rows(repair::fetch(owner.node().reader(), wanted.request)));
  }
  void perform(repair::FetchThere& wanted) {
    ask<rpc::FetchedRows>(std::move(wanted.request), [](Run& run, rpc::FetchedRows rows) {
      run.go(run.walk->on_rows(std::move(rows)));
    });
  }
  void applied(const rpc::RepairOutcome& outcome) {
    if (outcome.status != rpc::ApplyStatus::applied) return end();  // a later round tries again
    go(walk->on_applied(outcome));
  }
  void perform(repair::ApplyHere& wanted) {
    auto& node = owner.node();
    node.store().repair_rows(std::move(wanted.work),
                             node.hearing<rpc::RepairOutcome>(awaits(
                                 [](Run& run, rpc::RepairOutcome outcome) {
                                   run.applied(outcome);
                                 })));
    node.commit_soon();
  }
  void perform(repair::ApplyThere& wanted) {
    ask<rpc::RepairOutcome>(std::move(wanted.work), [](Run& run, rpc::RepairOutcome outcome) {
      run.applied(outcome);
    });
  }
  void perform(repair::Nonsense& wanted) {
    owner.outside_.findings.add("repair", "nonsense: " + wanted.what);
    end();
  }

  void perform(repair::Finished&) {
    if (walk->figures().skipped > 0) return end();  // look again
    ask<rpc::FinishAnswer>(rpc::FinishRequest{id(), pins_here, facts_here, settles()},
                           [](Run& run, rpc::FinishAnswer answer) {
                             if (!answer.done) return run.end();
                             run.finish_here();
                           });
  }

  // By which membership both went when it began; 0: not by the same.
  [[nodiscard]] std::uint64_t settles() const {
    return facts_here.membership == facts_there.membership ? facts_here.membership : 0;
  }

  void finish_here() {
    change({.kind = store::RepairChange::Kind::begin_flows,
            .positions = pins_there,
            .facts = facts_there,
            .settles = settles()},
           [](Run& run, const std::vector<LogPosition>&) {
             run.owner.outside_.watermarks_moved(run.owner.region_);
             if (run.pins_here.empty()) return run.finished();
             run.change({.kind = store::RepairChange::Kind::clear},
                        [](Run& self, const std::vector<LogPosition>&) { self.finished(); });
           });
  }

  // It says nothing of lives that have ended, as long as others may hold more of them, and nothing of its
  // own past before all have told it what they hold of that.
  [[nodiscard]] Pasts pasts_at(std::size_t region) const {
    SimNode& side = *owner.outside_.nodes[region];
    Pasts out;
    auto info = side.up() ? side.store().catalog()->find(id()) : nullptr;
    if (!info) return out;
    for (const auto& left : info->unsettled) out.silent.insert(left.first);
    if (!info->has_own_past(side.region())) out.silent.insert(side.region());
    for (const auto& [name, replica] : info->replicas) out.lives[name] = replica.joined;
    return out;
  }

  // P15: each side has what the other had of every origin, and minds what it has collected.  (Watermarks
  // stay below what is parked.  Who said nothing of an origin when the repair began, or does not now, makes
  // no claim for it; nor who has heard meanwhile that the life has ended of which it did.)
  void check_facts(std::size_t region) const {
    SimNode& side = *owner.outside_.nodes[region];
    if (!side.up() || owner.outside_.forgot(region)) return;
    if (side.reader().parked_stats(id()).records > 0) return;
    auto facts = repair::facts_at(side.reader(), id());
    std::string lacks;
    if (facts.collected < std::max(facts_here.collected, facts_there.collected)) lacks = " G";
    auto now = pasts_at(region);
    const Pasts& then = pasts.at(region);
    auto claims = [&](const RegionId& origin) {
      auto before = then.lives.find(origin);
      auto after = now.lives.find(origin);
      bool same_life = before != then.lives.end() && after != now.lives.end() &&
                       before->second == after->second;
      return same_life && !then.silent.contains(origin) && !now.silent.contains(origin);
    };
    for (const auto* known : {&facts_here, &facts_there})
      for (const auto& [origin, time] : known->watermarks)
        if (facts.watermarks[origin] < time && claims(origin))
          lacks += fmt::format(" {} up to {:x}, not {:x}", origin.name(), time.value,
                               facts.watermarks[origin].value);
    if (!lacks.empty())
      owner.outside_.findings.add(
          "P15", fmt::format("after a repair of {} and {}, region {} does not know of all that "
                             "both have:{}",
                             owner.region_, peer, region, lacks));
  }

  void finished() {
    const auto& figures = walk->figures();
    owner.outside_.trace.note("region {} repaired table {} with {}: fetched {} sent {} dropped {}",
                              owner.region_, table, peer, figures.fetched, figures.sent,
                              figures.dropped_here + figures.dropped_there);
    owner.outside_.repaired = true;
    check_facts(owner.region_);
    check_facts(peer);
    owner.asked_.erase({table, peer});
    ++owner.repairs_;
    owner.figures_.fetched += figures.fetched;
    owner.figures_.sent += figures.sent;
    owner.figures_.dropped_here += figures.dropped_here;
    owner.figures_.dropped_there += figures.dropped_there;
    end();
  }
};

// ------------------------------------------------------------------------------------------- rounds

SimRepairer::SimRepairer(std::size_t region, Outside& outside,
                         std::vector<std::unique_ptr<SimRepairer>>& repairers)
    : region_(region), outside_(outside), repairers_(repairers) {}

SimRepairer::~SimRepairer() = default;

void SimRepairer::start() {
  outside_.queue.after(kRepairRoundUs, [this] {
    round();
    start();
  });
}

store::TablePtr SimRepairer::table(std::size_t number) {
  return node().up() ? node().store().catalog()->find(outside_.tables[number]) : nullptr;
}

std::size_t SimRepairer::number_of(const TableId& id) const {
  std::size_t number = 0;
  while (number < outside_.tables.size() && outside_.tables[number] != id) ++number;
  return number;
}

void SimRepairer::round() {
  if (run_ && (run_->ended || run_->start != node().starts())) run_.reset();
  if (!node().up()) return;
  if (node().starts() != asked_in_) asked_.clear();  // nobody remembers
  asked_in_ = node().starts();
  look_for_survivors();
  for (std::size_t number = 0; number < outside_.tables.size(); ++number) {
    auto info = table(number);
    if (!info || info->is_copying(node().region())) continue;
    thaw_if_due(*info);
    for (std::size_t peer = 0; peer < outside_.nodes.size(); ++peer)
      if (peer != region_) check(number, peer);
  }
}

void SimRepairer::look_for_survivors() {
  constexpr std::int64_t kTold = INT64_MAX;
  if (outside_.shape.survivors_after_ms == 0) return;
  for (std::size_t dead = 0; dead < outside_.nodes.size(); ++dead) {
    if (outside_.nodes[dead]->up()) {
      down_since_us_.erase(dead);
      continue;
    }
    std::int64_t now_us = outside_.queue.now_us();
    std::int64_t& since_us = down_since_us_.try_emplace(dead, now_us).first->second;
    if (since_us == kTold || now_us - since_us < outside_.shape.survivors_after_ms * 1000) continue;
    since_us = kTold;
    for (std::size_t number = 0; number < outside_.tables.size(); ++number)
      for (std::size_t peer = region_ + 1; peer < outside_.nodes.size(); ++peer)
        if (peer != dead) asked_.insert({number, peer});
  }
}

bool SimRepairer::mending(std::size_t table) const {
  if (run_ && !run_->ended && run_->table == table) return true;
  return std::any_of(leases_.begin(), leases_.end(), [&](const auto& each) {
    return each.first.first == table && each.second > outside_.queue.now_us();
  });
}

bool SimRepairer::runs_with(std::size_t table, std::size_t peer) const {
  return run_ && !run_->ended && run_->table == table && run_->peer == peer;
}

bool SimRepairer::idle() {
  if (!node().up() || !asked_.empty()) return false;
  for (std::size_t number = 0; number < outside_.tables.size(); ++number) {
    auto info = table(number);
    if (info && (!info->repairs.empty() || !info->unsettled.empty())) return false;
  }
  return true;
}

void SimRepairer::check(std::size_t number, std::size_t peer) {
  if (outside_.network.is_paused(region_, peer)) return;
  auto info = table(number);
  auto acknowledged =
      repair::acknowledged_by(node().reader(), *info, outside_.nodes[peer]->region());
  ask(peer, rpc::StateRequest{info->id, info->shards},
      [this, number, peer, start = node().starts(),
       acknowledged = std::move(acknowledged)](rpc::RepairAnswer answer) {
        auto* state = std::get_if<rpc::StateAnswer>(&answer);
        if (state == nullptr || !node().up() || node().starts() != start) return;
        if (state->status == rpc::ReadStatus::unavailable) return excuse(number, peer);
        if (state->status != rpc::ReadStatus::ok) return;
        judge(number, peer, {std::move(state->positions), acknowledged},
              [this, number, peer, theirs = state->facts.membership] {
          auto now = table(number);
          RegionId name = outside_.nodes[peer]->region();
          bool settles = now && now->unsettled_with(name) && now->is_whole(name) &&
                         store::membership_hash(now->replicas) == theirs;
          bool needed = now && (now->repairs.count(name) != 0 || settles ||
                                asked_.contains({number, peer}));
          auto lease = leases_.find({number, peer});
          bool held = lease != leases_.end() && lease->second > outside_.queue.now_us();
          if (!needed || held || run_) return;
          run_ = std::make_shared<Run>(*this, number, peer);
          run_->begin();
        });
      });
}

void SimRepairer::judge(std::size_t number, std::size_t peer, const repair::Stand& stand,
                        std::function<void()> then) {
  auto info = table(number);
  if (!info) return;
  RegionId name = outside_.nodes[peer]->region();
  auto mark = info->repairs.find(name);
  bool marked = mark != info->repairs.end();
  auto verdict = repair::examine(node().reader(), *info, name, stand);
  store::RepairChange next{.table = info->id, .peer = name};
  if (marked && mark->second.pinned &&
      repair::took_pins(node().reader(), *info, name, stand.positions)) {
    next.kind = store::RepairChange::Kind::clear;
  } else if (marked || verdict == repair::Verdict::fine) {
    return then();
  } else if (verdict == repair::Verdict::restored) {
    outside_.trace.note("region {} has lost what it wrote: region {} has more", region_, peer);
    next.kind = store::RepairChange::Kind::renew;
  }
  change(std::move(next), [then](const std::optional<std::vector<LogPosition>>& done) {
    if (done) then();
  });
}

// It holds nothing yet, so there is nothing of which it could tell.
void SimRepairer::excuse(std::size_t number, std::size_t peer) {
  auto info = table(number);
  if (!info) return;
  RegionId name = outside_.nodes[peer]->region();
  auto mark = info->repairs.find(name);
  if (mark == info->repairs.end() || !mark->second.frozen) return;
  change({.kind = store::RepairChange::Kind::thaw, .table = info->id, .peer = name}, [](auto) {});
}

void SimRepairer::thaw_if_due(const store::TableInfo& info) {
  if (!info.frozen()) return;
  bool told = false;
  for (std::size_t peer = 0; peer < outside_.nodes.size(); ++peer) {
    if (peer == region_) continue;
    auto mark = info.repairs.find(outside_.nodes[peer]->region());
    bool reachable = outside_.nodes[peer]->up() && !outside_.network.is_cut(region_, peer) &&
                     !outside_.network.is_cut(peer, region_);
    if (mark == info.repairs.end()) {
      told = true;
    } else if (!mark->second.frozen) {
      continue;
    } else if (reachable ||
               node().clock().wall_us() / 1000 - mark->second.since_ms < kThawMs) {
      return;
    }
  }
  if (told) change({.kind = store::RepairChange::Kind::thaw, .table = info.id}, [](auto) {});
}

void SimRepairer::change(store::RepairChange change,
                         std::function<void(std::optional<std::vector<LogPosition>>)> then) {
  using Positions = std::optional<std::vector<LogPosition>>;
  node().store().change_repair(
      std::move(change),
      node().hearing<Positions>([then](const Positions& positions) { then(positions); }));
  node().commit_soon();
}

void SimRepairer::ask(std::size_t peer, rpc::RepairRequest request, Answer answer) {
  auto question = std::make_shared<const rpc::RepairRequest>(std::move(request));
  // (Connections go with the node that had them.)
  auto same = [this, peer, here = outside_.node_ids[region_], there = outside_.node_ids[peer]] {
    return outside_.node_ids[region_] == here && outside_.node_ids[peer] == there;
  };
  outside_.network.send(region_, peer, [this, peer, question, answer, same] {
    if (!same()) return;
    auto back = [this, peer, answer, same](rpc::RepairAnswer reply) {
      auto shared = std::make_shared<const rpc::RepairAnswer>(std::move(reply));
      outside_.network.send(peer, region_, [shared, answer, same] {
        if (same()) answer(*shared);
      });
    };
    repairers_[peer]->serve(region_, *question, std::move(back));
  });
}

}  // namespace meridian::sim

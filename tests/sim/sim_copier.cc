#include "tests/sim/sim_copier.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace meridian::sim {
namespace {

constexpr std::int64_t kLookUs = 200'000;

}  // namespace

copy::CopyLimits SimCopier::limits() const {
  Rng rng = derived(outside_.shape.seed, Luck::copy, {region_});
  copy::CopyLimits limits;
  static constexpr std::uint32_t kRows[] = {1, 2, 5, 256};
  limits.rows_max = kRows[rng.below(4)];
  limits.bytes_max = rng.percent(30) ? 200 : 256 * 1024;
  limits.bytes_per_s_max = rng.percent(30) ? 200'000 : 0;
  limits.seed_ms_max = rng.between(200, 2'000);
  limits.register_ms_max = rng.between(100, 3'000);
  return limits;
}

std::size_t SimCopier::index_of(const RegionId& region) const {
  for (std::size_t i = 0; i < outside_.nodes.size(); ++i)
    if (outside_.nodes[i]->region() == region) return i;
  return region_;
}

bool SimCopier::reaches(std::size_t to) const {
  return outside_.nodes[to]->up() && !outside_.network.is_cut(region_, to) &&
         !outside_.network.is_cut(to, region_);
}

void SimCopier::start() {
  outside_.queue.after(kLookUs, [this] {
    look();
    start();
  });
}

void SimCopier::join(store::TableSpec spec) {
  if (!node().up()) return;
  node().store().create_table(std::move(spec), {});
  node().commit_soon();
}

void SimCopier::look() {
  if (!node().up()) return;
  for (std::size_t other : outside_.forgetful)
    if (other != region_) recognise(other);
  for (std::size_t table = 0; table < outside_.tables.size(); ++table) {
    auto info = node().store().catalog()->find(outside_.tables[table]);
    if (!info) continue;
    for (std::size_t to = 0; to < outside_.nodes.size(); ++to)
      if (to != region_) tell(table, to);
    auto at = copies_.find(table);
    bool running = at != copies_.end() && alive(*at->second);
    if (info->is_copying(node().region()) && !running) take_up(table);
  }
}

void SimCopier::tell(std::size_t table, std::size_t to) {
  const TableId& id = outside_.tables[table];
  auto ours = node().store().catalog()->find(id)->replicas;
  SimNode& other = *outside_.nodes[to];
  if (!other.up()) return;
  auto theirs = other.store().catalog()->find(id);
  if (!theirs || theirs->replicas == ours) return;
  outside_.network.send(region_, to, [&other, id, ours] {
    if (!other.up()) return;
    other.store().merge_replicas(id, ours, {});
    other.commit_soon();
  });
}

bool SimCopier::alive(const Copy& copy) const {
  return node().up() && node().starts() == copy.run && copy.core.phase() != copy::Phase::whole;
}

void SimCopier::take_up(std::size_t table) {
  const TableId& id = outside_.tables[table];
  auto copy = std::make_shared<Copy>(table, node().starts(), node().region(), limits());
  copies_[table] = copy;
  set_members(*copy);
  auto cursor = node().reader().cursor(id, copy::TableCopy::kCursor);
  outside_.trace.note("copy {} table {} begins, resumed {}", region_, table, cursor.has_value());
  perform(copy, copy->core.start(
                    cursor, node().reader().cursor(id, copy::TableCopy::kBeginnings), now_ms()));
}

void SimCopier::set_members(Copy& copy) {
  std::vector<copy::Member> members;
  auto info = node().store().catalog()->find(outside_.tables[copy.table]);
  std::map<RegionId, std::map<ShardId, LogPosition>> flows;
  for (const auto& [flow, position] : node().reader().flow_positions(info->id))
    flows[flow.first][flow.second] = position;
  for (const auto& region : info->peers(node().region()))
    members.push_back({region, info->is_whole(region), reaches(index_of(region)), flows[region]});
  copy.core.set_members(std::move(members));
}

void SimCopier::perform(const CopyPtr& copy, copy::Action action) {
  if (!alive(*copy)) return;
  ++copy->step;
  std::visit([this, &copy](auto& one) { perform_one(copy, one); }, action);
}

template <typename Value>
std::function<void(Value)> SimCopier::awaited(const CopyPtr& copy, Answered<Value> answered) {
  return [this, weak = std::weak_ptr<Copy>(copy), step = copy->step,
          answered = std::move(answered)](const Value& value) {
    auto now = weak.lock();
    if (!now || !alive(*now) || now->step != step) return;
    set_members(*now);
    auto next = answered(now->core, value, now_ms());
    outside_.trace.note("copy {} table {} {}", region_, now->table,
                        copy::phase_name(now->core.phase()));
    perform(now, std::move(next));
  };
}

template <typename Value>
void SimCopier::call(const CopyPtr& copy, const RegionId& to_region,
                     std::function<void(SimNode&, std::function<void(Value)>)> ask,
                     Answered<Value> answered) {
  std::size_t to = index_of(to_region);
  auto answer = awaited<Value>(copy, std::move(answered));
  outside_.queue.after(
      outside_.shape.request_deadline_ms * 1000,
      [fail = awaited<std::string>(
           copy, [](copy::TableCopy& core, const std::string& reason,
                    std::int64_t now) { return core.on_failure(reason, now); })] {
        fail("no answer");
      });
  outside_.network.send(region_, to, [this, to, answer, ask = std::move(ask)] {
    SimNode& other = *outside_.nodes[to];
    if (!other.up()) return;
    ask(other, [this, to, answer](const Value& value) {
      outside_.network.send(to, region_, [answer, value] { answer(value); });
    });
  });
}

// --------------------------------------------------------------------------------- the actions

void SimCopier::perform_one(const CopyPtr& copy, copy::Register& action) {
  const TableId id = outside_.tables[copy->table];
  auto ours = node().store().catalog()->find(id)->replicas;
  call<bool>(
      copy, action.region,
      [id, ours, self = node().region()](SimNode& other, const std::function<void(bool)>& answer) {
        auto said = other.hearing<store::ControlResult>(
            [answer, self, own = ours.at(self)](const store::ControlResult& merged) {
              if (merged.ok()) answer((*merged)->replicas.at(self) == own);
            });
        other.store().merge_replicas(id, ours, said);
        other.commit_soon();
      },
      [](copy::TableCopy& core, bool known, std::int64_t now) {
        return core.on_registered(known, now);
      });
}

void SimCopier::perform_one(const CopyPtr& copy, copy::AskOffer& action) {
  rpc::OfferQuestion question{outside_.tables[copy->table], action.flows, action.scanned};
  call<Offered>(
      copy, action.seed,
      [question, self = node().region()](SimNode& other,
                                         const std::function<void(Offered)>& answer) {
        answer({other.offer_copy(question, self), written_by(other, question.table)});
      },
      [weak = std::weak_ptr<Copy>(copy), seed = index_of(action.seed)](
          copy::TableCopy& core, const Offered& offered, std::int64_t now) {
        auto asker = offered.offer.status == rpc::RowsStatus::ok ? weak.lock() : nullptr;
        if (asker) owes(*asker, offered.written);
        if (asker) asker->owed_by = seed;
        auto next = core.on_offer(offered.offer, now);
        if (asker) asker->has_goal = core.phase() == copy::Phase::catching_up;
        return next;
      });
}

// A seed that is asked for the goal again, which was not reached for long, can only make it less.
void SimCopier::owes(Copy& copy, const Versions& written) {
  if (!copy.has_goal || copy.core.phase() != copy::Phase::catching_up) {
    copy.owed = written;
    return;
  }
  owes_less(copy, written);
}

// Nor is anything owed that the seed has forgotten since: perhaps nobody has it any more.  (If somebody has,
// all get it: P3.)
void SimCopier::region_forgot(std::size_t region) {
  for (auto& [table, copy] : copies_)
    if (copy->owed_by == region)
      owes_less(*copy, written_by(*outside_.nodes[region], outside_.tables[table]));
}

void SimCopier::owes_less(Copy& copy, const Versions& written) {
  std::erase_if(copy.owed, [&](const auto& each) { return !written.contains(each.first); });
  for (auto& [key, version] : copy.owed) version = std::min(version, written.at(key));
}

// What a seed has written itself by the end of the scan, the replica must have when it is whole.
SimCopier::Versions SimCopier::written_by(SimNode& seed, const TableId& table) {
  Versions out;
  Bytes after;
  while (true) {
    auto rows = seed.reader().scan_rows(table, after, 100);
    if (rows.empty()) return out;
    for (auto& row : rows)
      if (row.version.region == seed.region()) out[row.key] = row.version;
    after = rows.back().key;
  }
}

void SimCopier::check_whole(const Copy& copy) const {
  const TableId& id = outside_.tables[copy.table];
  Versions parked;  // what it could not apply either
  for (const auto& each : node().reader().parked(id, 1'000, 0))
    parked[each.record.key] = std::max(parked[each.record.key], each.record.version);
  for (const auto& [key, version] : copy.owed) {
    auto row = node().reader().get_row(id, key);
    bool gone = !row && version.hlc <= node().reader().collected(id);
    bool there = (row && row->version >= version) || parked[key] >= version || gone;
    if (!there)
      outside_.findings.add("P14", fmt::format("region {} serves without {} of its seed", region_,
                                               conflict::to_text(version)));
  }
}

void SimCopier::perform_one(const CopyPtr& copy, copy::ReadRows& action) {
  rpc::RowsRead read{outside_.tables[copy->table], action.after, std::nullopt, action.rows_max,
                     action.bytes_max};
  call<rpc::RowsPage>(
      copy, action.seed,
      [read](SimNode& other, const std::function<void(rpc::RowsPage)>& answer) {
        answer(other.reader().read_rows(read));
      },
      [](copy::TableCopy& core, const rpc::RowsPage& page, std::int64_t now) {
        return core.on_page(page, now);
      });
}

void SimCopier::perform_one(const CopyPtr& copy, copy::ApplyRows& action) {
  rpc::RowsBatch batch{outside_.tables[copy->table], action.seed, std::move(action.rows),
                       std::move(action.cursor)};
  node().store().apply_rows(
      std::move(batch),
      node().hearing<rpc::RowsOutcome>(awaited<rpc::RowsOutcome>(
          copy, [](copy::TableCopy& core, const rpc::RowsOutcome& outcome, std::int64_t now) {
            return core.on_applied(outcome, now);
          })));
  node().commit_soon();
}

void SimCopier::perform_one(const CopyPtr& copy, copy::LookAtFlows& action) {
  const TableId& id = outside_.tables[copy->table];
  auto info = node().store().catalog()->find(id);
  bool there = true;
  for (const auto& stand : action.stands) {
    bool in_reach = stand.source == action.seed || reaches(index_of(stand.source));
    if (!info->has_replica(stand.source) || !in_reach) continue;
    auto position = node().reader().flow_position({id, stand.shard, stand.source});
    there = there && position.sequence >= stand.position.sequence;
  }
  set_members(*copy);
  perform(copy, copy->core.on_flows(there, now_ms()));
}

void SimCopier::store_step(const CopyPtr& copy, store::CopyStep step, Answered<bool> answered) {
  auto answer = awaited<bool>(copy, std::move(answered));
  auto heard = node().hearing<store::ControlResult>(
      [answer](const store::ControlResult& result) { answer(result.ok()); });
  node().store().copy_step(outside_.tables[copy->table], std::move(step), heard);
  node().commit_soon();
}

void SimCopier::perform_one(const CopyPtr& copy, copy::Begin& action) {
  store::CopyStep step;
  step.kind = store::CopyStep::Kind::begin;
  step.stands = action.stands;
  step.cursors = {{copy::TableCopy::kCursor, action.cursor},
                  {copy::TableCopy::kBeginnings, action.beginnings}};
  store_step(copy, std::move(step), [](copy::TableCopy& core, bool stored, std::int64_t now) {
    return core.on_begun(stored, now);
  });
}

void SimCopier::perform_one(const CopyPtr& copy, copy::Finish& action) {
  store_step(copy, {store::CopyStep::Kind::finish, {}, {}, action.collected, action.watermarks,
                    action.unsettled},
             [this, weak = std::weak_ptr<Copy>(copy)](copy::TableCopy& core, bool stored,
                                                      std::int64_t now) {
               if (auto finished = weak.lock(); finished && stored) check_whole(*finished);
               return core.on_finished(stored, now);
             });
}

void SimCopier::perform_one(const CopyPtr& copy, copy::Wait& action) {
  auto go_on = awaited<bool>(copy, [](copy::TableCopy& core, bool, std::int64_t now) {
    return core.on_timer(now);
  });
  outside_.queue.at(std::max(action.until_ms, now_ms() + 1) * 1000, [go_on] { go_on(true); });
}

}  // namespace meridian::sim

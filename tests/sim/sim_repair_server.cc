// What a SimRepairer answers to another one's questions.
#include <utility>
#include <variant>

#include "region-node/repair/positions.h"
#include "tests/sim/sim_repairer.h"

namespace meridian::sim {
namespace {

// How long a peer's run holds a table after its last begin.
constexpr std::int64_t kLeaseUs = 3'000'000;

struct Serve {
  SimNode& node;
  std::function<void()> watermarks_moved;
  RegionId peer;
  SimRepairer::Answer answer;

  void operator()(const rpc::StateRequest& request) const {
    rpc::StateAnswer out;
    auto info = node.store().catalog()->find(request.table);
    if (!info) out.status = rpc::ReadStatus::no_such_table;
    if (info && !repair::flows_have_begun(node.reader(), *info, node.region()))
      out.status = rpc::ReadStatus::unavailable;
    out.positions =
        repair::positions_at(node.reader(), request.table, peer, request.shards);
    if (info) out.facts = repair::facts_at(node.reader(), *info);
    out.shards = info ? info->shards : 0;
    answer(std::move(out));
  }
  void operator()(const rpc::DigestRequest& request) const {
    answer(repair::digest_span(node.reader(), request));
  }
  void operator()(const rpc::CompareRequest& request) const {
    answer(repair::compare(node.reader(), request));
  }
  void operator()(const rpc::FetchRequest& request) const {
    answer(repair::fetch(node.reader(), request));
  }
  void operator()(const rpc::RepairWork& request) const {
    node.store().repair_rows(
        request, node.hearing<rpc::RepairOutcome>(
                     [reply = answer](const rpc::RepairOutcome& outcome) { reply(outcome); }));
    node.commit_soon();
  }
  void operator()(const rpc::FinishRequest& request) const {
    using Positions = std::optional<std::vector<LogPosition>>;
    store::RepairChange change{.kind = store::RepairChange::Kind::begin_flows,
                               .table = request.table,
                               .peer = peer,
                               .positions = request.positions,
                               .facts = request.facts,
                               .settles = request.settles};
    node.store().change_repair(
        std::move(change),
        node.hearing<Positions>([reply = answer, moved = watermarks_moved](
                                    const Positions& positions) {
          moved();
          reply(rpc::FinishAnswer{rpc::ReadStatus::ok, positions.has_value()});
        }));
    node.commit_soon();
  }
  void operator()(const rpc::BeginRequest&) const {}
};

}  // namespace

bool SimRepairer::ends_as_begun(const Pair& pair) {
  auto begun = served_.find(pair);
  if (begun == served_.end()) return false;
  const TableId& id = outside_.tables[pair.first];
  bool same = begun->second == std::pair(node().starts(), node().life_of(id, node().region()));
  served_.erase(begun);
  return same;
}

void SimRepairer::serve(std::size_t peer, const rpc::RepairRequest& request, Answer answer) {
  if (!node().up()) return;
  RegionId name = outside_.nodes[peer]->region();
  const auto* begin = std::get_if<rpc::BeginRequest>(&request);
  if (begin == nullptr) {
    if (const auto* finish = std::get_if<rpc::FinishRequest>(&request)) {
      Pair pair{number_of(finish->table), peer};
      leases_.erase(pair);
      if (!ends_as_begun(pair)) return answer(rpc::FinishAnswer{});
    }
    auto moved = [this] { outside_.watermarks_moved(region_); };
    return std::visit(Serve{node(), moved, name, std::move(answer)}, request);
  }
  std::size_t number = number_of(begin->table);
  // Of two that begin at once, the one whose name comes first goes on.
  bool first = node().region() < name;
  if (first && runs_with(number, peer)) {
    rpc::BeginAnswer busy;
    busy.busy = true;
    return answer(std::move(busy));
  }
  auto known = table(number);
  if (!known || !repair::flows_have_begun(node().reader(), *known, node().region())) return;
  leases_[{number, peer}] = outside_.queue.now_us() + kLeaseUs;
  judge(number, peer, {begin->positions, {}},
        [this, number, peer, name, answer, shards = begin->shards] {
    auto reply = [this, number, peer, name, answer, shards](
                     std::optional<std::vector<LogPosition>> pins) {
      if (!pins) return;
      rpc::BeginAnswer out;
      const TableId& id = outside_.tables[number];
      out.positions = repair::positions_at(node().reader(), id, name, shards);
      if (auto info = table(number)) out.facts = repair::repair_facts_at(node().reader(), *info);
      out.pins = std::move(*pins);
      served_[{number, peer}] = {node().starts(), node().life_of(id, node().region())};
      answer(std::move(out));
    };
    auto info = table(number);
    if (!info) return;
    if (info->repairs.count(name) == 0) return reply(std::vector<LogPosition>{});
    change({.kind = store::RepairChange::Kind::pin, .table = info->id, .peer = name}, reply);
  });
}

}  // namespace meridian::sim

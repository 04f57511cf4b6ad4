#include "checkpoint/lease_worker.h"

#include <algorithm>

namespace meridian::checkpoint {
namespace {

bool fits(const std::vector<Lease>& rows, const std::set<LeaseKey>& shards) {
  return rows.size() == shards.size() &&
         std::all_of(rows.begin(), rows.end(),
                     [&shards](const Lease& row) { return shards.contains(row.key); });
}

}  // namespace

LeaseWorker::Outcome LeaseWorker::round(const std::set<LeaseKey>& shards, std::int64_t now_ms) {
  auto rows = store_.load();
  if (!fits(rows, shards)) {
    store_.settle(shards);
    rows = store_.load();
  }
  LeasePlan plan = book_.plan(rows, shards, now_ms);
  Outcome out;
  out.lost = plan.lost;
  for (const auto& row : plan.hand_over) out.hand_over.push_back(row.key);
  for (const auto& [key, token] : store_.carry_out(plan, book_.me())) {
    book_.took(key, token);
    out.gained.push_back({key, token, store_.checkpoints_of(key)});
  }
  bool changed = !out.gained.empty() || !plan.want.empty();
  rows_ = changed ? store_.load() : std::move(rows);
  return out;
}

void LeaseWorker::let_go(const LeaseKey& key, std::uint64_t token,
                         const std::vector<Checkpoint>& checkpoints) {
  auto held = book_.held().find(key);
  if (held == book_.held().end() || held->second != token) return;
  store_.let_go(key, token, checkpoints);
  book_.let_go(key);
}

}  // namespace meridian::checkpoint

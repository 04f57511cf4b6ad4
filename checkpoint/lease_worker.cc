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
  // What the flows have never heard of is not theirs to stop.
  for (const auto& key : plan.lost)
    if (gained_.erase(key) == 0) lost_.insert(key);
  auto taken = store_.carry_out(plan, book_.me());
  for (const auto& [key, token] : taken) {
    book_.took(key, token);
    gained_[key] = token;
  }
  Outcome out;
  for (const auto& row : plan.hand_over)
    if (!gained_.contains(row.key)) out.hand_over.push_back(row.key);
  for (const auto& [key, token] : gained_)
    out.gained.push_back({key, token, store_.checkpoints_of(key)});
  bool changed = !taken.empty() || !plan.want.empty();
  rows_ = changed ? store_.load() : std::move(rows);
  out.lost.assign(lost_.begin(), lost_.end());
  lost_.clear();
  gained_.clear();
  return out;
}

void LeaseWorker::let_go(const LeaseKey& key, std::uint64_t token,
                         const std::vector<Checkpoint>& checkpoints) {
  auto held = book_.held().find(key);
  if (held == book_.held().end() || held->second != token) return;
  store_.let_go(key, token, checkpoints);
  book_.let_go(key);
  gained_.erase(key);
}

}  // namespace meridian::checkpoint

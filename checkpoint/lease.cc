#include "checkpoint/lease.h"

#include <algorithm>
#include <utility>

namespace meridian::checkpoint {

template <typename T>
void LeaseBook::shuffle(std::vector<T>& list) {
  for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[rng_.below(i)]);
}

LeasePlan LeaseBook::plan(const std::vector<Lease>& rows, const std::set<LeaseKey>& shards,
                          std::int64_t now_ms) {
  observe(rows, shards, now_ms);
  LeasePlan plan;
  Shares shares = share_out(now_ms);
  keep(plan, shares);
  take(plan, shares, now_ms);
  first_ = false;
  return plan;
}

void LeaseBook::observe(const std::vector<Lease>& rows, const std::set<LeaseKey>& shards,
                        std::int64_t now_ms) {
  std::map<LeaseKey, Seen> next;
  for (const Lease& row : rows) {
    if (!shards.contains(row.key)) continue;
    auto before = seen_.find(row.key);
    // A wish is no sign of life of the owner.
    bool still = before != seen_.end() && before->second.row.owner == row.owner &&
                 before->second.row.token == row.token &&
                 before->second.row.counter == row.counter;
    next[row.key] = Seen{row, still ? before->second.since_ms : now_ms};
  }
  seen_ = std::move(next);
}

bool LeaseBook::holds(const Lease& row) const {
  auto held = held_.find(row.key);
  return row.owner == me_ && held != held_.end() && held->second == row.token;
}

bool LeaseBook::silent(const Seen& seen, std::int64_t now_ms) const {
  // Taken by a commit that is there though it was reported failed: nobody ships it.
  if (seen.row.owner == me_) return !holds(seen.row);
  // A worker that starts again under its name is the one that held it, so it need not wait.
  bool mine_before = first_ && seen.row.owner.starts_with(worker_.name + "/");
  return mine_before || now_ms - seen.since_ms >= timing_.lease_ms;
}

// What nobody holds may be meant for somebody, who is given the time of a lease to fetch it.
bool LeaseBook::free(const Seen& seen, std::int64_t now_ms) const {
  if (!seen.row.owner.empty()) return silent(seen, now_ms);
  return seen.row.wanted.empty() || seen.row.wanted == me_ ||
         now_ms - seen.since_ms >= timing_.lease_ms;
}

LeaseBook::Shares LeaseBook::share_out(std::int64_t now_ms) const {
  Shares shares;
  shares.holdings[me_] = 0;
  for (const auto& [key, seen] : seen_) {
    if (free(seen, now_ms)) continue;
    if (!seen.row.owner.empty()) ++shares.holdings[seen.row.owner];
    // Who asks lives, though it may hold nothing yet.
    if (!seen.row.wanted.empty()) shares.holdings.try_emplace(seen.row.wanted, 0);
  }
  std::size_t workers = shares.holdings.size();
  shares.least = seen_.size() / workers;
  shares.most = (seen_.size() + workers - 1) / workers;
  return shares;
}

void LeaseBook::keep(LeasePlan& plan, const Shares& shares) {
  for (auto at = held_.begin(); at != held_.end();) {
    auto seen = seen_.find(at->first);
    if (seen != seen_.end() && holds(seen->second.row)) {
      ++at;
      continue;
    }
    plan.lost.push_back(at->first);
    at = held_.erase(at);
  }
  std::size_t left = held_.size();
  for (const auto& [key, token] : held_) {
    const Lease& row = seen_.at(key).row;
    if (row.wanted.empty() || row.wanted == me_) {
      plan.renew.push_back(row);
    } else if (left > shares.least) {
      --left;
      plan.hand_over.push_back(row);
    } else {
      plan.refuse.push_back(row);
    }
  }
}

void LeaseBook::take(LeasePlan& plan, const Shares& shares, std::int64_t now_ms) {
  std::size_t have = held_.size() - plan.hand_over.size();
  std::vector<Lease> available;
  for (const auto& [key, seen] : seen_)
    if (!held_.contains(key) && free(seen, now_ms)) available.push_back(seen.row);
  // In an order of its own, so that workers which look at the same moment do not want the same.
  shuffle(available);
  for (const Lease& row : available)
    if (have + plan.take.size() < shares.most) plan.take.push_back(row);
  have += plan.take.size();
  bool all_taken = plan.take.size() == available.size();
  if (all_taken && have < shares.most && plan.hand_over.empty())
    want(plan, shares, shares.most - have, now_ms);
}

void LeaseBook::want(LeasePlan& plan, const Shares& shares, std::size_t needed,
                     std::int64_t now_ms) {
  for (const auto& [key, seen] : seen_)
    if (seen.row.wanted == me_ && !free(seen, now_ms)) return;  // asked, and not yet answered
  auto richest = std::max_element(
      shares.holdings.begin(), shares.holdings.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
  if (richest->first == me_) return;
  std::size_t spare = richest->second > shares.most ? richest->second - shares.most : 0;
  std::size_t count = std::min(needed, spare);
  // Nobody has too much, and this one still lacks two: that is not even either.
  if (count == 0 && needed > 1 && richest->second > shares.least) count = 1;
  std::vector<Lease> theirs;
  for (const auto& [key, seen] : seen_)
    if (seen.row.owner == richest->first && seen.row.wanted.empty()) theirs.push_back(seen.row);
  shuffle(theirs);
  for (std::size_t i = 0; i < std::min(count, theirs.size()); ++i) plan.want.push_back(theirs[i]);
}

}  // namespace meridian::checkpoint

#include "checkpoint/lease_sights.h"

#include <utility>

namespace meridian::checkpoint {

void LeaseSights::see(const std::vector<Lease>& rows, std::int64_t now_ms) {
  std::map<LeaseKey, Seen> next;
  for (const Lease& row : rows) {
    Seen seen{row, {now_ms, now_ms}};
    auto before = seen_.find(row.key);
    bool same_holding = before != seen_.end() && before->second.row.owner == row.owner &&
                        before->second.row.token == row.token;
    if (same_holding) {
      seen.sight.held_since_ms = before->second.sight.held_since_ms;
      if (before->second.row.counter == row.counter)
        seen.sight.alive_ms = before->second.sight.alive_ms;
    }
    next.emplace(row.key, std::move(seen));
  }
  seen_ = std::move(next);
}

}  // namespace meridian::checkpoint

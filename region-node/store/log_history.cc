#include "region-node/store/log_history.h"

#include "common/check.h"
#include "common/sqlite/sqlite.h"

namespace meridian::store {

rpc::ReadStatus LogHistory::check(const LogPosition& position) const {
  if (position == LogPosition{})
    return trimmed_to == origin ? rpc::ReadStatus::ok : rpc::ReadStatus::trimmed;
  for (std::size_t i = stretches.size(); i-- > 0;) {
    if (stretches[i].start != position.start) continue;
    Sequence next = i + 1 < stretches.size() ? stretches[i + 1].first : end.next();
    if (position.sequence < stretches[i].first || position.sequence >= next)
      return rpc::ReadStatus::not_in_history;
    return position.sequence < trimmed_to ? rpc::ReadStatus::trimmed : rpc::ReadStatus::ok;
  }
  // The run that wrote it may have gone with what was trimmed.
  return position.sequence < trimmed_to ? rpc::ReadStatus::trimmed
                                        : rpc::ReadStatus::not_in_history;
}

Sequence LogHistory::resolve(const LogPosition& position) const {
  return position == LogPosition{} ? trimmed_to : position.sequence;
}

LogPosition LogHistory::position_of(Sequence sequence) const {
  MERIDIAN_CHECK(sequence <= end);
  if (sequence == origin && sequence == trimmed_to) return LogPosition{};
  for (std::size_t i = stretches.size(); i-- > 0;)
    if (stretches[i].first <= sequence) return LogPosition{stretches[i].start, sequence};
  sqlite::damaged("the history of a log's starts");
}

}  // namespace meridian::store

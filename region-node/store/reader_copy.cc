// What a region says that is asked to be the seed of a new replica.
#include "region-node/store/columns.h"
#include "region-node/store/cursors.h"
#include "region-node/store/reader.h"
#include "region-node/store/reader_statements.h"

namespace meridian::store {

using sqlite::Query;
using sqlite::Text;

namespace {

// A position that somebody holds, by shard, is not in this log: it was put back to before.
bool forgot(const LogHistory& history, const std::vector<LogPosition>& held, std::size_t shard) {
  return shard < held.size() && history.check(held[shard]) == rpc::ReadStatus::not_in_history;
}

}  // namespace

void SqliteReader::fill_offer(const Found& found, const rpc::OfferQuestion& question,
                              rpc::CopyOffer& offer) {
  bool lost_some = false;
  for (Query row = meta_->flows.run(found.number); row.step();)
    offer.stands.push_back({region_at(row, 0), shard_at(row, 1, kShardsMax),
                            {StartId(row.uint64(2)), Sequence(row.uint64(3))}});
  for (std::uint16_t i = 0; i < found.shards; ++i) {
    ShardState shard = load_shard(found.number, ShardId(i));
    offer.stands.push_back({region_, ShardId(i), last_local(found.number, ShardId(i), shard)});
    offer.ends.push_back(shard.history.position_of(shard.history.end));
    offer.rewound = offer.rewound || forgot(shard.history, question.scanned, i);
    lost_some = lost_some || forgot(shard.history, question.flows, i);
  }
  offer.watermarks = watermarks_of(found);
  {
    Query epoch = meta_->cursor.run(found.number, Text{kRowsEpoch});
    if (epoch.step()) offer.epoch = rows_epoch_in(epoch.blob(0));
  }
  {
    Query stats = meta_->stats.run(found.number);
    if (stats.step()) offer.rows = stats.uint64(0) + stats.uint64(2);
  }
  {
    Query collected = meta_->collected.run(found.number);
    if (collected.step()) offer.collected = hlc_at(collected, 0);
  }
  std::size_t bytes = 0;
  Query row = meta_->parked.run(found.number, std::int64_t{0},
                                static_cast<std::int64_t>(rpc::kRowsMax) + 1);
  bool too_large = false;
  while (!too_large && row.step()) {
    auto record = parked_at(row, question.table).record;
    offer.parked.push_back({std::move(record.key), record.version, std::move(record.context),
                            std::move(record.new_image)});
    bytes += rpc::payload_bytes(offer.parked.back());
    too_large = bytes > rpc::kRowsBytesMax && offer.parked.size() > 1;
  }
  bool too_much = offer.parked.size() > rpc::kRowsMax || too_large;
  if (!too_much && !lost_some) return;
  offer = {};
  offer.status = rpc::RowsStatus::unavailable;
  offer.reason = lost_some ? "the seed has lost changes that are here, and is not repaired yet"
                           : "the seed has too many records in quarantine";
}

// The newest position at or below which all of a shard's records of local origin lie.  Whoever begins
// there misses none; and other regions get there, though nobody ships them what follows.
LogPosition SqliteReader::last_local(std::int64_t number, ShardId shard, const ShardState& state) {
  const LogHistory& history = state.history;
  if (state.counts.records == state.trimmed_counts.records)
    return history.position_of(history.trimmed_to);
  return history.position_of(
      first_with_more(number, shard, state, history.trimmed_to, state.counts.records - 1));
}

}  // namespace meridian::store

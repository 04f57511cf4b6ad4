// ReplicaControl: how UpdateTable adds a replica in another region and takes one away, and how
// DeleteTable gives up this region's copy.
//
// The API only checks the request and answers; talking to the other regions is the peer layer's work,
// behind this interface.
// Threads: all are called from any HTTP thread and must not block;
// `done` may be called from any thread, before or after the call returns, exactly once.
// Errors: an ApiError, answered to the client as it is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "common/ids.h"
#include "common/result.h"
#include "region-node/api/error.h"
#include "region-node/store/table_info.h"

namespace meridian::api {

// How far a replica is that is being filled.
struct ReplicaProgress {
  unsigned percent = 0;
  std::string text;  // for people
  // Known in the replica's own region only.
  std::uint64_t rows = 0;
  std::uint64_t rows_estimated = 0;
  std::uint64_t bytes = 0;
  double rows_per_s = 0;
  double bytes_per_s = 0;
};

class ReplicaControl {
 public:
  using Done = std::function<void(Result<void, ApiError>)>;

  virtual ~ReplicaControl() = default;

  // Makes `table` in `region` and every member's membership map agree.  Called only for a region that
  // is neither this one nor a replica already.  `done` is called once the region has the table and
  // this region's store lists it; the table may be empty of items only (until backfill exists).
  virtual void create_replica(store::TablePtr table, RegionId region, Done done) = 0;
  // Takes `table` away from `region`, which deletes its copy.  Called only for a present replica
  // other than this region.
  virtual void delete_replica(store::TablePtr table, RegionId region, Done done) = 0;
  // Tells the other replicas of `table` at once that settings have changed here; those that cannot be
  // reached hear of it when they can.
  virtual void announce(TableId table) = 0;
  // Takes `region` off the table without asking it, because it is dead: what only it has is given up.
  // If it comes back it is fenced and keeps its rows.  Refused while it answers.
  virtual void expel_replica(store::TablePtr table, RegionId region, Done done) {
    (void)table;
    (void)region;
    done(Err(ApiError::unavailable("Regions cannot be removed by force here.")));
  }
  // DeleteTable: drops this region's copy.  A table with other replicas is first drained (some other
  // replica has acknowledged everything written here) and its removal told to the replicas that can
  // be reached; ResourceInUseException when it does not drain within a few seconds.
  // REQUIRES: deletion protection is off.
  virtual void drop_table(store::TablePtr table, Done done) = 0;
  // Of the table's replicas that are being filled, as far as it is known here.
  [[nodiscard]] virtual std::map<RegionId, ReplicaProgress> progress(const TableId& table) const {
    (void)table;
    return {};
  }
};

}  // namespace meridian::api

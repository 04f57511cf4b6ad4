// Who may hold more of a region whose life as a replica has ended, and the form in which that is kept.
//
// What a region wrote last may have reached only some of the others, beyond what they can prove by its
// barriers.  So each of them is compared with each other one, once both know of the end; until then what
// they have of it counts as unknown, and no tombstone above it is collected.
//
// Pure.  Threads: any.  Errors: sqlite::SqliteError (is_damage()).
// Source: ADR 0023.
#pragma once

#include <map>
#include <set>

#include "common/bytes.h"
#include "region-node/store/table_info.h"

namespace meridian::store {

using Unsettled = std::map<RegionId, std::set<RegionId>>;

// A life of `ended` is over; `next` is the membership from now on.  What it held of others went with it.
void note_ended_life(const RegionId& ended, const RegionId& self, TableInfo& next);
// The two regions hold the same of everybody whose life has ended.
void settle_with(const RegionId& peer, TableInfo& info);

Bytes unsettled_bytes(const Unsettled& unsettled);
Unsettled unsettled_in(BytesView bytes);

}  // namespace meridian::store

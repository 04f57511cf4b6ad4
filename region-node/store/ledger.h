// What a region keeps of its conflicts, and what it can tell of one key: values of the Reader.
//
// Threads: value types.
// Limits: kLedgerPageMax entries in one answer, kHistoryMax records of one key.
// Source: conflict/ledger.h for the rule; ADR 0018.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/bytes.h"
#include "common/ids.h"
#include "conflict/ledger.h"
#include "rpc/change_record.h"

namespace meridian::store {

inline constexpr std::size_t kLedgerPageMax = 1'000;
inline constexpr std::size_t kHistoryMax = 1'000;

// One side of a conflict.
struct ConflictingWrite {
  conflict::Lineage lineage;
  std::int64_t committed_us = 0;  // by its origin's clock; of the version, where that is not known
  bool removed = false;           // a delete
  std::optional<Bytes> image;     // empty for a delete, and where images were not asked for
};

struct LedgerEntry {
  Bytes key;
  ConflictingWrite loser;
  ConflictingWrite winner;      // that beat it in this region
  std::int64_t listed_us = 0;   // this region's clock
};

struct LedgerQuery {
  std::optional<Bytes> key;                       // of this key only
  Bytes after_key;                                // entries after (after_key, after_version)
  std::optional<conflict::Version> after_version;
  conflict::Hlc from;                             // losers of this time or later,
  std::optional<conflict::Hlc> to;                // and before this
  std::optional<conflict::Version> version;       // this loser only
  bool images = true;
  std::size_t entries_max = kLedgerPageMax;
  std::size_t bytes_max = 4 << 20;  // of images; one entry may exceed it alone
};

// Entries ascend by key and version.
struct LedgerPage {
  std::vector<LedgerEntry> entries;
  bool more = false;
};

struct LedgerSummary {
  std::uint64_t entries = 0;
  std::uint64_t dropped = 0;     // to stay within the limits, since the table is here
  conflict::Hlc complete_after;  // see conflict::RegionLedger
};

// A record of the log about one key.
struct KeyRecord {
  rpc::ChangeRecord record;  // committed_us: when it was applied here; no old image
  bool local = false;        // written here
};

struct KeyHistory {
  std::vector<KeyRecord> records;  // newest first
  bool complete = true;            // false when older records were trimmed or left out
};

}  // namespace meridian::store

// The conflict ledgers of a deployment, put together: what every region lists, or what is true of all.
//
// Reads the regions' ledgers key by key over their admin endpoints, so that memory does not grow with
// the ledgers, and merges them by conflict::merge().
// Threads: one.  Errors: UsageError; Unreachable when no region answers.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conflict/ledger.h"
#include "tools/meridian/deployment.h"

namespace meridian::cli {

struct ConflictFilter {
  std::string table;
  std::string key_json;  // of this key only; empty for all
  std::string region;    // this region's own list, unmerged; empty for the merged view
  std::optional<std::int64_t> from_ms;  // losers of this time or later,
  std::optional<std::int64_t> to_ms;    // and before this
  bool images = false;
};

struct Conflict {
  std::string region;  // whose ledger says so
  bool certain = true;
  conflict::RegionLedger::Entry writes;
  boost::json::object entry;  // as the admin page has it
};

// The names of all tables of the regions that answer; throws Unreachable when none does.
std::vector<std::string> all_tables(const Deployment& deployment);

// Calls `visit` with each conflict, by key and version.  Answers with what the view lacks, a line each:
// regions that did not answer, losers that were dropped.
std::vector<std::string> read_conflicts(const Deployment& deployment, const ConflictFilter& filter,
                                        const std::function<void(Conflict)>& visit);

// The key at which a loser of that version is listed anywhere, as JSON; empty when nowhere.
std::string find_key_of_loser(const Deployment& deployment, const std::string& table,
                              const conflict::Version& version);

// A key as people write it, as JSON in DynamoDB's form: {"customer": {"S": "c1"}} as it is, or one
// NAME=VALUE for each key attribute, with the types of the table.
std::string parse_key(const Deployment& deployment, const std::string& table,
                      const std::vector<std::string>& words);

// {"version_hex": ..., "context": {...}} of an admin page.
conflict::Lineage read_lineage(const boost::json::object& object);
std::string percent_encoded(const std::string& text);
// Why `winner` beat `loser`, for people.
std::string rule_between(const conflict::Version& loser, const conflict::Version& winner);

}  // namespace meridian::cli

// meridian verify TABLE: do all regions hold the same rows: key, version and image, tombstones too?
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <set>

#include "common/clock.h"
#include "tools/meridian/client.h"
#include "tools/meridian/commands.h"
#include "tools/meridian/times.h"
#include "tools/meridian/verify_merge.h"
#include "tools/meridian/verify_repair.h"
#include "tools/meridian/verify_source.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

constexpr std::int64_t kSettlePauseMs = 200;

// Which regions have to hold the table: those that do, and those that one of them lists.
struct Members {
  std::vector<Endpoints> regions;
  std::vector<std::string> problems;  // a region that should hold it and does not, or another table
};

Members find_members(const Deployment& deployment, const std::string& name) {
  std::vector<Page> pages;
  for (const auto& region : deployment.regions) pages.push_back({region.admin, "/v1/status"});
  auto answers = fetch_all(pages);
  std::set<std::string> listed;
  std::map<std::string, std::string> ids;  // by region that holds it
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::string& region = deployment.regions[i].name;
    json::object status = expect_object(region, answers[i]);
    for (const auto& table : status.at("tables").as_array()) {
      if (text_at(table.as_object(), "name") != name) continue;
      ids[region] = text_at(table.as_object(), "id");
      for (const auto& replica : table.as_object().at("replicas").as_array())
        listed.emplace(replica.as_string());
    }
  }
  if (ids.empty()) throw UsageError("no region has a table named " + name);
  Members out;
  for (const auto& region : deployment.regions) {
    const bool is_listed = listed.erase(region.name) > 0;
    auto id = ids.find(region.name);
    if (id == ids.end()) {
      if (is_listed)
        out.problems.push_back(region.name + " does not hold " + name +
                               ", but is listed as a replica");
      continue;
    }
    if (id->second != ids.begin()->second)
      out.problems.push_back(name + " of " + region.name + " is another table than that of " +
                             ids.begin()->first + " (" + id->second + ", " + ids.begin()->second +
                             ")");
    out.regions.push_back(region);
  }
  for (const auto& region : listed)
    out.problems.push_back(region + " is listed as a replica of " + name +
                           ", but is not in the deployment file, so it was not compared");
  return out;
}

json::object as_json(const Members& members, const Holders& holders) {
  json::array held;
  json::value key;
  for (std::size_t i = 0; i < members.regions.size(); ++i) {
    const auto& row = holders[i];
    json::object one{{"region", members.regions[i].name}, {"missing", !row.has_value()}};
    if (row) {
      if (key.is_null()) key = row->readable_key;
      Bytes hash;
      put_u64(hash, row->image_hash);
      one["version"] = row->version_text;
      one["image_hash"] = to_hex(hash);
      one["tombstone"] = row->tombstone;
    }
    held.push_back(std::move(one));
  }
  return {{"key", std::move(key)}, {"regions", std::move(held)}};
}

json::object as_json(const VerifyOptions& options, const Members& members,
                     const Comparison& comparison) {
  json::array regions;
  for (const auto& region : members.regions) regions.emplace_back(region.name);
  json::array problems;
  for (const auto& problem : members.problems) problems.emplace_back(problem);
  json::array differences;
  for (const auto& [key, holders] : comparison.differing()) {
    if (differences.size() == options.list_max) break;
    json::object entry = as_json(members, holders);
    entry["key_hex"] = to_hex(key);
    differences.push_back(std::move(entry));
  }
  bool identical = comparison.differing().empty() && problems.empty();
  json::value digest = nullptr;
  if (comparison.differing().empty()) {
    Bytes bytes;
    put_u64(bytes, comparison.digest());
    digest = to_hex(bytes);
  }
  return {{"table", options.table},
          {"identical", identical},
          {"regions", std::move(regions)},
          {"items", comparison.items()},
          {"tombstones", comparison.tombstones()},
          {"digest", std::move(digest)},
          {"settled", comparison.settled()},
          {"differing", comparison.differing().size()},
          {"problems", std::move(problems)},
          {"differences", std::move(differences)}};
}

std::string join_names(const Members& members) {
  std::string out;
  for (const auto& region : members.regions) out += (out.empty() ? "" : ", ") + region.name;
  return out;
}

// One row per differing key and region.
Table difference_table(const VerifyOptions& options, const Members& members,
                       const Comparison& comparison) {
  Table table{{"key", "region", "version", "image_hash", "state"}, {}};
  std::size_t listed = 0;
  for (const auto& [key, holders] : comparison.differing()) {
    if (listed++ == options.list_max) break;
    std::string readable = to_hex(key);
    for (const auto& row : holders)
      if (row) readable = row->readable_key;
    for (std::size_t i = 0; i < members.regions.size(); ++i) {
      const auto& row = holders[i];
      Bytes hash;
      if (row) put_u64(hash, row->image_hash);
      table.rows.push_back({readable, members.regions[i].name, row ? row->version_text : "-",
                            row ? to_hex(hash) : "-",
                            !row             ? "missing"
                            : row->tombstone ? "tombstone"
                                             : "item"});
    }
  }
  return table;
}

void print_for_people(const VerifyOptions& options, const Members& members,
                      const Comparison& comparison, bool identical) {
  std::string head = options.table + ": ";
  if (identical) {
    Bytes digest;
    put_u64(digest, comparison.digest());
    print(head + coloured("identical", Mood::good) + " in " + join_names(members) + "\n" +
          "items       " + std::to_string(comparison.items()) + "\n" + "tombstones  " +
          std::to_string(comparison.tombstones()) + "\n" + "digest      " + to_hex(digest) + "\n");
    return;
  }
  print(head + coloured("different", Mood::bad) + " in " + join_names(members) + ": " +
        std::to_string(comparison.differing().size()) + " of " + std::to_string(comparison.keys()) +
        " keys\n");
  for (const auto& problem : members.problems) print(problem + "\n");
  if (!comparison.differing().empty())
    print(as_text(difference_table(options, members, comparison)));
  if (comparison.differing().size() > options.list_max)
    print("the first " + std::to_string(options.list_max) + " are listed; --list N lists more\n");
}

// One look at everything, and at what differs until it no longer does or the time is over.
void compare(const VerifyOptions& verify, Comparison& comparison) {
  comparison.scan();
  SystemClock clock;
  std::int64_t deadline_ms = clock.monotonic_ms() + verify.settle_ms;
  while (!comparison.differing().empty()) {
    bool last = clock.monotonic_ms() >= deadline_ms;
    comparison.read_differing_again();
    if (last || comparison.differing().empty()) break;
    pause_ms(
        std::min(kSettlePauseMs, std::max<std::int64_t>(1, deadline_ms - clock.monotonic_ms())));
  }
}

bool look(const Options& options, const VerifyOptions& verify, const Members& members,
          json::value repairs) {
  std::vector<std::unique_ptr<RowSource>> rows;
  std::vector<RowSource*> sources;
  for (const auto& region : members.regions) {
    rows.push_back(rows_of_region(region, verify.table));
    sources.push_back(rows.back().get());
  }
  Comparison comparison(sources);
  compare(verify, comparison);
  bool identical = comparison.differing().empty() && members.problems.empty();
  switch (options.format) {
    case Format::json: {
      json::object report = as_json(verify, members, comparison);
      if (!repairs.is_null()) report["repairs"] = std::move(repairs);
      print(json::serialize(report) + "\n");
      break;
    }
    case Format::csv: print(as_csv(difference_table(verify, members, comparison))); break;
    case Format::table: print_for_people(verify, members, comparison, identical); break;
  }
  return identical;
}

json::array as_json(const std::vector<PairRepair>& pairs) {
  json::array out;
  for (const auto& pair : pairs)
    out.push_back(json::object{{"region", pair.region},
                               {"peer", pair.peer},
                               {"done", pair.done},
                               {"problem", pair.problem},
                               {"rows", pair.rows},
                               {"bytes", pair.bytes},
                               {"ms", pair.took_ms}});
  return out;
}

// Answers whether all are done.
bool report_repairs(const std::vector<PairRepair>& pairs) {
  bool all = true;
  for (const auto& pair : pairs) {
    std::string line = pair.region + " and " + pair.peer + ": ";
    if (pair.done) {
      line += std::to_string(pair.rows) + " rows mended, " + std::to_string(pair.bytes) +
              " bytes exchanged, " + std::to_string(pair.took_ms) + " ms";
    } else {
      line += "not done" + (pair.problem.empty() ? std::string() : ": " + pair.problem);
    }
    progress(line);
    all = all && pair.done;
  }
  return all;
}

}  // namespace

int verify(const Options& options, const VerifyOptions& verify) {
  Members members = find_members(load_deployment(options.deployment), verify.table);
  bool good = true;
  json::value repairs = nullptr;
  if (verify.repair) {
    auto pairs = repair_pairs(members.regions, verify.table, verify.wait_ms);
    good = report_repairs(pairs);
    repairs = as_json(pairs);
  }
  if (!verify.watch) return look(options, verify, members, repairs) && good ? kExitYes : kExitNo;
  for (std::int64_t round = 1;; ++round) {
    if (options.format == Format::table) print(time_text_us(SystemClock().wall_us()) + " ");
    good = look(options, verify, members, repairs);
    repairs = nullptr;
    if (round == verify.rounds_max) return good ? kExitYes : kExitNo;
    pause_ms(verify.every_ms);
    members = find_members(load_deployment(options.deployment), verify.table);
  }
}

}  // namespace meridian::cli

// meridian conflicts list|show|export|restore: writes that lost without anybody having seen them.
#include "tools/meridian/conflicts.h"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include "common/clock.h"
#include "tools/meridian/client.h"
#include "tools/meridian/conflict_view.h"
#include "tools/meridian/times.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

struct ConflictOptions {
  ConflictFilter filter;
  std::vector<std::string> key;
  std::string since;
  std::string until;
  std::size_t limit = 100;
  std::string out;
  std::string version;
  // restore
  std::string to;
  bool yes = false;
  bool dry_run = false;
  bool even_if_changed = false;
};

ConflictFilter filter_of(const Deployment& deployment, const ConflictOptions& options,
                         const std::string& table) {
  ConflictFilter filter = options.filter;
  filter.table = table;
  std::int64_t now_ms = SystemClock().wall_ms();
  if (!options.since.empty()) filter.from_ms = parse_time_ms("--since", options.since, now_ms);
  if (!options.until.empty()) filter.to_ms = parse_time_ms("--until", options.until, now_ms);
  filter.key_json = parse_key(deployment, filter.table, options.key);
  return filter;
}

std::string kind_of(const json::value& side) {
  return side.as_object().at("tombstone").as_bool() ? "delete" : "put";
}

// What became of the key since.
std::string state_of(const Conflict& conflict) {
  const json::value& current = conflict.entry.at("current");
  if (!current.is_object()) return "no row";
  bool stands = read_lineage(current.as_object()).version == conflict.writes.winner.version;
  return stands ? "winner stands" : "written since";
}

json::object as_json(const ConflictFilter& filter, const Conflict& conflict) {
  json::object out = conflict.entry;
  out["table"] = filter.table;
  out["listed_by"] = conflict.region;
  out["certain"] = conflict.certain;
  out["rule"] = rule_between(conflict.writes.loser.version, conflict.writes.winner.version);
  out["state"] = state_of(conflict);
  return out;
}

std::string counted(std::size_t count, const std::string& table) {
  return std::to_string(count) + (count == 1 ? " conflict of " : " conflicts of ") + table;
}

void tell(const std::vector<std::string>& notes) {
  for (const auto& note : notes) progress(note);
}

// The tables that are meant: the one that was named, or all of the deployment.
std::vector<std::string> wanted_tables(const Deployment& deployment,
                                       const ConflictOptions& wanted) {
  if (!wanted.filter.table.empty()) return {wanted.filter.table};
  if (!wanted.key.empty()) throw UsageError("--key needs the table that the key is of");
  return all_tables(deployment);
}

std::string all_of(const std::vector<std::string>& tables) {
  return tables.size() == 1 ? tables.front() : "all " + std::to_string(tables.size()) + " tables";
}

std::vector<std::string> row_of(const Conflict& conflict) {
  const auto& writes = conflict.writes;
  return {conflict::to_text(writes.loser.version), kind_of(conflict.entry.at("loser")),
          json::serialize(conflict.entry.at("key_json")),
          conflict::to_text(writes.winner.version), kind_of(conflict.entry.at("winner")),
          rule_between(writes.loser.version, writes.winner.version),
          conflict.certain ? "yes" : "no", state_of(conflict)};
}

int list_conflicts(const Options& options, const ConflictOptions& wanted) {
  Deployment deployment = load_deployment(options.deployment);
  struct Kept {
    ConflictFilter filter;
    Conflict conflict;
  };
  std::map<conflict::Version, Kept> newest;  // a version is one write, of one table
  std::size_t count = 0;
  const auto tables = wanted_tables(deployment, wanted);
  for (const auto& name : tables) {
    ConflictFilter filter = filter_of(deployment, wanted, name);
    tell(read_conflicts(deployment, filter, [&](Conflict conflict) {
      ++count;
      conflict::Version loser = conflict.writes.loser.version;
      newest.emplace(loser, Kept{filter, std::move(conflict)});
      if (newest.size() > wanted.limit) newest.erase(newest.begin());
    }));
  }
  const bool named = !wanted.filter.table.empty();
  Table table{{"loser", "kind", "key", "winner", "kind", "rule", "certain", "now"}, {}};
  if (!named) table.columns.emplace(table.columns.begin(), "table");
  json::array list;
  for (auto at = newest.rbegin(); at != newest.rend(); ++at) {
    const auto& [filter, conflict] = at->second;
    table.rows.push_back(row_of(conflict));
    if (!named) table.rows.back().insert(table.rows.back().begin(), filter.table);
    list.push_back(as_json(filter, conflict));
  }
  json::object all{{"table", nullptr}, {"conflicts", count}, {"listed", std::move(list)}};
  if (named) all["table"] = wanted.filter.table;
  print_result(options.format, table, json::serialize(all));
  std::string of = counted(count, all_of(tables));
  if (count > newest.size()) of += ", the newest " + std::to_string(newest.size()) + " are shown";
  progress(of);
  return kExitYes;
}

// The conflict of that version, with images; throws when the view does not list it.
Conflict find_conflict(const Deployment& deployment, const ConflictOptions& wanted) {
  auto version = conflict::version_from_text(wanted.version);
  if (!version)
    throw UsageError("a conflict is named by its loser's version, as meridian conflicts list shows "
                     "it, such as 2026-11-25T03:27:14.567Z/0@us-east-1; not '" + wanted.version +
                     "'");
  ConflictFilter filter = wanted.filter;
  filter.images = true;
  filter.key_json = find_key_of_loser(deployment, filter.table, *version);
  std::optional<Conflict> found;
  if (!filter.key_json.empty()) {
    tell(read_conflicts(deployment, filter, [&](Conflict conflict) {
      if (conflict.writes.loser.version == *version) found = std::move(conflict);
    }));
  }
  if (!found)
    throw UsageError("no conflict " + wanted.version + " is listed for " + filter.table +
                     "; it may have been withdrawn or dropped");
  return std::move(*found);
}

// One line for each attribute of either image.
Table compare_images(const Conflict& conflict) {
  Table table{{"attribute", "loser", "winner", "same"}, {}};
  std::set<std::string> names;
  auto image_of = [&](const char* side) -> const json::object* {
    const json::value& image = conflict.entry.at(side).as_object().at("image");
    if (!image.is_object()) return nullptr;
    for (const auto& [name, value] : image.as_object()) names.insert(std::string(name));
    return &image.as_object();
  };
  const json::object* loser = image_of("loser");
  const json::object* winner = image_of("winner");
  auto text_of = [](const json::object* image, const std::string& name) {
    const json::value* value = image == nullptr ? nullptr : image->if_contains(name);
    return value == nullptr ? std::string("-") : json::serialize(*value);
  };
  for (const auto& name : names) {
    std::string left = text_of(loser, name);
    std::string right = text_of(winner, name);
    table.rows.push_back({name, left, right, left == right ? "yes" : "no"});
  }
  return table;
}

int show_conflict(const Options& options, const ConflictOptions& wanted) {
  Deployment deployment = load_deployment(options.deployment);
  Conflict conflict = find_conflict(deployment, wanted);
  if (options.format == Format::table) {
    auto side = [&](const char* name) {
      const json::object& write = conflict.entry.at(name).as_object();
      return text_at(write, "version") + "  " + kind_of(write) + ", committed " +
             time_text_us(write.at("committed_us").to_number<std::int64_t>());
    };
    const auto& writes = conflict.writes;
    print("key     " + json::serialize(conflict.entry.at("key_json")) + "\n" +  //
          "loser   " + side("loser") + "\n" +                                   //
          "winner  " + side("winner") + "\n" +
          "rule    " + rule_between(writes.loser.version, writes.winner.version) + "\n" +
          "listed  " + time_text_us(conflict.entry.at("listed_us").to_number<std::int64_t>()) +
          " by " + conflict.region + (conflict.certain ? "" : ", uncertain") + "\n" +  //
          "now     " + state_of(conflict) + "\n\n");
  }
  print_result(options.format, compare_images(conflict),
               json::serialize(as_json(wanted.filter, conflict)));
  return kExitYes;
}

int export_conflicts(const Options& options, const ConflictOptions& wanted) {
  Deployment deployment = load_deployment(options.deployment);
  std::ofstream file;
  if (!wanted.out.empty()) {
    file.open(wanted.out, std::ios::trunc);
    if (!file) throw UsageError("cannot write " + wanted.out);
  }
  std::size_t count = 0;
  const auto tables = wanted_tables(deployment, wanted);
  for (const auto& name : tables) {
    ConflictFilter filter = filter_of(deployment, wanted, name);
    filter.images = true;
    tell(read_conflicts(deployment, filter, [&](const Conflict& conflict) {
      std::string line = json::serialize(as_json(filter, conflict)) + "\n";
      ++count;
      if (wanted.out.empty()) {
        print(line);
      } else {
        file << line;
      }
    }));
  }
  if (!wanted.out.empty() && !file.flush()) throw std::runtime_error("cannot write " + wanted.out);
  progress(counted(count, all_of(tables)));
  return kExitYes;
}

// The version that a region has at a key, as the table endpoint wants it said.
std::string version_there(const Endpoints& region, const std::string& table,
                          const std::string& key_hex) {
  AdminClient client(region.admin, kFetchMsMax);
  Fetched row = fetch(client, "/v1/tables/" + table + "/row?key=" + key_hex);
  if (row.status == 404) return "none";
  return text_at(expect_object(region.name, row), "version_hex");
}

void write_loser(const Endpoints& region, const std::string& table, const Conflict& conflict,
                 const std::string& if_version) {
  const json::value& image = conflict.entry.at("loser").as_object().at("image");
  json::object request{{"TableName", table}};
  bool put = image.is_object();
  request[put ? "Item" : "Key"] = put ? image : conflict.entry.at("key_json");
  TableApi api(region.table, region.name);
  try {
    api.call(put ? "PutItem" : "DeleteItem", request, if_version);
  } catch (const ApiFailure& failure) {
    if (failure.type() != "ConditionalCheckFailedException") throw;
    throw std::runtime_error("the item was written meanwhile; look at it, then try again, or say "
                             "--even-if-changed");
  }
}

int restore_conflict(const Options& options, const ConflictOptions& wanted) {
  Deployment deployment = load_deployment(options.deployment);
  Conflict conflict = find_conflict(deployment, wanted);
  const json::object& loser = conflict.entry.at("loser").as_object();
  const json::value& image = loser.at("image");
  if (image.is_object() && image.as_object().contains("undecodable"))
    throw UsageError("the loser's image is not an item of this table; export has its bytes");
  const Endpoints& region =
      deployment.region(wanted.to.empty() ? conflict.region : wanted.to);
  bool stands = state_of(conflict) == "winner stands";
  if (!stands && !wanted.even_if_changed)
    throw UsageError("the item was written since: " +
                     json::serialize(conflict.entry.at("current")) +
                     "; say --even-if-changed to write the loser over that");
  std::string key_hex = text_at(conflict.entry, "key");
  std::string there = version_there(region, wanted.filter.table, key_hex);
  Bytes winner = conflict::encode_version(conflict.writes.winner.version);
  if (there != to_hex(winner) && !wanted.even_if_changed)
    throw UsageError(region.name + " has another version of the item than " + conflict.region +
                     "; wait until it has caught up, or say --even-if-changed");
  std::string what = (image.is_object() ? "put " : "delete ") +
                     json::serialize(image.is_object() ? image : conflict.entry.at("key_json")) +
                     " in " + region.name + " as a new write";
  if (wanted.dry_run) {
    progress("would " + what);
  } else if (!wanted.yes) {
    throw UsageError("this would " + what + "; say --yes to do it");
  } else {
    write_loser(region, wanted.filter.table, conflict, wanted.even_if_changed ? "" : there);
    there = version_there(region, wanted.filter.table, key_hex);
    progress("done: " + what);
  }
  json::object result{{"restored", !wanted.dry_run},
                      {"region", region.name},
                      {"loser", text_at(loser, "version")},
                      {"version_hex", there}};
  if (auto bytes = from_hex(there))
    if (auto version = conflict::decode_version(*bytes)) result["version"] = to_text(*version);
  Table table{{"region", "loser", "version now"},
              {{region.name, text_at(loser, "version"), text_at(result, "version", "none")}}};
  print_result(options.format, table, json::serialize(result));
  return kExitYes;
}

void add_filters(CLI::App& command, ConflictOptions& wanted) {
  command.add_option("table", wanted.filter.table, "Only of this table");
  command.add_option("--key", wanted.key, "Of this key only: JSON, or NAME=VALUE for each part");
  command.add_option("--since", wanted.since, "Losers since then: 2026-11-25T03:27Z, or 10m (ago)");
  command.add_option("--until", wanted.until, "Losers before then");
  command.add_option("--region", wanted.filter.region,
                     "This region's own list instead of the merged view of all");
}

}  // namespace

void add_conflict_commands(CLI::App& app, const Options& options, std::function<int()>& run) {
  auto wanted = std::make_shared<ConflictOptions>();
  auto* conflicts =
      app.add_subcommand("conflicts", "Writes that lost without the winner having seen them");
  conflicts->require_subcommand(1);

  auto* list = conflicts->add_subcommand("list", "List them, the newest first");
  add_filters(*list, *wanted);
  list->add_option("--limit", wanted->limit, "At most so many (default 100)");
  list->callback([&options, &run, wanted] {
    run = [&options, wanted] { return list_conflicts(options, *wanted); };
  });

  auto* show = conflicts->add_subcommand("show", "Show one, both images side by side");
  show->add_option("table", wanted->filter.table, "Name of the table")->required();
  show->add_option("version", wanted->version, "Version of the loser, as list shows it")
      ->required();
  show->callback([&options, &run, wanted] {
    run = [&options, wanted] { return show_conflict(options, *wanted); };
  });

  auto* to_file = conflicts->add_subcommand("export", "Write them all, one JSON object a line");
  add_filters(*to_file, *wanted);
  to_file->add_option("--out", wanted->out, "To this file instead of standard output");
  to_file->callback([&options, &run, wanted] {
    run = [&options, wanted] { return export_conflicts(options, *wanted); };
  });

  auto* restore = conflicts->add_subcommand("restore", "Write the loser again, as a new write");
  restore->add_option("table", wanted->filter.table, "Name of the table")->required();
  restore->add_option("version", wanted->version, "Version of the loser")->required();
  restore->add_option("--to", wanted->to, "Region to write in (default: that which lists it)");
  restore->add_flag("--yes", wanted->yes, "Do it");
  restore->add_flag("--dry-run", wanted->dry_run, "Only say what would be done");
  restore->add_flag("--even-if-changed", wanted->even_if_changed,
                    "Write it although the item is no longer what beat it");
  restore->callback([&options, &run, wanted] {
    run = [&options, wanted] { return restore_conflict(options, *wanted); };
  });
}

}  // namespace meridian::cli

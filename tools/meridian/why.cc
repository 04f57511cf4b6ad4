// meridian why TABLE KEY: the story of an item, as far as the regions' logs and ledgers reach.
#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <map>
#include <memory>
#include <set>

#include "tools/meridian/client.h"
#include "tools/meridian/conflict_view.h"
#include "tools/meridian/conflicts.h"
#include "tools/meridian/times.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

struct WhyOptions {
  std::string table;
  std::vector<std::string> key;
};

// What one region says of the key.
struct Witness {
  std::string region;
  json::object page;
};

// One version of the item, from all that is said of it.
struct Version {
  conflict::Lineage lineage;
  bool removed = false;
  std::string parent;                       // as its record has it; empty when not known
  bool parent_known = false;
  std::optional<std::int64_t> committed_us;  // at its origin
  json::value image;
  std::map<std::string, std::string> seen;   // by region: what became of it there
  std::set<std::string> parked_in;           // regions that have it in quarantine
};
using Story = std::map<conflict::Version, Version>;

Version& version_of(Story& story, const json::object& object) {
  conflict::Lineage lineage = read_lineage(object);
  Version& version = story[lineage.version];
  version.lineage = std::move(lineage);
  return version;
}

void add_records(Story& story, const Witness& witness) {
  for (const auto& value : witness.page.at("records").as_array()) {
    const json::object& record = value.as_object();
    Version& version = version_of(story, record);
    std::int64_t applied_us = record.at("applied_us").to_number<std::int64_t>();
    bool local = record.at("local").as_bool();
    version.image = record.at("image");
    version.removed = version.image.is_null();
    version.parent = text_at(record, "parent");
    version.parent_known = true;
    if (local) version.committed_us = applied_us;
    version.seen[witness.region] = (local ? "written " : "applied ") + time_text_us(applied_us);
  }
}

void add_side(Story& story, const json::object& side) {
  Version& version = version_of(story, side);
  if (version.image.is_null()) version.image = side.at("image");
  version.removed = side.at("tombstone").as_bool();
  if (!version.committed_us)
    version.committed_us = side.at("committed_us").to_number<std::int64_t>();
}

// A region that lists a loser had it stored and saw it beaten, or saw it come too late.
void add_entries(Story& story, const Witness& witness) {
  for (const auto& value : witness.page.at("entries").as_array()) {
    const json::object& entry = value.as_object();
    add_side(story, entry.at("loser").as_object());
    add_side(story, entry.at("winner").as_object());
    Version& loser = version_of(story, entry.at("loser").as_object());
    std::string& seen = loser.seen[witness.region];
    std::string at = time_text_us(entry.at("listed_us").to_number<std::int64_t>());
    seen += (seen.empty() ? "beaten on arrival " : ", beaten ") + at;
  }
}

void add_current(Story& story, const Witness& witness) {
  const json::value& current = witness.page.at("current");
  if (!current.is_object()) return;
  Version& version = version_of(story, current.as_object());
  version.image = current.as_object().at("image");
  version.removed = current.as_object().at("tombstone").as_bool();
  std::string& seen = version.seen[witness.region];
  seen += seen.empty() ? "stands" : ", stands";
}

// A region that could not apply a version has it in quarantine, and shows what was there before.
void add_parked(Story& story, const Witness& witness) {
  const json::value* parked = witness.page.if_contains("parked");
  if (parked == nullptr) return;  // a node of an earlier release
  for (const auto& value : parked->as_array()) {
    const json::object& record = value.as_object();
    Version& version = version_of(story, record);
    if (version.image.is_null()) version.image = record.at("image");
    version.removed = record.at("tombstone").as_bool();
    version.parent = text_at(record, "parent");
    version.parent_known = true;
    if (!version.committed_us)
      version.committed_us = record.at("committed_us").to_number<std::int64_t>();
    std::string& seen = version.seen[witness.region];
    seen += (seen.empty() ? "in quarantine: " : ", in quarantine: ") + text_at(record, "reason");
    version.parked_in.insert(witness.region);
  }
}

// What became of a version in the end.
struct Fate {
  std::string word;  // stands, replaced, lost, beaten
  std::string rule;
};

class Fates {
 public:
  Fates(const Story& story, const std::vector<Witness>& witnesses) : story_(story) {
    std::vector<conflict::RegionLedger> ledgers;
    for (const auto& witness : witnesses) ledgers.push_back(ledger_of(witness));
    for (const auto& loser : conflict::merge(ledgers)) {
      const auto& entry = ledgers[loser.ledger].entries[loser.entry];
      lost_to_.emplace(entry.loser.version, entry.winner.version);
      if (!loser.certain) uncertain_.insert(entry.loser.version);
    }
    for (const auto& [version, told] : story)
      for (const auto& entry : told.lineage.context.entries())
        parents_.insert({entry.hlc, entry.region});
    for (const auto& [version, told] : story)
      if (told.parent_known && !told.parent.empty())
        if (auto parent = conflict::version_from_text(told.parent)) parents_.insert(*parent);
  }

  [[nodiscard]] Fate of(const conflict::Version& version) const {
    auto lost = lost_to_.find(version);
    if (lost != lost_to_.end()) {
      bool unsure = uncertain_.contains(version);
      return {"lost", "to " + conflict::to_text(lost->second) + ": " +
                          rule_between(version, lost->second) +
                          (unsure ? ", as others than its origin say" : "")};
    }
    if (version == story_.rbegin()->first) return {"stands", "the greatest version"};
    if (parents_.contains(version)) return {"replaced", "by a write that knew it"};
    return {"beaten", "by a later version; no ledger lists it any more, or not yet"};
  }

 private:
  static conflict::RegionLedger ledger_of(const Witness& witness) {
    conflict::RegionLedger ledger;
    ledger.region = RegionId::of(witness.region);
    auto bytes = from_hex(text_at(witness.page, "complete_after"));
    BytesView view = bytes ? BytesView(*bytes) : BytesView();
    ledger.complete_after = conflict::Hlc{take_u64(view).value_or(UINT64_MAX)};
    for (const auto& value : witness.page.at("entries").as_array())
      ledger.entries.push_back({read_lineage(value.as_object().at("loser").as_object()),
                                read_lineage(value.as_object().at("winner").as_object())});
    if (witness.page.at("current").is_object())
      ledger.current = read_lineage(witness.page.at("current").as_object());
    return ledger;
  }

  const Story& story_;
  std::map<conflict::Version, conflict::Version> lost_to_;
  std::set<conflict::Version> uncertain_;
  std::set<conflict::Version> parents_;
};

std::vector<Witness> ask(const Deployment& deployment, const WhyOptions& why,
                         const std::string& key_json) {
  std::vector<Page> pages;
  for (const auto& region : deployment.regions)
    pages.push_back({region.admin, "/v1/tables/" + why.table +
                                       "/history?key_json=" + percent_encoded(key_json)});
  auto answers = fetch_all(pages);
  std::vector<Witness> out;
  bool answered = false;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::string& region = deployment.regions[i].name;
    answered |= answers[i].status != 0;
    if (answers[i].status == 400) throw UsageError(answers[i].problem);
    if (answers[i].body) {
      out.push_back({region, answers[i].body->as_object()});
    } else if (answers[i].status != 404) {
      progress(region + " did not answer: " + answers[i].problem);
    }
  }
  if (!answered) (void)expect_object(deployment.regions.front().name, answers.front());
  if (out.empty()) throw UsageError("no region has a table named " + why.table);
  return out;
}

json::object as_json(const Version& version, const Fate& fate) {
  json::object context;
  for (const auto& entry : version.lineage.context.entries())
    context[std::string(entry.region.name())] = conflict::to_text({entry.hlc, entry.region});
  json::object regions;
  for (const auto& [region, seen] : version.seen) regions[region] = seen;
  json::array parked_in;
  for (const auto& region : version.parked_in) parked_in.emplace_back(region);
  json::object out{{"version", conflict::to_text(version.lineage.version)},
                   {"origin", std::string(version.lineage.version.region.name())},
                   {"kind", version.removed ? "delete" : "put"},
                   {"committed_us", nullptr},
                   {"parent", nullptr},
                   {"context", std::move(context)},
                   {"image", version.image},
                   {"fate", fate.word},
                   {"rule", fate.rule},
                   {"quarantined_in", std::move(parked_in)},
                   {"regions", std::move(regions)}};
  if (version.committed_us) out["committed_us"] = *version.committed_us;
  if (!version.parent.empty()) out["parent"] = version.parent;
  return out;
}

void tell_reach(const std::vector<Witness>& witnesses) {
  for (const auto& witness : witnesses)
    if (!witness.page.at("complete").as_bool())
      progress(witness.region + ": its log no longer has the item's oldest records");
}

int why(const Options& options, const WhyOptions& why) {
  Deployment deployment = load_deployment(options.deployment);
  std::string key_json = parse_key(deployment, why.table, why.key);
  auto witnesses = ask(deployment, why, key_json);
  Story story;
  for (const auto& witness : witnesses) {
    add_records(story, witness);
    add_entries(story, witness);
    add_current(story, witness);
    add_parked(story, witness);
  }
  tell_reach(witnesses);
  if (story.empty()) {
    progress("no region knows of " + key_json + " in " + why.table);
    return kExitNo;
  }
  Fates fates(story, witnesses);
  Table table{{"version", "kind", "parent", "fate", "rule"}, {}};
  for (const auto& witness : witnesses) table.columns.push_back(witness.region);
  json::array versions;
  for (const auto& [version, told] : story) {
    Fate fate = fates.of(version);
    std::string parent = told.parent.empty() ? (told.parent_known ? "none" : "?") : told.parent;
    std::vector<std::string> row{conflict::to_text(version), told.removed ? "delete" : "put",
                                 parent, fate.word, fate.rule};
    for (const auto& witness : witnesses) {
      auto seen = told.seen.find(witness.region);
      row.push_back(seen == told.seen.end() ? "-" : seen->second);
    }
    table.rows.push_back(std::move(row));
    versions.push_back(as_json(told, fate));
  }
  json::object all{{"table", why.table},
                   {"key", witnesses.front().page.at("key_json")},
                   {"versions", std::move(versions)}};
  print_result(options.format, table, json::serialize(all));
  for (const auto& [version, told] : story)
    for (const auto& region : told.parked_in)
      progress(region + " could not apply " + conflict::to_text(version) +
               ": see meridian quarantine list " + why.table + " --region " + region);
  return kExitYes;
}

}  // namespace

void add_why_command(CLI::App& app, const Options& options, std::function<int()>& run) {
  auto wanted = std::make_shared<WhyOptions>();
  auto* command = app.add_subcommand(
      "why", "Why is an item as it is?  Every version that is known, and what became of it");
  command->add_option("table", wanted->table, "Name of the table")->required();
  command->add_option("key", wanted->key, "The key: JSON, or NAME=VALUE for each part")->required();
  command->callback([&options, &run, wanted] {
    run = [&options, wanted] { return why(options, *wanted); };
  });
}

}  // namespace meridian::cli

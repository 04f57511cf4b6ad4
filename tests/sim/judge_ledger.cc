// The part of the Judge that knows which writes lost unseen.
#include <fmt/format.h>

#include <iterator>

#include "conflict/absence.h"
#include "conflict/ledger.h"
#include "tests/sim/judge.h"

namespace meridian::sim {
namespace {

constexpr std::size_t kPage = 30;

}  // namespace

// Every write that happened, also those whose clients never heard so.
Judge::Lineages Judge::lineages() const {
  Lineages out;
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region)
    for (std::uint16_t shard = 0; shard < outside_.shape.regions[region].shards; ++shard)
      for (const auto& record : log(region, ShardId(shard))) {
        Happened& write = out[record.version];
        write = {history_.key_number(record.key).value_or(0), record.parent, record.new_image, {}};
        if (!record.parent) write.forgotten = record.context.of(conflict::everywhere());
      }
  return out;
}

// The parent that a record names is the write whose image the client was shown.
void Judge::parents_are_right(const Lineages& happened) {
  for (const auto& [version, write] : happened) {
    const Write* asked = history_.find(version);
    if (asked == nullptr) continue;
    auto parent = write.parent ? happened.find(*write.parent) : happened.end();
    std::optional<Bytes> before;
    if (parent != happened.end()) before = parent->second.image;
    if ((write.parent && parent == happened.end()) || before != asked->mutation->shown())
      add("P13", "its parent is not what it was shown: " + describe(*asked));
  }
}

// The tombstone that was collected before `version` was written: the newest of its key up to then.
conflict::Version Judge::forgotten_by(const Lineages& happened, const conflict::Version& version) {
  const Happened& write = happened.at(version);
  for (auto at = std::make_reverse_iterator(happened.find(version)); at != happened.rend(); ++at)
    if (at->first.hlc <= *write.forgotten && at->second.key_number == write.key_number)
      return at->first;
  return {};
}

std::set<conflict::Version> Judge::losers(const Lineages& happened) const {
  std::map<std::uint32_t, conflict::Version> winners;
  std::set<conflict::Version> out;
  for (const auto& [version, write] : happened) {
    out.insert(version);
    winners[write.key_number] = version;  // ascending
  }
  for (const auto& [version, write] : happened) {
    if (write.parent) out.erase(*write.parent);
    if (write.forgotten) out.erase(forgotten_by(happened, version));
  }
  for (const auto& [key, version] : winners) out.erase(version);
  return out;
}

std::vector<store::LedgerEntry> Judge::entries(std::size_t region) const {
  std::vector<store::LedgerEntry> out;
  store::LedgerQuery query;
  query.entries_max = kPage;
  while (true) {
    auto page = outside_.nodes[region]->reader().conflicts(table_, query);
    out.insert(out.end(), page.entries.begin(), page.entries.end());
    if (!page.more) return out;
    query.after_key = out.back().key;
    query.after_version = out.back().loser.lineage.version;
  }
}

void Judge::entry_is_right(std::size_t region, const store::LedgerEntry& entry,
                           const Lineages& happened) {
  const auto& loser = entry.loser.lineage.version;
  const auto& winner = entry.winner.lineage.version;
  auto bad = [&](const char* what) {
    add("P13", fmt::format("region {} lists {}, beaten by {}: {}", region,
                           conflict::to_text(loser), conflict::to_text(winner), what));
  };
  for (const auto* side : {&entry.loser, &entry.winner}) {
    auto write = happened.find(side->lineage.version);
    if (write == happened.end()) return bad("one of them never happened");
    if (write->second.image != side->image) bad("not the image that was written");
    if (key_of(write->second.key_number) != entry.key) bad("another key");
  }
  if (!(loser < winner)) bad("it is the greater");
  if (entry.winner.lineage.context.covers(loser)) bad("the winner knew it");
}

std::set<conflict::Version> Judge::merged_ledger(const Lineages& happened) {
  std::map<Bytes, std::vector<conflict::RegionLedger>> by_key;
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region) {
    SimNode& node = *outside_.nodes[region];
    conflict::Hlc complete_after = node.reader().ledger(table_).complete_after;
    std::map<Bytes, conflict::RegionLedger> here;
    for (const auto& entry : entries(region)) {
      entry_is_right(region, entry, happened);
      here[entry.key].entries.push_back({entry.loser.lineage, entry.winner.lineage});
    }
    for (const auto& row : rows(region)) {
      auto& ledger = here[row.key];
      ledger.current = conflict::Lineage{row.version, row.context};
    }
    for (auto& [key, ledger] : here) {
      ledger.region = node.region();
      ledger.complete_after = complete_after;
      by_key[key].push_back(std::move(ledger));
    }
  }
  std::set<conflict::Version> out;
  for (const auto& [key, ledgers] : by_key) {
    for (const auto& loser : conflict::merge(ledgers)) {
      const auto& version = ledgers[loser.ledger].entries[loser.entry].loser.version;
      if (!out.insert(version).second || !loser.certain)
        add("P13", "listed twice, or not by its origin: " + conflict::to_text(version));
    }
  }
  return out;
}

// Every child of a region's write has come to it, as long as all that is written travels by the logs: so
// what it still lists of its own is lost, before anything is merged.
void Judge::own_lists_are_right(const std::set<conflict::Version>& losers) {
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region) {
    for (const auto& entry : entries(region)) {
      const auto& version = entry.loser.lineage.version;
      if (version.region == outside_.nodes[region]->region() && !losers.contains(version))
        add("P13", "its own region has not withdrawn " + conflict::to_text(version));
    }
  }
}

void Judge::ledger() {
  if (outside_.shape.trims()) return;  // parents are read from the logs
  const Lineages happened = lineages();
  parents_are_right(happened);
  auto expected = losers(happened);
  if (!outside_.repaired) own_lists_are_right(expected);
  auto found = merged_ledger(happened);
  losers_ = expected.size();
  for (const auto& version : expected)
    if (!found.contains(version))
      add("P13", "a loser is not in the merged ledger: " + conflict::to_text(version));
  // (A repair brings what stands, not what it was built upon: not every child of a beaten write is heard
  // of where the ledger would withdraw it.)
  if (outside_.repaired) return;
  for (const auto& version : found)
    if (!expected.contains(version))
      add("P13", "the merged ledger lists what is no loser: " + conflict::to_text(version));
}

}  // namespace meridian::sim

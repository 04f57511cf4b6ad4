// The part of the Judge that knows which writes lost unseen.
#include <fmt/format.h>

#include <iterator>

#include "conflict/ledger.h"
#include "tests/sim/judge.h"

namespace meridian::sim {
namespace {

constexpr std::size_t kLedgerPage = 30;

}  // namespace

// The parent that a record names is the write whose image the client was shown.
void Judge::parents_are_right(const Writes& happened) {
  for (const auto& [version, write] : happened) {
    const Write* asked = history_.find(version);
    if (asked == nullptr) continue;
    auto parent = write.parent ? happened.find(*write.parent) : happened.end();
    bool known = !write.parent || parent != happened.end();
    auto before = write.replaced_hash;
    if (!before && known) before = hash_of(parent->second.image);
    if (!known || before != hash_of(asked->mutation->shown()))
      add("P13", "its parent is not what it was shown: " + describe(*asked));
  }
}

// What a write was built upon.  Of one on an absent key it is the tombstone that was collected before it:
// the newest of its key up to then.
std::optional<conflict::Version> Judge::parent_of(const Writes& happened,
                                                  const conflict::Version& version) {
  const Happened& write = happened.at(version);
  if (!write.forgotten) return write.parent;
  for (auto at = std::make_reverse_iterator(happened.find(version)); at != happened.rend(); ++at)
    if (at->first.hlc <= *write.forgotten && at->second.key_number == write.key_number)
      return at->first;
  return std::nullopt;
}

// Whether a write counts although its region has forgotten it: others had it by then.
bool Judge::lasts(const conflict::Version& version, const Happened& write) const {
  if (!write.origin_forgot) return true;
  const Write* asked = history_.find(version);
  return asked != nullptr && asked->state == WriteState::acknowledged;  // else it was forfeit
}

// The winner may be a delete whose tombstone was collected everywhere, and its region may have forgotten
// that since: where nothing is left of what somebody had put, one of those has won.
Judge::Winners Judge::winners(const Writes& happened) const {
  Winners out;
  for (const auto& [version, write] : happened)
    if (lasts(version, write)) out.of[write.key_number] = version;  // ascending
  std::map<std::uint32_t, conflict::Version> deletes;  // the newest that may have been collected
  const conflict::Version collected = horizon(0);
  for (const auto& [version, write] : happened)
    if (!write.image && version <= collected) deletes[write.key_number] = version;
  for (const auto& row : rows(0))
    if (auto key = history_.key_number(row.key)) {
      out.of[*key] = row.version;
      deletes.erase(*key);
    }
  for (const auto& [key, newest] : deletes) {
    auto last = out.of.find(key);
    if (last == out.of.end() || newest <= last->second) continue;
    if (happened.at(last->second).image) last->second = newest;
    else out.either.insert(last->second);
  }
  return out;
}

// What a region has lost before anybody else had it never happened, as far as anybody can tell: so it is
// with what lies above the winner.
Judge::Versions Judge::losers(const Writes& happened, const Winners& winners) {
  Versions out;
  for (const auto& [version, write] : happened) {
    auto winner = winners.of.find(write.key_number);
    bool below = winner != winners.of.end() && version <= winner->second;
    if (!write.origin_forgot || below) out.insert(version);
  }
  for (const auto& [version, write] : happened)
    if (auto parent = parent_of(happened, version)) out.erase(*parent);
  for (const auto& [key, version] : winners.of) out.erase(version);
  return out;
}

// Writes upon which a region has built that has forgotten it since: what says so may be gone.
Judge::Versions Judge::with_lost_descendants(const Writes& happened) {
  Versions out;
  for (auto at = happened.rbegin(); at != happened.rend(); ++at) {  // children come first
    auto parent = parent_of(happened, at->first);
    if (parent && (at->second.origin_forgot || out.contains(at->first))) out.insert(*parent);
  }
  return out;
}

std::vector<store::LedgerEntry> Judge::entries(std::size_t region) const {
  std::vector<store::LedgerEntry> out;
  store::LedgerQuery query;
  query.entries_max = kLedgerPage;
  while (true) {
    auto page = outside_.nodes[region]->reader().conflicts(table_, query);
    out.insert(out.end(), page.entries.begin(), page.entries.end());
    if (!page.more) return out;
    query.after_key = out.back().key;
    query.after_version = out.back().loser.lineage.version;
  }
}

void Judge::entry_is_right(std::size_t region, const store::LedgerEntry& entry,
                           const Writes& happened) {
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

Judge::Versions Judge::merged_ledger(const Writes& happened) {
  const std::size_t regions = outside_.nodes.size();
  std::vector<conflict::RegionLedger> silent(regions);  // what a region says that lists nothing
  for (std::size_t region = 0; region < regions; ++region) {
    SimNode& node = *outside_.nodes[region];
    silent[region].region = node.region();
    silent[region].complete_after = node.reader().ledger(table_).complete_after;
  }
  // Each region is asked of every key: one that has nothing left of it still denies what others list.
  std::map<Bytes, std::vector<conflict::RegionLedger>> by_key;
  auto of = [&](const Bytes& key, std::size_t region) -> conflict::RegionLedger& {
    return by_key.try_emplace(key, silent).first->second[region];
  };
  for (std::size_t region = 0; region < regions; ++region) {
    for (const auto& entry : entries(region)) {
      entry_is_right(region, entry, happened);
      of(entry.key, region).entries.push_back({entry.loser.lineage, entry.winner.lineage});
    }
    for (const auto& row : rows(region))
      of(row.key, region).current = conflict::Lineage{row.version, row.context};
  }
  Versions out;
  for (const auto& [key, ledgers] : by_key) {
    for (const auto& loser : conflict::merge(ledgers)) {
      const auto& version = ledgers[loser.ledger].entries[loser.entry].loser.version;
      auto write = happened.find(version);
      bool certain = loser.certain || (write != happened.end() && write->second.origin_forgot);
      if (!out.insert(version).second || !certain)
        add("P13", "listed twice, or not by its origin: " + conflict::to_text(version));
    }
  }
  return out;
}

// Every child of a region's write has come to it, as long as all that is written travels by the logs: so
// what it still lists of its own is lost, before anything is merged.
void Judge::own_lists_are_right(const Versions& losers, const Versions& doubtful) {
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region) {
    for (const auto& entry : entries(region)) {
      const auto& version = entry.loser.lineage.version;
      bool own = version.region == outside_.nodes[region]->region();
      if (own && !losers.contains(version) && !doubtful.contains(version))
        add("P13", "its own region has not withdrawn " + conflict::to_text(version));
    }
  }
}

Judge::Versions Judge::listed_by_any() const {
  Versions out;
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region)
    for (const auto& entry : entries(region)) out.insert(entry.loser.lineage.version);
  return out;
}

// A region that has lost its ledger leaves to the others what they have seen of its writes.  It says so:
// what one of them lists, and nobody has built upon, is in the merged ledger.
void Judge::lost_ledgers_are_made_up_for(const Writes& happened, const Versions& expected,
                                         const Versions& found) {
  for (const auto& version : listed_by_any()) {
    auto write = happened.find(version);
    if (write == happened.end() || !write->second.origin_forgot) continue;
    if (expected.contains(version) && !found.contains(version))
      add("P13", "its region has lost its ledger, and denies what others list: " +
                     conflict::to_text(version));
  }
}

// A delete that lost to what had not come to its own region when its tombstone was collected there: that
// region lists it no more (ADR 0023).
bool Judge::is_forgotten_delete(const Writes& happened, const conflict::Version& version) const {
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region)
    if (outside_.nodes[region]->region() == version.region)
      return !happened.at(version).image && version <= horizon(region);
  return false;
}

// A write of a region that was restored, with a clock that has gone back, and did not know it: whoever had
// built upon a later one, which it has forgotten, is taken for one that had seen this one, too.
bool Judge::passes_for_seen(const Writes& happened, const conflict::Version& version) {
  const Happened& write = happened.at(version);
  if (!write.unaware) return false;
  for (const auto& [child, each] : happened) {
    if (!each.parent || each.parent->region != version.region || *each.parent < version) continue;
    auto parent = happened.find(*each.parent);
    if (each.key_number == write.key_number && parent != happened.end() &&
        (parent->second.origin_forgot || parent->second.reminted))
      return true;
  }
  return false;
}

void Judge::ledger() {
  if (lineages_.gaps()) return;
  const Writes& happened = lineages_.of(table_);
  parents_are_right(happened);
  const Winners standing = winners(happened);
  auto expected = losers(happened, standing);
  losers_ = expected.size();
  // (A repair brings what stands, not what it was built upon: a region may never hear of a child that
  // would have its entry withdrawn.  That child is listed by its own region, or built upon in turn, so
  // the merged ledger knows.)
  auto doubtful = with_lost_descendants(happened);
  doubtful.insert(standing.either.begin(), standing.either.end());
  if (!outside_.repaired) own_lists_are_right(expected, doubtful);
  auto found = merged_ledger(happened);
  for (const auto& version : expected)
    if (!found.contains(version) && !happened.at(version).origin_forgot &&
        !is_forgotten_delete(happened, version) && !passes_for_seen(happened, version))
      add("P13", "a loser is not in the merged ledger: " + conflict::to_text(version));
  for (const auto& version : found) {
    auto write = happened.find(version);
    bool lost = write != happened.end() && write->second.origin_forgot;
    if (!expected.contains(version) && !lost && !doubtful.contains(version))
      add("P13", "the merged ledger lists what is no loser: " + conflict::to_text(version));
  }
  lost_ledgers_are_made_up_for(happened, expected, found);
}

}  // namespace meridian::sim

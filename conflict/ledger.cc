#include "conflict/ledger.h"

#include <map>
#include <set>

namespace meridian::conflict {
namespace {

void add_chain(std::set<Version>& chains, const Context& context) {
  for (const auto& entry : context.entries()) chains.insert(Version{entry.hlc, entry.region});
}

// Everything that some known write has in its chain, as far as contexts tell.
std::set<Version> chains_of(const std::vector<RegionLedger>& ledgers) {
  std::set<Version> out;
  for (const auto& ledger : ledgers) {
    if (ledger.current) add_chain(out, ledger.current->context);
    for (const auto& entry : ledger.entries) {
      add_chain(out, entry.loser.context);
      add_chain(out, entry.winner.context);
    }
  }
  return out;
}

}  // namespace

std::vector<MergedLoser> merge(const std::vector<RegionLedger>& ledgers) {
  std::map<RegionId, Hlc> authorities;
  for (const auto& ledger : ledgers) authorities[ledger.region] = ledger.complete_after;
  const std::set<Version> chains = chains_of(ledgers);
  std::map<Version, MergedLoser> losers;
  for (std::size_t i = 0; i < ledgers.size(); ++i) {
    for (std::size_t j = 0; j < ledgers[i].entries.size(); ++j) {
      const Version& version = ledgers[i].entries[j].loser.version;
      if (chains.contains(version)) continue;
      bool own = version.region == ledgers[i].region;
      auto authority = authorities.find(version.region);
      bool decided = authority != authorities.end() && version.hlc > authority->second;
      if (own) {
        losers[version] = {i, j, true};
      } else if (!decided) {
        losers.emplace(version, MergedLoser{i, j, false});
      }
    }
  }
  std::vector<MergedLoser> out;
  for (const auto& [version, loser] : losers) out.push_back(loser);
  return out;
}

}  // namespace meridian::conflict

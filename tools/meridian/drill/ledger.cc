#include "tools/meridian/drill/ledger.h"

#include <algorithm>

namespace meridian::drill {

Fate fate_of(const Write& write, const Holdings& holdings) {
  auto held = holdings.find(write.key);
  if (held == holdings.end()) return Fate::missing;
  if (held->second == write.value) return Fate::present;
  return write.shared ? Fate::beaten : Fate::missing;
}

Loss loss_at(const std::vector<Write>& writes, const std::string& failed, std::int64_t cut_us,
             const Holdings& survivor) {
  Loss out;
  std::int64_t newest_us = 0;
  std::int64_t oldest_us = 0;
  for (const auto& write : writes) {
    if (write.region != failed || write.acked_us == 0 || write.acked_us > cut_us) continue;
    newest_us = std::max(newest_us, write.acked_us);
    // A shared key says little: whether a later write beat this one there is not known yet.
    if (write.shared || fate_of(write, survivor) == Fate::present) continue;
    oldest_us = out.writes.empty() ? write.acked_us : std::min(oldest_us, write.acked_us);
    out.writes.push_back(write);
  }
  if (!out.writes.empty()) out.age_us = newest_us - oldest_us;
  return out;
}

Outcome outcome_of(const std::vector<Write>& writes, const std::vector<Holdings>& regions) {
  Outcome out;
  for (const auto& write : writes) {
    if (write.acked_us == 0) continue;
    bool beaten = false;
    bool missing = false;
    for (const auto& region : regions) {
      Fate fate = fate_of(write, region);
      beaten |= fate == Fate::beaten;
      missing |= fate == Fate::missing;
    }
    (missing ? out.lost : beaten ? out.beaten : out.late).push_back(write);
  }
  return out;
}

std::int64_t longest_outage_us(const std::vector<Write>& writes, const std::string& home,
                               std::int64_t from_us, std::int64_t to_us) {
  std::vector<std::int64_t> acked{from_us, to_us};
  for (const auto& write : writes)
    if (write.home == home && write.acked_us > from_us && write.acked_us < to_us)
      acked.push_back(write.acked_us);
  std::sort(acked.begin(), acked.end());
  std::int64_t longest = 0;
  for (std::size_t i = 1; i < acked.size(); ++i)
    longest = std::max(longest, acked[i] - acked[i - 1]);
  return longest;
}

namespace {

std::optional<std::int64_t> first_us(const std::vector<Write>& writes, const std::string& home,
                                     bool at_home, std::int64_t from_us) {
  std::optional<std::int64_t> first;
  for (const auto& write : writes) {
    if (write.home != home || write.acked_us < from_us || write.region.empty()) continue;
    if ((write.region == home) != at_home) continue;
    if (!first || write.acked_us < *first) first = write.acked_us;
  }
  return first;
}

}  // namespace

std::optional<std::int64_t> first_elsewhere_us(const std::vector<Write>& writes,
                                               const std::string& home, std::int64_t from_us) {
  return first_us(writes, home, false, from_us);
}

std::optional<std::int64_t> first_back_us(const std::vector<Write>& writes, const std::string& home,
                                          std::int64_t from_us) {
  return first_us(writes, home, true, from_us);
}

}  // namespace meridian::drill

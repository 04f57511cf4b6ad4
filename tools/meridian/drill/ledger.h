// Ledger: what a drill's own clients wrote, what they were told, and what became of each write.
// Pure, so that the figures of a report can be tested without regions.
//
// Every write carries a value that no other write has.  Most have a key of their own; some share
// keys with others, so that a later write may have beaten them.
// Units: microseconds since the drill began.  Threads: value types.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace meridian::drill {

struct Write {
  std::string key;  // sort key; the partition is the drill's
  std::string value;
  std::string home;         // the region that its writer begins in
  std::string region;       // the one that acknowledged it; empty when none did
  bool shared = false;      // other writes have the same key
  std::int64_t due_us = 0;  // when it was to be sent, so that a stall counts for all who wait in it
  std::int64_t acked_us = 0;   // 0: never acknowledged
  std::uint32_t failures = 0;  // attempts before that failed
};

// A read, at `region`, that did not show a write that had been acknowledged before it was sent.
struct StaleRead {
  std::string key;
  std::string value;         // that of the write
  std::string acknowledged;  // the region that had acknowledged the write
  std::string region;        // the one that was read
  std::int64_t acked_us = 0;
  std::int64_t at_us = 0;
};

// What one region holds of the drill's partition: value by key.
using Holdings = std::map<std::string, std::string>;

enum class Fate { present, beaten, missing };
// `beaten`: a shared key holds another of the drill's values.
Fate fate_of(const Write& write, const Holdings& holdings);

struct Loss {
  std::vector<Write> writes;  // acknowledged in the failed region, not visible in the survivor
  std::int64_t age_us = 0;    // from the oldest of them to the last that the region acknowledged
};
// What would be lost if the failed region never came back: of the writes that it acknowledged
// before `cut_us`, those that `survivor` does not hold.
Loss loss_at(const std::vector<Write>& writes, const std::string& failed, std::int64_t cut_us,
             const Holdings& survivor);

// What became of them once everything was healed.  A write that one region lacks is lost.
struct Outcome {
  std::vector<Write> late;
  std::vector<Write> beaten;
  std::vector<Write> lost;
};
Outcome outcome_of(const std::vector<Write>& writes, const std::vector<Holdings>& regions);

// Longest time without an acknowledgement to writers of `home`, between `from_us` and `to_us`.
std::int64_t longest_outage_us(const std::vector<Write>& writes, const std::string& home,
                               std::int64_t from_us, std::int64_t to_us);
// When writers of `home` were first acknowledged by another region.
std::optional<std::int64_t> first_elsewhere_us(const std::vector<Write>& writes,
                                               const std::string& home, std::int64_t from_us);
// When `home` itself first acknowledged a write of theirs.
std::optional<std::int64_t> first_back_us(const std::vector<Write>& writes, const std::string& home,
                                          std::int64_t from_us);

}  // namespace meridian::drill

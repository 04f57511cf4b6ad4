// Session: one region's walk through a table together with another: finds what differs, in a few round
// trips and few bytes, and in a repair says what each side has to do about it.
//
// A pure state machine: it answers with the one thing to do next, and is told what came of it.
//
//   all the table, a page of segments at a time     digests: there, then here over the same bounds
//     └─ segments that differ, cut into leaves      digests: there, then here
//          └─ leaves that differ                    hashes of our rows go there; heads of the rows that
//               └─ rows that differ                 we lack come back, and which of ours are not there
//                    fetched, sent, dropped         whole rows, in bounded calls
//
// Rows may change while it walks: what is decided upon is applied only if it still fits (by version,
// or by the horizon that the decision rests on), so a walk that raced with writes does no harm, and
// differences that were merely on their way are told apart by the watermarks.
//
// Threads: confined to its driver.
// Invariants: facts are read before any row is; a side's rows are read after its facts.
// Limits: SessionLimits, and those of rpc/repair.h.
// Source: ADR 0020; DESIGN rule "repair".
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "region-node/repair/digest.h"
#include "region-node/repair/rules.h"
#include "rpc/repair.h"

namespace meridian::repair {

struct SessionLimits {
  std::uint32_t rows_per_segment = 16384;
  std::uint32_t segments_per_page = 8;
  std::uint32_t rows_per_leaf = 32;
  std::size_t rows_per_compare = 8192;  // of ours, in one exchange
  std::size_t samples_max = 100;        // differences that are remembered
  std::size_t lone_tombstones_max = 1 << 20;
};

enum class Purpose {
  compare,  // look only
  repair,
};

// What to do next.  "There" asks the other region, "here" this one.
struct DigestThere { rpc::DigestRequest request; };
struct DigestHere {
  TableId table;
  Bytes after;
  std::vector<std::optional<Bytes>> bounds;
  conflict::Hlc horizon;
};
struct HeadsHere {
  TableId table;
  std::vector<rpc::KeySpan> spans;
  conflict::Hlc horizon;
  std::size_t rows_max;
};
struct CompareThere { rpc::CompareRequest request; };
struct FetchHere { rpc::FetchRequest request; };
struct FetchThere { rpc::FetchRequest request; };
struct ApplyHere { rpc::RepairWork work; };
struct ApplyThere { rpc::RepairWork work; };
struct Finished {};
// The other side's answer cannot be: it speaks another language, or worse.
struct Nonsense { std::string what; };
using Step = std::variant<DigestThere, DigestHere, HeadsHere, CompareThere, FetchHere, FetchThere,
                          ApplyHere, ApplyThere, Finished, Nonsense>;

struct Sample {
  Bytes key;
  Fate fate = Fate::same;
  std::optional<rpc::RowHead> here;
  std::optional<rpc::RowHead> there;
};

struct SessionFigures {
  std::uint64_t rows_compared = 0;    // of the other side, by digest
  std::uint64_t spans_differing = 0;  // leaves
  std::uint64_t differing = 0;        // rows, in_flight included
  std::uint64_t in_flight = 0;        // differing rows that may just be on their way
  std::set<RegionId> in_flight_origins;  // from these regions
  std::uint64_t fetched = 0;          // rows applied here
  std::uint64_t sent = 0;             // rows applied there
  std::uint64_t dropped_here = 0;
  std::uint64_t dropped_there = 0;
  std::uint64_t stale = 0;    // newer ones had come meanwhile
  std::uint64_t skipped = 0;  // the ground had moved; the next walk decides
};

class Session {
 public:
  Session(TableId table, Facts here, Facts there, Purpose purpose, SessionLimits limits = {});

  Step start();
  // Each answers what is next.  A step is answered exactly once.
  Step on_digests_there(rpc::DigestPage page);
  Step on_digests_here(std::vector<rpc::Digest> digests);
  Step on_heads_here(Heads heads);
  Step on_comparison(rpc::Comparison comparison);
  Step on_rows(rpc::FetchedRows rows);  // of FetchHere and FetchThere alike
  Step on_applied(const rpc::RepairOutcome& outcome);  // of ApplyHere and ApplyThere alike

  // Of a comparison that has finished: what has been collected since it began does not differ.
  // `collected`: the larger G of the two sides, as it is now.
  void forgive_collected(conflict::Hlc collected);
  // Whether there may be something to forgive.
  [[nodiscard]] bool saw_lone_tombstones() const { return !lone_tombstones_.empty(); }

  [[nodiscard]] const SessionFigures& figures() const { return figures_; }
  // Of the rows that differ and are not in flight, the first few.
  [[nodiscard]] const std::vector<Sample>& samples() const { return samples_; }
  // Sum over all that was compared, of the other side.
  [[nodiscard]] const rpc::Digest& digest_there() const { return digest_there_; }
  [[nodiscard]] const rpc::Digest& digest_here() const { return digest_here_; }

 private:
  Step next();
  Step compare_leaves();
  Step transfer();
  void decide(const std::optional<rpc::RowHead>& here, const std::optional<rpc::RowHead>& there);
  void sort_in(const Bytes& key, Fate fate, const rpc::RowHead* dropped);
  void put_back_uncovered(std::size_t covered, const std::optional<Bytes>& covered_to);

  struct Wanted {
    Bytes key;
    bool lost = false;
  };

  const TableId table_;
  const Facts here_;
  const Facts there_;
  const conflict::Hlc horizon_;
  const Purpose purpose_;
  const SessionLimits limits_;

  // The walk.
  bool walked_ = false;                // the whole table has been digested
  Bytes walked_to_;
  std::deque<rpc::KeySpan> segments_;  // that differ
  std::deque<rpc::KeySpan> leaves_;    // that differ
  bool in_segment_ = false;            // the digests under way are of leaves
  rpc::KeySpan digesting_;
  rpc::DigestPage page_;
  // The exchange of rows under way.
  std::vector<rpc::KeySpan> comparing_;
  Heads heads_;
  // What was decided and is yet to be done.
  std::deque<Wanted> fetch_;
  std::deque<Wanted> send_;
  std::deque<rpc::RepairWork::Drop> drop_here_;
  std::deque<rpc::RepairWork::Drop> drop_there_;
  std::vector<Wanted> moving_;  // keys of the fetch under way
  bool sending_ = false;        // to the other side
  bool dropping_ = false;

  SessionFigures figures_;
  std::vector<conflict::Hlc> lone_tombstones_;  // that only one side has, and should not
  std::vector<Sample> samples_;
  rpc::Digest digest_there_;
  rpc::Digest digest_here_;
};

}  // namespace meridian::repair

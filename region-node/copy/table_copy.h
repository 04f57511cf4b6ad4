// TableCopy: fills a new replica of a table that holds items already: decides what to ask, of whom, and
// when the replica is whole.  It runs in the region that joins, and only decides: whoever drives it
// carries the actions out and says what came of them.
//
//     register with every replica, so that each keeps its log for us
//       -> offer: where each flow of the seed stands      (every flow begins there)
//         -> rows of the seed, tombstones included, page by page, through the apply rule
//           -> wait until the flows have reached where the seed stood when its last row was read
//             -> whole
//
// Records that the seed could not apply itself are in neither rows nor flows: they come with the offer,
// and are applied, or put into quarantine here too, before the scan.
//
// Why nothing is missed otherwise: what the seed had applied at the offer is in the rows that are read
// after it, and what it had not comes through the flows that begin there.  A row that came to the seed
// outside of its flows meanwhile (a repair) would be in neither: the seed's epoch tells, and the scan
// is run again.  So it is when the seed was put back to an older copy of what it holds: it is asked whether
// its logs still have what they had when the scan began, and what our flow of it has got since.
// The cursor is stored with the rows, so after a death the copy goes on where its rows are.  With
// another seed the scan begins anew, once that seed has got at least as far as our flows began: then
// no flow need go back, and nobody's log need reach further back than it was pinned.
// A region that loses its data meanwhile begins another log, and the seed's flow of it begins anew: where
// the seed stood in the one before, nobody gets any more.  So it is asked again now and then.
//
// Pure: no clock, socket, thread or file.  One action is under way at a time.
// Threads: confined to the caller's.
// Limits: CopyLimits.
// Source: ADR 0021.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/ids.h"
#include "conflict/version.h"
#include "region-node/copy/copy_cursor.h"
#include "rpc/rows.h"

namespace meridian::copy {

struct CopyLimits {
  std::uint32_t rows_max = 256;  // of one page
  std::uint32_t bytes_max = 256 * 1024;
  // Of all copies of a node together, so that clients keep their latency; 0 for no limit.
  std::uint64_t bytes_per_s_max = 8 << 20;
  std::int64_t register_ms_max = 5'000;     // for a replica that cannot be reached; it is repaired later
  std::int64_t seed_ms_max = 60'000;        // for a seed that cannot be reached, before another is taken
  std::int64_t catch_up_poll_ms = 200;
  unsigned catch_up_polls_max = 50;  // before the seed is asked again how far to wait
  std::int64_t backoff_ms_min = 100;
  std::int64_t backoff_ms_max = 3'000;
};

// Another replica of the table, as it looks from here.
struct Member {
  RegionId region;
  bool whole = false;      // it has all rows itself
  bool reachable = false;
  // How far its flows are here, by shard of its log; nothing if that was not looked up.
  std::optional<std::map<ShardId, LogPosition>> flows = {};
};

enum class Phase : std::uint8_t { registering, starting, copying, catching_up, finishing, whole };
const char* phase_name(Phase phase);

// What is to be done.  Each is answered by the method that is named with it, or by on_failure().
struct Register {  // tell `region` of this replica, and see that it knows: on_registered()
  RegionId region;
};
struct AskOffer {  // on_offer()
  RegionId seed;
  std::vector<LogPosition> flows;    // see rpc::OfferQuestion
  std::vector<LogPosition> scanned;
};
struct Begin {  // store flows' beginnings and both cursors, in one transaction: on_begun()
  std::vector<rpc::FlowStand> stands;
  Bytes cursor;
  Bytes beginnings;
};
struct ReadRows {  // on_page()
  RegionId seed;
  Bytes after;
  std::uint32_t rows_max = 0;
  std::uint32_t bytes_max = 0;
};
struct ApplyRows {  // with the cursor: on_applied()
  RegionId seed;
  std::vector<rpc::Row> rows;
  std::optional<rpc::CursorMove> cursor;
};
struct LookAtFlows {  // have the seed's flow, and those of sources in reach, got so far?  on_flows()
  RegionId seed;
  std::vector<rpc::FlowStand> stands;
};
struct Finish {  // this replica is whole: on_finished()
  conflict::Hlc collected;  // what the seed had collected is collected here as well
  std::map<RegionId, conflict::Hlc> watermarks;  // what the seed had is here
  std::set<RegionId> unsettled;                  // and what it may have lacked may be lacking here
};
struct Wait {  // on_timer()
  std::int64_t until_ms = 0;
};
using Action = std::variant<Register, AskOffer, Begin, ReadRows, ApplyRows, LookAtFlows, Finish,
                            Wait>;

struct CopyProgress {
  Phase phase = Phase::registering;
  std::optional<RegionId> seed;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t rows_estimated = 0;
  unsigned percent = 0;  // 100 only when whole
  double rows_per_s = 0;
  double bytes_per_s = 0;
  std::optional<std::int64_t> seconds_left;
  std::string reason;  // what it waits for
};

class TableCopy {
 public:
  // Names in the store: of the cursor, and of where the flows began.
  static constexpr const char* kCursor = "copy";
  static constexpr const char* kBeginnings = "copy.flows";

  TableCopy(RegionId self, CopyLimits limits) : self_(self), limits_(limits) {}

  // As they are stored.  Times: monotonic.
  Action start(const std::optional<Bytes>& cursor, const std::optional<Bytes>& beginnings,
               std::int64_t now_ms);

  // The other replicas; before each answer.
  void set_members(std::vector<Member> members) { members_ = std::move(members); }
  // How many copies share the limit on bytes, this one included.
  void set_sharers(std::uint64_t copies) { sharers_ = copies > 0 ? copies : 1; }

  Action on_registered(bool known, std::int64_t now_ms);
  Action on_offer(rpc::CopyOffer offer, std::int64_t now_ms);
  Action on_begun(bool stored, std::int64_t now_ms);
  Action on_page(rpc::RowsPage page, std::int64_t now_ms);
  Action on_applied(const rpc::RowsOutcome& outcome, std::int64_t now_ms);
  Action on_flows(bool there, std::int64_t now_ms);
  Action on_finished(bool stored, std::int64_t now_ms);
  Action on_timer(std::int64_t now_ms);
  // The action was not answered.
  Action on_failure(const std::string& reason, std::int64_t now_ms);

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] CopyProgress progress(std::int64_t now_ms) const;

 private:
  Action next(std::int64_t now_ms);
  Action next_registration(std::int64_t now_ms);
  Action next_offer(std::int64_t now_ms);
  [[nodiscard]] AskOffer ask_seed() const;
  Action take_offer(const rpc::CopyOffer& offer);
  Action next_parked();
  Action next_page(std::int64_t now_ms);
  Action retry(const std::string& reason, std::int64_t now_ms);
  Action decline(const std::string& reason, std::int64_t now_ms);
  Action scan_anew(const rpc::CopyOffer& offer);
  void set_goal(rpc::CopyOffer offer);
  static bool begun_anew(const Member& source, const rpc::FlowStand& began);
  [[nodiscard]] std::optional<RegionId> behind(const rpc::CopyOffer& offer) const;
  [[nodiscard]] const Member* member(const RegionId& region) const;
  [[nodiscard]] bool seed_is_gone(std::int64_t now_ms);
  void worked();

  const RegionId self_;
  const CopyLimits limits_;
  std::vector<Member> members_;
  std::uint64_t sharers_ = 1;
  Phase phase_ = Phase::registering;
  std::optional<RegionId> registering_;  // asked now
  std::set<RegionId> registered_;
  std::int64_t began_ms_ = 0;
  std::optional<RegionId> seed_;
  std::set<RegionId> declined_;  // could not serve when they were asked last
  std::optional<std::int64_t> seed_lost_ms_;  // since when it cannot be reached
  std::optional<std::vector<rpc::FlowStand>> beginnings_;  // of our flows, once stored
  std::vector<rpc::FlowStand> beginning_;                  // as they will be
  std::optional<Bytes> stored_;                            // the cursor, and what it says
  std::optional<CopyCursor> cursor_;
  std::optional<CopyCursor> moving_to_;       // as it will be
  std::optional<rpc::CopyOffer> offer_;       // taken once its parked rows are applied
  std::optional<rpc::CopyOffer> goal_;        // where the seed stood after its last row
  std::optional<rpc::CopyOffer> doubted_;     // a goal that was not reached for long
  unsigned polls_ = 0;                        // of the flows, since the seed was asked
  std::int64_t read_at_ms_ = 0;   // earliest time of the next page
  std::int64_t run_ms_ = 0;       // since when this process copies
  std::uint64_t run_rows_ = 0;    // in that time
  std::uint64_t run_bytes_ = 0;
  std::int64_t backoff_ms_ = 0;
  std::string reason_;
};

}  // namespace meridian::copy

// Pump: one ordered flow of change records, from one shard of one table of this region to one sink.
//
// A pure state machine: events go in, actions come out, in the order in which they must be done.  It
// knows no clock, socket or file, so the simulator runs this very code on virtual time.
//
//            start           position known            caught up
//   idle ──> asking ──────────> running <────────────> waiting (long-polling the log)
//              ^                  │ failure / wrong position / held
//              └── backing_off <──┘                 repair_needed: the nodes repair, then it goes on
//
// Rules it keeps (the sink's position is the authority; the checkpoint is a hint):
//   (1) batches of a flow are shipped in order, each from where the one before ended;
//   (2) a checkpoint is saved only for what the sink has acknowledged as durable;
//   (3) at most window_batches_max batches and window_bytes_max bytes are in flight;
//   (4) an empty range (records of other origins) is shipped at most every idle_advance_ms, so that
//       regions do not keep each other's disks busy with positions alone;
//   (5) a failure drops everything in flight and, after a jittered delay, asks the sink again;
//   (6) while nothing is new an empty batch is shipped as a probe, at most every probe_ms: it
//       measures the way to the sink's writer, and notices a sink that is gone or has lost its position;
//       the flows of a table's other shards do so every recheck_ms, for the latter alone: of a sink that is
//       restored from an old copy, nobody else would notice until something is written there;
//   (7) held, backing_off and repair_needed stay the state (and keep their reason) until a retry has
//       shown that they are over, so that a stalled flow does not flicker;
//   (8) what the sink says when it is asked, or has confirmed recheck_ms after the last time, is saved even
//       if it is what was saved last: with the life of a replica the node forgets what that had acknowledged,
//       and the next one may stand at the same place.
//
// The driver: answers every request, or reports its failure, exactly once; a read that finds nothing
// new is answered only after `wait_ms`, or the pump would spin.
//
// Threads: confined to its driver.  Borrows: the Rng.
// Limits: PumpLimits.
// Source: etcd-io/raft's Ready (ordered duties) and Progress (probe, replicate); ADR 0006.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/ids.h"
#include "common/rng.h"
#include "rpc/backoff.h"
#include "rpc/change_record.h"

namespace meridian::replicator {

struct PumpLimits {
  std::size_t batch_records_max = 512;
  std::size_t batch_bytes_max = 512 * 1024;
  std::size_t window_batches_max = 32;
  std::size_t window_bytes_max = 4 * 1024 * 1024;
  std::int64_t save_interval_ms = 200;
  std::int64_t idle_advance_ms = 1000;
  std::int64_t read_wait_ms = 1000;
  std::int64_t probe_ms = 500;  // of the first shard; 0: none
  std::int64_t recheck_ms = 30'000;  // of the others
  std::int64_t backoff_ms_min = 50;
  std::int64_t backoff_ms_max = 5000;
  std::int64_t held_retry_ms_max = 200;
  // Asking again where another region must first learn of the table (soon, for a new one)...
  std::int64_t membership_retry_ms_max = 2000;
  // ... and where the region nodes must first repair the sink.
  std::int64_t repair_recheck_ms = 2'000;
  // While there is more to read than a batch: ship only the newest record of each key in a batch.
  bool collapse_backlog = false;
};

// A request is named by its id; an answer to one that is no longer awaited is ignored.
using RequestId = std::uint64_t;

struct AskPosition { RequestId id; };
struct ReadLog {
  RequestId id;
  LogPosition after;
  std::size_t records_max;
  std::size_t bytes_max;
  std::int64_t wait_ms;
};
struct ShipBatch {
  RequestId id;
  rpc::ReplicationBatch batch;
};
// `position` is durable at the sink: store the checkpoint, tell the region node.
struct SaveCheckpoint { LogPosition position; };
// Call on_timer() at `at_ms`; replaces an earlier one.
struct SetTimer { std::int64_t at_ms; };
// These records became visible at the sink at `visible_us` (sink's clock): feed the lag figures.
struct RecordsVisible {
  std::vector<std::int64_t> committed_us;
  std::int64_t visible_us;
};
// As a record would have been that was committed at `read_us` (source's clock).
struct ProbeVisible {
  std::int64_t read_us;
  std::int64_t visible_us;
};
using Action =
    std::variant<AskPosition, ReadLog, ShipBatch, SaveCheckpoint, SetTimer, RecordsVisible,
                 ProbeVisible>;
using Actions = std::vector<Action>;

enum class FlowState { idle, asking, running, waiting, held, backing_off, repair_needed, stopped };
const char* flow_state_name(FlowState state);

// Why a request got no answer.
enum class Failure { disconnected, timed_out, overloaded, refused };

class Pump {
 public:
  Pump(rpc::FlowId flow, RegionId sink, PumpLimits limits, Rng& rng);

  // All take the time in monotonic ms and answer what to do next, in order.
  Actions start(std::optional<LogPosition> checkpoint, std::int64_t now_ms);
  Actions on_position(RequestId id, rpc::ApplyStatus status, LogPosition position,
                      std::int64_t now_ms);
  // `read_us`: when the source answered, by its clock; 0 when it did not say.
  Actions on_page(RequestId id, rpc::LogPage page, std::int64_t now_ms, std::int64_t read_us = 0);
  Actions on_outcome(RequestId id, const rpc::ApplyOutcome& outcome, std::int64_t now_ms);
  Actions on_failure(RequestId id, Failure failure, std::int64_t now_ms);
  Actions on_timer(std::int64_t now_ms);
  // A connection that this flow needs is up again: no point in waiting out a back-off.
  Actions on_link_up(std::int64_t now_ms);
  // Everything acknowledged but not yet saved, then nothing more.
  Actions stop();

  [[nodiscard]] FlowState state() const { return state_; }
  // Why it is held, backing off or in need of repair, for people; empty when all is well.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] LogPosition acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::size_t in_flight_batches() const { return in_flight_.size(); }
  [[nodiscard]] std::size_t in_flight_bytes() const { return in_flight_bytes_; }
  [[nodiscard]] std::uint64_t records_shipped() const { return records_shipped_; }
  [[nodiscard]] std::uint64_t records_acknowledged() const { return records_acknowledged_; }
  // Left out because a newer record of their key was shipped with them.
  [[nodiscard]] std::uint64_t records_collapsed() const { return records_collapsed_; }
  [[nodiscard]] std::uint64_t bytes_collapsed() const { return bytes_collapsed_; }
  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }

  // Records known to be committed here and not known to be durable there.  Grows stale while nothing
  // is read (see FlowState); the region node's own backlog then knows better.
  [[nodiscard]] std::uint64_t pending_records() const;
  // Commit time of the oldest of them that was read; empty when there is none.
  [[nodiscard]] std::optional<std::int64_t> oldest_unacknowledged_us() const;

 private:
  struct InFlight {
    RequestId id;
    LogPosition to;
    std::size_t bytes;
    std::size_t records;
    std::vector<std::int64_t> committed_us;  // of all records of the range, those left out included
    std::int64_t probe_us = 0;               // when this one was read; 0: it is none
  };
  enum class Awaited { nothing, position, page };
  enum class Pause { none, retry, ask };  // what the timer will end
  enum class Collapse { no, allowed };

  void ask(Actions& out);
  void go_on_from(LogPosition position);
  void drop_in_flight();
  void back_off(std::string reason, FlowState state, std::int64_t delay_ms, std::int64_t now_ms);
  void back_off_jittered(std::string reason, std::int64_t now_ms);
  void refused(rpc::ApplyStatus status, std::int64_t now_ms);
  void acknowledge_through(std::size_t index, const rpc::ApplyOutcome& outcome, Actions& out);
  void adopt(LogPosition position, std::int64_t now_ms);
  void ask_again(Actions& out);
  void hold(const rpc::ApplyOutcome& outcome, std::int64_t now_ms);
  void read_failed(rpc::ReadStatus status, Actions& out, std::int64_t now_ms);
  void ship(std::vector<rpc::ChangeRecord> records, Collapse collapse, Actions& out,
            std::int64_t now_ms);
  void advance_if_idle(Actions& out, std::int64_t now_ms);
  void probe(std::int64_t read_us, Actions& out, std::int64_t now_ms);
  void fill(Actions& out);
  void tell_again();
  void save_if_due(Actions& out, std::int64_t now_ms);
  // What ends every event: save, advance, read on, set the timer.
  Actions finish(Actions out, std::int64_t now_ms);
  [[nodiscard]] std::optional<std::int64_t> next_timer_ms() const;

  const rpc::FlowId flow_;
  const RegionId sink_;
  const PumpLimits limits_;
  Rng& rng_;

  FlowState state_ = FlowState::idle;
  std::string reason_;
  RequestId next_id_ = 1;
  RequestId awaited_ = 0;  // of the question or read under way; 0 for none
  Awaited awaited_kind_ = Awaited::nothing;
  Pause pause_ = Pause::none;
  std::int64_t resume_at_ms_ = 0;
  std::optional<std::int64_t> timer_at_ms_;
  bool positioned_ = false;  // acknowledged_ may be shipped from
  bool confirmed_ = false;   // acknowledged_ came from the sink, not from a checkpoint
  bool adopted_ = false;     // a position was adopted and nothing acknowledged since
  LogPosition read_to_;      // end of what was read
  LogPosition shipped_to_;   // end of what was shipped: read_to_ or, after foreign records, before it
  LogPosition acknowledged_;
  std::optional<LogPosition> saved_ = LogPosition{};  // none: whatever it is, again
  std::deque<InFlight> in_flight_;
  std::size_t in_flight_bytes_ = 0;
  std::uint64_t unshipped_records_ = 0;         // after read_to_, at the last read
  std::optional<std::int64_t> dropped_oldest_us_;  // of what was in flight when it was dropped
  std::int64_t saved_at_ms_ = 0;
  std::int64_t advanced_at_ms_ = 0;
  std::optional<std::int64_t> probed_at_ms_;
  rpc::Backoff backoff_;
  rpc::Backoff membership_backoff_;
  std::uint64_t records_shipped_ = 0;
  std::uint64_t records_acknowledged_ = 0;
  std::uint64_t records_collapsed_ = 0;
  std::uint64_t bytes_collapsed_ = 0;
  std::uint64_t restarts_ = 0;
};

}  // namespace meridian::replicator

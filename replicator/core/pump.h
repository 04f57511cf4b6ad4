// Pump: one ordered flow of change records, from one shard of one table of this region to one sink.
//
// A pure state machine: events go in, actions come out, in the order in which they must be done.  It
// knows no clock, socket or file, so the simulator runs this very code on virtual time.
//
//            start           position known            caught up
//   idle ──> asking ──────────> running <────────────> waiting (long-polling the log)
//              ^                  │ failure / wrong position / held
//              └── backing_off <──┘                 repair_needed: an operator (later: repair) must act
//
// Rules it keeps (the sink's position is the authority; the checkpoint is a hint):
//   (1) batches of a flow are shipped in order, each from where the one before ended;
//   (2) a checkpoint is saved only for what the sink has acknowledged as durable;
//   (3) at most window_batches_max batches and window_bytes_max bytes are in flight;
//   (4) an empty range (records of other origins) is shipped at most every idle_advance_ms, so that
//       regions do not keep each other's disks busy with positions alone;
//   (5) a failure drops everything in flight and, after a jittered delay, asks the sink again.
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
#include "rpc/change_record.h"

namespace meridian::replicator {

struct PumpLimits {
  std::size_t batch_records_max = 512;
  std::size_t batch_bytes_max = 512 * 1024;
  std::size_t window_batches_max = 8;
  std::size_t window_bytes_max = 4 * 1024 * 1024;
  std::int64_t save_interval_ms = 200;
  std::int64_t idle_advance_ms = 1000;
  std::int64_t read_wait_ms = 1000;
  std::int64_t backoff_ms_min = 50;
  std::int64_t backoff_ms_max = 5000;
  std::int64_t held_retry_ms_max = 200;
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
using Action = std::variant<AskPosition, ReadLog, ShipBatch, SaveCheckpoint, SetTimer, RecordsVisible>;
using Actions = std::vector<Action>;

enum class FlowState { idle, asking, running, waiting, held, backing_off, repair_needed, stopped };
const char* flow_state_name(FlowState state);

// Why a request got no answer.
enum class Failure { disconnected, timed_out, overloaded };

class Pump {
 public:
  Pump(rpc::FlowId flow, RegionId sink, PumpLimits limits, Rng& rng);

  // All take the time in monotonic ms and answer what to do next, in order.
  Actions start(std::optional<LogPosition> checkpoint, std::int64_t now_ms);
  Actions on_position(RequestId id, rpc::ApplyStatus status, LogPosition position, std::int64_t now_ms);
  Actions on_page(RequestId id, rpc::LogPage page, std::int64_t now_ms);
  Actions on_outcome(RequestId id, const rpc::ApplyOutcome& outcome, std::int64_t now_ms);
  Actions on_failure(RequestId id, Failure failure, std::int64_t now_ms);
  Actions on_timer(std::int64_t now_ms);
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
  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }

 private:
  struct InFlight {
    RequestId id;
    LogPosition to;
    std::size_t bytes;
    std::vector<std::int64_t> committed_us;
  };

  Actions ask(std::int64_t now_ms);
  Actions back_off(std::string reason, FlowState state, std::int64_t delay_ms, std::int64_t now_ms);
  void fill(Actions& out, std::int64_t now_ms);
  void save_if_due(Actions& out, std::int64_t now_ms);

  const rpc::FlowId flow_;
  const RegionId sink_;
  const PumpLimits limits_;
  Rng& rng_;

  FlowState state_ = FlowState::idle;
  std::string reason_;
  RequestId next_id_ = 1;
  RequestId awaited_ = 0;  // of the question or read under way; 0 for none
  LogPosition read_to_;    // end of what was read and shipped
  LogPosition acknowledged_;
  LogPosition saved_;
  std::deque<InFlight> in_flight_;
  std::size_t in_flight_bytes_ = 0;
  std::int64_t saved_at_ms_ = 0;
  std::int64_t advanced_at_ms_ = 0;
  std::uint32_t failures_ = 0;
  std::uint64_t records_shipped_ = 0;
  std::uint64_t records_acknowledged_ = 0;
  std::uint64_t restarts_ = 0;
};

}  // namespace meridian::replicator

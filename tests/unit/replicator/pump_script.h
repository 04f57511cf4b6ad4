// PumpScript: drives a Pump by hand and writes down, as short text, what it asks for:
//
//   ask            ask the sink for its position
//   read 5         read the log after sequence 5
//   ship 5-8 #3    ship the range (5, 8] with three records
//   save 8         store the checkpoint
//   visible 3      three records became visible
//   probe 10-30    a probe that was read at 10 us became visible at 30 us
//
// Timers are kept apart: the script fires them by letting time pass.
// Threads: one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/rng.h"
#include "replicator/core/pump.h"

namespace meridian::replicator {

using Lines = std::vector<std::string>;

class PumpScript {
 public:
  explicit PumpScript(PumpLimits limits = {}, ShardId shard = ShardId(0))
      : pump(flow(shard), RegionId::of("sink"), limits, rng_) {}

  static rpc::FlowId flow(ShardId shard = ShardId(0)) {
    return {{1, 2}, shard, RegionId::of("source")};
  }
  static LogPosition at(std::uint64_t sequence, std::uint64_t start = 7) {
    return {StartId(start), Sequence(sequence)};
  }
  static std::vector<rpc::ChangeRecord> records(std::uint64_t first, std::uint64_t last,
                                                std::size_t image_bytes = 10);

  Lines start() { return note(pump.start(std::nullopt, now_ms)); }
  Lines start_at(std::uint64_t sequence) { return note(pump.start(at(sequence), now_ms)); }
  Lines position(LogPosition position) {
    return note(pump.on_position(asked_, rpc::ApplyStatus::applied, position, now_ms));
  }
  Lines no_position(rpc::ApplyStatus status) {
    return note(pump.on_position(asked_, status, {}, now_ms));
  }
  // A page with the records (`after`, `to`], and `pending` more behind it.
  Lines page(std::uint64_t after, std::uint64_t to, std::uint64_t pending = 0,
             std::size_t image_bytes = 10);
  // A page of foreign records only.
  Lines foreign_page(std::uint64_t to);
  // Nothing new; the source answered at `read_us`.
  Lines idle_page(std::uint64_t to, std::int64_t read_us);
  Lines bad_page(rpc::ReadStatus status);
  // Answers the oldest batch that has had no answer; `batch` counts from 0 over the whole script.
  Lines applied(std::size_t batch);
  Lines outcome(std::size_t batch, rpc::ApplyOutcome outcome) {
    return note(pump.on_outcome(shipped_.at(batch), outcome, now_ms));
  }
  Lines wrong_position(std::size_t batch, LogPosition position);
  Lines held(std::size_t batch, LogPosition position, std::int64_t retry_ms);
  Lines batch_failed(std::size_t batch, Failure failure = Failure::disconnected) {
    return note(pump.on_failure(shipped_.at(batch), failure, now_ms));
  }
  Lines question_failed(Failure failure = Failure::disconnected) {
    return note(pump.on_failure(asked_, failure, now_ms));
  }
  Lines read_failed(Failure failure = Failure::disconnected) {
    return note(pump.on_failure(read_, failure, now_ms));
  }
  Lines link_up() { return note(pump.on_link_up(now_ms)); }
  Lines stop() { return note(pump.stop()); }
  // Lets time pass and fires the timers that are due on the way.
  Lines pass_ms(std::int64_t ms);

  std::int64_t now_ms = 1'000'000;

 private:
  Rng rng_{42};

 public:
  Pump pump;
  std::vector<ReadLog> reads;  // every read that was asked for

 private:
  Lines note(Actions actions);

  RequestId asked_ = 0;
  RequestId read_ = 0;
  std::vector<RequestId> shipped_;
  std::map<RequestId, LogPosition> ends_;
  std::optional<std::int64_t> timer_at_ms_;
};

}  // namespace meridian::replicator

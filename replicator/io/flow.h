// Flow: performs what one Pump asks for, over RPC: reads from the own region node, ships to one sink.
//
// Threads: the KJ thread.  Owns: the pump and its requests.  Borrows: FlowWorld, which outlives it.
// Errors: none escape; a failed request goes to the pump.
// Limits: PumpLimits; reads wait while the sink's link carries SinkLink::kBytesMax.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/clock.h"
#include "common/log.h"
#include "common/rng.h"
#include "replicator/core/link_lag.h"
#include "replicator/core/pump.h"
#include "replicator/io/batch_sender.h"
#include "replicator/io/log_reads.h"
#include "replicator/status.h"
#include "rpc/messages.h"
#include "rpc/session.h"

namespace meridian::replicator {

// A sink's connection and what all its flows share.
struct SinkLink {
  // Unanswered batches of all flows on one connection; more would only delay probes.
  static constexpr std::size_t kBytesMax = 16 * 1024 * 1024;

  RegionId region;
  rpc::Session* session = nullptr;
  rpc::FaultLink* faults = nullptr;
  kj::Own<BatchSender> sender;
  std::size_t in_flight_bytes = 0;
};

struct FlowWorld {
  rpc::Session& source;
  std::shared_ptr<LogReads> reads;  // of this table, for this sink
  SinkLink& sink;
  kj::Timer& timer;
  const Clock& clock;
  Rng& rng;
  const Logger& log;
  // `position` is durable at the sink.
  std::function<void(const rpc::FlowId&, const RegionId& sink, LogPosition position)> acknowledged;
};

class Flow final : private kj::TaskSet::ErrorHandler {
 public:
  Flow(FlowWorld world, rpc::FlowId id, std::string table_name, PumpLimits limits,
       std::shared_ptr<LinkLag> lag);
  ~Flow();

  void start(std::optional<LogPosition> checkpoint);
  // Hands out the last acknowledgement; nothing happens afterwards.
  void stop();
  void link_up();

  // False while the pump's own figures grow stale and the node's should be asked for.
  [[nodiscard]] bool figures_fresh() const;
  [[nodiscard]] rpc::BacklogQuery backlog_query() const;
  void on_backlog(const rpc::BacklogAnswer& backlog);
  [[nodiscard]] FlowStatus status() const;
  [[nodiscard]] Pending pending() const;

 private:
  void perform(Actions actions);
  void perform(const AskPosition& ask);
  void perform(const ReadLog& read);
  void perform(ShipBatch& ship);
  void perform(const SaveCheckpoint& save);
  void perform(const SetTimer& timer);
  void perform(const RecordsVisible& visible);
  void perform(const ProbeVisible& probe);
  void send_read(const ReadLog& read);
  void account();
  void note_state();
  void failed(RequestId id, kj::Exception&& failure);
  void taskFailed(kj::Exception&& failure) override;

  [[nodiscard]] std::int64_t between_us(std::int64_t committed_us, std::int64_t visible_us) const;
  [[nodiscard]] std::int64_t now_ms() const { return world_.clock.monotonic_ms(); }

  const FlowWorld world_;
  const rpc::FlowId id_;
  const std::string table_name_;
  const std::shared_ptr<LinkLag> lag_;
  Pump pump_;
  std::size_t accounted_bytes_ = 0;  // this flow's share of the link's bytes in flight
  FlowState noted_state_ = FlowState::idle;
  std::uint64_t timer_number_ = 0;  // of the newest; older ones do nothing
  bool read_once_ = false;
  std::optional<rpc::BacklogAnswer> backlog_;  // since the figures are not fresh
  kj::TaskSet tasks_;                          // last: cancelled first
};

}  // namespace meridian::replicator

#include "region-node/store/writer.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace meridian::store {
namespace {

// What a queued write is counted with at least: of an update the image is not known before it is
// evaluated.
constexpr std::size_t kWriteBytesGuess = 2048;
constexpr std::size_t kBatchBytesLeast = 256;
constexpr std::chrono::milliseconds kIdleTick{200};

struct Cost {
  std::size_t ops = 1;
  std::size_t bytes = kWriteBytesGuess;
};

// Work that came from another region.
bool is_remote(const Op& op) {
  return std::holds_alternative<ApplyOp>(op.work) || std::holds_alternative<ApplyRowsOp>(op.work);
}

Cost cost_of(const Op& op) {
  if (const auto* apply = std::get_if<ApplyOp>(&op.work))
    return {std::max<std::size_t>(1, apply->batch.records.size()),
            std::max(kBatchBytesLeast, apply->bytes)};
  if (const auto* apply = std::get_if<ApplyRowsOp>(&op.work))
    return {std::max<std::size_t>(1, apply->batch.rows.size()),
            std::max(kBatchBytesLeast, apply->bytes)};
  if (const auto* write = std::get_if<WriteOp>(&op.work); write && write->write.mutation)
    return {1, std::max(kWriteBytesGuess, write->write.mutation->image_bytes())};
  return {};
}

}  // namespace

Writer::Writer(StoreOptions options, Clock& clock, Rng rng)
    : engine_(std::move(options), clock, rng,
              [this](std::function<void()> sync) { syncer_.post(std::move(sync)); }),
      // The counters bound what is posted, so that what was drained but not yet run counts as well.
      mailbox_(std::numeric_limits<std::size_t>::max()),
      thread_([this] { run(); }) {}

Writer::~Writer() { stop(); }

void Writer::stop() {
  mailbox_.close();
  if (thread_.joinable()) thread_.join();
}

void Writer::submit(Op op) {
  const StoreOptions& options = engine_.options();
  const bool is_batch = is_remote(op);
  auto& queued_bytes = is_batch ? queued_batch_bytes_ : queued_write_bytes_;
  const std::size_t bytes_max =
      is_batch ? options.queue_batch_bytes_max : options.queue_write_bytes_max;
  const std::size_t bytes = cost_of(op).bytes;
  const std::size_t writes = is_batch ? 0 : 1;
  // An acknowledgement is small and is not repeated soon, and without pins no link comes up again.
  bool always = std::holds_alternative<AcknowledgeOp>(op.work) ||
                std::holds_alternative<PinOp>(op.work);
  const bool full = queued_bytes.fetch_add(bytes) >= bytes_max;
  const bool too_many = queued_writes_.fetch_add(writes) >= options.queue_writes_max && !is_batch;
  auto status = WriteStatus::unavailable;
  if ((full || too_many) && !always) {
    refused_.fetch_add(1);
    status = WriteStatus::overloaded;
  } else if (mailbox_.try_post(op)) {
    return;
  }
  queued_bytes.fetch_sub(bytes);
  queued_writes_.fetch_sub(writes);
  refuse(op, status);
}

StoreHealth Writer::health() const {
  StoreHealth health = engine_.shared()->health();
  health.queue_depth = queued_writes_.load();
  health.queue_refused = refused_.load();
  return health;
}

void Writer::run() {
  std::vector<Op> arrived;
  std::vector<Op> group;
  bool open = true;
  while (open || !local_.empty() || !remote_.empty()) {
    bool busy = !local_.empty() || !remote_.empty() || engine_.has_upkeep();
    open = mailbox_.wait_drain(arrived, busy ? std::chrono::milliseconds(0) : kIdleTick);
    sort_in(arrived);
    form_group(group);
    engine_.run(group);
    release(group);
    group.clear();
  }
}

void Writer::sort_in(std::vector<Op>& arrived) {
  for (Op& op : arrived) {
    bool is_batch = is_remote(op);
    (is_batch ? remote_ : local_).push_back(std::move(op));
  }
}

void Writer::form_group(std::vector<Op>& group) {
  const StoreOptions& options = engine_.options();
  Room half{options.group_ops_max / 2, options.group_bytes_max / 2};
  Room local = half;
  Room remote = half;
  take(local_, local, group);
  take(remote_, remote, group);
  Room rest{local.ops + remote.ops, local.bytes + remote.bytes};
  take(local_, rest, group);
  take(remote_, rest, group);
}

// Takes while there is any room, so the last one may overshoot it: an op is never too large to run.
void Writer::take(std::deque<Op>& queue, Room& room, std::vector<Op>& group) const {
  while (!queue.empty() && room.ops > 0 && room.bytes > 0) {
    Cost cost = cost_of(queue.front());
    group.push_back(std::move(queue.front()));
    queue.pop_front();
    room.ops -= std::min(room.ops, cost.ops);
    room.bytes -= std::min(room.bytes, cost.bytes);
  }
}

void Writer::release(const std::vector<Op>& group) {
  for (const Op& op : group) {
    if (is_remote(op)) {
      queued_batch_bytes_.fetch_sub(cost_of(op).bytes);
    } else {
      queued_writes_.fetch_sub(1);
      queued_write_bytes_.fetch_sub(cost_of(op).bytes);
    }
  }
}

}  // namespace meridian::store

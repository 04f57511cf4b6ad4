#include "region-node/store/engine.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/sqlite/late_sync.h"
#include "common/sqlite/sync_count.h"
#include "region-node/store/ledger_switch.h"
#include "region-node/store/reader.h"
#include "region-node/store/schema.h"

namespace meridian::store {
namespace {

constexpr const char* kNodeId = "node_id";
constexpr const char* kRegion = "region";
constexpr const char* kCeiling = "hlc_ceiling";

std::uint64_t draw_id(Rng& rng) {
  std::uint64_t id = rng.next();
  return id == 0 ? 1 : id;  // 0 stands for none
}

}  // namespace

Engine::Engine(StoreOptions options, Clock& clock, Rng rng,
               std::function<void(std::function<void()>)> late_syncs)
    : options_(std::move(options)),
      clock_(clock),
      rng_(rng),
      guard_(options_.drift_ms_max),
      wal_copy_(options_.wal_checkpoint_pages) {
  start_ = StartId(draw_id(rng_));
  open_file(std::move(late_syncs));
  catalog_.emplace(*db_);
  flows_.emplace(*db_);
  items_.emplace(*db_);
  ledger_.emplace(*db_, options_);
  watermarks_.emplace(*db_);
  begin_.emplace(*db_, "BEGIN IMMEDIATE");
  commit_.emplace(*db_, "COMMIT");

  auto region = catalog_->meta_text(kRegion);
  if (!region) {
    sqlite::Transaction transaction(*db_);
    node_ = NodeId(draw_id(rng_));
    catalog_->set_meta_text(kRegion, std::string(options_.region.name()));
    catalog_->set_meta(kNodeId, static_cast<std::int64_t>(node_.value));
    transaction.commit();
  } else if (*region != options_.region.name()) {
    throw StoreError(path_ + " belongs to region " + *region + ", not " +
                     std::string(options_.region.name()));
  } else {
    node_ = NodeId(static_cast<std::uint64_t>(catalog_->meta(kNodeId).value_or(0)));
  }
  sample_clock();
  begin_ledgers(*db_, options_,
                conflict::Hlc{static_cast<std::uint64_t>(catalog_->meta(kCeiling).value_or(0))});
  load();
  refuse_old_clock();
  // Whoever remembers a generation of an earlier run must not take this one's for it.
  generation_ = static_cast<std::uint64_t>(now_us_);
  publish();
  shared_->set_clock(clock_report());
}

void Engine::open_file(std::function<void(std::function<void()>)> late_syncs) {
  sqlite::OpenOptions open;
  open.vfs = options_.vfs;
  open.busy_timeout_ms = 2000;  // a reader that opens the file may hold it for a moment
  if (options_.memory_name.empty()) {
    data_dir_.emplace(options_.data_dir);
    path_ = data_dir_->store_file();
  } else {
    path_ = "/" + options_.memory_name;
    if (open.vfs.empty()) open.vfs = "memdb";
  }
  db_.emplace(path_, open);
  bool fresh = check_format(*db_, path_);
  configure_writer(*db_, options_);
  if (fresh) create_schema(*db_);
  if (options_.has_wal()) db_->sync_copies_late(std::move(late_syncs));
  try {
    settle_wal();
  } catch (const sqlite::SqliteError& error) {
    if (!error.is_full() && !error.is_busy()) throw;  // else begin() tries again
  }
  if (is_older_format(*db_)) {
    settle_wal();
    migrate(*db_);
  }
}

// What an earlier run left in the WAL can be read and may yet not be on the disk: after a sync that
// failed, the system's cache still shows it, and no later sync writes it.  What is appended behind it
// would be lost with it when power goes; and were it copied and power lost before the emptied WAL is on
// the disk too, older pages in that WAL would lie over newer ones in the file.  So the WAL is first made
// what it seems to be, then copied and emptied, before anything new is written.
void Engine::settle_wal() {
  if (settled_ || !options_.has_wal()) return;
  if (options_.sync) db_->rewrite_wal();
  db_->checkpoint_truncate();
  settled_ = true;
}

void Engine::load() {
  state_ = catalog_->load();
  ledger_->load();
  for (auto& [id, table] : state_.tables) table.derive(options_.region);
  hlc_.restore(conflict::Hlc{static_cast<std::uint64_t>(catalog_->meta(kCeiling).value_or(0))});
  released_ = catalog_->releases();
  watermarks_->load(state_);
  watermarks_dirty_ = false;
  dirty_.clear();
  // What readers hold goes on; the ends are those of the last commit, as they were.
  auto published = shared_->published();
  for (auto& [id, table] : state_.tables)
    if (auto at = published->log_ends.find(id); at != published->log_ends.end())
      table.log_ends = at->second;
  catalog_changed_ = false;
  upkeep_left_ = !state_.dropped.empty();
}

// ------------------------------------------------------------------------------------------ groups

void Engine::run(std::vector<Op>& ops) {
  sample_clock();
  committed_ = false;
  bool done = false;
  const bool repeats = !full_;  // what was postponed; not while the disk is only being tried
  // Writing on would spread what is damaged, or write over what could still be saved.
  if (auto damage = shared_->damage(); !failed_ && !damage.empty()) fail(damage);
  see_late_syncs();
  if (!failed_) {
    const StoreHealth before = health_;
    try {
      for (Op& op : ops) std::visit([this](auto& work) { execute(work); }, op.work);
      upkeep();
      if (repeats)
        for (const auto& acknowledgement : postponed_) acknowledge(acknowledgement);
      commit();
      done = true;
    } catch (const sqlite::SqliteError& error) {
      health_ = before;
      recover(error);
    }
  }
  if (committed_ && catalog_changed_) publish();
  health_.ledger_entries = ledger_->figures().entries;
  health_.ledger_bytes = ledger_->figures().bytes;
  health_.ledger_dropped = ledger_->figures().dropped;
  shared_->set_health(health_);
  show_clock();
  if (done) {
    if (repeats) postponed_.clear();
    complete(ops);
  } else {
    for (Op& op : ops) refuse(op);
    for (Op& op : ops)
      if (const auto* acknowledgement = std::get_if<AcknowledgeOp>(&op.work))
        postpone(*acknowledgement);
  }
  if (committed_) {
    shared_->notify();
    checkpoint_if_due();
  }
}

void Engine::begin() {
  if (db_->in_transaction()) return;
  settle_wal();
  begin_->execute();
  changes_at_begin_ = db_->total_changes();
}

void Engine::commit() {
  if (!db_->in_transaction()) return;
  for (const TableId& id : dirty_) {
    TableState* table = state_.find(id);
    if (table == nullptr) continue;
    catalog_->save_stats(*table);
    table->stats_dirty = false;
  }
  save_watermarks();
  std::optional<conflict::Hlc> ceiling;
  if (hlc_.needs_ceiling()) {
    ceiling = hlc_.next_ceiling();
    catalog_->set_meta(kCeiling, static_cast<std::int64_t>(ceiling->value));
  }
  // All its writes were refused, or had nothing to change.
  if (db_->total_changes() == changes_at_begin_) {
    commit_->execute();
    return;
  }
  const auto before = sqlite::sync_counts();
  commit_->execute();
  const auto after = sqlite::sync_counts();
  health_.syncs_commit += after.wal - before.wal;
  health_.syncs_wal_start += after.wal_start - before.wal_start;
  if (ceiling) hlc_.ceiling_stored(*ceiling);
  committed_ = true;
  for (const TableId& id : dirty_)
    if (TableState* table = state_.find(id); table != nullptr && table->log_ends)
      table->show_log_ends();
  dirty_.clear();
  ++health_.commits;
  health_.wal_bytes = static_cast<std::uint64_t>(db_->wal_frames()) * (kPageBytes + 24);
  if (full_) {
    full_ = false;
    health_.accepts_writes = true;
    health_.reason.clear();
  }
}

void Engine::recover(const sqlite::SqliteError& error) {
  committed_ = false;
  try {
    if (db_->in_transaction()) db_->execute("ROLLBACK");
    items_->forget_statements();
    load();
  } catch (const sqlite::SqliteError& second) {
    fail(std::string(error.what()) + "; then: " + second.what());
    return;
  }
  if (!error.is_full() && !error.is_busy()) {
    fail(error.what());
    return;
  }
  // Nothing of the group was written, so it may be tried again once there is room, or the lock is free.
  full_ = true;
  health_.accepts_writes = false;
  health_.reason =
      std::string(error.is_busy() ? "another connection is in the way: " : "disk full: ") +
      error.what();
}

void Engine::fail(const std::string& reason) {
  failed_ = true;
  health_.accepts_writes = false;
  health_.reason = reason;
}

void Engine::publish() {
  auto published = std::make_shared<PublishedCatalog>();
  published->catalog.generation = ++generation_;
  for (auto& [id, table] : state_.tables) {
    if (!table.log_ends) {
      table.log_ends = std::make_shared<LogEnds>(table.shards.size());
      table.show_log_ends();
    }
    published->log_ends.emplace(id, table.log_ends);
    published->catalog.by_id.emplace(id, table.info);
    published->catalog.by_name.emplace(table.info->name, table.info);
    published->numbers.emplace(id, table.number);
  }
  shared_->publish(std::move(published));
  catalog_changed_ = false;
}

void Engine::checkpoint_if_due() {
  if (!options_.has_wal()) return;
  WalCopy copy = wal_copy_.due(db_->wal_frames(), db_->late_sync()->pending());
  if (copy == WalCopy::none) return;
  try {
    checkpoint(copy == WalCopy::late);
    wal_copy_.copied(db_->wal_frames());
  } catch (const sqlite::SqliteError& error) {
    // The WAL still holds everything; a full disk is met again by the next commit.
    if (error.is_full()) return;
    fail(error.what());
    shared_->set_health(health_);
  }
}

void Engine::checkpoint(bool late) {
  const auto before = sqlite::sync_counts();
  late ? db_->checkpoint_passive_late() : db_->checkpoint_passive();
  const auto after = sqlite::sync_counts();
  health_.syncs_checkpoint += after.wal + after.other - before.wal - before.other;
}

// The WAL still holds what a late sync that failed did not write, and is kept.
void Engine::see_late_syncs() {
  const sqlite::LateSync* late = db_->late_sync();
  if (late == nullptr) return;
  std::uint64_t made = late->made();
  health_.syncs_checkpoint += made - late_syncs_seen_;
  late_syncs_seen_ = made;
  if (!failed_ && late->failed()) fail("a sync of the database file failed");
}

std::unique_ptr<Reader> Engine::open_reader() const {
  return std::make_unique<SqliteReader>(path_, options_, shared_);
}

// -------------------------------------------------------------------------------------- operations

namespace {

struct Complete {
  Clock& clock;

  void operator()(WriteOp& op) const {
    if (op.write.done) op.write.done(op.result);
  }
  void operator()(ApplyOp& op) const {
    if (op.outcome.status == rpc::ApplyStatus::applied) op.outcome.visible_us = clock.wall_us();
    if (op.done) op.done(op.outcome);
  }
  void operator()(ApplyRowsOp& op) const {
    if (op.done) op.done(op.outcome);
  }
  void operator()(ControlOp& op) const {
    if (op.done) op.done(std::move(*op.result));
  }
  void operator()(AcknowledgeOp&) const {}
  void operator()(PinOp& op) const {
    if (op.done) op.done(op.pinned);
  }
  void operator()(AcceptClockOp&) const {}
  void operator()(ParkedOp& op) const {
    if (op.done) op.done(op.outcome);
  }
  void operator()(ReleaseOp& op) const {
    if (op.done) op.done(true);
  }
  void operator()(TaskOp& op) const {
    if (op.done) op.done(true);
  }
};

}  // namespace

void Engine::complete(std::vector<Op>& ops) {
  for (Op& op : ops) std::visit(Complete{clock_}, op.work);
}

void Engine::execute(WriteOp& op) {
  TableState* table = state_.find(op.write.table);
  if (table == nullptr) {
    op.result = {WriteStatus::no_such_table, {}};
    return;
  }
  op.result = write_item(*table, op.write);
}

void Engine::execute(ApplyOp& op) { op.outcome = apply_batch(op.batch, op.source_node); }

void Engine::execute(ApplyRowsOp& op) { op.outcome = apply_rows(op.batch); }

void Engine::execute(ControlOp& op) { op.result = op.run(*this); }

void Engine::execute(AcknowledgeOp& op) {
  for (const auto& acknowledgement : op.acknowledgements) acknowledge(acknowledgement);
}

void Engine::acknowledge(const Acknowledgement& ack) {
  TableState* table = state_.find(ack.table);
  if (table == nullptr || ack.shard.value >= table->info->shards) return;
  if (ack.sink == options_.region || !table->info->has_replica(ack.sink)) return;
  const LogHistory& history = table->shard(ack.shard).history;
  if (history.check(ack.position) != rpc::ReadStatus::ok) return;
  AckState next;
  next.position = ack.position;
  next.sequence = history.resolve(ack.position);
  AckState& known = table->acks[{ack.sink, ack.shard}];
  if (known.sequence >= next.sequence) return;  // late or repeated
  next.counts = catalog_->counts_at(*table, ack.shard, next.sequence);
  known = next;
  begin();
  flows_->save_acknowledgement(*table, ack.sink, ack.shard, ack.position);
  table->derive(options_.region);
}

// Nobody repeats an acknowledgement that was taken, so those of a group that was rolled back wait for
// the next one that can write: at most one for each flow.
void Engine::postpone(const AcknowledgeOp& op) {
  for (const auto& ack : op.acknowledgements) {
    auto same = std::find_if(postponed_.begin(), postponed_.end(), [&ack](const auto& each) {
      return each.table == ack.table && each.shard == ack.shard && each.sink == ack.sink;
    });
    if (same == postponed_.end()) {
      postponed_.push_back(ack);
    } else if (same->position.sequence < ack.position.sequence) {
      same->position = ack.position;
    }
  }
}

void Engine::execute(TaskOp& op) { op.run(*this); }

void Engine::execute(PinOp& op) { op.pinned = pin(op.region, op.node, op.replaced); }

void Engine::execute(ParkedOp& op) { op.outcome = decide_parked(op.decision); }

}  // namespace meridian::store

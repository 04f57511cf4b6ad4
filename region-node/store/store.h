// Store: a region's tables, change logs and flow positions, behind one interface.
//
// Writes are submitted and answered later, after the commit that made them durable; one transaction
// holds an item, its change record and, for replicated batches, the flow's position.  Reads go
// through a Reader and see committed, durable state only.  SqliteStore (sqlite_store.h) is the
// product; InlineStore (inline_store.h) runs the same engine without threads, for the simulator.
//
// Threads: every method of Store is safe from any thread.  Completions run on the writer thread, must
// not block, and may be called before submit returns (when the queue is full).  A Reader belongs to
// one thread at a time.
// Errors: outcomes are values.  After a failed commit the store refuses writes (`unavailable`), says
// so in health(), and goes on serving reads; a full disk is the one failure it leaves by itself.
// Limits: StoreOptions in sqlite_store.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes.h"
#include "common/ids.h"
#include "common/result.h"
#include "conflict/version.h"
#include "region-node/store/clock_report.h"
#include "region-node/store/ledger.h"
#include "region-node/store/log_ends.h"
#include "region-node/store/quarantine.h"
#include "region-node/store/table_info.h"
#include "rpc/change_record.h"
#include "rpc/repair.h"
#include "rpc/rows.h"
#include "rpc/watermark.h"

namespace meridian::store {

// ---------------------------------------------------------------------------------- local writes

// What a mutation wants done with the item it was shown.
struct Verdict {
  enum class Kind { put, remove, reject };
  Kind kind = Kind::reject;
  Bytes image;  // canonical, for put
};

// A client's write, parsed and validated beforehand; evaluated by the writer against the current
// image.  Pure but for remembering what it will answer with (old item, error), so it may run again:
// the last run counts.
class ItemMutation {
 public:
  virtual ~ItemMutation() = default;
  // `current`: canonical image of the item, empty when there is none.  Valid during the call only.
  virtual Verdict evaluate(std::optional<BytesView> current) = 0;
  // Of an image that it holds, to bound what waits and what one transaction writes.
  [[nodiscard]] virtual std::size_t image_bytes() const { return 0; }
};

enum class WriteStatus {
  committed,  // durable; also a write that changed nothing
  rejected,   // the mutation said no; it knows why
  version_changed,  // the item is not of the version that was asked for
  no_such_table,
  clock_refused,  // the wall clock is not trusted, or the item lies beyond the clock bound: retry
  overloaded,     // the writer's queue is full: retry
  unavailable,    // failed commit, full disk or shutting down
};

struct WriteResult {
  WriteStatus status = WriteStatus::unavailable;
  conflict::Version version;  // of the item now, when committed
};

struct ItemWrite {
  TableId table;
  Bytes key;
  std::shared_ptr<ItemMutation> mutation;
  std::function<void(const WriteResult&)> done;
  // Write only if the item, or its tombstone, is of this version; one of no region: if there is neither.
  std::optional<conflict::Version> if_version = std::nullopt;
};

// ------------------------------------------------------------------------------------- the tables

enum class ControlError {
  already_exists,
  no_such_table,
  not_empty,
  not_drained,      // records that no other replica has acknowledged
  protected_table,  // deletion protection
  stream_enabled,   // asked to enable a stream that is enabled
  stream_disabled,  // asked to disable one that is not
  limit_exceeded,
  unavailable,
};
using ControlResult = Result<TablePtr, ControlError>;
using ControlDone = std::function<void(ControlResult)>;

struct TableSpec {
  std::optional<TableId> id;  // given for a replica of another region's table; else drawn here
  std::string name;
  model::KeySchema keys;
  std::optional<std::uint16_t> shards;
  std::optional<std::int64_t> created_ms;  // of the original, for a replica
  Settings settings;  // on demand, unless it says otherwise
  bool deletion_protection = false;
  std::optional<model::StreamViewType> stream;
  std::map<RegionId, ReplicaEntry> replicas;  // empty for a single-region table
  bool copy_from_others = false;  // this region's replica is to be filled; its entry is minted here
};

// What UpdateTable may change; what is empty stays as it is.
struct TableChange {
  std::map<std::string, std::string> settings;  // new values by name, with one version minted here
  std::optional<bool> deletion_protection;
  std::optional<model::StreamViewType> enable_stream;
  bool disable_stream = false;
};

// A step of filling this region's new replica (region-node/copy), beside the rows themselves.
struct CopyStep {
  enum class Kind {
    begin,  // every flow begins at its stand, and the cursors are stored; once
    finish  // the replica is whole, and the cursors are forgotten
  };
  Kind kind = Kind::begin;
  std::vector<rpc::FlowStand> stands;
  std::vector<std::pair<std::string, Bytes>> cursors;
  // Of the seed; to finish.
  conflict::Hlc collected;
  rpc::Watermarks watermarks = {};
  std::set<RegionId> unsettled = {};
};

struct Acknowledgement {
  TableId table;
  ShardId shard;
  RegionId sink;
  LogPosition position;
};

// Empty when it could not be made: the store refuses writes, or is stopping.
using BarrierDone = std::function<void(std::optional<rpc::Barrier>)>;
// Per barrier, in order, the tables whose flows have reached it.
using Reached = std::vector<std::vector<TableId>>;
using AdvanceDone = std::function<void(std::optional<Reached>)>;

// ------------------------------------------------------------------------------------------ repair

struct RepairChange {
  enum class Kind {
    mark,   // the peer must be repaired; a mark that is there stays as it is
    pin,    // marks it, and keeps the log from its present end on for it: answers these ends
    clear,  // the peer is repaired, or needs none
    renew,  // this region lost what it wrote: its log so far belongs to nobody's position, every peer
            // is marked, and nothing is written here until one of them is repaired
    thaw,   // ends that, although some peers are not repaired yet; or waits for `peer` no longer, if named
    begin_flows,  // flows of the peer go on from `positions`, by shard; watermarks and horizon rise to
                  // `facts`
  };
  Kind kind = Kind::mark;
  TableId table{};
  RegionId peer{};
  RepairReason reason = RepairReason::trimmed;
  std::vector<LogPosition> positions{};
  rpc::ReplicaFacts facts{};
  // To begin_flows: by which membership both sides went when the repair began; 0: not by the same.
  std::uint64_t settles = 0;
};
// Empty when there is no such table, or the store refuses writes.
using RepairChangeDone = std::function<void(std::optional<std::vector<LogPosition>>)>;

// -------------------------------------------------------------------------------------- collection

// A step of collecting tombstones, at most collect_rows_max of them.
struct CollectStep {
  TableId table;
  // No replica can miss anything up to there (conflict/stable_horizon.h); the writer goes no further
  // than what is applied here, and than the tombstones that are old enough.
  conflict::Hlc horizon;
  std::uint64_t membership = 0;  // by which that was found; with another one nothing is collected
};

struct CollectOutcome {
  std::uint64_t collected = 0;
  bool more = false;  // a further step may find some
};
// Empty when the store refuses writes.
using CollectDone = std::function<void(std::optional<CollectOutcome>)>;

// ------------------------------------------------------------------------------------------ reads

struct KeyRange {
  Bytes from;  // first key, or last excluded one when `from_excluded`
  bool from_excluded = false;
  std::optional<Bytes> to;  // first key that no longer belongs; empty for no end
};
enum class Direction { ascending, descending };

// A stored row with what replication knows of it, tombstones included.
using Row = rpc::Row;

// A stored row as bytes, for those who only hash or compare it.  Views are valid during the visit.
struct RowView {
  BytesView key;
  BytesView version;  // encoded
  std::optional<BytesView> image;
};

struct LogLimits {
  std::size_t records_max = rpc::kBatchRecordsMax;
  std::size_t bytes_max = rpc::kBatchBytesMax;
};

// How far one sink is behind in one shard.
struct Backlog {
  std::uint64_t pending_records = 0;  // of local origin, not yet acknowledged
  std::uint64_t pending_bytes = 0;
  std::optional<std::int64_t> oldest_us;  // commit time of the oldest of them
  LogPosition acknowledged;
};

struct TableStats {
  std::uint64_t items = 0;
  std::uint64_t item_bytes = 0;  // canonical images, without tombstones
  std::uint64_t tombstones = 0;
};

class Reader {
 public:
  virtual ~Reader() = default;

  virtual std::optional<Bytes> get(const TableId& table, BytesView key) = 0;
  // Calls `visit` with each live item in key order until it answers false.  Views are valid during
  // the call.  One consistent snapshot.
  virtual void scan(const TableId& table, const KeyRange& range, Direction direction,
                    const std::function<bool(BytesView key, BytesView image)>& visit) = 0;
  // Rows after `after` in key order, tombstones included, at most `rows_max`.
  virtual std::vector<Row> scan_rows(const TableId& table, BytesView after,
                                     std::size_t rows_max) = 0;
  virtual std::optional<Row> get_row(const TableId& table, BytesView key) = 0;
  // The same for another region, with its bounds kept to; `ok` or `no_such_table`.
  virtual rpc::RowsPage read_rows(const rpc::RowsRead& read) = 0;
  // What apply_rows() stored under this name; empty when there is nothing.
  virtual std::optional<Bytes> cursor(const TableId& table, const std::string& name) = 0;
  // Calls `visit` with each row after `after`, up to and with `to` (empty: to the end), tombstones
  // included, in key order until it answers false.  One consistent snapshot: keep it short.
  virtual void visit_rows(const TableId& table, BytesView after, std::optional<BytesView> to,
                          const std::function<bool(const RowView&)>& visit) = 0;
  // This region as the seed of a new replica, without a look at who may have it.
  virtual rpc::CopyOffer copy_offer(const rpc::OfferQuestion& question) = 0;

  // The range after `after`, records of local origin only, without old images: for shipping.
  virtual rpc::LogPage read_log(const TableId& table, ShardId shard, const LogPosition& after,
                                const LogLimits& limits) = 0;
  // Records with sequence in [from, to] that belong to a stream, with both images.  `to` unset: to
  // the end.  `next` is where to go on (one past the last record looked at).
  struct StreamPage {
    std::vector<rpc::ChangeRecord> records;
    Sequence next;
    bool trimmed = false;  // `from` lies before the oldest record kept
  };
  virtual StreamPage read_stream(const TableId& table, ShardId shard, Sequence from,
                                 std::optional<Sequence> to, const LogLimits& limits) = 0;

  // Newest and oldest sequence in a shard's log ({0, 1} when empty); `end` + 1 is the next one.
  struct ShardSpan {
    Sequence oldest;
    Sequence end;
  };
  virtual ShardSpan shard_span(const TableId& table, ShardId shard) = 0;

  // This region's own position as a sink; a default LogPosition before the first batch.
  virtual LogPosition flow_position(const rpc::FlowId& flow) = 0;
  // Those of all flows of a table that have begun, by source and its shard.
  virtual std::map<std::pair<RegionId, ShardId>, LogPosition> flow_positions(
      const TableId& table) = 0;
  virtual Backlog backlog(const TableId& table, ShardId shard, const RegionId& sink) = 0;
  virtual TableStats stats(const TableId& table) = 0;
  // Parked records after that row, in the order of parking.
  virtual std::vector<ParkedRecord> parked(const TableId& table, std::size_t records_max,
                                           std::int64_t after_row) = 0;
  // Those of one key, in the order of their versions.
  virtual std::vector<ParkedRecord> parked_of_key(const TableId& table, BytesView key,
                                                  std::size_t records_max) = 0;
  virtual ParkedStats parked_stats(const TableId& table) = 0;

  virtual LedgerSummary ledger(const TableId& table) = 0;
  virtual LedgerPage conflicts(const TableId& table, const LedgerQuery& query) = 0;
  // The log's records of a key as far back as it goes, at most `records_max`.
  virtual KeyHistory key_history(const TableId& table, BytesView key, std::size_t records_max) = 0;

  // V: by origin, the version up to which everything from there is applied here; this region included.
  virtual rpc::Watermarks watermarks(const TableId& table) = 0;
  // G: the highest version of a tombstone that was collected here; zero while none was.
  virtual conflict::Hlc collected(const TableId& table) = 0;
  // The oldest tombstone that is kept; empty while there is none.
  virtual std::optional<conflict::Hlc> oldest_tombstone(const TableId& table) = 0;
};

// ------------------------------------------------------------------------------------------ store

// Losers of one table that were listed in the conflict ledger since start, by where they had been written.
struct TableConflicts {
  TableId table;
  std::uint64_t lost_here = 0;
  std::uint64_t lost_elsewhere = 0;
};

// For /readyz, metrics and the start-up log.  Counters since start.
struct StoreHealth {
  bool accepts_writes = true;
  std::string reason;  // why not
  bool clock_stepped = false;
  std::int64_t clock_step_ms = 0;
  std::uint64_t commits = 0;
  std::uint64_t syncs_commit = 0;      // of the write-ahead log, to make a commit durable
  std::uint64_t syncs_wal_start = 0;   // of the header of a log that is begun anew
  std::uint64_t syncs_checkpoint = 0;  // of log and file, to copy the one into the other
  std::uint64_t writes_committed = 0;
  std::uint64_t records_applied = 0;  // replicated records that won
  std::uint64_t records_stale = 0;    // that lost to a newer version
  std::uint64_t records_duplicate = 0;
  std::uint64_t records_forked = 0;  // equal version, unequal image: alarm
  std::uint64_t records_parked = 0;
  // Losers listed in the conflict ledger, by where they had been written: of all tables, and of each
  // that is here and had any, ascending.
  std::uint64_t conflicts_lost_here = 0;
  std::uint64_t conflicts_lost_elsewhere = 0;
  std::vector<TableConflicts> conflicts;
  std::uint64_t ledger_entries = 0;  // all tables, now
  std::uint64_t ledger_bytes = 0;
  std::uint64_t ledger_dropped = 0;  // to stay within the limits; of the tables that are here
  std::uint64_t batches_held = 0;  // by the clock guard
  std::uint64_t peers_cut_loose = 0;  // because the log reached its bound
  std::uint64_t tombstones_collected = 0;
  std::uint64_t queue_depth = 0;
  std::uint64_t queue_refused = 0;
  std::uint64_t wal_bytes = 0;
};

// Whose pin another node of the region may take.
enum class Replaced {
  nobody,  // there is none
  ended,   // nor one but that of a life of which it is known that it has ended
  anyone,  // whoever it was has lost what it held
};

// Empty when nobody looked: the store refuses writes, or is stopping.  That says nothing against the node.
using PinDone = std::function<void(std::optional<bool>)>;

class Store {
 public:
  virtual ~Store() = default;

  [[nodiscard]] virtual RegionId region() const = 0;
  [[nodiscard]] virtual NodeId node_id() const = 0;    // of the data directory
  [[nodiscard]] virtual StartId start_id() const = 0;  // of this run
  [[nodiscard]] virtual CatalogPtr catalog() const = 0;
  [[nodiscard]] virtual StoreHealth health() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Reader> open_reader() = 0;
  // Null when there is no such table.  A commit moves the ends before it is told to on_commit.
  [[nodiscard]] virtual LogEndsPtr log_ends(const TableId& table) const = 0;

  virtual void write(ItemWrite write) = 0;
  // A batch from another region's replicator.  `source_node` is the identity said in hello(); the
  // first one seen for a region is pinned.
  virtual void apply(rpc::ReplicationBatch batch, NodeId source_node,
                     std::function<void(const rpc::ApplyOutcome&)> done) = 0;

  // Rows of another region, of any origin, through the same rule as a batch; the cursor is stored in
  // the same transaction.  A row that wins becomes item and record, which is never shipped.
  virtual void apply_rows(rpc::RowsBatch batch,
                          std::function<void(const rpc::RowsOutcome&)> done) = 0;

  virtual void create_table(TableSpec spec, ControlDone done) = 0;
  virtual void change_table(TableId table, TableChange change, ControlDone done) = 0;
  // Drops this region's copy and tells nobody.  Unless `force`, refuses while no other replica has
  // acknowledged everything.  Remembers nothing of the table.
  virtual void drop_table(TableId table, bool force, ControlDone done) = 0;
  // Merges membership entries, newer `changed` wins each.
  virtual void merge_replicas(TableId table, std::map<RegionId, ReplicaEntry> entries,
                              ControlDone done) = 0;
  // Merges settings of another replica; a stream that they enable, disable or change follows here.
  virtual void merge_settings(TableId table, Settings settings, ControlDone done) = 0;
  // Sets one region's membership, with a version minted here.
  virtual void set_replica(TableId table, RegionId region, bool present, ControlDone done) = 0;

  // no_such_table unless this region's replica is being filled; already_exists when it has begun.
  virtual void copy_step(TableId table, CopyStep step, ControlDone done) = 0;

  virtual void acknowledge(std::vector<Acknowledgement> acknowledgements) = 0;
  // Pins `region` to `node`; answers false when it is pinned to another, or was and that one's life has
  // ended since.
  virtual void pin_identity(RegionId region, NodeId node, PinDone done) = 0;
  // Pins it to `node` in the place of those that `replaced` names; answers false for others.
  virtual void replace_identity(RegionId region, NodeId node, Replaced replaced, PinDone done) = 0;
  // What is to become of a parked record, on an operator's word; see quarantine.h.
  virtual void decide_parked(ParkedDecision decision, ParkedDone done) = 0;
  // Makes a barrier over those of the tables that are here.  This region's own watermark moves to it.
  virtual void barrier(std::vector<TableId> tables, BarrierDone done) = 0;
  // Moves the watermarks of `source` to its barriers, table by table, where all its flows have
  // reached them; never past a parked record.  Durable with the next commit, which may come later.
  virtual void advance(RegionId source, NodeId source_node, std::vector<rpc::Barrier> barriers,
                       AdvanceDone done) = 0;
  // Takes the pointwise larger watermarks and the larger `collected`, after a repair or a backfill has
  // made sure that all of it is here.  Nothing is minted at or below any of it from then on.  False
  // when there is no such table, or the store refuses writes.
  virtual void adopt_watermarks(rpc::TableWatermarks watermarks,
                                std::function<void(bool)> done) = 0;
  // Repair (rpc/repair.h; how it goes: region-node/peer/repairer.h).  A peer that is marked gets
  // nothing from our log until the mark is taken away.
  virtual void change_repair(RepairChange change, RepairChangeDone done) = 0;
  // Forgets tombstones that no replica needs any more; G rises to the newest of them.
  virtual void collect(CollectStep step, CollectDone done) = 0;
  // Rows and drops that a repair has decided upon.
  virtual void repair_rows(rpc::RepairWork work,
                           std::function<void(const rpc::RepairOutcome&)> done) = 0;
  // Takes the wall clock as it is, on an operator's word, after a step.
  virtual void accept_clock() = 0;
  // Takes versions of `source` up to `until` though they lie beyond the clock bound, on an operator's
  // word, which is kept over restarts.  They do not take this region's clock along: a client's write on
  // top of one of them is refused until the clock is within the bound of it.
  virtual void release_versions(RegionId source, conflict::Hlc until,
                                std::function<void(bool)> done) = 0;
  [[nodiscard]] virtual ClockReport clock_report() const = 0;

  // Called after every commit, on the writer thread; must not block.  Set once, before the first
  // write; empty to stop.
  virtual void on_commit(std::function<void()> listener) = 0;
};

}  // namespace meridian::store

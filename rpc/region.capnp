# The wire between region nodes, and between a region node and its replicators.
#
# Rules: fields are only ever added; keys and images are Data; every list is bounded by the codec
# (rpc/codec.h), which checks each limit again on arrival.  One connection serves one region; hello()
# comes first and everything else is refused until it has succeeded.

@0xb6a3c1f2d4e59788;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("meridian::rpc::wire");

struct Version {
  hlc @0 :UInt64;
  region @1 :Text;
}

struct TableId {
  high @0 :UInt64;
  low @1 :UInt64;
}

struct LogPosition {
  start @0 :UInt64;
  sequence @1 :UInt64;
}

struct ContextEntry {
  region @0 :Text;
  hlc @1 :UInt64;
}

struct Record {
  sequence @0 :UInt64;
  key @1 :Data;
  hlc @2 :UInt64;               # the version's region is the batch's source
  parent @3 :Version;           # null when it replaced nothing
  context @4 :List(ContextEntry);
  committedUs @5 :Int64;
  image @6 :Data;               # null for a delete
}

struct FlowId {
  table @0 :TableId;
  shard @1 :UInt16;
  source @2 :Text;
}

struct Batch {
  flow @0 :FlowId;
  from @1 :LogPosition;
  to @2 :LogPosition;
  records @3 :List(Record);
}

enum ApplyStatus {
  applied @0;
  wrongPosition @1;
  held @2;
  notMember @3;
  noSuchTable @4;
  wrongIdentity @5;
  unavailable @6;
  invalid @7;
}

struct ApplyOutcome {
  status @0 :ApplyStatus;
  position @1 :LogPosition;
  visibleUs @2 :Int64;
  retryMs @3 :Int64;
  clockAheadMs @4 :Int64;
}

enum ReadStatus {
  ok @0;
  trimmed @1;
  notInHistory @2;
  noSuchTable @3;
  unavailable @4;
}

struct LogRead {
  table @0 :TableId;
  shard @1 :UInt16;
  after @2 :LogPosition;
  recordsMax @3 :UInt32;
  bytesMax @4 :UInt32;
  sink @5 :Text;              # for whom; empty in older releases
}

struct LogPage {
  status @0 :ReadStatus;
  to @1 :LogPosition;
  records @2 :List(Record);
  end @3 :UInt64;
  pending @4 :UInt64;
}

enum Role {
  replicator @0;   # the region's own worker: may read the log and report acknowledgements
  peerNode @1;     # another region's node: control plane
  peerReplicator @2; # another region's worker: may apply
}

struct KeyAttribute {
  name @0 :Text;
  type @1 :Text;   # "S", "N" or "B"
}

struct ReplicaEntry {
  region @0 :Text;
  present @1 :Bool;       # false is a remembered removal
  changed @2 :Version;    # last writer wins, entry by entry
  copying @3 :Bool;       # present, and not whole yet
  expelled @4 :Bool;      # absent, and was not asked
  joined @5 :Version;     # when this life of the replica began; null if nobody noted it
}

# Everything about a table that all its replicas share.
struct TableDefinition {
  id @0 :TableId;
  name @1 :Text;
  partitionKey @2 :KeyAttribute;
  sortKey @3 :KeyAttribute;         # null when there is none
  createdMs @4 :Int64;
  replicas @5 :List(ReplicaEntry);
  billingMode @6 :Text;
  readUnits @7 :Int64;
  writeUnits @8 :Int64;
  streamViewType @9 :Text;          # empty when no stream was asked for
  settings @10 :List(Setting);      # all of them, those above included
}

struct Setting {
  name @0 :Text;          # "NAME", or "NAME@region" for a replica's own value
  value @1 :Text;
  changed @2 :Version;    # last writer wins, each; null for what the table was made with
}

struct TableForReplication {
  id @0 :TableId;
  name @1 :Text;
  shards @2 :UInt16;
  sinks @3 :List(Text);             # the other replicas
}

struct Acknowledgement {
  table @0 :TableId;
  shard @1 :UInt16;
  sink @2 :Text;
  position @3 :LogPosition;
}

struct BacklogQuery {
  table @0 :TableId;
  shard @1 :UInt16;
  sink @2 :Text;
}

# How far a sink is behind, as this region's node knows it.
struct Backlog {
  pendingRecords @0 :UInt64;
  pendingBytes @1 :UInt64;
  oldestUs @2 :Int64;             # commit time of the oldest of them; 0 when there is none
  acknowledged @3 :LogPosition;
}

# An item or tombstone as it stands in a region, of any origin.
struct Row {
  key @0 :Data;
  version @1 :Version;
  context @2 :List(ContextEntry);
  image @3 :Data;               # null for a tombstone
}

struct RowsRead {
  table @0 :TableId;
  after @1 :Data;
  until @2 :Data;               # null for the end of the table
  rowsMax @3 :UInt32;
  bytesMax @4 :UInt32;
}

struct FlowStand {
  source @0 :Text;
  shard @1 :UInt16;
  position @2 :LogPosition;
}

struct CopyOffer {
  status @0 :RowsStatus;
  reason @1 :Text;
  stands @2 :List(FlowStand);
  rows @3 :UInt64;
  epoch @4 :UInt64;
  parked @5 :List(Row);
  collected @6 :UInt64;
  watermarks @7 :List(Watermark); # what the seed has of every origin, itself included
  unsettled @8 :List(Text);       # as in TableWatermarks
  ends @9 :List(LogPosition);     # of the seed's logs, shard by shard
  rewound @10 :Bool;              # `scanned` is not in them any more
}

enum RowsStatus {
  ok @0;
  noSuchTable @1;
  notMember @2;
  unavailable @3;
}

struct RowsPage {
  status @0 :RowsStatus;
  rows @1 :List(Row);           # ascending keys
  end @2 :Bool;
  epoch @3 :UInt64;
}

# A moment of a region: everything that it minted at or below `hlc` lies in its logs at or before the
# ends, and it mints nothing more there.  One end per shard, in order.
struct TableEnds {
  table @0 :TableId;
  ends @1 :List(LogPosition);
}

struct Barrier {
  start @0 :UInt64;
  hlc @1 :UInt64;
  tables @2 :List(TableEnds);
}

# What a region has of every origin, and the highest version of a tombstone that it has collected.
struct Watermark {
  origin @0 :Text;
  hlc @1 :UInt64;
}

struct TableWatermarks {
  table @0 :TableId;
  applied @1 :List(Watermark);
  collected @2 :UInt64;
  membership @3 :UInt64;          # hash of the replicas as they are known here; 0: not told
  unsettled @4 :List(Text);       # origins whose lives have ended; others may hold more of them
}

struct TableIds {
  ids @0 :List(TableId);
}

# --- comparing and mending a table (rpc/repair.h) ---

struct KeySpan {
  after @0 :Data;
  to @1 :Data;                    # null: up to the end of the table
}

struct Digest {
  sum @0 :UInt64;
  items @1 :UInt64;
  tombstones @2 :UInt64;
}

struct RowHead {
  key @0 :Data;
  hlc @1 :UInt64;
  region @2 :Text;
  imageHash @3 :UInt64;
}

struct RepairRow {
  key @0 :Data;
  hlc @1 :UInt64;
  region @2 :Text;
  context @3 :List(ContextEntry);
  image @4 :Data;                 # null for a tombstone
  lost @5 :Bool;
}

# What a region knows of a table's state.
struct ReplicaFacts {
  watermarks @0 :List(Watermark);
  collected @1 :UInt64;
  membership @2 :UInt64;          # as in TableWatermarks
  unsettled @3 :List(Text);
  parked @4 :List(RepairRow);     # what could not be applied, when a repair begins or ends
  moreParked @5 :Bool;            # than is told
}

struct RepairRequest {
  table @0 :TableId;
  union {
    # Where the caller's flows stand here, shard by shard, and what is known here.
    state :group { shards @1 :UInt16; }
    # The same, at the begin of a repair.  `positions`: where this region's flows stand at the caller.
    begin :group { shards @2 :UInt16; positions @3 :List(LogPosition); }
    digest :group {
      span @4 :KeySpan;
      horizon @5 :UInt64;
      rowsPerPart @6 :UInt32;
      partsMax @7 :UInt32;
    }
    compare :group {
      spans @8 :List(KeySpan);
      counts @9 :List(UInt32);    # hashes of each span
      hashes @10 :List(UInt64);
      horizon @11 :UInt64;
    }
    fetch :group { keys @12 :List(Data); }
    apply :group {
      collected @13 :UInt64;
      dropsAt @14 :UInt64;
      rows @15 :List(RepairRow);
      drops @16 :List(RowHead);
    }
    # The caller's flows begin at these positions now, if there are any, and the facts are yours too.
    # `settles`: by which membership both went when it began; 0 if not by the same.
    finish :group {
      positions @17 :List(LogPosition);
      facts @18 :ReplicaFacts;
      settles @19 :UInt64;
    }
  }
}

struct RepairAnswer {
  status @0 :ReadStatus;
  union {
    none @1 :Void;
    state :group { positions @2 :List(LogPosition); facts @3 :ReplicaFacts; shards @4 :UInt16; }
    # `pins`: where the caller's flows from here begin, once it is repaired; empty if they go on as
    # they are.
    begin :group {
      positions @5 :List(LogPosition);
      facts @6 :ReplicaFacts;
      pins @7 :List(LogPosition);
      busy @8 :Bool;
    }
    digest :group { bounds @9 :List(Data); digests @10 :List(Digest); ended @11 :Bool; }
    compare :group {
      theirs @12 :List(RowHead);
      unmatched @13 :List(UInt32);
      spansCovered @14 :UInt32;
      coveredTo @15 :Data;
    }
    fetch :group { rows @16 :List(RepairRow); keysCovered @17 :UInt32; }
    apply :group {
      outcome @18 :ApplyStatus;
      applied @19 :UInt32;
      dropped @20 :UInt32;
      stale @21 :UInt32;
      skipped @22 :UInt32;
      retryMs @23 :Int64;
    }
    finish :group { done @24 :Bool; }
  }
}

interface Region {
  # First call on a connection.  `protocol` is the lowest that the caller speaks, `protocolMax` the
  # highest (0, of a release that knows no ranges: the same); the answer names the one to be spoken,
  # the highest that both do.  Refuses (as a failed call) when there is none, a region that the
  # caller's certificate does not name, and a region name that is pinned to another node id.
  hello @0 (protocol :UInt32, region :Text, node :UInt64, role :Role, protocolMax :UInt32)
        -> (protocol :UInt32, region :Text, node :UInt64, start :UInt64);

  # Round trip for clock offset and liveness: the answer carries the callee's wall clock.
  ping @1 () -> (wallUs :Int64);

  # --- for the region's own replicators ---
  # Tables with at least one other replica.  Returns at once if `generation` is not the current one,
  # else waits up to waitMs for a change.
  replicatedTables @2 (generation :UInt64, waitMs :UInt32)
        -> (generation :UInt64, tables :List(TableForReplication));
  # Records after each position; waits up to waitMs while there is none after any of them.  One page
  # per read, in order; one that found nothing ends where it began.  `wallUs`: when it was answered.
  readLog @3 (reads :List(LogRead), waitMs :UInt32) -> (pages :List(LogPage), wallUs :Int64);
  # Which positions every sink has made durable; pins the log and feeds the lag figures.
  acknowledge @4 (acknowledgements :List(Acknowledgement)) -> ();

  # --- for other regions' replicators ---
  # The sink's position of a flow: the authority on where it goes on.
  flowPosition @5 (flow :FlowId) -> (status :ApplyStatus, position :LogPosition);
  # One outcome per batch, in order, when all are known.
  apply @6 (batches :List(Batch)) -> (outcomes :List(ApplyOutcome));

  # --- for other regions' nodes ---
  # Makes an empty replica here, or answers why not (AWS's error type and text).
  # `copy`: the table holds items, or has held some, so the replica must be filled before it serves.
  createReplica @7 (table :TableDefinition, copy :Bool) -> (errorType :Text, errorMessage :Text);
  # Merges the membership and settings of a table, last writer wins, and answers ours.
  mergeTable @8 (table :TableDefinition) -> (known :Bool, table :TableDefinition);
  # Asks this region to give up its copy of a table.
  dropReplica @9 (id :TableId) -> (errorType :Text, errorMessage :Text);

  # --- for the region's own replicators ---
  # One answer per query, in order: the figures of a flow whose sink cannot be reached.
  backlog @10 (queries :List(BacklogQuery)) -> (backlogs :List(Backlog));

  # --- for other regions' nodes ---
  # Rows of a table that both regions hold, for backfill and repair.
  readRows @11 (read :RowsRead) -> (page :RowsPage);

  # --- for the region's own replicators ---
  # Makes a barrier over those of the tables that are here.
  barrier @12 (tables :List(TableId)) -> (barrier :Barrier);

  # --- for other regions' replicators ---
  # Barriers of the caller's region.  Per barrier, in order, the tables whose flows have reached it.
  advance @13 (barriers :List(Barrier)) -> (reached :List(TableIds));

  # --- for other regions' nodes and replicators ---
  # What this region has of those of the tables that are here.
  watermarks @14 (tables :List(TableId)) -> (watermarks :List(TableWatermarks));

  # --- for other regions' nodes ---
  # One exchange of a comparison or a repair.
  repair @15 (request :RepairRequest) -> (answer :RepairAnswer);
  # Asks this region to be the seed of the caller's new replica.  `flows`: where this region's flows stand
  # at the caller.  `scanned`: the `ends` of when the caller's scan began.
  offerCopy @16 (table :TableId, flows :List(LogPosition), scanned :List(LogPosition))
      -> (offer :CopyOffer);
  # How far the caller's new replica is.
  reportCopy @17 (table :TableId, percent :UInt32, text :Text) -> ();
}

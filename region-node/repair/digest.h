// Digests of key ranges, and the other answers that one region gives to another that compares a table
// with it, computed from the stored rows.
//
// Nothing is kept beside the rows, so applying a record costs nothing, and a row that was damaged on
// the disk is seen.  A digest is the sum of its rows' hashes; a row's hash is XXH3-64 over the length
// of the key (4 bytes), the key, the encoded version and the image's hash (8 bytes), the same in every
// region and release.
//
// Threads: the reader's.  Each function reads in snapshots of at most kSnapshotRows rows, so that the
// write-ahead log can be copied in between; what is written meanwhile may be in or not.
// Errors: sqlite::SqliteError of the reader.
// Limits: rpc/repair.h; what a request asks for beyond them is cut down.
// Source: ADR 0020.
#pragma once

#include <vector>

#include "region-node/store/store.h"
#include "rpc/repair.h"

namespace meridian::repair {

inline constexpr std::size_t kSnapshotRows = 4096;

std::uint64_t row_hash(BytesView key, BytesView version, std::uint64_t image_hash);
std::uint64_t row_hash(const rpc::RowHead& head);

// Cuts the span into parts of so many rows and digests each.
rpc::DigestPage digest_span(store::Reader& reader, const rpc::DigestRequest& request);
// Digests the parts that end at `bounds`, the first of which begins after `after`.
std::vector<rpc::Digest> digest_parts(store::Reader& reader, const TableId& table, BytesView after,
                                      const std::vector<std::optional<Bytes>>& bounds,
                                      conflict::Hlc horizon);

// The heads of the rows in `spans`, in order, at most `rows_max` of them.
struct Heads {
  std::vector<std::vector<rpc::RowHead>> by_span;  // of the whole spans, and of the part of the next
  std::size_t spans_covered = 0;
  std::optional<Bytes> covered_to;  // of the next span
};
Heads heads_of(store::Reader& reader, const TableId& table, const std::vector<rpc::KeySpan>& spans,
               conflict::Hlc horizon, std::size_t rows_max);

rpc::Comparison compare(store::Reader& reader, const rpc::CompareRequest& request);
rpc::FetchedRows fetch(store::Reader& reader, const rpc::FetchRequest& request);

}  // namespace meridian::repair

#include "region-node/repair/digest.h"

#include <algorithm>
#include <unordered_map>

#include "conflict/resolver.h"
#include "region-node/model/image.h"

namespace meridian::repair {
namespace {

using rpc::Digest;
using rpc::RowHead;

// The physical and logical time of an encoded version; its first eight bytes.
conflict::Hlc hlc_of(BytesView version) {
  auto value = take_u64(version);
  return conflict::Hlc{value.value_or(0)};
}

bool counts(const store::RowView& row, conflict::Hlc horizon) {
  return row.image || hlc_of(row.version) > horizon;
}

std::uint64_t image_hash_of(const store::RowView& row) {
  return row.image ? model::image_hash(*row.image) : conflict::kTombstoneHash;
}

void add(Digest& digest, const store::RowView& row) {
  digest.sum += row_hash(row.key, row.version, image_hash_of(row));
  ++(row.image ? digest.items : digest.tombstones);
}

// Visits the rows of a span in short snapshots, those apart that do not count; false from `visit`
// ends it.
template <typename Visit>
void walk(store::Reader& reader, const TableId& table, const rpc::KeySpan& span,
          conflict::Hlc horizon, Visit visit) {
  Bytes after = span.after;
  std::optional<BytesView> to;
  if (span.to) to = *span.to;
  bool more = true;
  while (more) {
    std::size_t rows = 0;
    bool ended = false;
    reader.visit_rows(table, after, to, [&](const store::RowView& row) {
      if (counts(row, horizon) && !visit(row)) {
        ended = true;
        return false;
      }
      if (++rows < kSnapshotRows) return true;
      after = row.key;
      return false;
    });
    more = !ended && rows >= kSnapshotRows;
  }
}

RowHead head_of(const store::RowView& row) {
  RowHead head;
  head.key = Bytes(row.key);
  auto version = conflict::decode_version(row.version);
  if (version) head.version = *version;
  head.image_hash = image_hash_of(row);
  return head;
}

}  // namespace

std::uint64_t row_hash(BytesView key, BytesView version, std::uint64_t image_hash) {
  thread_local Bytes scratch;
  scratch.clear();
  put_u32(scratch, static_cast<std::uint32_t>(key.size()));
  scratch += key;
  scratch += version;
  put_u64(scratch, image_hash);
  return hash64(scratch);
}

std::uint64_t row_hash(const RowHead& head) {
  return row_hash(head.key, conflict::encode_version(head.version), head.image_hash);
}

rpc::DigestPage digest_span(store::Reader& reader, const rpc::DigestRequest& request) {
  auto parts_max = std::clamp<std::size_t>(request.parts_max, 1, rpc::kDigestPartsMax);
  auto rows_per_part = std::clamp<std::size_t>(request.rows_per_part, 1, rpc::kDigestRowsMax);
  rpc::DigestPage page;
  Digest digest;
  std::size_t looked = 0;
  bool more = false;
  walk(reader, request.table, request.span, request.horizon, [&](const store::RowView& row) {
    more = page.parts.size() == parts_max || looked == rpc::kDigestRowsMax;
    if (more) return false;
    add(digest, row);
    ++looked;
    if (digest.rows() == rows_per_part) {
      page.parts.push_back({Bytes(row.key), digest});
      digest = {};
    }
    return true;
  });
  page.ended = !more;
  if (more) {
    // A part that was begun is left to the next page.
    return page;
  }
  // The last part reaches to the end of the span, so that what only the other side has is in it.
  if (digest.rows() > 0 || page.parts.empty()) {
    page.parts.push_back({request.span.to, digest});
  } else {
    page.parts.back().to = request.span.to;
  }
  return page;
}

std::vector<Digest> digest_parts(store::Reader& reader, const TableId& table, BytesView after,
                                 const std::vector<std::optional<Bytes>>& bounds,
                                 conflict::Hlc horizon) {
  std::vector<Digest> out(bounds.size());
  if (bounds.empty()) return out;
  std::size_t part = 0;
  walk(reader, table, {Bytes(after), bounds.back()}, horizon, [&](const store::RowView& row) {
    while (bounds[part] && row.key > *bounds[part]) ++part;
    add(out[part], row);
    return true;
  });
  return out;
}

Heads heads_of(store::Reader& reader, const TableId& table, const std::vector<rpc::KeySpan>& spans,
               conflict::Hlc horizon, std::size_t rows_max) {
  Heads out;
  std::size_t rows = 0;
  for (const auto& span : spans) {
    auto& heads = out.by_span.emplace_back();
    bool cut = false;
    walk(reader, table, span, horizon, [&](const store::RowView& row) {
      // Always one row at least, so that the next call gets further.
      cut = rows >= std::max<std::size_t>(rows_max, 1);
      if (cut) return false;
      heads.push_back(head_of(row));
      ++rows;
      return true;
    });
    if (cut) {
      if (!heads.empty()) out.covered_to = heads.back().key;
      return out;
    }
    ++out.spans_covered;
  }
  return out;
}

rpc::Comparison compare(store::Reader& reader, const rpc::CompareRequest& request) {
  std::vector<rpc::KeySpan> spans;
  spans.reserve(request.spans.size());
  for (const auto& span : request.spans) spans.push_back(span.keys);
  Heads heads =
      heads_of(reader, request.table, spans, request.horizon, rpc::kCompareRowsMax);
  rpc::Comparison out;
  out.spans_covered = static_cast<std::uint32_t>(heads.spans_covered);
  out.covered_to = std::move(heads.covered_to);
  std::uint32_t first = 0;  // place of the span's first hash among all
  for (std::size_t i = 0; i < heads.by_span.size(); ++i) {
    const auto& hashes = request.spans[i].hashes;
    std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> asked;
    for (std::size_t j = 0; j < hashes.size(); ++j)
      asked[hashes[j]].push_back(static_cast<std::uint32_t>(j));
    for (auto& head : heads.by_span[i]) {
      auto same = asked.find(row_hash(head));
      if (same == asked.end()) {
        out.theirs.push_back(std::move(head));
      } else {
        asked.erase(same);
      }
    }
    // (Of a span that is not covered to its end, too many: the asker knows how far to look.)
    std::vector<std::uint32_t> unmatched;
    for (const auto& [hash, places] : asked)
      for (auto place : places) unmatched.push_back(first + place);
    std::sort(unmatched.begin(), unmatched.end());
    out.unmatched.insert(out.unmatched.end(), unmatched.begin(), unmatched.end());
    first += static_cast<std::uint32_t>(hashes.size());
  }
  return out;
}

rpc::FetchedRows fetch(store::Reader& reader, const rpc::FetchRequest& request) {
  rpc::FetchedRows out;
  std::size_t bytes = 0;
  for (const auto& key : request.keys) {
    auto row = reader.get_row(request.table, key);
    if (row) {
      bytes += rpc::payload_bytes(*row);
      if (bytes > rpc::kRepairBytesMax && !out.rows.empty()) break;
      out.rows.push_back(std::move(*row));
    }
    ++out.keys_covered;
    if (out.rows.size() == rpc::kRepairRowsMax) break;
  }
  return out;
}

}  // namespace meridian::repair

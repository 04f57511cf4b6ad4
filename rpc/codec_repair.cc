#include "rpc/codec_repair.h"

#include <utility>

#include "rpc/codec_internal.h"

namespace meridian::rpc {
namespace {

using internal::bytes_of;
using internal::copy_to;
using internal::count_of;
using internal::read_positions;
using internal::require;
using internal::write_positions;

Bytes read_key(capnp::Data::Reader in) { return bytes_of(in, kKeyBytesMax, "key too long"); }

std::optional<Bytes> read_bound(capnp::Data::Reader in) {
  if (in.size() == 0) return std::nullopt;
  return read_key(in);
}

KeySpan read_span(wire::KeySpan::Reader in) {
  KeySpan out{read_key(in.getAfter()), read_bound(in.getTo())};
  require(!out.to || out.after <= *out.to, "a span that runs backwards");
  return out;
}

void write_span(const KeySpan& value, wire::KeySpan::Builder out) {
  copy_to(out.initAfter(count_of(value.after.size())), value.after);
  if (value.to) copy_to(out.initTo(count_of(value.to->size())), *value.to);
}

conflict::Version version_of(std::uint64_t hlc, capnp::Text::Reader region) {
  return {conflict::Hlc{hlc}, read_region(region)};
}

RowHead read_head(wire::RowHead::Reader in) {
  return {read_key(in.getKey()), version_of(in.getHlc(), in.getRegion()), in.getImageHash()};
}

template <typename Builder>
void write_row_name(const Bytes& key, const conflict::Version& version, Builder out) {
  copy_to(out.initKey(count_of(key.size())), key);
  out.setHlc(version.hlc.value);
  auto name = version.region.name();
  copy_to(out.initRegion(count_of(name.size())), name);
}

RepairWork::Row read_row(wire::RepairRow::Reader in) {
  RepairWork::Row out;
  out.row.key = read_key(in.getKey());
  require(!out.row.key.empty(), "empty key");
  out.row.version = version_of(in.getHlc(), in.getRegion());
  std::vector<conflict::Context::Entry> entries;
  require(in.getContext().size() <= conflict::Context::kRegionsMax, "too many context entries");
  for (auto entry : in.getContext())
    entries.push_back({read_region(entry.getRegion()), conflict::Hlc{entry.getHlc()}});
  auto context = conflict::Context::from_entries(std::move(entries));
  require(context.has_value(), "context entries out of order");
  out.row.context = std::move(*context);
  if (in.hasImage()) out.row.image = bytes_of(in.getImage(), kImageBytesMax, "image too long");
  out.lost = in.getLost();
  return out;
}

void write_row(const Row& value, bool lost, wire::RepairRow::Builder out) {
  write_row_name(value.key, value.version, out);
  const auto& known = value.context.entries();
  auto entries = out.initContext(count_of(known.size()));
  for (std::size_t i = 0; i < known.size(); ++i) {
    auto name = known[i].region.name();
    copy_to(entries[count_of(i)].initRegion(count_of(name.size())), name);
    entries[count_of(i)].setHlc(known[i].hlc.value);
  }
  if (value.image) copy_to(out.initImage(count_of(value.image->size())), *value.image);
  out.setLost(lost);
}

ReplicaFacts read_facts(wire::ReplicaFacts::Reader in) {
  ReplicaFacts out;
  out.watermarks = internal::read_marks(in.getWatermarks());
  out.membership = in.getMembership();
  out.unsettled = internal::read_names(in.getUnsettled());
  out.collected = conflict::Hlc{in.getCollected()};
  out.more_parked = in.getMoreParked();
  require(in.getParked().size() <= kRepairRowsMax, "too many rows");
  std::size_t bytes = 0;
  for (auto row : in.getParked()) {
    out.parked.push_back(read_row(row).row);
    bytes += payload_bytes(out.parked.back());
    require(bytes <= kRowsBytesMax || out.parked.size() == 1, "parked rows too large");
  }
  return out;
}

void write_facts(const ReplicaFacts& value, wire::ReplicaFacts::Builder out) {
  internal::write_marks(value.watermarks, out.initWatermarks(count_of(value.watermarks.size())));
  out.setMembership(value.membership);
  internal::write_names(value.unsettled, out.initUnsettled(count_of(value.unsettled.size())));
  out.setCollected(value.collected.value);
  out.setMoreParked(value.more_parked);
  auto parked = out.initParked(count_of(value.parked.size()));
  for (std::size_t i = 0; i < value.parked.size(); ++i)
    write_row(value.parked[i], false, parked[count_of(i)]);
}

ReadStatus read_status(wire::ReadStatus in) {
  require(in <= wire::ReadStatus::UNAVAILABLE, "unknown read status");
  return static_cast<ReadStatus>(in);
}

}  // namespace

// ----------------------------------------------------------------------------------------- requests

namespace {

CompareRequest read_compare(const TableId& table, wire::RepairRequest::Compare::Reader in) {
  CompareRequest out{table, conflict::Hlc{in.getHorizon()}, {}};
  auto counts = in.getCounts();
  auto hashes = in.getHashes();
  require(in.getSpans().size() <= kCompareSpansMax && in.getSpans().size() == counts.size(),
          "too many spans, or too few counts");
  require(hashes.size() <= kCompareHashesMax, "too many hashes");
  unsigned next = 0;
  for (unsigned i = 0; i < counts.size(); ++i) {
    auto& span = out.spans.emplace_back();
    span.keys = read_span(in.getSpans()[i]);
    require(counts[i] <= hashes.size() - next, "fewer hashes than were counted");
    for (unsigned j = 0; j < counts[i]; ++j) span.hashes.push_back(hashes[next++]);
  }
  return out;
}

RepairWork read_work(const TableId& table, wire::RepairRequest::Apply::Reader in) {
  RepairWork out{table, conflict::Hlc{in.getCollected()}, conflict::Hlc{in.getDropsAt()}, {}, {}};
  require(in.getRows().size() <= kRepairRowsMax && in.getDrops().size() <= kRepairRowsMax,
          "too many rows");
  for (auto row : in.getRows()) out.rows.push_back(read_row(row));
  for (auto drop : in.getDrops()) {
    RowHead head = read_head(drop);
    out.drops.push_back({std::move(head.key), head.version});
  }
  return out;
}

struct RequestWriter {
  wire::RepairRequest::Builder out;

  void operator()(const StateRequest& value) { out.initState().setShards(value.shards); }
  void operator()(const BeginRequest& value) {
    auto begin = out.initBegin();
    begin.setShards(value.shards);
    write_positions(value.positions, begin.initPositions(count_of(value.positions.size())));
  }
  void operator()(const DigestRequest& value) {
    auto digest = out.initDigest();
    write_span(value.span, digest.initSpan());
    digest.setHorizon(value.horizon.value);
    digest.setRowsPerPart(value.rows_per_part);
    digest.setPartsMax(value.parts_max);
  }
  void operator()(const CompareRequest& value) {
    auto compare = out.initCompare();
    auto spans = compare.initSpans(count_of(value.spans.size()));
    auto counts = compare.initCounts(count_of(value.spans.size()));
    std::size_t all = 0;
    for (const auto& span : value.spans) all += span.hashes.size();
    auto hashes = compare.initHashes(count_of(all));
    unsigned next = 0;
    for (unsigned i = 0; i < spans.size(); ++i) {
      write_span(value.spans[i].keys, spans[i]);
      counts.set(i, count_of(value.spans[i].hashes.size()));
      for (auto hash : value.spans[i].hashes) hashes.set(next++, hash);
    }
    compare.setHorizon(value.horizon.value);
  }
  void operator()(const FetchRequest& value) {
    auto keys = out.initFetch().initKeys(count_of(value.keys.size()));
    for (unsigned i = 0; i < keys.size(); ++i)
      copy_to(keys.init(i, count_of(value.keys[i].size())), value.keys[i]);
  }
  void operator()(const RepairWork& value) {
    auto apply = out.initApply();
    apply.setCollected(value.collected.value);
    apply.setDropsAt(value.drops_at.value);
    auto rows = apply.initRows(count_of(value.rows.size()));
    for (unsigned i = 0; i < rows.size(); ++i)
      write_row(value.rows[i].row, value.rows[i].lost, rows[i]);
    auto drops = apply.initDrops(count_of(value.drops.size()));
    for (unsigned i = 0; i < drops.size(); ++i)
      write_row_name(value.drops[i].key, value.drops[i].version, drops[i]);
  }
  void operator()(const FinishRequest& value) {
    auto finish = out.initFinish();
    write_positions(value.positions, finish.initPositions(count_of(value.positions.size())));
    write_facts(value.facts, finish.initFacts());
    finish.setSettles(value.settles);
  }
};

}  // namespace

RepairRequest read_repair_request(wire::RepairRequest::Reader in) {
  TableId table = read_table_id(in.getTable());
  switch (in.which()) {
    case wire::RepairRequest::STATE: return StateRequest{table, in.getState().getShards()};
    case wire::RepairRequest::BEGIN:
      return BeginRequest{table, in.getBegin().getShards(),
                          read_positions(in.getBegin().getPositions())};
    case wire::RepairRequest::DIGEST: {
      auto digest = in.getDigest();
      return DigestRequest{table, read_span(digest.getSpan()), conflict::Hlc{digest.getHorizon()},
                           digest.getRowsPerPart(), digest.getPartsMax()};
    }
    case wire::RepairRequest::COMPARE: return read_compare(table, in.getCompare());
    case wire::RepairRequest::FETCH: {
      FetchRequest out{table, {}};
      require(in.getFetch().getKeys().size() <= kRepairRowsMax, "too many keys");
      for (auto key : in.getFetch().getKeys()) out.keys.push_back(read_key(key));
      return out;
    }
    case wire::RepairRequest::APPLY: return read_work(table, in.getApply());
    case wire::RepairRequest::FINISH:
      return FinishRequest{table, read_positions(in.getFinish().getPositions()),
                           read_facts(in.getFinish().getFacts()),
                           in.getFinish().getSettles()};
  }
  throw CodecError("malformed message: an unknown request of repair");
}

void write_repair_request(const RepairRequest& value, wire::RepairRequest::Builder out) {
  std::visit([&out](const auto& one) { write_table_id(one.table, out.initTable()); }, value);
  std::visit(RequestWriter{out}, value);
}

// ------------------------------------------------------------------------------------------ answers

namespace {

DigestPage read_digests(ReadStatus status, wire::RepairAnswer::Digest::Reader in) {
  DigestPage out{status, {}, in.getEnded()};
  auto bounds = in.getBounds();
  auto digests = in.getDigests();
  require(bounds.size() <= kDigestPartsMax && bounds.size() == digests.size(),
          "too many digests, or too few bounds");
  for (unsigned i = 0; i < bounds.size(); ++i) {
    auto digest = digests[i];
    out.parts.push_back({read_bound(bounds[i]),
                         {digest.getSum(), digest.getItems(), digest.getTombstones()}});
  }
  return out;
}

Comparison read_comparison(ReadStatus status, wire::RepairAnswer::Compare::Reader in) {
  Comparison out;
  out.status = status;
  require(in.getTheirs().size() <= kCompareRowsMax && in.getUnmatched().size() <= kCompareHashesMax,
          "too many rows");
  for (auto head : in.getTheirs()) out.theirs.push_back(read_head(head));
  for (auto place : in.getUnmatched()) out.unmatched.push_back(place);
  out.spans_covered = in.getSpansCovered();
  out.covered_to = read_bound(in.getCoveredTo());
  return out;
}

FetchedRows read_fetched(ReadStatus status, wire::RepairAnswer::Fetch::Reader in) {
  FetchedRows out;
  out.status = status;
  require(in.getRows().size() <= kRepairRowsMax, "too many rows");
  for (auto row : in.getRows()) out.rows.push_back(std::move(read_row(row).row));
  out.keys_covered = in.getKeysCovered();
  return out;
}

RepairOutcome read_applied(wire::RepairAnswer::Apply::Reader in) {
  return {read_apply_status(in.getOutcome()), in.getApplied(), in.getDropped(),
          in.getStale(),                      in.getSkipped(), in.getRetryMs()};
}

struct AnswerWriter {
  wire::RepairAnswer::Builder out;

  void status(ReadStatus value) { out.setStatus(static_cast<wire::ReadStatus>(value)); }
  void operator()(const StateAnswer& value) {
    status(value.status);
    auto state = out.initState();
    write_positions(value.positions, state.initPositions(count_of(value.positions.size())));
    write_facts(value.facts, state.initFacts());
    state.setShards(value.shards);
  }
  void operator()(const BeginAnswer& value) {
    status(value.status);
    auto begin = out.initBegin();
    begin.setBusy(value.busy);
    write_positions(value.positions, begin.initPositions(count_of(value.positions.size())));
    write_facts(value.facts, begin.initFacts());
    write_positions(value.pins, begin.initPins(count_of(value.pins.size())));
  }
  void operator()(const DigestPage& value) {
    status(value.status);
    auto digest = out.initDigest();
    auto bounds = digest.initBounds(count_of(value.parts.size()));
    auto digests = digest.initDigests(count_of(value.parts.size()));
    for (unsigned i = 0; i < bounds.size(); ++i) {
      const auto& part = value.parts[i];
      if (part.to) copy_to(bounds.init(i, count_of(part.to->size())), *part.to);
      digests[i].setSum(part.digest.sum);
      digests[i].setItems(part.digest.items);
      digests[i].setTombstones(part.digest.tombstones);
    }
    digest.setEnded(value.ended);
  }
  void operator()(const Comparison& value) {
    status(value.status);
    auto compare = out.initCompare();
    auto theirs = compare.initTheirs(count_of(value.theirs.size()));
    for (unsigned i = 0; i < theirs.size(); ++i) {
      write_row_name(value.theirs[i].key, value.theirs[i].version, theirs[i]);
      theirs[i].setImageHash(value.theirs[i].image_hash);
    }
    auto unmatched = compare.initUnmatched(count_of(value.unmatched.size()));
    for (unsigned i = 0; i < unmatched.size(); ++i) unmatched.set(i, value.unmatched[i]);
    compare.setSpansCovered(value.spans_covered);
    if (value.covered_to)
      copy_to(compare.initCoveredTo(count_of(value.covered_to->size())), *value.covered_to);
  }
  void operator()(const FetchedRows& value) {
    status(value.status);
    auto fetch = out.initFetch();
    auto rows = fetch.initRows(count_of(value.rows.size()));
    for (unsigned i = 0; i < rows.size(); ++i) write_row(value.rows[i], false, rows[i]);
    fetch.setKeysCovered(value.keys_covered);
  }
  void operator()(const RepairOutcome& value) {
    auto apply = out.initApply();
    apply.setOutcome(write_apply_status(value.status));
    apply.setApplied(value.applied);
    apply.setDropped(value.dropped);
    apply.setStale(value.stale);
    apply.setSkipped(value.skipped);
    apply.setRetryMs(value.retry_ms);
  }
  void operator()(const FinishAnswer& value) {
    status(value.status);
    out.initFinish().setDone(value.done);
  }
};

}  // namespace

RepairAnswer read_repair_answer(wire::RepairAnswer::Reader in) {
  ReadStatus status = read_status(in.getStatus());
  switch (in.which()) {
    case wire::RepairAnswer::NONE: break;
    case wire::RepairAnswer::STATE: {
      auto state = in.getState();
      return StateAnswer{status, read_positions(state.getPositions()),
                         read_facts(state.getFacts()), state.getShards()};
    }
    case wire::RepairAnswer::BEGIN: {
      auto begin = in.getBegin();
      return BeginAnswer{status, begin.getBusy(), read_positions(begin.getPositions()),
                         read_facts(begin.getFacts()), read_positions(begin.getPins())};
    }
    case wire::RepairAnswer::DIGEST: return read_digests(status, in.getDigest());
    case wire::RepairAnswer::COMPARE: return read_comparison(status, in.getCompare());
    case wire::RepairAnswer::FETCH: return read_fetched(status, in.getFetch());
    case wire::RepairAnswer::APPLY: return read_applied(in.getApply());
    case wire::RepairAnswer::FINISH: return FinishAnswer{status, in.getFinish().getDone()};
  }
  throw CodecError("malformed message: an unknown answer of repair");
}

void write_repair_answer(const RepairAnswer& value, wire::RepairAnswer::Builder out) {
  std::visit(AnswerWriter{out}, value);
}

namespace {

constexpr std::size_t kWordsPerRow = 24;

std::size_t words_of_key(const Bytes& key) { return key.size() / sizeof(capnp::word) + 2; }

struct Words {
  template <typename Other>
  std::size_t operator()(const Other&) const {
    return 128;
  }
  std::size_t operator()(const CompareRequest& value) const {
    std::size_t words = 0;
    for (const auto& span : value.spans)
      words += span.hashes.size() + 8 + words_of_key(span.keys.after) * 2;
    return words;
  }
  std::size_t operator()(const FetchRequest& value) const {
    std::size_t words = 0;
    for (const auto& key : value.keys) words += words_of_key(key);
    return words;
  }
  std::size_t operator()(const RepairWork& value) const {
    std::size_t words = 0;
    for (const auto& row : value.rows) words += words_of_row(row.row);
    for (const auto& drop : value.drops) words += kWordsPerRow + words_of_key(drop.key);
    return words;
  }
  std::size_t operator()(const DigestPage& value) const {
    std::size_t words = 0;
    for (const auto& part : value.parts) words += 6 + (part.to ? words_of_key(*part.to) : 0);
    return words;
  }
  std::size_t operator()(const Comparison& value) const {
    std::size_t words = value.unmatched.size();
    for (const auto& head : value.theirs) words += 10 + words_of_key(head.key);
    return words;
  }
  std::size_t operator()(const FetchedRows& value) const {
    std::size_t words = 0;
    for (const auto& row : value.rows) words += words_of_row(row);
    return words;
  }

  static std::size_t words_of_row(const Row& row) {
    return kWordsPerRow + payload_bytes(row) / sizeof(capnp::word) +
           row.context.entries().size() * 8;
  }
};

}  // namespace

capnp::MessageSize size_hint(const RepairRequest& value) {
  return size_hint(std::visit(Words{}, value));
}
capnp::MessageSize size_hint(const RepairAnswer& value) {
  return size_hint(std::visit(Words{}, value));
}

}  // namespace meridian::rpc

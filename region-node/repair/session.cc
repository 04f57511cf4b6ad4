#include "region-node/repair/session.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "common/check.h"
#include "conflict/resolver.h"

namespace meridian::repair {

Session::Session(TableId table, Facts here, Facts there, Purpose purpose, SessionLimits limits)
    : table_(table),
      here_(std::move(here)),
      there_(std::move(there)),
      horizon_(std::max(here_.collected, there_.collected)),
      purpose_(purpose),
      limits_(limits) {}

namespace {

// Whether the parts follow one another through the span, and get somewhere.
bool tiles(const rpc::DigestPage& page, const rpc::KeySpan& span) {
  if (page.parts.empty()) return false;
  const Bytes* after = &span.after;
  for (std::size_t i = 0; i < page.parts.size(); ++i) {
    const auto& to = page.parts[i].to;
    bool last = i + 1 == page.parts.size();
    if (last && page.ended) return to == span.to;
    if (!to || *to <= *after || (span.to && *to > *span.to)) return false;
    after = &*to;
  }
  return true;
}

std::size_t hashes_in(const Heads& heads) {
  std::size_t count = 0;
  for (const auto& span : heads.by_span) count += span.size();
  return count;
}

// Whether an answer gets somewhere, and speaks of what was asked.
bool answers(const rpc::Comparison& comparison, std::size_t spans, std::size_t hashes) {
  bool covers = comparison.spans_covered > 0 || comparison.covered_to;
  bool within = comparison.spans_covered + (comparison.covered_to ? 1U : 0U) <= spans;
  const auto& places = comparison.unmatched;
  bool ascends = std::is_sorted(places.begin(), places.end(), std::less_equal<>());
  return covers && within && ascends && (places.empty() || places.back() < hashes);
}

}  // namespace

Step Session::start() { return next(); }

// What was decided first, then down, then along: so little is remembered at any time.
Step Session::next() {
  if (!fetch_.empty() || !send_.empty() || !drop_here_.empty() || !drop_there_.empty())
    return transfer();
  if (!leaves_.empty()) return compare_leaves();
  rpc::DigestRequest request{table_, {}, horizon_, 0, 0};
  in_segment_ = !segments_.empty();
  if (in_segment_) {
    request.span = std::move(segments_.front());
    segments_.pop_front();
    request.rows_per_part = limits_.rows_per_leaf;
    request.parts_max = limits_.rows_per_segment / limits_.rows_per_leaf + 1;
  } else if (!walked_) {
    request.span = {walked_to_, std::nullopt};
    request.rows_per_part = limits_.rows_per_segment;
    request.parts_max = limits_.segments_per_page;
  } else {
    return Finished{};
  }
  digesting_ = request.span;
  return DigestThere{std::move(request)};
}

// ------------------------------------------------------------------------------------------ digests

Step Session::on_digests_there(rpc::DigestPage page) {
  if (!tiles(page, digesting_)) return Nonsense{"digests that do not tile their span"};
  page_ = std::move(page);
  std::vector<std::optional<Bytes>> bounds;
  bounds.reserve(page_.parts.size());
  for (const auto& part : page_.parts) bounds.push_back(part.to);
  return DigestHere{table_, digesting_.after, std::move(bounds), horizon_};
}

Step Session::on_digests_here(std::vector<rpc::Digest> digests) {
  MERIDIAN_CHECK(digests.size() == page_.parts.size());
  Bytes after = digesting_.after;
  for (std::size_t i = 0; i < digests.size(); ++i) {
    const auto& part = page_.parts[i];
    if (!in_segment_) {
      figures_.rows_compared += part.digest.rows();
      digest_there_ += part.digest;
      digest_here_ += digests[i];
    }
    if (part.digest != digests[i]) {
      bool small = std::max(part.digest.rows(), digests[i].rows()) <= 2U * limits_.rows_per_leaf;
      // What only this side has would not be cut by digests of the other side's rows.
      bool one_sided = part.digest.rows() <= limits_.rows_per_leaf;
      if (in_segment_ || small || one_sided) {
        ++figures_.spans_differing;
        leaves_.push_back({after, part.to});
      } else {
        segments_.push_back({after, part.to});
      }
    }
    if (part.to) after = *part.to;
  }
  if (page_.ended) {
    if (!in_segment_) walked_ = true;
  } else if (in_segment_) {
    segments_.push_front({after, digesting_.to});
  } else {
    walked_to_ = after;
  }
  page_ = {};
  return next();
}

// --------------------------------------------------------------------------------------------- rows

Step Session::compare_leaves() {
  comparing_.clear();
  std::size_t most = std::min<std::size_t>(
      rpc::kCompareSpansMax, std::max<std::size_t>(1, limits_.rows_per_compare /
                                                          limits_.rows_per_leaf));
  while (!leaves_.empty() && comparing_.size() < most) {
    comparing_.push_back(std::move(leaves_.front()));
    leaves_.pop_front();
  }
  return HeadsHere{table_, comparing_, horizon_, limits_.rows_per_compare};
}

// What one answer did not reach is looked at again.
void Session::put_back_uncovered(std::size_t covered, const std::optional<Bytes>& covered_to) {
  for (std::size_t i = comparing_.size(); i-- > covered;) {
    rpc::KeySpan rest = std::move(comparing_[i]);
    if (i == covered && covered_to) {
      comparing_[i] = {rest.after, *covered_to};
      rest.after = *covered_to;
    }
    leaves_.push_front(std::move(rest));
  }
  comparing_.resize(covered + (covered_to ? 1 : 0));
}

Step Session::on_heads_here(Heads heads) {
  put_back_uncovered(heads.spans_covered, heads.covered_to);
  heads_ = std::move(heads);
  heads_.by_span.resize(comparing_.size());
  rpc::CompareRequest request{table_, horizon_, {}};
  request.spans.reserve(comparing_.size());
  for (std::size_t i = 0; i < comparing_.size(); ++i) {
    auto& span = request.spans.emplace_back();
    span.keys = comparing_[i];
    span.hashes.reserve(heads_.by_span[i].size());
    for (const auto& head : heads_.by_span[i]) span.hashes.push_back(row_hash(head));
  }
  return CompareThere{std::move(request)};
}

Step Session::on_comparison(rpc::Comparison comparison) {
  if (!answers(comparison, comparing_.size(), hashes_in(heads_)))
    return Nonsense{"a comparison of other rows than those that were asked about"};
  std::map<Bytes, std::pair<std::optional<rpc::RowHead>, std::optional<rpc::RowHead>>> rows;
  auto unmatched = comparison.unmatched.begin();
  std::uint32_t place = 0;
  for (std::size_t i = 0; i < comparing_.size(); ++i) {
    bool whole = i < comparison.spans_covered;
    bool part = i == comparison.spans_covered && comparison.covered_to;
    for (auto& head : heads_.by_span[i]) {
      bool only_here = unmatched != comparison.unmatched.end() && *unmatched == place;
      ++place;
      if (!only_here) continue;
      ++unmatched;
      if (whole || (part && head.key <= *comparison.covered_to))
        rows[head.key].first = std::move(head);
    }
  }
  for (auto& head : comparison.theirs) rows[head.key].second = std::move(head);
  put_back_uncovered(comparison.spans_covered, comparison.covered_to);
  for (const auto& [key, pair] : rows) decide(pair.first, pair.second);
  comparing_.clear();
  heads_ = {};
  return next();
}

namespace {

bool is_tombstone(const rpc::RowHead& head) {
  return head.image_hash == conflict::kTombstoneHash;
}

}  // namespace

void Session::forgive_collected(conflict::Hlc collected) {
  auto gone = [&](conflict::Hlc version) { return version <= collected; };
  figures_.differing -= std::erase_if(lone_tombstones_, gone);
  std::erase_if(samples_, [&](const Sample& sample) {
    if (sample.here && sample.there) return false;
    const rpc::RowHead& head = sample.here ? *sample.here : *sample.there;
    return is_tombstone(head) && gone(head.version.hlc);
  });
}

void Session::decide(const std::optional<rpc::RowHead>& here,
                     const std::optional<rpc::RowHead>& there) {
  Fate fate = fate_of(here, here_, there, there_);
  if (fate == Fate::same) return;
  ++figures_.differing;
  bool sends = fate == Fate::send || fate == Fate::send_lost;
  bool fetches = fate == Fate::fetch || fate == Fate::fetch_lost;
  bool moving = (sends && in_flight(*here, there_)) || (fetches && in_flight(*there, here_));
  if (moving) {
    ++figures_.in_flight;
    figures_.in_flight_origins.insert((sends ? here : there)->version.region);
  } else {
    if (samples_.size() < limits_.samples_max)
      samples_.push_back({here ? here->key : there->key, fate, here, there});
    bool lone = !(here && there);
    const rpc::RowHead& head = here ? *here : *there;
    if (lone && is_tombstone(head) && lone_tombstones_.size() < limits_.lone_tombstones_max)
      lone_tombstones_.push_back(head.version.hlc);
  }
  if (purpose_ == Purpose::compare) return;
  switch (fate) {
    case Fate::same: break;
    case Fate::send: send_.push_back({here->key, false}); break;
    case Fate::send_lost: send_.push_back({here->key, true}); break;
    case Fate::fetch: fetch_.push_back({there->key, false}); break;
    case Fate::fetch_lost: fetch_.push_back({there->key, true}); break;
    case Fate::drop_here: drop_here_.push_back({here->key, here->version}); break;
    case Fate::drop_there: drop_there_.push_back({there->key, there->version}); break;
  }
}

// ----------------------------------------------------------------------------------------- transfer

namespace {

std::vector<rpc::RepairWork::Drop> take_drops(std::deque<rpc::RepairWork::Drop>& from) {
  std::vector<rpc::RepairWork::Drop> out;
  while (!from.empty() && out.size() < rpc::kRepairRowsMax) {
    out.push_back(std::move(from.front()));
    from.pop_front();
  }
  return out;
}

}  // namespace

Step Session::transfer() {
  dropping_ = true;
  if (!drop_here_.empty()) {
    sending_ = false;
    return ApplyHere{{table_, here_.collected, there_.collected, {}, take_drops(drop_here_)}};
  }
  if (!drop_there_.empty()) {
    sending_ = true;
    return ApplyThere{{table_, there_.collected, here_.collected, {}, take_drops(drop_there_)}};
  }
  dropping_ = false;
  sending_ = fetch_.empty();
  auto& wanted = sending_ ? send_ : fetch_;
  rpc::FetchRequest request{table_, {}};
  moving_.clear();
  while (!wanted.empty() && moving_.size() < rpc::kRepairRowsMax) {
    request.keys.push_back(wanted.front().key);
    moving_.push_back(std::move(wanted.front()));
    wanted.pop_front();
  }
  if (sending_) return FetchHere{std::move(request)};
  return FetchThere{std::move(request)};
}

Step Session::on_rows(rpc::FetchedRows rows) {
  if (rows.keys_covered == 0) return Nonsense{"rows were asked for and none was looked at"};
  // What did not fit into the answer is asked for again; what has gone meanwhile is not there.
  auto& wanted = sending_ ? send_ : fetch_;
  std::size_t covered = std::min<std::size_t>(rows.keys_covered, moving_.size());
  for (std::size_t i = moving_.size(); i-- > covered;) wanted.push_front(std::move(moving_[i]));
  std::map<BytesView, bool> lost;
  for (std::size_t i = 0; i < covered; ++i) lost[moving_[i].key] = moving_[i].lost;
  rpc::RepairWork work{table_, sending_ ? there_.collected : here_.collected, {}, {}, {}};
  for (auto& row : rows.rows) {
    auto at = lost.find(row.key);
    if (at == lost.end()) continue;  // not asked for
    bool was_lost = at->second;
    work.rows.push_back({std::move(row), was_lost});
  }
  moving_.clear();
  if (work.rows.empty()) return next();
  if (sending_) return ApplyThere{std::move(work)};
  return ApplyHere{std::move(work)};
}

Step Session::on_applied(const rpc::RepairOutcome& outcome) {
  (sending_ ? figures_.sent : figures_.fetched) += outcome.applied;
  (sending_ ? figures_.dropped_there : figures_.dropped_here) += outcome.dropped;
  figures_.stale += outcome.stale;
  figures_.skipped += outcome.skipped;
  return next();
}

}  // namespace meridian::repair

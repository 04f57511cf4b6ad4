#include "tools/meridian/verify_merge.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <thread>

#include "common/check.h"

namespace meridian::cli {
namespace {

bool all_same(const Holders& holders) {
  for (const auto& row : holders) {
    if (row.has_value() != holders.front().has_value()) return false;
    if (row && !row->same_as(*holders.front())) return false;
  }
  return true;
}

bool all_same(const std::vector<RangeDigest>& digests) {
  return std::all_of(digests.begin(), digests.end(), [&digests](const RangeDigest& digest) {
    return digest.same_as(digests.front());
  });
}

bool ends_before(const RangeDigest& one, const RangeDigest& other) {
  if (!one.to || !other.to) return one.to.has_value();
  return *one.to < *other.to;
}

void check_order(const std::vector<VerifyRow>& rows) {
  for (std::size_t i = 1; i < rows.size(); ++i)
    if (rows[i].key <= rows[i - 1].key)
      throw std::runtime_error("a region answered rows out of key order after " +
                               to_hex(rows[i - 1].key));
}

}  // namespace

std::uint64_t hash_of(const VerifyRow& row) {
  Bytes bytes;
  put_u32(bytes, static_cast<std::uint32_t>(row.key.size()));
  bytes += row.key;
  bytes += row.version;
  put_u64(bytes, row.image_hash);
  return hash64(bytes);
}

void Comparison::each(const std::function<void(std::size_t)>& ask) {
  std::vector<std::exception_ptr> failures(sources_.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < sources_.size(); ++i)
    threads.emplace_back([&ask, i, &failure = failures[i]] {
      try {
        ask(i);
      } catch (...) {
        failure = std::current_exception();
      }
    });
  for (auto& thread : threads) thread.join();
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

void Comparison::agree(const std::optional<VerifyRow>& row) {
  if (!row) return;
  sum_ += hash_of(*row);
  ++(row->tombstone ? tombstones_ : items_);
}

void Comparison::learn_horizon() {
  std::vector<conflict::Hlc> collected(sources_.size());
  each([&](std::size_t i) { collected[i] = sources_[i]->collected(); });
  for (const auto& hlc : collected) horizon_ = std::max(horizon_, hlc);
}

void Comparison::forget_collected(std::optional<VerifyRow>& row) const {
  if (!row || !row->tombstone) return;
  BytesView version = row->version;
  if (conflict::Hlc{take_u64(version).value_or(0)} <= horizon_) row.reset();
}

void Comparison::scan() {
  learn_horizon();
  Bytes after;
  for (auto to = scan_range(after); to; to = scan_range(after)) {
    if (*to <= after) throw std::runtime_error("a region answered a range that does not advance");
    after = *to;
  }
}

// Answers how far it got; empty: to the end.
std::optional<Bytes> Comparison::scan_range(const Bytes& after) {
  std::vector<RangeDigest> digests(sources_.size());
  each([&](std::size_t i) { digests[i] = sources_[i]->digest(after, std::nullopt, horizon_); });
  // The shortest range is everybody's.  Elsewhere it holds fewer rows than were asked for.
  std::optional<Bytes> to = std::min_element(digests.begin(), digests.end(), ends_before)->to;
  auto whole = [&digests, &to] {
    return std::all_of(digests.begin(), digests.end(),
                       [&to](const RangeDigest& digest) { return digest.to == to; });
  };
  if (!whole())
    each([&](std::size_t i) {
      if (digests[i].to != to) digests[i] = sources_[i]->digest(after, to, horizon_);
    });
  // (It may hold more by now.)
  if (whole() && all_same(digests)) {
    sum_ += digests.front().sum;
    items_ += digests.front().items;
    tombstones_ += digests.front().tombstones;
    return to;
  }
  std::vector<std::vector<VerifyRow>> rows(sources_.size());
  each([&](std::size_t i) {
    rows[i] = sources_[i]->rows(after, to, horizon_);
    check_order(rows[i]);
  });
  merge(std::move(rows));
  return to;
}

void Comparison::merge(std::vector<std::vector<VerifyRow>> rows) {
  std::vector<std::size_t> at(rows.size(), 0);
  for (;;) {
    const Bytes* least = nullptr;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (at[i] < rows[i].size() && (least == nullptr || rows[i][at[i]].key < *least))
        least = &rows[i][at[i]].key;
    if (least == nullptr) return;
    Bytes key = *least;
    Holders holders(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (at[i] < rows[i].size() && rows[i][at[i]].key == key)
        holders[i] = std::move(rows[i][at[i]++]);
    if (all_same(holders)) {
      agree(holders.front());
    } else {
      differing_.emplace(std::move(key), std::move(holders));
    }
  }
}

void Comparison::read_differing_again() {
  std::vector<Bytes> keys;
  for (const auto& [key, holders] : differing_) keys.push_back(key);
  std::vector<Holders> by_source(sources_.size());
  each([&](std::size_t i) {
    by_source[i] = sources_[i]->read(keys);
    if (by_source[i].size() != keys.size())
      throw std::runtime_error("a region answered about other keys than it was asked for");
  });
  learn_horizon();
  for (std::size_t k = 0; k < keys.size(); ++k) {
    Holders holders;
    for (auto& rows : by_source) {
      forget_collected(rows[k]);
      holders.push_back(std::move(rows[k]));
    }
    if (!all_same(holders)) {
      differing_[keys[k]] = std::move(holders);
      continue;
    }
    agree(holders.front());
    ++settled_;
    differing_.erase(keys[k]);
  }
}

std::uint64_t Comparison::digest() const {
  MERIDIAN_CHECK(differing_.empty());
  return sum_;
}

}  // namespace meridian::cli

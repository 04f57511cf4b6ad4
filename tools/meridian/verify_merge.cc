#include "tools/meridian/verify_merge.h"

#include <algorithm>
#include <stdexcept>

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

// Zero stands for a key that is gone everywhere: it takes no part in the digest.
std::uint64_t hash_of(const std::optional<VerifyRow>& row) {
  if (!row) return 0;
  Bytes bytes;
  put_u32(bytes, static_cast<std::uint32_t>(row->key.size()));
  bytes += row->key;
  put_u16(bytes, static_cast<std::uint16_t>(row->version.size()));
  bytes += row->version;
  put_u64(bytes, row->image_hash);
  return std::max<std::uint64_t>(hash64(bytes), 1);
}

}  // namespace

void Comparison::agree(std::size_t index, const std::optional<VerifyRow>& row) {
  hashes_[index] = hash_of(row);
  if (row) ++(row->tombstone ? tombstones_ : items_);
}

void Comparison::scan() {
  std::vector<std::optional<VerifyRow>> heads;
  heads.reserve(sources_.size());
  for (auto* source : sources_) heads.push_back(source->next());
  for (;;) {
    const Bytes* least = nullptr;
    for (const auto& head : heads)
      if (head && (least == nullptr || head->key < *least)) least = &head->key;
    if (least == nullptr) return;
    Bytes key = *least;
    Holders holders(sources_.size());
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (!heads[i] || heads[i]->key != key) continue;
      holders[i] = std::move(heads[i]);
      heads[i] = sources_[i]->next();
      if (heads[i] && heads[i]->key <= key)
        throw std::runtime_error("a region answered rows out of key order after " + to_hex(key));
    }
    std::size_t index = hashes_.size();
    hashes_.push_back(0);
    if (all_same(holders)) {
      agree(index, holders.front());
    } else {
      differing_.emplace(std::move(key), Difference{index, std::move(holders)});
    }
  }
}

void Comparison::read_differing_again() {
  for (auto at = differing_.begin(); at != differing_.end();) {
    Holders holders;
    for (auto* source : sources_) holders.push_back(source->read(at->first));
    if (!all_same(holders)) {
      at->second.holders = std::move(holders);
      ++at;
      continue;
    }
    agree(at->second.index, holders.front());
    ++settled_;
    at = differing_.erase(at);
  }
}

std::uint64_t Comparison::digest() const {
  MERIDIAN_CHECK(differing_.empty());
  Bytes bytes;
  bytes.reserve(hashes_.size() * 8);
  for (std::uint64_t hash : hashes_)
    if (hash != 0) put_u64(bytes, hash);
  return hash64(bytes);
}

}  // namespace meridian::cli

#include "conflict/context.h"

#include <algorithm>

#include "conflict/absence.h"

namespace meridian::conflict {
namespace {

auto lower_bound_of(const std::vector<Context::Entry>& entries, const RegionId& region) {
  return std::lower_bound(
      entries.begin(), entries.end(), region,
      [](const Context::Entry& entry, const RegionId& r) { return entry.region < r; });
}

}  // namespace

Context Context::extended_by(const Version& parent) const {
  Context out = *this;
  auto at = lower_bound_of(out.entries_, parent.region);
  auto index = static_cast<std::size_t>(at - out.entries_.begin());
  if (at != out.entries_.end() && at->region == parent.region) {
    out.entries_[index].hlc = std::max(out.entries_[index].hlc, parent.hlc);
  } else {
    out.entries_.insert(at, Entry{parent.region, parent.hlc});
  }
  return out;
}

std::optional<Hlc> Context::of(const RegionId& region) const {
  auto at = lower_bound_of(entries_, region);
  if (at == entries_.end() || at->region != region) return std::nullopt;
  return at->hlc;
}

bool Context::covers(const Version& version) const {
  auto known = of(version.region);
  if (known && *known >= version.hlc) return true;
  auto floor = of(everywhere());
  return floor && *floor >= version.hlc;
}

bool Context::names(const Version& version) const { return of(version.region) == version.hlc; }

Bytes Context::encode() const {
  Bytes out;
  put_varint(out, entries_.size());
  for (const auto& entry : entries_) {
    out.push_back(static_cast<char>(entry.region.name().size()));
    out.append(entry.region.name());
    put_u64(out, entry.hlc.value);
  }
  return out;
}

std::optional<Context> Context::decode(BytesView in) {
  auto count = take_varint(in);
  if (!count || *count > kRegionsMax) return std::nullopt;
  Context out;
  out.entries_.reserve(*count);
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto length = take_bytes(in, 1);
    if (!length) return std::nullopt;
    auto name = take_bytes(in, static_cast<std::uint8_t>(length->front()));
    if (!name) return std::nullopt;
    auto region = RegionId::parse(*name);
    auto hlc = take_u64(in);
    if (!region || !hlc) return std::nullopt;
    if (!out.entries_.empty() && !(out.entries_.back().region < *region)) return std::nullopt;
    out.entries_.push_back(Entry{*region, Hlc{*hlc}});
  }
  if (!in.empty()) return std::nullopt;
  return out;
}

std::optional<Context> Context::from_entries(std::vector<Entry> entries) {
  if (entries.size() > kRegionsMax) return std::nullopt;
  for (std::size_t i = 1; i < entries.size(); ++i)
    if (!(entries[i - 1].region < entries[i].region)) return std::nullopt;
  Context out;
  out.entries_ = std::move(entries);
  return out;
}

}  // namespace meridian::conflict

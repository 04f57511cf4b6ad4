// Context: what a write knew of.  Per region, the latest version in its chain of parents.
//
// A write that is beaten by one whose context covers it was seen and replaced: no conflict.  One that
// is beaten by a version whose context does not cover it lost without being seen: a conflict.  Beaten
// writes never enter a chain of parents, so a reordering among three regions is not taken for one.
// Comparing replaced versions alone would get that wrong.
//
// It travels in every change record, item row and tombstone, so its encoding is part of the stored
// format: varint count, then per region in ascending order of name: length byte, name, hlc (8 bytes).
// Limits: kRegionsMax entries.  Threads: value type.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "conflict/version.h"

namespace meridian::conflict {

class Context {
 public:
  static constexpr std::size_t kRegionsMax = 64;

  struct Entry {
    RegionId region;
    Hlc hlc;
    bool operator==(const Entry&) const = default;
  };

  // The context of a write that replaces `parent`, whose own context is this one.
  [[nodiscard]] Context extended_by(const Version& parent) const;

  // True when `version` is at or below what this context knows of its region.
  [[nodiscard]] bool covers(const Version& version) const;
  // True when `version` itself is in the chain, as the latest of its region.
  [[nodiscard]] bool names(const Version& version) const;
  // What it knows of a region; empty when nothing.
  [[nodiscard]] std::optional<Hlc> of(const RegionId& region) const;

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  bool operator==(const Context&) const = default;

  [[nodiscard]] Bytes encode() const;
  static std::optional<Context> decode(BytesView in);
  // For other encodings; empty unless the entries ascend by region, one each, at most kRegionsMax.
  static std::optional<Context> from_entries(std::vector<Entry> entries);

 private:
  std::vector<Entry> entries_;  // ascending region, one each
};

}  // namespace meridian::conflict

// What scenario tests share.
//
// Threads: none of its own.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>

#include "tests/sim/world.h"

namespace meridian::sim {

inline constexpr std::int64_t kSecondUs = 1'000'000;

inline ::testing::AssertionResult passed(const Findings& findings) {
  if (findings.empty()) return ::testing::AssertionSuccess();
  std::ostringstream out;
  for (const auto& finding : findings.kept())
    out << "\n  " << finding.property << "  " << finding.detail;
  return ::testing::AssertionFailure() << out.str();
}

inline void finish(World& world) {
  world.calm();
  world.judge();
  EXPECT_TRUE(passed(world.findings()));
}

// The image of a key in a region; empty for a tombstone or nothing.
inline std::optional<Bytes> image_at(World& world, std::size_t region, std::uint32_t key) {
  auto row = world.node(region).reader().get_row(world.table_of(key), key_of(key));
  return row ? row->image : std::nullopt;
}

// The region's replica of the first table is there, with all that it should have been filled with.
inline bool whole(World& world, std::size_t region) {
  auto& node = world.node(region);
  auto table = node.up() ? node.store().catalog()->find(world.table_of(0)) : nullptr;
  return table && table->is_whole(node.region());
}

}  // namespace meridian::sim

// Digests and comparisons against rows that were counted another way.
#include <gtest/gtest.h>

#include "conflict/resolver.h"
#include "region-node/model/image.h"
#include "region-node/repair/digest.h"
#include "tests/component/repair/pair.h"

namespace meridian::repair {
namespace {

class DigestTest : public ::testing::Test {
 protected:
  rpc::DigestRequest request(std::uint32_t rows, std::uint32_t parts, Bytes after = {},
                             std::optional<Bytes> to = {}, std::int64_t horizon = -1) {
    conflict::Hlc hlc;
    if (horizon >= 0) hlc = conflict::Hlc::at_ms(kEpochMs + horizon);
    return {side_.table(), {std::move(after), std::move(to)}, hlc, rows, parts};
  }

  StillClock clock_;
  Side side_{clock_, kEast, "digest"};
};

// Pinned: regions of different releases compare digests, and `meridian verify` computes the same.
TEST(RowHash, IsPinned) {
  Bytes version;
  put_u64(version, 0x0102030405060708);
  EXPECT_EQ(row_hash("k", version + "us-east-1", 0x1122334455667788), 0x9d6eb018c76367e9U);
}

TEST_F(DigestTest, IsTheSumOverTheRows) {
  for (std::uint64_t i = 0; i < 10'000; ++i)
    side_.put(i, 5, i % 7 == 0 ? std::nullopt : std::optional("v" + std::to_string(i)));
  rpc::Digest expected;
  for (const auto& row : side_.rows()) {
    expected.sum += row_hash(row.key, conflict::encode_version(row.version),
                             row.image ? model::image_hash(*row.image) : conflict::kTombstoneHash);
    ++(row.image ? expected.items : expected.tombstones);
  }
  auto page = digest_span(side_.reader(), request(100'000, 1));
  ASSERT_EQ(page.parts.size(), 1U);
  EXPECT_TRUE(page.ended);
  EXPECT_EQ(page.parts[0].digest, expected);
  EXPECT_EQ(page.parts[0].to, std::nullopt);
}

TEST_F(DigestTest, PartsTileTheSpanAndAddUp) {
  for (std::uint64_t i = 0; i < 1'000; ++i) side_.put(i, 5, "v");
  side_.flush();
  auto whole = digest_span(side_.reader(), request(100'000, 1)).parts.at(0).digest;
  rpc::Digest sum;
  Bytes after;
  int pages = 0;
  for (bool ended = false; !ended; ++pages) {
    auto page = digest_span(side_.reader(), request(32, 5, after));
    std::vector<std::optional<Bytes>> bounds;
    for (const auto& part : page.parts) {
      sum += part.digest;
      bounds.push_back(part.to);
    }
    auto again = digest_parts(side_.reader(), side_.table(), after, bounds, {});
    for (std::size_t i = 0; i < again.size(); ++i) EXPECT_EQ(again[i], page.parts[i].digest);
    ended = page.ended;
    if (!ended) after = *page.parts.back().to;
  }
  EXPECT_EQ(sum, whole);
  EXPECT_EQ(pages, 7);  // 31 full parts and the rest, five at a time
}

TEST_F(DigestTest, TombstonesBelowTheHorizonDoNotCount) {
  for (std::uint64_t i = 0; i < 100; ++i) side_.put(i, 5, "v");
  side_.flush();
  auto items = digest_span(side_.reader(), request(1000, 1)).parts.at(0).digest;
  for (std::uint64_t i = 100; i < 150; ++i) side_.put(i, 7, std::nullopt);
  side_.flush();
  auto all = digest_span(side_.reader(), request(1000, 1)).parts.at(0).digest;
  EXPECT_EQ(all.tombstones, 50U);
  EXPECT_NE(all.sum, items.sum);
  EXPECT_EQ(digest_span(side_.reader(), request(1000, 1, {}, {}, 7)).parts.at(0).digest, items);
  EXPECT_EQ(digest_span(side_.reader(), request(1000, 1, {}, {}, 6)).parts.at(0).digest, all);
}

TEST_F(DigestTest, AnEmptySpanHasOneEmptyPart) {
  auto page = digest_span(side_.reader(), request(10, 10, key_of(5), key_of(9)));
  ASSERT_EQ(page.parts.size(), 1U);
  EXPECT_EQ(page.parts[0].to, key_of(9));
  EXPECT_EQ(page.parts[0].digest, rpc::Digest{});
  EXPECT_TRUE(page.ended);
}

TEST_F(DigestTest, HeadsStopAtTheirLimitAndSayWhere) {
  for (std::uint64_t i = 0; i < 100; ++i) side_.put(i, 5, "v");
  side_.flush();
  std::vector<rpc::KeySpan> spans{{{}, key_of(9)}, {key_of(9), key_of(49)}, {key_of(49), {}}};
  auto heads = heads_of(side_.reader(), side_.table(), spans, {}, 25);
  EXPECT_EQ(heads.spans_covered, 1U);
  EXPECT_EQ(heads.covered_to, key_of(24));
  ASSERT_EQ(heads.by_span.size(), 2U);
  EXPECT_EQ(heads.by_span[0].size(), 10U);
  EXPECT_EQ(heads.by_span[1].size(), 15U);
  EXPECT_EQ(heads_of(side_.reader(), side_.table(), spans, {}, 1000).spans_covered, 3U);
}

TEST_F(DigestTest, AComparisonNamesWhatEitherSideLacks) {
  side_.put(1, 5, "same");
  side_.put(2, 5, "ours");
  side_.put(3, 6, std::nullopt);
  side_.flush();
  conflict::Version version{conflict::Hlc::at_ms(kEpochMs + 5), kFar};
  auto same = row_hash(key_of(1), conflict::encode_version(version),
                       model::image_hash(image_of(1, "same")));
  rpc::CompareRequest request{side_.table(), {}, {{{{}, key_of(9)}, {11, same, 12}}}};
  auto comparison = compare(side_.reader(), request);
  EXPECT_EQ(comparison.unmatched, (std::vector<std::uint32_t>{0, 2}));
  ASSERT_EQ(comparison.theirs.size(), 2U);
  EXPECT_EQ(comparison.theirs[0].key, key_of(2));
  EXPECT_EQ(comparison.theirs[1].key, key_of(3));
  EXPECT_EQ(comparison.theirs[1].image_hash, conflict::kTombstoneHash);
  EXPECT_EQ(comparison.spans_covered, 1U);
}

TEST_F(DigestTest, FetchedRowsStopAtABoundOfBytes) {
  std::string large(400'000, 'x');
  for (std::uint64_t i = 0; i < 6; ++i) side_.put(i, 5, large);
  side_.flush();
  rpc::FetchRequest request{side_.table(), {}};
  for (std::uint64_t i = 0; i < 7; ++i) request.keys.push_back(key_of(i));
  auto rows = fetch(side_.reader(), request);
  EXPECT_EQ(rows.keys_covered, 2U);
  EXPECT_EQ(rows.rows.size(), 2U);
  request.keys = {key_of(77)};
  rows = fetch(side_.reader(), request);
  EXPECT_EQ(rows.keys_covered, 1U);
  EXPECT_TRUE(rows.rows.empty());
}

}  // namespace
}  // namespace meridian::repair

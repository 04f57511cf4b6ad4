#include "tools/meridian/verify_merge.h"

#include <gtest/gtest.h>

#include "common/rng.h"

namespace meridian::cli {
namespace {

VerifyRow row(const std::string& key, const std::string& version, std::uint64_t hash) {
  VerifyRow out;
  out.key = key;
  out.version = version;
  out.image_hash = hash;
  out.tombstone = hash == 0;
  return out;
}

// A region whose rows may change between the scan and a later look.
class Region final : public RowSource {
 public:
  explicit Region(std::vector<VerifyRow> rows) {
    for (auto& r : rows) rows_[r.key] = r;
    scanned_ = rows;
  }
  std::optional<VerifyRow> next() override {
    if (at_ == scanned_.size()) return std::nullopt;
    return scanned_[at_++];
  }
  std::optional<VerifyRow> read(BytesView key) override {
    auto at = rows_.find(Bytes(key));
    if (at == rows_.end()) return std::nullopt;
    return at->second;
  }
  void write(const VerifyRow& r) { rows_[r.key] = r; }
  void erase(const Bytes& key) { rows_.erase(key); }

 private:
  std::vector<VerifyRow> scanned_;
  std::map<Bytes, VerifyRow> rows_;
  std::size_t at_ = 0;
};

TEST(Verify, EqualRegionsAreIdentical) {
  std::vector<VerifyRow> rows = {row("a", "1", 5), row("b", "2", 0), row("c", "3", 7)};
  Region x(rows);
  Region y(rows);
  Region z(rows);
  Comparison comparison({&x, &y, &z});
  comparison.scan();
  EXPECT_TRUE(comparison.differing().empty());
  EXPECT_EQ(comparison.items(), 2u);
  EXPECT_EQ(comparison.tombstones(), 1u);
  EXPECT_EQ(comparison.keys(), 3u);
}

TEST(Verify, EmptyRegionsAreIdentical) {
  Region x({});
  Region y({});
  Comparison comparison({&x, &y});
  comparison.scan();
  EXPECT_TRUE(comparison.differing().empty());
  EXPECT_EQ(comparison.keys(), 0u);
}

TEST(Verify, NamesEveryKindOfDifference) {
  Region x({row("image", "1", 5), row("missing", "1", 5), row("same", "1", 5),
            row("tombstone", "1", 5), row("version", "1", 5)});
  Region y({row("extra", "1", 5), row("image", "1", 6), row("same", "1", 5),
            row("tombstone", "1", 0), row("version", "2", 5)});
  Comparison comparison({&x, &y});
  comparison.scan();
  comparison.read_differing_again();
  std::vector<std::string> keys;
  for (const auto& [key, difference] : comparison.differing()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"extra", "image", "missing", "tombstone", "version"}));
  EXPECT_FALSE(comparison.differing().at("missing").holders[1].has_value());
  EXPECT_EQ(comparison.items(), 1u);
}

TEST(Verify, WritesOnTheirWaySettle) {
  Region x({row("a", "2", 9), row("b", "1", 5), row("c", "1", 5)});
  Region y({row("a", "1", 5), row("b", "1", 5)});
  Comparison comparison({&x, &y});
  comparison.scan();
  EXPECT_EQ(comparison.differing().size(), 2u);
  y.write(row("a", "2", 9));
  x.erase("c");
  comparison.read_differing_again();
  EXPECT_TRUE(comparison.differing().empty());
  EXPECT_EQ(comparison.settled(), 2u);
  EXPECT_EQ(comparison.items(), 2u);

  // The digest is that of the settled rows.
  std::vector<VerifyRow> rows = {row("a", "2", 9), row("b", "1", 5)};
  Region settled(rows);
  Region again(rows);
  Comparison fresh({&settled, &again});
  fresh.scan();
  EXPECT_EQ(comparison.digest(), fresh.digest());
}

TEST(Verify, TheDigestSeesEveryField) {
  auto digest_of = [](std::vector<VerifyRow> rows) {
    Region region(std::move(rows));
    Comparison comparison({&region});
    comparison.scan();
    return comparison.digest();
  };
  std::uint64_t base = digest_of({row("a", "1", 5), row("b", "1", 5)});
  EXPECT_EQ(base, digest_of({row("a", "1", 5), row("b", "1", 5)}));
  EXPECT_NE(base, digest_of({row("a", "1", 6), row("b", "1", 5)}));
  EXPECT_NE(base, digest_of({row("a", "2", 5), row("b", "1", 5)}));
  EXPECT_NE(base, digest_of({row("a", "1", 5), row("c", "1", 5)}));
  EXPECT_NE(base, digest_of({row("a", "1", 5)}));
  EXPECT_NE(digest_of({row("ab", "1", 5)}), digest_of({row("a", "b1", 5)}));
}

TEST(Verify, RefusesRowsOutOfOrder) {
  Region x({row("b", "1", 5), row("a", "1", 5)});
  Comparison comparison({&x});
  EXPECT_THROW(comparison.scan(), std::runtime_error);
}

TEST(Verify, FindsExactlyWhatWasChanged) {
  Rng rng(61);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<VerifyRow>> held(3);
    std::vector<std::string> changed;
    for (int k = 100; k < 200; ++k) {
      VerifyRow truth = row("k" + std::to_string(k), "1", 1 + rng.below(9));
      std::size_t odd = rng.percent(10) ? rng.below(3) : 3;
      if (odd < 3) changed.push_back(truth.key);
      for (std::size_t r = 0; r < 3; ++r) {
        if (r != odd) {
          held[r].push_back(truth);
        } else if (rng.percent(50)) {
          VerifyRow other = truth;
          other.image_hash += 100;
          held[r].push_back(other);
        }
      }
    }
    Region x(held[0]);
    Region y(held[1]);
    Region z(held[2]);
    Comparison comparison({&x, &y, &z});
    comparison.scan();
    std::vector<std::string> found;
    for (const auto& [key, difference] : comparison.differing()) found.push_back(key);
    ASSERT_EQ(found, changed);
  }
}

}  // namespace
}  // namespace meridian::cli

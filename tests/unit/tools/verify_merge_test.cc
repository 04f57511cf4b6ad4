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
  // `range`: how many rows a digest is of, at most.
  explicit Region(const std::vector<VerifyRow>& rows, std::size_t range = 4) : range_(range) {
    for (const auto& r : rows) rows_[r.key] = r;
  }
  conflict::Hlc collected() override { return collected_; }
  RangeDigest digest(BytesView after, const std::optional<Bytes>& to,
                     conflict::Hlc horizon) override {
    RangeDigest out{to};
    for (const auto& r : rows(after, to, horizon)) {
      if (out.items + out.tombstones == range_) return out;
      out.sum += hash_of(r);
      ++(r.tombstone ? out.tombstones : out.items);
      out.to = r.key;
    }
    out.to = to;
    return out;
  }
  std::vector<VerifyRow> rows(BytesView after, const std::optional<Bytes>& to,
                              conflict::Hlc horizon) override {
    std::vector<VerifyRow> out;
    for (auto at = rows_.upper_bound(Bytes(after)); at != rows_.end(); ++at) {
      if (to && at->first > *to) break;
      BytesView version = at->second.version;
      bool old = take_u64(version).value_or(~std::uint64_t{0}) <= horizon.value;
      if (!at->second.tombstone || !old) out.push_back(at->second);
    }
    return out;
  }
  std::vector<std::optional<VerifyRow>> read(const std::vector<Bytes>& keys) override {
    std::vector<std::optional<VerifyRow>> out;
    for (const auto& key : keys) {
      auto at = rows_.find(key);
      out.push_back(at == rows_.end() ? std::optional<VerifyRow>() : at->second);
    }
    return out;
  }
  void write(const VerifyRow& r) { rows_[r.key] = r; }
  void erase(const Bytes& key) { rows_.erase(key); }
  void collect(conflict::Hlc up_to) { collected_ = up_to; }

 private:
  const std::size_t range_;
  std::map<Bytes, VerifyRow> rows_;
  conflict::Hlc collected_;
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
  for (const auto& [key, holders] : comparison.differing()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"extra", "image", "missing", "tombstone", "version"}));
  EXPECT_FALSE(comparison.differing().at("missing")[1].has_value());
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

TEST(Verify, RegionsThatCutRangesDifferentlyAreCompared) {
  std::vector<VerifyRow> rows;
  for (int k = 100; k < 150; ++k) rows.push_back(row("k" + std::to_string(k), "1", 7));
  std::vector<VerifyRow> fewer(rows.begin(), rows.begin() + 30);
  Region x(rows, 3);
  Region y(rows, 7);
  Region z(fewer, 50);
  Comparison same({&x, &y});
  same.scan();
  EXPECT_TRUE(same.differing().empty());
  EXPECT_EQ(same.items(), 50u);
  Comparison comparison({&x, &y, &z});
  comparison.scan();
  EXPECT_EQ(comparison.differing().size(), 20u);
  EXPECT_EQ(comparison.items(), 30u);
  EXPECT_EQ(comparison.keys(), 50u);
}

Bytes version_at(std::uint64_t hlc) {
  Bytes out;
  put_u64(out, hlc);
  return out + "us-east-1";
}

TEST(Verify, ACollectedTombstoneIsAsGoodAsNone) {
  VerifyRow old = row("old", version_at(10), 0);
  VerifyRow recent = row("recent", version_at(30), 0);
  Region x({old, recent, row("item", version_at(5), 5)});
  Region y({recent, row("item", version_at(5), 5)});
  y.collect(conflict::Hlc{20});
  Comparison comparison({&x, &y});
  comparison.scan();
  EXPECT_TRUE(comparison.differing().empty());
  EXPECT_EQ(comparison.tombstones(), 1u);
  // What is collected while they are compared is no difference either.
  y.erase("recent");
  Comparison later({&x, &y});
  later.scan();
  EXPECT_EQ(later.differing().size(), 1u);
  y.collect(conflict::Hlc{30});
  later.read_differing_again();
  EXPECT_TRUE(later.differing().empty());
  EXPECT_EQ(later.items(), 1u);
}

// A region that answers what cannot be.
class Liar final : public RowSource {
 public:
  conflict::Hlc collected() override { return {}; }
  RangeDigest digest(BytesView, const std::optional<Bytes>&, conflict::Hlc) override {
    return {stuck ? std::optional<Bytes>("") : std::nullopt, 1, 1, 0};
  }
  std::vector<VerifyRow> rows(BytesView, const std::optional<Bytes>&, conflict::Hlc) override {
    return {row("b", "1", 5), row("a", "1", 5)};
  }
  std::vector<std::optional<VerifyRow>> read(const std::vector<Bytes>&) override { return {}; }
  bool stuck = false;
};

TEST(Verify, RefusesNonsense) {
  Liar liar;
  Region other({});
  Comparison out_of_order({&liar, &other});
  EXPECT_THROW(out_of_order.scan(), std::runtime_error);
  liar.stuck = true;
  Comparison stuck({&liar});
  EXPECT_THROW(stuck.scan(), std::runtime_error);
}

// Pinned: the same content has the same digest in every release, here and in the nodes.
TEST(Verify, TheHashOfARowIsPinned) {
  EXPECT_EQ(hash_of(row("k", version_at(0x0102030405060708), 0x1122334455667788)),
            0x9d6eb018c76367e9u);
}

TEST(Verify, FindsExactlyWhatWasChanged) {
  Rng rng(61);
  for (int round = 0; round < 50; ++round) {
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
    Region x(held[0], 30);
    Region y(held[1], 30);
    Region z(held[2], 30);
    Comparison comparison({&x, &y, &z});
    comparison.scan();
    std::vector<std::string> found;
    for (const auto& [key, holders] : comparison.differing()) found.push_back(key);
    ASSERT_EQ(found, changed);
  }
}

}  // namespace
}  // namespace meridian::cli

#include "conflict/context.h"

#include <gtest/gtest.h>

#include "common/rng.h"
#include "conflict/absence.h"

namespace meridian::conflict {
namespace {

Version at(std::uint64_t hlc, const char* region) { return {Hlc{hlc}, RegionId::of(region)}; }

TEST(Context, CoversWhatItsChainContains) {
  Context context = Context{}.extended_by(at(5, "us-east-1")).extended_by(at(7, "eu-west-1"));
  EXPECT_TRUE(context.covers(at(5, "us-east-1")));
  EXPECT_TRUE(context.covers(at(4, "us-east-1")));
  EXPECT_FALSE(context.covers(at(6, "us-east-1")));
  EXPECT_TRUE(context.covers(at(7, "eu-west-1")));
  EXPECT_FALSE(context.covers(at(1, "ap-northeast-1")));
  EXPECT_FALSE(Context{}.covers(at(1, "us-east-1")));
}

TEST(Context, NamesOnlyTheLatestOfARegion) {
  Context context = Context{}.extended_by(at(5, "us-east-1")).extended_by(at(7, "us-east-1"));
  EXPECT_TRUE(context.names(at(7, "us-east-1")));
  EXPECT_FALSE(context.names(at(5, "us-east-1")));
  EXPECT_FALSE(context.names(at(7, "eu-west-1")));
  EXPECT_EQ(context.of(RegionId::of("us-east-1")), Hlc{7});
  EXPECT_EQ(context.of(RegionId::of("eu-west-1")), std::nullopt);
}

TEST(Context, AWriteOnAnAbsentKeyKnowsAllThatWasCollected) {
  EXPECT_EQ(context_of_absence(Hlc{}), Context{});
  Context context = context_of_absence(Hlc{9});
  EXPECT_TRUE(context.covers(at(9, "us-east-1")));
  EXPECT_TRUE(context.covers(at(3, "eu-west-1")));
  EXPECT_FALSE(context.covers(at(10, "us-east-1")));
  EXPECT_FALSE(context.names(at(9, "us-east-1")));
  context = context.extended_by(at(12, "us-east-1"));
  EXPECT_TRUE(context.covers(at(12, "us-east-1")));
  EXPECT_TRUE(context.covers(at(9, "eu-west-1")));
  EXPECT_FALSE(context.covers(at(12, "eu-west-1")));
  EXPECT_EQ(Context::decode(context.encode()), context);
}

TEST(Context, KeepsTheLatestOfARegionInOrderOfName) {
  Context context = Context{}
                        .extended_by(at(5, "us-east-1"))
                        .extended_by(at(9, "ap-northeast-1"))
                        .extended_by(at(3, "us-east-1"))
                        .extended_by(at(8, "us-east-1"));
  ASSERT_EQ(context.entries().size(), 2u);
  EXPECT_EQ(context.entries()[0].region, RegionId::of("ap-northeast-1"));
  EXPECT_EQ(context.entries()[1].region, RegionId::of("us-east-1"));
  EXPECT_EQ(context.entries()[1].hlc, Hlc{8});
}

Context random_context(Rng& rng, std::uint64_t regions) {
  Context context;
  for (std::uint64_t i = 0; i < regions; ++i) {
    std::string name = "r" + std::to_string(rng.below(regions));
    context = context.extended_by({Hlc{rng.next()}, RegionId::of(name)});
  }
  return context;
}

TEST(Context, RoundTrips) {
  Rng rng(41);
  for (std::uint64_t i = 0; i < 500; ++i) {
    Context context = random_context(rng, i % (Context::kRegionsMax + 1));
    EXPECT_EQ(Context::decode(context.encode()), context);
  }
}

TEST(Context, TheStoredFormat) {
  EXPECT_EQ(to_hex(Context{}.encode()), "00");
  Context context = Context{}.extended_by(at(0x102, "eu")).extended_by(at(3, "ap"));
  EXPECT_EQ(to_hex(context.encode()),
            "02"
            "02"
            "6170"
            "0000000000000003"
            "02"
            "6575"
            "0000000000000102");
}

TEST(Context, DecodesOnlyItsOwnEncoding) {
  Rng rng(42);
  for (int i = 0; i < 200; ++i) {
    Bytes good = random_context(rng, 5).encode();
    for (std::size_t cut = 0; cut < good.size(); ++cut)
      EXPECT_FALSE(Context::decode(BytesView(good).substr(0, cut)));
    EXPECT_FALSE(Context::decode(good + "x"));
  }
}

TEST(Context, SurvivesHostileBytes) {
  Rng rng(43);
  for (int i = 0; i < 100'000; ++i) {
    Bytes bytes = random_context(rng, rng.below(4)).encode();
    for (std::uint64_t flips = rng.below(4); flips > 0 && !bytes.empty(); --flips)
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
    auto decoded = Context::decode(bytes);
    // Whatever is accepted is canonical: it encodes to the very bytes that it came from.
    if (decoded) {
      EXPECT_EQ(decoded->encode(), bytes);
    }
  }
}

TEST(Context, RefusesTooManyDisorderAndRepetition) {
  Bytes many;
  put_varint(many, Context::kRegionsMax + 1);
  EXPECT_FALSE(Context::decode(many));
  Bytes huge;
  put_varint(huge, ~std::uint64_t{0});
  EXPECT_FALSE(Context::decode(huge));
  std::string eight(8, '\1');
  EXPECT_FALSE(Context::decode("\2\1b" + eight + "\1a" + eight));
  EXPECT_FALSE(Context::decode("\2\1a" + eight + "\1a" + eight));
  EXPECT_TRUE(Context::decode("\2\1a" + eight + "\1b" + eight));
}

}  // namespace
}  // namespace meridian::conflict

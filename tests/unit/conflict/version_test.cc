#include "conflict/version.h"

#include <gtest/gtest.h>

#include "common/rng.h"

namespace meridian::conflict {
namespace {

const char* const kRegions[] = {"a",         "ab",         "a-1",      "ap-northeast-1",
                                "eu-west-1", "eu-west-10", "us-east-1"};

Version random_version(Rng& rng) {
  // Few distinct times, so that ties are common.
  std::uint64_t hlc = rng.percent(50) ? rng.below(4) : rng.next() >> rng.below(64);
  return {Hlc{hlc}, RegionId::of(kRegions[rng.below(std::size(kRegions))])};
}

TEST(Version, ByteOrderIsTheOrder) {
  Rng rng(31);
  for (int i = 0; i < 50'000; ++i) {
    Version a = random_version(rng);
    Version b = random_version(rng);
    Bytes x = encode_version(a);
    Bytes y = encode_version(b);
    ASSERT_EQ(a <=> b, x <=> y) << to_text(a) << " " << to_text(b);
    ASSERT_EQ(a == b, x == y);
  }
}

TEST(Version, RoundTrips) {
  Rng rng(32);
  for (int i = 0; i < 1000; ++i) {
    Version version = random_version(rng);
    EXPECT_EQ(decode_version(encode_version(version)), version);
  }
}

TEST(Version, TheStoredFormat) {
  Version version{Hlc{(std::uint64_t{0x0192'0000'0001} << 16) + 2}, RegionId::of("eu-west-1")};
  EXPECT_EQ(to_hex(encode_version(version)), "0192000000010002" + to_hex("eu-west-1"));
}

TEST(Version, TimeComesBeforeTheRegion) {
  RegionId first = RegionId::of("ap-northeast-1");
  RegionId last = RegionId::of("us-east-1");
  EXPECT_LT((Version{Hlc{1}, last}), (Version{Hlc{2}, first}));
  EXPECT_LT((Version{Hlc{1}, first}), (Version{Hlc{1}, last}));
}

TEST(Version, RefusesWhatIsNotOne) {
  EXPECT_FALSE(decode_version(""));
  EXPECT_FALSE(decode_version("1234567"));
  EXPECT_FALSE(decode_version("12345678"));
  EXPECT_FALSE(decode_version("12345678EU"));
  EXPECT_FALSE(decode_version("12345678" + std::string(RegionId::kBytesMax + 1, 'a')));
}

TEST(Version, ReadsWell) {
  Version version{Hlc{(std::uint64_t{1'795'227'247'123} << 16) + 4}, RegionId::of("us-east-1")};
  EXPECT_EQ(to_text(version), "2026-11-21T02:14:07.123Z/4@us-east-1");
}

TEST(Version, TextCanBeReadBack) {
  Version version{Hlc{Hlc::at_ms(1'764'041'234'567).value + 41}, RegionId::of("eu-west-1")};
  EXPECT_EQ(to_text(version), "2025-11-25T03:27:14.567Z/41@eu-west-1");
  EXPECT_EQ(version_from_text(to_text(version)), version);
  for (const char* text :
       {"", "@", "2025-11-25T03:27:14.567Z/41", "2025-11-25T03:27:14.567Z/41@", "now/1@eu-west-1",
        "2025-11-25T03:27:14.567Z/041@eu-west-1", "2025-11-25T03:27:14.567Z/70000@eu-west-1",
        "2025-13-25T03:27:14.567Z/1@eu-west-1", "2025-11-25T03:27:14.567Z/41@EU"})
    EXPECT_EQ(version_from_text(text), std::nullopt) << text;
}

}  // namespace
}  // namespace meridian::conflict

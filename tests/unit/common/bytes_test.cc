#include "common/bytes.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "common/rng.h"

namespace meridian {
namespace {

Bytes random_bytes(Rng& rng, std::size_t size) {
  Bytes out;
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(rng.below(256)));
  return out;
}

TEST(Bytes, FixedIntegersAreBigEndian) {
  Bytes out;
  put_u16(out, 0x0102);
  put_u32(out, 0x03040506);
  put_u64(out, 0x0708090a0b0c0d0eULL);
  EXPECT_EQ(to_hex(out), "0102030405060708090a0b0c0d0e");
  BytesView in = out;
  EXPECT_EQ(take_u16(in), 0x0102);
  EXPECT_EQ(take_u32(in), 0x03040506u);
  EXPECT_EQ(take_u64(in), 0x0708090a0b0c0d0eULL);
  EXPECT_TRUE(in.empty());
}

TEST(Bytes, BigEndianBytesSortLikeNumbers) {
  Rng rng(1);
  for (int i = 0; i < 2000; ++i) {
    std::uint64_t a = rng.next() >> rng.below(64);
    std::uint64_t b = rng.next() >> rng.below(64);
    Bytes x;
    Bytes y;
    put_u64(x, a);
    put_u64(y, b);
    EXPECT_EQ(a < b, x < y);
  }
}

TEST(Bytes, TakingFromTooLittleLeavesItAlone) {
  BytesView in = "abc";
  EXPECT_FALSE(take_u32(in));
  EXPECT_FALSE(take_u64(in));
  EXPECT_FALSE(take_bytes(in, 4));
  EXPECT_EQ(in, "abc");
  EXPECT_EQ(take_bytes(in, 2), "ab");
  EXPECT_FALSE(take_u16(in));
  EXPECT_EQ(in, "c");
}

TEST(Utf8, IsToldFromOtherBytes) {
  for (const char* good :
       {"", "plain", "\x7f", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80"})
    EXPECT_TRUE(is_utf8(good)) << good;
  EXPECT_TRUE(is_utf8(BytesView("a\0b", 3)));
  for (const char* bad : {"\xff", "\x80", "a\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf0\x9f\x98"})
    EXPECT_FALSE(is_utf8(bad)) << to_hex(bad);
}

TEST(Varint, RoundTripsEveryWidth) {
  std::vector<std::uint64_t> values = {0,   1,   127,
                                       128, 300, std::numeric_limits<std::uint64_t>::max()};
  for (unsigned bits = 1; bits < 64; ++bits) {
    values.push_back(std::uint64_t{1} << bits);
    values.push_back((std::uint64_t{1} << bits) - 1);
  }
  for (std::uint64_t value : values) {
    Bytes out;
    put_varint(out, value);
    EXPECT_LE(out.size(), 10u);
    BytesView in = out;
    EXPECT_EQ(take_varint(in), value);
    EXPECT_TRUE(in.empty());
    for (std::size_t cut = 0; cut < out.size(); ++cut) {
      BytesView part = BytesView(out).substr(0, cut);
      EXPECT_FALSE(take_varint(part));
      EXPECT_EQ(part.size(), cut);
    }
  }
}

TEST(Varint, RefusesAllButTheShortestForm) {
  for (BytesView longer :
       {BytesView("\x80\0", 2), BytesView("\x85\0", 2), BytesView("\xff\x80\0", 3)}) {
    BytesView in = longer;
    EXPECT_FALSE(take_varint(in)) << to_hex(longer);
    EXPECT_EQ(in, longer);
  }
}

TEST(Varint, RefusesMoreThan64Bits) {
  Bytes eleven(10, '\xff');
  eleven.push_back('\x01');
  BytesView in = eleven;
  EXPECT_FALSE(take_varint(in));
  Bytes overflow(9, '\xff');
  overflow.push_back('\x02');
  in = overflow;
  EXPECT_FALSE(take_varint(in));
}

TEST(Hex, RoundTripsAndRefusesTheRest) {
  Rng rng(2);
  for (std::size_t size = 0; size < 40; ++size) {
    Bytes bytes = random_bytes(rng, size);
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  }
  EXPECT_EQ(from_hex("0AfF"), Bytes("\x0a\xff"));
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
}

TEST(Base64, KnownAnswers) {  // RFC 4648, section 10
  const std::vector<std::pair<Bytes, std::string>> cases = {{"", ""},
                                                            {"f", "Zg=="},
                                                            {"fo", "Zm8="},
                                                            {"foo", "Zm9v"},
                                                            {"foob", "Zm9vYg=="},
                                                            {"fooba", "Zm9vYmE="},
                                                            {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : cases) {
    EXPECT_EQ(to_base64(plain), coded);
    EXPECT_EQ(from_base64(coded), plain);
  }
}

TEST(Base64, RoundTripsRandomBytes) {
  Rng rng(3);
  for (std::size_t size = 0; size < 200; ++size) {
    Bytes bytes = random_bytes(rng, size);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
}

TEST(Base64, RefusesBadLengthPaddingAndCharacters) {
  for (const char* text :
       {"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9\n", "Zm9-", "=m9v", "Z=9v"})
    EXPECT_FALSE(from_base64(text)) << text;
}

TEST(Hash64, IsXxh3AndNeverChanges) {
  // Digests of different releases are compared with each other, so these values are for ever.
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2ULL);
  EXPECT_NE(hash64("a"), hash64("b"));
}

}  // namespace
}  // namespace meridian

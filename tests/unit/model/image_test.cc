#include "region-node/model/image.h"

#include <gtest/gtest.h>

#include "tests/unit/model/random_values.h"

namespace meridian::model {
namespace {

Item all_types() {
  Item item;
  item["S"] = StringValue{"text"};
  item["N"] = NumberValue{"-1.5"};
  item["B"] = BinaryValue{std::string("\0\xff", 2)};
  item["T"] = true;
  item["F"] = false;
  item["Z"] = NullValue{};
  item["M"] = AttributeMap{{"a", NumberValue{"1"}}, {"b", AttributeMap{}}};
  item["L"] = AttributeList{StringValue{""}, AttributeList{}};
  item["SS"] = StringSet{{"a", "b"}};
  item["NS"] = NumberSet{{"-2", "1", "10"}};
  item["BS"] = BinarySet{{"x"}};
  return item;
}

// A value inside `levels` lists.
AttributeValue nested(std::size_t levels) {
  AttributeValue value = NullValue{};
  for (std::size_t i = 0; i < levels; ++i) {
    AttributeList list;
    list.push_back(std::move(value));
    value = std::move(list);
  }
  return value;
}

TEST(Image, FormatIsPinned) {
  EXPECT_EQ(to_hex(encode_image({})), "0100");
  EXPECT_EQ(to_hex(encode_image(all_types())),
            "010b"
            "0142"
            "03"
            "02"
            "00ff"
            "0242"
            "53"
            "0b"
            "01"
            "0178"
            "0146"
            "04"
            "014c"
            "08"
            "02"
            "0100"
            "0800"
            "014d"
            "07"
            "02"
            "0161"
            "020131"
            "0162"
            "0700"
            "014e"
            "02"
            "042d312e35"
            "024e53"
            "0a"
            "03"
            "022d32"
            "0131"
            "023130"
            "0153"
            "01"
            "0474657874"
            "025353"
            "09"
            "02"
            "0161"
            "0162"
            "0154"
            "05"
            "015a"
            "06");
}

TEST(Image, ComesBack) {
  Item item = all_types();
  auto decoded = decode_image(encode_image(item));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, item);
}

TEST(Image, EqualImagesExactlyForEqualItems) {
  Rng rng(21);
  for (int i = 0; i < 5'000; ++i) {
    Item a = random_item(rng);
    Item b = rng.percent(30) ? a : random_item(rng);
    Bytes image_a = encode_image(a);
    Bytes image_b = encode_image(b);
    EXPECT_EQ(a == b, image_a == image_b);
    EXPECT_EQ(decode_image(image_a), a);
    if (a == b) {
      EXPECT_EQ(image_hash(image_a), image_hash(image_b));
    }
  }
}

TEST(Image, NestingUpToTheLimit) {
  Item item;
  item["a"] = nested(kNestingMax);
  EXPECT_EQ(decode_image(encode_image(item)), item);
  item["a"] = nested(kNestingMax + 1);
  EXPECT_FALSE(decode_image(encode_image(item)).has_value());
  Bytes hostile =
      "\x01\x01\x01"
      "a";
  for (int i = 0; i < 1'000'000; ++i) hostile += "\x08\x01";
  EXPECT_FALSE(decode_image(hostile).has_value());
}

TEST(Image, RefusesWhatIsNotCanonical) {
  const char* cases[] = {
      "",  // nothing
      "00",
      "02",
      "0200",              // another format
      "01",                // no count
      "0101",              // count without attribute
      "010000",            // something after the end
      "01800000",          // count not in its shortest form
      "0102016106016106",  // a name twice
      "0102016206016106",  // names descend
      "010101610201"
      "2b",  // "+"
      "01010161020230"
      "31",                    // "01"
      "0101016102022d30",      // "-0"
      "010101610900",          // empty set
      "01010161090201620161",  // set descends
      "01010161090201610161",  // element twice
      "010101610a0202313001"
      "39",  // number set out of order by value
      "0101016100",
      "010101610c",    // unknown kinds
      "0101016101ff",  // length beyond the end
      "0101016101ffffffffffffffffff01",
      "01ffffffffffffffffff01",  // a count that would not fit in memory
      "0101016108ffffff7f",
  };
  for (const char* hex : cases) {
    auto bytes = from_hex(hex);
    ASSERT_TRUE(bytes.has_value()) << hex;
    EXPECT_FALSE(decode_image(*bytes).has_value()) << hex;
  }
}

TEST(Image, EveryTruncationIsRefused) {
  Bytes image = encode_image(all_types());
  for (std::size_t size = 0; size < image.size(); ++size)
    EXPECT_FALSE(decode_image(BytesView(image).substr(0, size)).has_value()) << size;
}

TEST(Image, DamagedBytesNeverDecodeToAnotherEncoding) {
  Rng rng(22);
  for (int i = 0; i < 50'000; ++i) {
    Bytes image =
        rng.percent(20) ? Bytes("\x01") + random_bytes(rng, 30) : encode_image(random_item(rng));
    for (std::uint64_t j = 0; j <= rng.below(3); ++j) {
      auto at = static_cast<std::size_t>(rng.below(image.size()));
      image[at] = static_cast<char>(rng.percent(70) ? rng.below(16) : rng.below(256));
    }
    if (auto item = decode_image(image)) {
      EXPECT_EQ(encode_image(*item), image);
    }
  }
}

TEST(Image, HashIsNeverThatOfATombstone) {
  EXPECT_NE(image_hash(""), 0U);
  EXPECT_EQ(image_hash(encode_image({})), hash64(BytesView("\x01\0", 2)));
}

}  // namespace
}  // namespace meridian::model
